using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Google.Protobuf;
using MissionControl.ClusterAgent.Spool;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>A site whose items a person carries: the real <c>mc-agent</c>, its file, and the door.</summary>
public abstract class AirGapTests : IDisposable
{
    private const int Events = 600;
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("mc-air-gap-");
    private readonly IInstallation installation;

    private protected AirGapTests(IInstallation installation) => this.installation = installation;

    private string Data => Path.Combine(directory.FullName, "agent");

    public void Dispose()
    {
        directory.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task What_was_exported_and_carried_is_there_once_also_after_the_site_is_online_again()
    {
        var cluster = await EnrollAsync();
        using (var spool = new DiskSpool(Path.Combine(Data, "spool")))
        {
            for (var i = 0; i < Events; i++)
            {
                spool.Add("event", TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), new Event { Id = $"e{i}", Kind = "node-added", Severity = "info", Text = "A node was added" }.ToByteArray());
            }
        }

        var file = Path.Combine(directory.FullName, "site.bundle");
        var (exported, output) = await AgentProcess.RunAsync(null, "export", "--data", Data, file);
        // The second time at another replica where there is one: whoever carries a file does not know whether it was handed in before.
        var first = await UploadAsync(installation.CallHomes[0], file);
        var again = await UploadAsync(installation.CallHomes[^1], file);
        var waiting = DiskSpool.CountIn(Path.Combine(Data, "spool"));
        await AgentProcess.RunUntilAsync(line => AgentProcess.Taken(line) && line.Contains("\"waiting\":0", StringComparison.Ordinal), "run", "--data", Data, "--ca", installation.CaFile, "--output", "json");
        var (nothing, _) = await AgentProcess.RunAsync(null, "export", "--data", Data, file + ".later");

        Assert.True(exported == 0, output);
        Assert.Equal(2, File.ReadLines(file).Count());
        Assert.Equal((Events, Events), (first.Ack, again.Ack));
        Assert.Equal(Events, waiting);
        Assert.Equal(1, nothing);
        Assert.False(File.Exists(file + ".later"));
        using var admin = installation.Admin();
        var identity = (await admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{cluster}"))!;
        Assert.False(identity.CloneSuspected);
        Assert.True(identity.AcknowledgedThrough >= Events);
        Assert.Equal(Events, await StoredAsync(admin, cluster));
    }

    [Fact]
    public async Task The_answer_that_is_carried_back_settles_what_a_site_has_that_never_calls_home()
    {
        await EnrollAsync();
        using (var spool = new DiskSpool(Path.Combine(Data, "spool")))
        {
            for (var i = 1; i <= 5; i++)
            {
                spool.Add("event", TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), new Event { Id = $"e{i}", Kind = "node-added", Severity = "info", Text = "A node was added" }.ToByteArray());
            }
        }

        var (bundle, answer, config) = (Path.Combine(directory.FullName, "site.bundle"), Path.Combine(directory.FullName, "site.answer"), Path.Combine(directory.FullName, "agent.json"));
        await File.WriteAllTextAsync(config, "{\"offline\": true}");
        await AgentProcess.RunAsync(null, "export", "--data", Data, bundle);
        var told = await UploadAsync(installation.CallHomes[0], bundle, answer);
        await File.WriteAllTextAsync(answer + ".forged", (await File.ReadAllTextAsync(answer)).Replace("\"signedAnswer\": \"", "\"signedAnswer\": \"AAAA", StringComparison.Ordinal));

        var (forged, why) = await AgentProcess.RunAsync(null, "import", "--data", Data, answer + ".forged");
        var (refusal, _) = await AgentProcess.RunAsync(null, "import", "--data", Data, bundle);
        var (imported, said) = await AgentProcess.RunAsync(null, "import", "--data", Data, answer);
        var (_, status) = await AgentProcess.RunAsync(null, "status", "--data", Data);
        await AgentProcess.RunUntilAsync(line => line.Contains("\"taken\":false,\"problem\":null", StringComparison.Ordinal), "run", "--data", Data, "--config", config, "--output", "json");
        var (_, after) = await AgentProcess.RunAsync(null, "status", "--data", Data);

        Assert.Equal(5, told.Ack);
        Assert.Equal((1, 1), (forged, refusal));
        Assert.Contains("not to be trusted", why, StringComparison.Ordinal);
        Assert.True(imported == 0, said);
        Assert.Contains("up to 5", said, StringComparison.Ordinal);
        Assert.Contains("wait to be taken: 1", status, StringComparison.Ordinal);
        Assert.DoesNotContain("wait to be taken", after, StringComparison.Ordinal);

        // What it read since waits for the next export.
        Assert.NotEmpty(DiskSpool.ReadIn(Path.Combine(Data, "spool")));
        Assert.All(DiskSpool.ReadIn(Path.Combine(Data, "spool")), item => Assert.True(item.Seq > 5));
    }

