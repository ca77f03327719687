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

    private async Task<CheckInResponse> UploadAsync(Uri door, string file)
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
