using System.Security.Cryptography;
using MissionControl.Benchmarks.Load;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Benchmarks;

/// <summary>A whole fleet at its default cadence over shared connections; afterwards what was acknowledged is looked for, cluster by cluster.</summary>
internal static class FleetBenchmark
{
    private const int SequenceBits = 42;
    private const int TurnsAnHour = 60;
    private const int CellsOfAWindow = 5;
    private const int Renewals = 8;
    private static readonly string[] Meters = ["host_unit_seconds", "gib_hours", "data_points", "log_bytes", "sessions"];

    public static async Task<bool> RunAsync(int clusters, int connections, TimeSpan length)
    {
        var verdict = Verdict.Begin("fleet", $"one check-in with health of one of {clusters} clusters, once a minute each and with a signed usage window of {CellsOfAWindow} cells once an hour each, over {connections} shared connections for {length.TotalSeconds:0} s; access is renewed every 7 minutes", "answered after the commit: SQLite, WAL, synchronous=FULL");
        var data = await StoredFleet.CopyAsync(clusters);
        try
        {
            await using var host = new HostProcess(data);
            await host.StartAsync();
            var stored = StoredFleet.ClustersOf(data);
            var requests = await StoredClients.AuthorizeAsync(host, length.TotalSeconds / 60);
            BringWindows(requests, stored);
            using var database = new Database(host);
            var samples = database.Samples();
            var plain = connections - Renewals;
            using var load = await LoadGenerator.ConnectAsync(host.Plain, plain, i => Turns.Of(requests, i, plain));
            using var enough = new CancellationTokenSource();
            var renewing = StoredClients.KeepAuthorizedAsync(host, requests, Renewals, enough.Token);
            var cpu = Cpu.Seconds(host.Id);
            var running = load.RunAsync(length, clusters / 60.0);
            var depths = new List<long>();
            while (await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(1))) != running)
            {
                depths.Add(database.OutboxDepth());
            }

            var result = await running;
            var used = (Cpu.Seconds(host.Id) - cpu) / length.TotalSeconds;
            await enough.CancelAsync();
            var drained = await database.DrainAsync();
            var sent = requests.Sum(cluster => cluster.Sent);
            var missing = Enumerable.Range(0, requests.Count).Count(i => (database.RankOf(stored[i].Id) & ((1L << SequenceBits) - 1)) != requests[i].LastHealth);
            var after = database.Samples();
            var uneven = Enumerable.Range(0, requests.Count).Count(i => after[stored[i].Id] - samples.GetValueOrDefault(stored[i].Id) != requests[i].Sent);
            var windows = requests.Sum(cluster => cluster.Windows);
            var middle = depths.Count / 2;
            Verdict.Note($"{result.PerSecond:0}/s acknowledged, p50 {result.Accepted.Milliseconds(0.5):0.0} ms, p99 {result.Accepted.Milliseconds(0.99):0.0} ms; host {used:0.00} cores, {Machine.MebibytesOf(host.Id, "VmHWM"):0} MiB at most");
            Verdict.Note($"outbox rows: first half {depths.Take(middle).DefaultIfEmpty().Average():0.0} on average, second half {depths.Skip(middle).DefaultIfEmpty().Average():0.0}, most {depths.DefaultIfEmpty().Max()}; empty {drained.TotalSeconds:0.0} s after the last check-in");
            verdict.Holds($"all {sent} check-ins were acknowledged ({result.Wrong + result.Shed.Count} were not; {result.FirstWrong})", sent == result.Accepted.Count);
            verdict.Holds($"every cluster had its turn ({requests.Count(cluster => cluster.Sent == 0)} had none)", requests.All(cluster => cluster.Sent > 0));
            Verdict.Note($"{await renewing} access tokens renewed meanwhile; {windows} usage windows sent; the database is {new FileInfo(Path.Combine(data, "missioncontrol.db")).Length / 1048576.0:0} MiB");
            verdict.Holds($"fleet's history holds as many samples more of every cluster as it sent ({uneven} differ)", uneven == 0);
            verdict.Holds($"the ledger holds {windows} windows and {windows * CellsOfAWindow} cells",
                database.Number("SELECT count(*) FROM licensing_window WHERE verdict = 'accepted'") == windows && database.Number("SELECT count(*) FROM licensing_cell") == windows * CellsOfAWindow);
            verdict.Holds($"fleet holds the last acknowledged number of every cluster ({missing} differ)", missing == 0);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }

        return verdict.Passed;
    }

    /// <summary>Clusters report the hour that ended, spread over the next.</summary>
    private static void BringWindows(IReadOnlyList<CheckInRequests> requests, IReadOnlyList<StoredFleet.StoredCluster> stored)
    {
        var hour = UsageWindow.HourOf(TimeProvider.System.GetUtcNow()) - 1;
        for (var i = 0; i < requests.Count; i++)
        {
            var cluster = stored[i];
            requests[i].BringWindow(i % TurnsAnHour, () =>
            {
                var cells = Meters.Select(meter => new UsageCell(meter, 1, new Dictionary<string, string> { ["env"] = "production" }, "3600")).ToList();
                var window = new UsageWindow(1, cluster.Id.ToString("D"), 1, UsageWindow.Text(UsageWindow.StartOf(hour)), 3600, 1, UsageWindow.Text(TimeProvider.System.GetUtcNow()), true, cells);
                using var key = ECDsa.Create();
                key.ImportPkcs8PrivateKey(cluster.Key, out _);
                using var signer = EcdsaSigner.From(key);
                return Dsse.Sign(UsageWindow.PayloadType, window.ToBytes(), signer);
            });
        }
    }
}
