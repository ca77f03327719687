using System.Diagnostics;
using MissionControl.Benchmarks.Load;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;

namespace MissionControl.Benchmarks;

/// <summary>From the moment a cluster sends its health until fleet has it stored.</summary>
internal static class DelayBenchmark
{
    public static async Task<bool> RunAsync(int clusters, TimeSpan length)
    {
        var verdict = Verdict.Begin("delay", $"from sending a check-in until fleet's row of that cluster is committed, {clusters} clusters once a minute each, looked for every 2 ms", "SQLite, WAL, synchronous=FULL");
        var data = await StoredFleet.CopyAsync(clusters);
        try
        {
            await using var host = new HostProcess(data);
            await host.StartAsync();
            var stored = StoredFleet.ClustersOf(data);
            var requests = await StoredClients.AuthorizeAsync(host, length.TotalSeconds / 60);
            using var database = new Database(host);
            using var load = await LoadGenerator.ConnectAsync(host.Plain, 1, _ => Turns.Of(requests, 0, 1));
            var delays = new Histogram();
            var answers = new Histogram();
            var clock = Stopwatch.StartNew();
            for (var i = 0; clock.Elapsed < length; i++)
            {
                var due = TimeSpan.FromSeconds(i * 60.0 / clusters);
                if (due > clock.Elapsed)
                {
                    await Task.Delay(due - clock.Elapsed);
                }

                var id = stored[i % requests.Count].Id;
                var before = database.RankOf(id);
                var sent = Stopwatch.GetTimestamp();
                var answered = await load.OnceAsync();
                answers.Add(answered);
                while (database.RankOf(id) == before)
                {
                    await Task.Delay(2);
                }

                delays.Add(Stopwatch.GetElapsedTime(sent));
            }

            Verdict.Note($"{delays.Count} check-ins; floor: answered after p50 {answers.Milliseconds(0.5):0.0} ms, p99 {answers.Milliseconds(0.99):0.0} ms; stored after p50 {delays.Milliseconds(0.5):0.0} ms; ratio of the medians {answers.Milliseconds(0.5) / delays.Milliseconds(0.5):0.00}");
            verdict.AtMost("sent to stored, p99", delays.Milliseconds(0.99), 2000, " ms");
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }

        return verdict.Passed;
    }
}
