using System.IO.Compression;
using System.Net.Http.Json;
using System.Text.Json;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>The real agent process behind the proxies that companies have, on real sockets with real TLS.</summary>
public abstract class AgentOnTheWayTests : IAsyncLifetime
{
    private readonly string directory = Directory.CreateTempSubdirectory("mc-agent-").FullName;
    private readonly IProcesses installation;

    private protected AgentOnTheWayTests(IProcesses installation) => this.installation = installation;

    private string Data => Path.Combine(directory, "data");

    private string Config => Path.Combine(directory, "agent.json");

    private string Server => installation.CallHomes[0].ToString();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        Directory.Delete(directory, recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_agent_calls_home_through_a_proxy_that_wants_credentials()
    {
        await using var proxy = new ConnectProxy("agent", "p:ss word");
        await ConfigureAsync(new { caFile = installation.CaFile, proxy = new { address = proxy.Address, credentialsFile = Path.Combine(directory, "credentials") } });

        await File.WriteAllTextAsync(Path.Combine(directory, "credentials"), "agent:wrong");
        var (refused, said) = await AgentAsync("check-connection", "--server", Server, "--output", "json");
        Assert.True(refused == 1, said);
        Assert.Equal("proxy", Json(said).GetProperty("failing").GetString());
        Assert.Contains("refuses these credentials", said, StringComparison.Ordinal);

        await File.WriteAllTextAsync(Path.Combine(directory, "credentials"), "agent:p:ss word\n");
        var cluster = await EnrollAsync();
        await AgentProcess.RunUntilAsync(AgentProcess.Taken, "run", "--data", Data, "--config", Config);
        var (good, hops) = await AgentAsync("check-connection");

        Assert.True(good == 0, hops);
        Assert.True(proxy.Tunnels >= 4, $"{proxy.Tunnels} tunnels");
        using var admin = installation.Admin();
        await Eventually.TrueAsync(async () => (await admin.GetFromJsonAsync<ClusterSummary>($"/api/v1/fleet/clusters/{cluster}"))!.NodesUp == 1, "fleet knows of the node");
    }

    [Fact]
    public async Task What_an_inspecting_proxy_captures_is_what_show_sent_says()
    {
        await using var proxy = new InspectingProxy(installation.CaFile);
        await ConfigureAsync(new { caFile = installation.CaFile, proxy = new { address = proxy.Address } });
        var (distrusted, why) = await AgentAsync("check-connection", "--server", Server, "--output", "json");
        Assert.True(distrusted == 1 && Json(why).GetProperty("failing").GetString() == "tls", why);
        Assert.Contains("Inspecting proxy", why, StringComparison.Ordinal);

        var trusted = Path.Combine(directory, "proxy.pem");
        await File.WriteAllTextAsync(trusted, proxy.CaPem);
        await ConfigureAsync(new { caFile = trusted, proxy = new { address = proxy.Address } });
        await EnrollAsync();
        await AgentProcess.RunUntilAsync(AgentProcess.Taken, "run", "--data", Data, "--config", Config);

        var captured = Assert.Single(proxy.Bodies("/callhome/v1/checkin"));
        var file = Path.Combine(directory, "captured.bin");
        await File.WriteAllBytesAsync(file, captured);
        var (found, told) = await AgentAsync("show-sent", "--verify", file);
        Assert.True(found == 0 && told.Contains("200", StringComparison.Ordinal), told);

        captured[^1] ^= 1;
        await File.WriteAllBytesAsync(file, captured);
        var (notFound, denied) = await AgentAsync("show-sent", "--verify", file);
        Assert.True(notFound == 1 && denied.Contains("did not send", StringComparison.Ordinal), denied);

        // Neither the machine's name nor its id is in anything that went out; what people call the cluster is.
        var everything = string.Concat(proxy.Bodies("/callhome/v1/checkin").Concat(proxy.Bodies("/callhome/v1/enroll")).Select(Inflated).Select(global::System.Text.Encoding.Latin1.GetString));
        Assert.Contains("Real", everything, StringComparison.Ordinal);
        Assert.DoesNotContain(ClusterAgent.Machine.LinuxMachine.MachineId(), everything, StringComparison.Ordinal);
        if (Environment.MachineName is { Length: >= 4 } name and not "localhost")
        {
            Assert.DoesNotContain(name, everything, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("https://no-such-host.invalid:9443", true, "dns")]
    [InlineData("https://localhost:1", true, "connection")]
    [InlineData(null, false, "tls")]
    public async Task Check_connection_names_the_hop_that_fails(string? server, bool trusts, string hop)
    {
        await ConfigureAsync(trusts ? new { caFile = installation.CaFile } : new object());

        var (code, said) = await AgentAsync("check-connection", "--server", server ?? Server, "--output", "json");

        Assert.True(code == 1, said);
        Assert.Equal(hop, Json(said).GetProperty("failing").GetString());
    }

    [Fact]
    public async Task Check_connection_names_lost_credentials_and_a_wrong_clock()
    {
        await ConfigureAsync(new { caFile = installation.CaFile });
        var cluster = await EnrollAsync();
        using var admin = installation.Admin();
        using (var suspended = await admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster}/suspend", new { reason = "test" }))
        {
            Assert.True(suspended.IsSuccessStatusCode, await suspended.Content.ReadAsStringAsync());
        }

        // The replica that the agent asks may be another than the one that was told.
        var (code, said) = (0, "");
        await Eventually.TrueAsync(async () => ((code, said) = await AgentAsync("check-connection", "--output", "json")).code == 1, "the agent is refused");
        Assert.True(Json(said).GetProperty("failing").GetString() == "credentials", said);
        Assert.Contains("cluster-suspended", said, StringComparison.Ordinal);

        await using var later = await installation.OpenDoorAsync(new ManualTime(TimeProvider.System.GetUtcNow().AddMinutes(30)));
        var (wrong, clock) = await AgentProcess.RunAsync(null, "check-connection", "--data", Data + "2", "--ca", later.CaFile, "--server", later.Address.ToString(), "--output", "json");
        Assert.True(wrong == 1 && Json(clock).GetProperty("failing").GetString() == "clock", clock);
    }

    [Fact]
    public async Task Credentials_in_an_argument_are_refused()
    {
        var (code, said) = await AgentProcess.RunAsync(null, "check-connection", "--data", Data, "--server", Server, "--proxy", "http://agent:secret@127.0.0.1:3128");

        Assert.Equal(2, code);
        Assert.DoesNotContain("secret@", said, StringComparison.Ordinal);
    }

    // A long body is sent as gzip, which begins with these two bytes; no message of the protocol does.
    private static byte[] Inflated(byte[] body)
    {
        if (body is not [0x1f, 0x8b, ..])
        {
            return body;
        }

        using var gzip = new GZipStream(new MemoryStream(body), CompressionMode.Decompress);
        using var inflated = new MemoryStream();
        gzip.CopyTo(inflated);
        return inflated.ToArray();
    }

    private Task ConfigureAsync(object settings) => File.WriteAllTextAsync(Config, JsonSerializer.Serialize(settings, JsonSerializerOptions.Web));

    private Task<(int ExitCode, string Output)> AgentAsync(string command, params string[] arguments) => AgentProcess.RunAsync(null, [command, "--data", Data, "--config", Config, .. arguments]);

    private async Task<Guid> EnrollAsync()
    {
        using var admin = installation.Admin();
        var token = await Senders.TokenAsync(admin, await Senders.CustomerAsync(admin));
        var (code, said) = await AgentProcess.RunAsync(token.Token, "enroll", "--data", Data, "--config", Config, "--server", Server, "--token-file", "-", "--anchors", token.AnchorsSha256, "--name", "Real", "--output", "json");
        Assert.True(code == 0, said);
        return Json(said).GetProperty("clusterId").GetGuid();
    }

    private static JsonElement Json(string text) => JsonSerializer.Deserialize<JsonElement>(text.Split('\n')[0]);
}

/// <summary>The agent on its way to one process.</summary>
[Collection(Shapes.Embedded)]
public sealed class EmbeddedAgentOnTheWayTests(EmbeddedFixture fixture) : AgentOnTheWayTests(fixture.Installation);

/// <summary>The agent on its way to one of several replicas.</summary>
[Collection(Shapes.Distributed)]
public sealed class DistributedAgentOnTheWayTests(DistributedFixture fixture) : AgentOnTheWayTests(fixture.Installation);
