using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>Two processes of each role over a real broker and a real database, each of them stopped and killed under load.</summary>
public sealed class DistributedTests
{
    private const int SenderCount = 4;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    [Fact]
    public async Task Whatever_was_acknowledged_before_any_process_died_is_stored_exactly_once()
    {
        await using var installation = await DistributedInstallation.StartAsync();
        var senders = await Senders.EnrollAsync(installation, SenderCount);
        foreach (var process in installation.Processes.Where(process => process.Replica == 1 && process.Roles is "callhome" or "licensing" or "fleet"))
        {
            await UnderLoadAsync(senders, async () =>
            {
                await process.KillAsync();
                await process.StartAsync();
            });
        }

        await UnderLoadAsync(senders, async () =>
        {
            await installation.RabbitMq.KillAsync();
            await installation.RabbitMq.StartAsync();
        });
        await UnderLoadAsync(senders, async () =>
        {
            await installation.Postgres.KillAsync();
            await installation.Postgres.StartAsync();
        });
        await Senders.VerifyAsync(installation, senders);
        Assert.Empty(installation.Critical);
    }

    /// <summary>Something happens while everybody sends; afterwards everybody is answered again within 30 s.</summary>
    private static async Task UnderLoadAsync(IReadOnlyList<Sender> senders, Func<Task> happens)
    {
        using var load = new CancellationTokenSource();
        var running = senders.Select(sender => sender.SendUntilAsync(load.Token, Pace)).ToList();
        await MoreAsync(senders, "everybody is answered before");
        await happens();
        await MoreAsync(senders, "everybody is answered after");
        await load.CancelAsync();
        await Task.WhenAll(running);
    }

    private static Task MoreAsync(IReadOnlyList<Sender> senders, string what)
    {
        var targets = senders.Select(sender => sender.Acknowledged.Count + 20).ToList();
        return Eventually.TrueAsync(() => senders.Select((sender, i) => sender.Acknowledged.Count >= targets[i]).All(reached => reached), what);
    }
}
