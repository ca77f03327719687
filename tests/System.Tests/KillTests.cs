using System.Diagnostics;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>Embedded; the same in the distributed shape, role by role and with its servers, is in <see cref="DistributedTests"/>.</summary>
public sealed class KillTests
{
    private static readonly int Rounds = Environment.GetEnvironmentVariable("MC_TEST_LONG") == "1" ? 60 : 6;
    private const int SenderCount = 8;

    [Fact]
    public async Task Whatever_was_acknowledged_before_kill_9_is_stored_exactly_once()
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        var senders = await Senders.EnrollAsync(host, SenderCount);
        using var admin = host.Client(host.Portal, host.AdminToken);
        var clerk = new Clerk(host, await Senders.CustomerAsync(admin));
        var clock = Stopwatch.StartNew();
        var longer = TimeSpan.FromSeconds(int.Parse(global::System.Environment.GetEnvironmentVariable("MC_TEST_KILL_SECONDS") ?? "0", global::System.Globalization.CultureInfo.InvariantCulture));
        var round = 0;
        for (; round < Rounds || clock.Elapsed < longer; round++)
        {
            using var load = new CancellationTokenSource();
            var running = senders.Select(sender => sender.SendUntilAsync(load.Token)).Append(clerk.WorkAsync(load.Token)).ToList();
            var target = senders.Sum(sender => sender.Acknowledged.Count) + 200 + (37 * (round % Rounds));
            await Eventually.TrueAsync(() => senders.Sum(sender => sender.Acknowledged.Count) >= target, "enough was acknowledged in this round");
            await host.KillAsync();
            await load.CancelAsync();
            await Task.WhenAll(running);
            Assert.True(host.Errors.Count == 0, string.Join("\n", host.Errors));
            await host.StartAsync();
            await clerk.VerifyAsync();
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{round} rounds of kill -9, {senders.Sum(sender => sender.Acknowledged.Count)} events and {senders.Sum(sender => sender.AcknowledgedHours.Count)} usage windows and {clerk.Acknowledged} audited changes acknowledged");
        await Senders.VerifyAsync(host, senders);
        await clerk.VerifyWholeAsync();
    }
}
