using MissionControl.Benchmarks.Load;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;

namespace MissionControl.Benchmarks;

/// <summary>From the start of the shipped executable to <c>/health/ready</c>, over a data directory that holds a fleet; and what it weighs then.</summary>
internal static class StartBenchmark
{
    public static async Task<bool> StartAsync(int clusters, int rounds)
    {
        var verdict = Verdict.Begin("start", $"from starting the process to 200 from /health/ready, {clusters} clusters stored, every role, files in the page cache, compiled ahead of time as in the image", "none");
        var stored = await StoredFleet.CopyAsync(clusters);
        var empty = Directory.CreateTempSubdirectory("mc-bench-").FullName;
        try
        {
            // The floor: the same process over a database without a fleet. Its first start makes keys and schema and does not count.
            await OnceAsync(empty);
            await OnceAsync(stored);
            var times = new List<double>();
            for (var round = 1; round <= rounds; round++)
            {
                var (floor, others) = await OnceAsync(empty);
                var (full, othersToo) = await OnceAsync(stored);
                times.Add(full);
                var disturbed = Math.Max(others, othersToo);
                Verdict.Note($"round {round}: {full:0.00} s; without a fleet {floor:0.00} s; ratio {floor / full:0.00}; others {disturbed:0.00}{(disturbed > 0.15 ? " disturbed" : "")}");
            }

            verdict.AtMost("start to ready, median", times.Order().ElementAt(times.Count / 2), 3, " s");
        }
        finally
        {
            Directory.Delete(stored, recursive: true);
            Directory.Delete(empty, recursive: true);
        }

        return verdict.Passed;
    }

    public static async Task<bool> MemoryAsync(int clusters, TimeSpan length)
    {
        var verdict = Verdict.Begin("memory", $"resident memory of the embedded host with {clusters} clusters that check in once a minute each, over {length.TotalSeconds:0} s, portal and API asked besides", "SQLite, WAL, synchronous=FULL");
        var data = await StoredFleet.CopyAsync(clusters);
        try
        {
            await using var host = new HostProcess(data);
            await host.StartAsync();
            Verdict.Note($"after start {Machine.MebibytesOf(host.Id, "VmRSS"):0} MiB");
            var requests = await StoredClients.AuthorizeAsync(host, length.TotalSeconds / 60);
            using var load = await LoadGenerator.ConnectAsync(host.Plain, 64, i => Turns.Of(requests, i, 64));
            using var admin = host.Client(host.Portal, host.AdminToken);
            var running = load.RunAsync(length, clusters / 60.0);
            while (await Task.WhenAny(running, Task.Delay(1000)) != running)
            {
                using var page = await admin.GetAsync(new Uri("/api/v1/fleet/clusters?limit=500", UriKind.Relative));
                page.EnsureSuccessStatusCode();
            }

            var result = await running;
            Verdict.Note($"{result.PerSecond:0} check-ins/s, p99 {result.Accepted.Milliseconds(0.99):0.0} ms");
            Verdict.Note($"at the end  {Machine.MebibytesOf(host.Id, "VmRSS"):0} MiB, of it not shared with files {Machine.MebibytesOf(host.Id, "RssAnon"):0} MiB");
            verdict.Holds($"every answer was 2xx ({result.FirstWrong})", result.Wrong + result.Shed.Count == 0);
            verdict.AtMost("most resident memory at any time", Machine.MebibytesOf(host.Id, "VmHWM"), 500, " MiB");
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }

        return verdict.Passed;
    }

    private static async Task<(double Seconds, double Others)> OnceAsync(string data)
    {
        await using var host = new HostProcess(data);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var before = Cpu.Read(Environment.ProcessId);
        var took = await host.StartAsync();
        var others = Cpu.Read(Environment.ProcessId).OthersSince(before, clock.Elapsed) - (Cpu.Seconds(host.Id) / clock.Elapsed.TotalSeconds);
        await host.StopAsync();
        return (took.TotalSeconds, Math.Max(0, others));
    }
}
