using System.Net.Http.Json;
using System.Text.Json;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>kill -9 of the real agent process.</summary>
public abstract class AgentKillTests : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("mc-agent-kill-");
    private readonly IInstallation installation;

    private protected AgentKillTests(IInstallation installation) => this.installation = installation;

    public void Dispose()
    {
        directory.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task An_agent_whose_machine_was_killed_goes_on_where_it_was()
    {
        using var admin = installation.Admin();
        var token = await Senders.TokenAsync(admin, await Senders.CustomerAsync(admin));
        var (data, server) = (Path.Combine(directory.FullName, "agent"), installation.CallHomes[0].ToString());
        var (enrolled, output) = await AgentProcess.RunAsync(token.Token, "enroll", "--data", data, "--ca", installation.CaFile, "--server", server, "--token-file", "-", "--anchors", token.AnchorsSha256, "--name", "Real", "--output", "json");
        Assert.True(enrolled == 0, output);
        var cluster = JsonSerializer.Deserialize<JsonElement>(output.Split('\n')[0]).GetProperty("clusterId").GetGuid();
        var (wrong, _) = await AgentProcess.RunAsync(token.Token, "enroll", "--data", data + "2", "--ca", installation.CaFile, "--server", server, "--token-file", "-", "--anchors", "sha256:00");
        Assert.Equal(3, wrong);
        var (checkedConnection, said) = await AgentProcess.RunAsync(null, "check-connection", "--data", data, "--ca", installation.CaFile);
        Assert.True(checkedConnection == 0, said);

        for (var i = 0; i < 2; i++)
        {
            var before = await ContactAsync(admin, cluster);
            using var agent = AgentProcess.Start("run", "--data", data, "--ca", installation.CaFile);
            await Eventually.TrueAsync(async () => await ContactAsync(admin, cluster) is { } contact && (before is null || contact > before), "the agent was heard of");
            var (asked, status) = await AgentProcess.RunAsync(null, "status", "--data", data);
            var (second, inUse) = await AgentProcess.RunAsync(null, "run", "--data", data, "--ca", installation.CaFile);
            Assert.True(asked == 0 && status.Contains("epoch 1", StringComparison.Ordinal), status);
            Assert.True(second == 2 && inUse.Contains("Another mc-agent", StringComparison.Ordinal), inUse);
            agent.Kill();
            await agent.WaitForExitAsync();
        }

        var (shown, sent) = await AgentProcess.RunAsync(null, "show-sent", "--data", data, "--bodies");
        Assert.True(shown == 0 && sent.Contains("/callhome/v1/checkin", StringComparison.Ordinal) && sent.Contains("\"health\"", StringComparison.Ordinal), sent);
        Assert.DoesNotContain(token.Token, sent, StringComparison.Ordinal);

        var summary = (await admin.GetFromJsonAsync<ClusterSummary>($"/api/v1/fleet/clusters/{cluster}"))!;
        Assert.False(summary.CloneSuspected);
        Assert.Equal(1, summary.NodesUp);
    }

    private static async Task<DateTimeOffset?> ContactAsync(HttpClient admin, Guid cluster)
    {
        using var response = await admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster}", UriKind.Relative));
        return response.IsSuccessStatusCode ? (await response.Content.ReadFromJsonAsync<ClusterSummary>())!.LastContact : null;
    }
}

/// <summary>An agent of one process.</summary>
[Collection(Shapes.Embedded)]
public sealed class EmbeddedAgentKillTests(EmbeddedFixture fixture) : AgentKillTests(fixture.Installation);

/// <summary>An agent of many processes.</summary>
[Collection(Shapes.Distributed)]
public sealed class DistributedAgentKillTests(DistributedFixture fixture) : AgentKillTests(fixture.Installation);
