using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;
using MissionControl.Testing;

namespace MissionControl.Benchmarks;

/// <summary>An epoch over many logs, in the real host within this process.</summary>
internal static class AnchorBenchmark
{
    private const string Epochs = "SELECT count(*) AS \"Value\" FROM audit_epoch_slots";

    public static async Task<bool> RunAsync(int logs, int rounds)
    {
        var verdict = Verdict.Begin("anchor", $"one epoch over {logs} audit logs: their newest signed heads read, blinded and hashed into the slot tree, the entry appended to the anchor, what proofs are made of kept", "SQLite, WAL, synchronous=FULL, one commit; floor: one raw insert in a transaction of its own");
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var host = await ControlPlane.StartAsync(time: time, configuration: new Dictionary<string, string?> { ["Audit:Epoch"] = "01:00:00" });
        await TellAsync(host, logs);
        await Eventually.TrueAsync(async () => await CountAsync(host, "SELECT count(DISTINCT log_id) AS \"Value\" FROM audit_log_checkpoint") >= logs, "all logs are signed", TimeSpan.FromMinutes(10));

        // From here on nothing runs but what is measured.
        await host.StopAsync();
        Verdict.Note($"slots for all of them, each with its audit entry, and an epoch: {(await CloseAsync(host, time)).TotalSeconds:0.00} s");
        var (epochs, figures) = (await CountAsync(host, Epochs), new List<double>());
        for (var round = 1; round <= rounds; round++)
        {
            var floor = RawSqlite.RowsPerSecond(200, 1);
            var used = Environment.CpuUsage.TotalTime;
            figures.Add((await CloseAsync(host, time)).TotalMilliseconds);
            Verdict.Note($"round {round}: {figures[^1]:0} ms, {(Environment.CpuUsage.TotalTime - used).TotalMilliseconds:0} ms of a processor; floor {floor:0} commits/s");
        }

        verdict.Holds("each round closed one epoch", await CountAsync(host, Epochs) == epochs + rounds);
        verdict.AtMost("an epoch, median", figures.Order().ElementAt(figures.Count / 2), 500, " ms");
        return verdict.Passed;
    }

    private static async Task<TimeSpan> CloseAsync(ControlPlane host, ManualTime time)
    {
        await SweepAsync(host, "audit.sign-checkpoints");
        time.Advance(TimeSpan.FromHours(2));
        return await SweepAsync(host, "audit.close-epochs");
    }

    private static async Task<TimeSpan> SweepAsync(ControlPlane host, string name)
    {
        var sweeper = host.Services.GetServices<Sweeper>().Single(one => one.Name == name);
        await using var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(sweeper.Module);
        var clock = Stopwatch.StartNew();
        await sweeper.RunAsync(scope.ServiceProvider, CancellationToken.None);
        return clock.Elapsed;
    }

    private static async Task TellAsync(ControlPlane host, int logs)
    {
        var (runner, binding) = (host.Services.GetRequiredService<HandlerRunner>(), host.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(one => one.Name == "audit.append-entry"));
        await Parallel.ForEachAsync(Enumerable.Range(1, logs), new ParallelOptions { MaxDegreeOfParallelism = 256 }, async (i, cancellationToken) =>
        {
            var customer = Guid.CreateVersion7();
            var message = new AuditEntryRecorded(
                1, Guid.CreateVersion7(), "licensing/benchmark", i, DateTimeOffset.UtcNow, "customer", customer, null, "licensing.customer-created", "success", new AuditActor("system", "licensing", "local"),
                new AuditTarget("customer", customer.ToString()), [], null, null, null, "none", new Dictionary<string, string>());
            await runner.ApplyAsync(binding, message, new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow), cancellationToken);
        });
    }

    private static async Task<long> CountAsync(ControlPlane host, string sql)
    {
        await using var scope = host.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Database.SqlQueryRaw<long>(sql).SingleAsync();
    }
}