    [Fact]
    public async Task A_site_that_nothing_reaches_is_enrolled_by_two_files()
    {
        using var admin = installation.Admin();
        var token = await Senders.TokenAsync(admin, await Senders.CustomerAsync(admin));
        var (request, answer) = (Path.Combine(directory.FullName, "enrol.request"), Path.Combine(directory.FullName, "enrol.answer"));
        string[] common = ["enroll", "--data", Data, "--server", installation.CallHomes[0].ToString(), "--output", "json"];

        var (asked, why) = await AgentProcess.RunAsync(token.Token, [.. common, "--token-file", "-", "--request", request]);
        using var http = installation.Client(installation.CallHomes[0]);
        using var content = new StringContent(await File.ReadAllTextAsync(request), new MediaTypeHeaderValue("application/json"));
        using var response = await http.PostAsync(new Uri("/callhome/v1/enroll", UriKind.Relative), content);
        await File.WriteAllTextAsync(answer, await response.Content.ReadAsStringAsync());
        var (blind, _) = await AgentProcess.RunAsync(null, [.. common, "--answer", answer]);
        var (wrong, _) = await AgentProcess.RunAsync(null, [.. common, "--answer", answer, "--anchors", $"sha256:{new string('0', 64)}"]);
        var (nothing, _) = await AgentProcess.RunAsync(null, [.. common, "--answer", request, "--anchors", token.AnchorsSha256]);
        var (enrolled, said) = await AgentProcess.RunAsync(null, [.. common, "--answer", answer, "--anchors", token.AnchorsSha256]);

        Assert.True(asked == 0, why);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(request));
        Assert.Equal((2, 1, 1), (blind, wrong, nothing));
        Assert.True(enrolled == 0, said);
        using var told = JsonDocument.Parse(said);
        using (var spool = new DiskSpool(Path.Combine(Data, "spool")))
        {
            spool.Add("event", TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), new Event { Id = "e", Kind = "node-added", Severity = "info", Text = "A node was added" }.ToByteArray());
        }

        await AgentProcess.RunAsync(null, "export", "--data", Data, answer + ".bundle");
        Assert.Equal(1, (await UploadAsync(installation.CallHomes[0], answer + ".bundle")).Ack);
        var cluster = await admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{told.RootElement.GetProperty("clusterId").GetGuid()}");
        Assert.Equal(1, cluster!.AcknowledgedThrough);
    }

    [Fact]
    public async Task An_export_overwrites_nothing_and_needs_an_enrolment()
    {
        var file = Path.Combine(directory.FullName, "there.bundle");
        await File.WriteAllTextAsync(file, "kept");

        var (before, _) = await AgentProcess.RunAsync(null, "export", "--data", Data, file);
        await EnrollAsync();
        using (var spool = new DiskSpool(Path.Combine(Data, "spool")))
        {
            spool.Add("event", 1, [1]);
        }

        var (after, _) = await AgentProcess.RunAsync(null, "export", "--data", Data, file);

        Assert.Equal((2, 1), (before, after));
        Assert.Equal("kept", await File.ReadAllTextAsync(file));
    }

    private async Task<Guid> EnrollAsync()
    {
        using var admin = installation.Admin();
        var token = await Senders.TokenAsync(admin, await Senders.CustomerAsync(admin));
        var (code, output) = await AgentProcess.RunAsync(token.Token, "enroll", "--data", Data, "--ca", installation.CaFile, "--server", installation.CallHomes[0].ToString(), "--token-file", "-", "--anchors", token.AnchorsSha256, "--output", "json");
        Assert.True(code == 0, output);
        using var said = JsonDocument.Parse(output);
        return said.RootElement.GetProperty("clusterId").GetGuid();
    }

    private async Task<CheckInResponse> UploadAsync(Uri door, string file, string? answer = null)
    {
        using var http = installation.Client(door);
        var (taken, text) = (false, "");

        // A replica hears of a cluster that enrolled at another within two seconds; no file is carried that fast.
        await Eventually.TrueAsync(async () =>
        {
            using var content = new StreamContent(File.OpenRead(file));
            content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
            using var response = await http.PostAsync(new Uri("/callhome/v1/bundles", UriKind.Relative), content);
            (taken, text) = (response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
            return taken || response.StatusCode is not HttpStatusCode.Unauthorized;
        }, "the bundle is taken");
        Assert.True(taken, text);
        if (answer is not null)
        {
            await File.WriteAllTextAsync(answer, text);
        }

        return JsonParser.Default.Parse<CheckInResponse>(text);
    }

    private static async Task<int> StoredAsync(HttpClient admin, Guid cluster)
    {
        var stored = new List<string>();
        await Eventually.TrueAsync(async () =>
        {
            stored.Clear();
            for (var next = $"/api/v1/fleet/clusters/{cluster}/events?limit=500"; next is not null;)
            {
                var page = (await admin.GetFromJsonAsync<Page<EventItem>>(next))!;
                stored.AddRange(page.Items.Select(item => item.Id).Where(id => id.StartsWith('e')));
                next = page.Next;
            }

            return stored.Distinct().Count() == Events;
        }, "every event is stored");
        return stored.Count;
    }
}

/// <summary>Handed in to one process.</summary>
[Collection(Shapes.Embedded)]
public sealed class EmbeddedAirGapTests(EmbeddedFixture fixture) : AirGapTests(fixture.Installation);

/// <summary>Handed in to several replicas.</summary>
[Collection(Shapes.Distributed)]
public sealed class DistributedAirGapTests(DistributedFixture fixture) : AirGapTests(fixture.Installation);
