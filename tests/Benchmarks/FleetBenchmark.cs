using MissionControl.Benchmarks.Load;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;

namespace MissionControl.Benchmarks;

/// <summary>A whole fleet at its default cadence over shared connections; afterwards what was acknowledged is looked for, cluster by cluster.</summary>
internal static class FleetBenchmark
{
    private const int SequenceBits = 42;

    public static async Task<bool> RunAsync(int clusters, int connections, TimeSpan length)
    {
        var verdict = Verdict.Begin("fleet", $"one check-in with health of one of {clusters} clusters, once a minute each, over {connections} shared connections for {length.TotalSeconds:0} s (usage is not part of it: see ledger and kill)", "answered after the commit: SQLite, WAL, synchronous=FULL");
        var data = await StoredFleet.CopyAsync(clusters);
        try
        {
            await using var host = new HostProcess(data);
            await host.StartAsync();
            var stored = StoredFleet.ClustersOf(data);
            var requests = await StoredClients.AuthorizeAsync(host, length.TotalSeconds / 60);
            using var database = new Database(host);
            using var load = await LoadGenerator.ConnectAsync(host.Plain, connections, i => Turns.Of(requests, i, connections));
            var cpu = Cpu.Seconds(host.Id);
            var running = load.RunAsync(length, clusters / 60.0);
            var depths = new List<long>();
            while (await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(1))) != running)
            {
                depths.Add(database.OutboxDepth());
            }

            var result = await running;
            var used = (Cpu.Seconds(host.Id) - cpu) / length.TotalSeconds;
            var drained = await database.DrainAsync();
            var sent = requests.Sum(cluster => cluster.Sent);
            var missing = Enumerable.Range(0, requests.Count).Count(i => (database.RankOf(stored[i].Id) & ((1L << SequenceBits) - 1)) != requests[i].Last);
            var middle = depths.Count / 2;
            Verdict.Note($"{result.PerSecond:0}/s acknowledged, p50 {result.Accepted.Milliseconds(0.5):0.0} ms, p99 {result.Accepted.Milliseconds(0.99):0.0} ms; host {used:0.00} cores, {Machine.MebibytesOf(host.Id, "VmHWM"):0} MiB at most");
            Verdict.Note($"outbox rows: first half {depths.Take(middle).DefaultIfEmpty().Average():0.0} on average, second half {depths.Skip(middle).DefaultIfEmpty().Average():0.0}, most {depths.DefaultIfEmpty().Max()}; empty {drained.TotalSeconds:0.0} s after the last check-in");
            verdict.Holds($"all {sent} check-ins were acknowledged ({result.Wrong + result.Shed.Count} were not; {result.FirstWrong})", sent == result.Accepted.Count);
            verdict.Holds($"every cluster had its turn ({requests.Count(cluster => cluster.Sent == 0)} had none)", requests.All(cluster => cluster.Sent > 0));
            verdict.Holds($"fleet holds the last acknowledged number of every cluster ({missing} differ)", missing == 0);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }

        return verdict.Passed;
    }
}
