using System.Net.Http.Json;
using System.Text.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Testing;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>The real agent from its enrolment to its leave.</summary>
public abstract class AgentLifeTests : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("mc-life-");
    private readonly IProcesses installation;

    private protected AgentLifeTests(IProcesses installation) => this.installation = installation;

    private string Data => Path.Combine(directory.FullName, "agent");

    public void Dispose()
    {
        directory.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_replaced_key_goes_on_where_the_old_one_was_which_ends_with_its_first_use()
    {
        using var admin = installation.Admin();
        var cluster = await EnrollAsync(admin, "--anchors");
        await AgentProcess.RunUntilAsync(AgentProcess.Taken, "run", "--data", Data, "--ca", installation.CaFile);
        var old = Assert.Single(await KeysAsync(admin, cluster));
        var before = await File.ReadAllTextAsync(Path.Combine(Data, "cluster.key.pem"));

        // The first answer is lost: the key that was asked for is kept, and the old one is still good.
        var (rotated, said) = await AgentProcess.RunAsync(null, "rotate-key", "--data", Data, "--ca", installation.CaFile, "--output", "json");
        Assert.True(rotated == 0, said);
        var after = await File.ReadAllTextAsync(Path.Combine(Data, "cluster.key.pem"));
        File.Move(Path.Combine(Data, "cluster.key.pem"), Path.Combine(Data, "cluster.key.next.pem"));
        await File.WriteAllTextAsync(Path.Combine(Data, "cluster.key.pem"), before);
        await AgentProcess.RunUntilAsync(AgentProcess.Taken, "run", "--data", Data, "--ca", installation.CaFile);
        var (again, told) = await AgentProcess.RunAsync(null, "rotate-key", "--data", Data, "--ca", installation.CaFile, "--output", "json");
        Assert.True(again == 0, told);
        Assert.Equal(said, told);
        Assert.Equal(after, await File.ReadAllTextAsync(Path.Combine(Data, "cluster.key.pem")));
        Assert.False(File.Exists(Path.Combine(Data, "cluster.key.next.pem")));

        await AgentProcess.RunUntilAsync(AgentProcess.Taken, "run", "--data", Data, "--ca", installation.CaFile);
        using var fresh = JsonDocument.Parse(told);
        var keys = await KeysAsync(admin, cluster);
        Assert.Equal([old.Kid, fresh.RootElement.GetProperty("keyId").GetString()], keys.Select(key => key.Kid));
        Assert.NotNull(keys[0].NotAfter);
        Assert.Null(keys[1].NotAfter);

        // The old key is worth nothing any more.
        await File.WriteAllTextAsync(Path.Combine(Data, "cluster.key.pem"), before);
        var (lost, why) = await AgentProcess.RunAsync(null, "check-connection", "--data", Data, "--ca", installation.CaFile, "--output", "json");
        Assert.True(lost == 1 && why.Contains("\"failing\":\"credentials\"", StringComparison.Ordinal), why);
    }

    [Fact]
    public async Task Trust_at_first_contact_is_a_finding_on_both_sides()
    {
        using var admin = installation.Admin();
        var cluster = await EnrollAsync(admin, "--trust-first-contact");
        var (_, status) = await AgentProcess.RunAsync(null, "status", "--data", Data);

        Assert.Contains("Finding: enrolled without checking the anchors", status, StringComparison.Ordinal);
        Assert.True((await admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{cluster}"))!.TrustedFirstContact);
    }

    [Fact]
    public async Task Whoever_takes_leave_is_decommissioned_and_may_enrol_anew()
    {
        using var admin = installation.Admin();
        var cluster = await EnrollAsync(admin, "--anchors");
        var (left, said) = await AgentProcess.RunAsync(null, "unenroll", "--data", Data, "--ca", installation.CaFile, "--reason", "moved");
        var (status, none) = await AgentProcess.RunAsync(null, "status", "--data", Data);

        Assert.True(left == 0, said);
        Assert.True(status == 2 && none.Contains("not enrolled", StringComparison.Ordinal), none);
        Assert.Equal("decommissioned", (await admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{cluster}"))!.State);
        Assert.NotEqual(cluster, await EnrollAsync(admin, "--anchors"));
    }

    [Fact]
    public async Task It_cosigns_its_customers_log_by_the_key_of_its_enrolment_also_when_it_is_killed_again_and_again()
    {
        using var admin = installation.Admin();
        var cluster = await EnrollAsync(admin, "--anchors");
        var customer = (await admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{cluster}"))!.CustomerId;
        var seen = 0L;
        for (var round = 0; round < 2; round++)
        {
            await Eventually.TrueAsync(async () =>
            {
                // Killed as soon as a check-in was taken, wherever it is with what the answer asks.
                await AgentProcess.RunUntilAsync(AgentProcess.Taken, "run", "--data", Data, "--ca", installation.CaFile);
                var log = (await admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs?limit=500"))!.Items.SingleOrDefault(log => log.CustomerId == customer);
                using var note = log is null ? null : await admin.GetAsync($"/api/v1/audit/logs/{log.Id}/checkpoint?witnessed=true");
                if (note is not { IsSuccessStatusCode: true })
                {
                    return false;
                }

                using var policy = LogPolicy.Parse(await admin.GetStringAsync($"/api/v1/audit/logs/{log!.Id}/policy"));
                var judged = policy.Judge(SignedNote.Parse(await note.Content.ReadAsByteArrayAsync()));
                var more = judged.HasQuorum && judged.Witnesses.Count == 1 && judged.Checkpoint.Size > seen;
                seen = more ? judged.Checkpoint.Size : seen;
                return more;
            }, "the cluster has seen more of its customer's log", TimeSpan.FromMinutes(2));
        }

        var (status, said) = await AgentProcess.RunAsync(null, "witness", "--data", Data);
        Assert.True(status == 0 && said.Contains("customer: ", StringComparison.Ordinal) && !said.Contains("Refused", StringComparison.Ordinal), said);
    }

    private static async Task<IReadOnlyList<ClusterKeyItem>> KeysAsync(HttpClient admin, Guid cluster) =>
        [.. (await admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{cluster}"))!.Keys.Where(key => key.Use == "identity").OrderBy(key => key.NotBefore)];

    private async Task<Guid> EnrollAsync(HttpClient admin, string trust)
    {
        var token = await Senders.TokenAsync(admin, await Senders.CustomerAsync(admin));
        string[] how = trust == "--anchors" ? ["--anchors", token.AnchorsSha256] : [trust];
        var (code, output) = await AgentProcess.RunAsync(token.Token, ["enroll", "--data", Data, "--ca", installation.CaFile, "--server", installation.CallHomes[0].ToString(), "--token-file", "-", "--output", "json", .. how]);
        Assert.True(code == 0, output);
        using var said = JsonDocument.Parse(output);
        return said.RootElement.GetProperty("clusterId").GetGuid();
    }
}

/// <summary>A life with one process.</summary>
[Collection(Shapes.Embedded)]
public sealed class EmbeddedAgentLifeTests(EmbeddedFixture fixture) : AgentLifeTests(fixture.Installation);

/// <summary>A life with many processes.</summary>
[Collection(Shapes.Distributed)]
public sealed class DistributedAgentLifeTests(DistributedFixture fixture) : AgentLifeTests(fixture.Installation);
