using MissionControl.Platform.Data;
using MissionControl.Storage.Sqlite;
using Xunit;

namespace MissionControl.Platform.Tests;

public sealed class WriterGateTests
{
    [Fact]
    public async Task Only_one_is_inside_and_intake_goes_before_those_who_waited_longer()
    {
        var gate = new WriterGate();
        var order = new List<string>();
        var first = await gate.EnterAsync(WritePriority.Normal, CancellationToken.None);
        var normal = EnterAsync("normal", WritePriority.Normal);
        var intake = EnterAsync("intake", WritePriority.Intake);

        first.Dispose();
        await Task.WhenAll(normal, intake);

        Assert.Equal(["intake", "normal"], order);

        async Task EnterAsync(string name, WritePriority priority)
        {
            using var turn = await gate.EnterAsync(priority, CancellationToken.None);
            order.Add(name);
        }
    }

    [Fact]
    public async Task One_who_gives_up_does_not_keep_the_gate_shut()
    {
        var gate = new WriterGate();
        var first = await gate.EnterAsync(WritePriority.Normal, CancellationToken.None);
        using var impatient = new CancellationTokenSource();
        var waiting = gate.EnterAsync(WritePriority.Normal, impatient.Token).AsTask();

        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        first.Dispose();

        (await gate.EnterAsync(WritePriority.Normal, CancellationToken.None)).Dispose();
    }

    [Fact]
    public async Task Nothing_is_lost_when_many_write_at_once()
    {
        var gate = new WriterGate();
        var counter = 0;
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => Task.Run(async () =>
        {
            using var turn = await gate.EnterAsync(i % 3 == 0 ? WritePriority.Intake : WritePriority.Normal, CancellationToken.None);
            var read = counter;
            await Task.Yield();
            counter = read + 1;
        })));

        Assert.Equal(1000, counter);
    }
}
