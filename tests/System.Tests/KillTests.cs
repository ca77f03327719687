using System.Diagnostics;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

public sealed class KillTests
{
    private const int Rounds = 8;
    private const int SenderCount = 8;

    [Fact]
    public async Task Whatever_was_acknowledged_before_kill_9_is_stored_exactly_once()
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        var senders = await Senders.EnrollAsync(host, SenderCount);
        var clock = Stopwatch.StartNew();
        var longer = TimeSpan.FromSeconds(int.Parse(global::System.Environment.GetEnvironmentVariable("MC_TEST_KILL_SECONDS") ?? "0", global::System.Globalization.CultureInfo.InvariantCulture));
        var round = 0;
        for (; round < Rounds || clock.Elapsed < longer; round++)
        {
            using var load = new CancellationTokenSource();
            var running = senders.Select(sender => sender.SendUntilAsync(load.Token)).ToList();
            var target = senders.Sum(sender => sender.Acknowledged.Count) + 200 + (37 * (round % Rounds));
            await Eventually.TrueAsync(() => senders.Sum(sender => sender.Acknowledged.Count) >= target, "enough was acknowledged in this round");
            await host.KillAsync();
            await load.CancelAsync();
            await Task.WhenAll(running);
            Assert.True(host.Errors.Count == 0, string.Join("\n", host.Errors));
            await host.StartAsync();
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{round} rounds of kill -9, {senders.Sum(sender => sender.Acknowledged.Count)} events and {senders.Sum(sender => sender.AcknowledgedHours.Count)} usage windows acknowledged");
        await Senders.VerifyAsync(host, senders);
    }

    [Fact]
    public async Task An_agent_whose_machine_was_killed_goes_on_where_it_was()
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        using var admin = host.Client(host.Portal, host.AdminToken);
        var customer = await Senders.CustomerAsync(admin);
        var token = await Senders.TokenAsync(admin, customer);
        var data = Path.Combine(host.Data, "agent");
        var (enrolled, output) = await AgentAsync(token.Token, "enroll", "--data", data, "--ca", host.CaFile, "--server", host.CallHome.ToString(), "--token-file", "-", "--anchors", token.AnchorsSha256, "--name", "Real", "--output", "json");
        Assert.True(enrolled == 0, output);
        var (wrong, _) = await AgentAsync(token.Token, "enroll", "--data", data + "2", "--ca", host.CaFile, "--server", host.CallHome.ToString(), "--token-file", "-", "--anchors", "sha256:00");
        Assert.Equal(3, wrong);
        var (checkedConnection, said) = await AgentAsync(null, "check-connection", "--data", data, "--ca", host.CaFile);
        Assert.True(checkedConnection == 0, said);

        for (var i = 0; i < 2; i++)
        {
            var before = await ContactAsync(admin);
            using var agent = StartAgent("run", "--data", data, "--ca", host.CaFile);
            await Eventually.TrueAsync(async () => await ContactAsync(admin) is { } contact && (before is null || contact > before), "the agent was heard of");
            var (asked, status) = await AgentAsync(null, "status", "--data", data);
            var (second, inUse) = await AgentAsync(null, "run", "--data", data, "--ca", host.CaFile);
            Assert.True(asked == 0 && status.Contains("epoch 1", StringComparison.Ordinal), status);
            Assert.True(second == 2 && inUse.Contains("Another mc-agent", StringComparison.Ordinal), inUse);
            agent.Kill();
            await agent.WaitForExitAsync();
        }

        var (shown, sent) = await AgentAsync(null, "show-sent", "--data", data, "--bodies");
        Assert.True(shown == 0 && sent.Contains("/callhome/v1/checkin", StringComparison.Ordinal) && sent.Contains("\"health\"", StringComparison.Ordinal), sent);
        Assert.DoesNotContain(token.Token, sent, StringComparison.Ordinal);

        var cluster = Assert.Single((await admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters"))!.Items);
        Assert.False(cluster.CloneSuspected);
        Assert.Equal(1, cluster.NodesUp);
    }

    private static async Task<DateTimeOffset?> ContactAsync(HttpClient admin) =>
        (await admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters"))!.Items.SingleOrDefault()?.LastContact;

    private static async Task<(int ExitCode, string Output)> AgentAsync(string? input, params string[] arguments)
    {
        using var process = StartAgent(arguments);
        if (input is not null)
        {
            await process.StandardInput.WriteLineAsync(input);
        }

        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await error);
    }

    private static global::System.Diagnostics.Process StartAgent(params string[] arguments)
    {
        var start = new global::System.Diagnostics.ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "mc-agent")) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return global::System.Diagnostics.Process.Start(start)!;
    }
}
