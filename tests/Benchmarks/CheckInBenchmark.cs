using System.Diagnostics;
using System.Text;
using MissionControl.Benchmarks.Load;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;
using MissionControl.Protocol.CallHome;

namespace MissionControl.Benchmarks;

/// <summary>Check-ins as fast as they are answered, against an empty POST to the same Kestrel; then at half that rate; then at twice.</summary>
internal static class CheckInBenchmark
{
    private static readonly byte[] EmptyPost = Encoding.ASCII.GetBytes($"POST {FloorHost.Path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");

    public static async Task<bool> RunAsync(int clusters, int rounds, TimeSpan length, int[] connectionCounts, bool onlyPeak)
    {
        var verdict = Verdict.Begin("checkin",
            "one POST /callhome/v1/checkin of one cluster, protobuf, one health item with 30 measured values (3 nodes of 10), keep-alive HTTP/1.1 without TLS, load generator on the same cores; fleet's consumer running",
            "answered after the commit: SQLite, WAL, synchronous=FULL; data directory on the disk of the temporary directory");
        var data = Directory.CreateTempSubdirectory("mc-bench-");
        try
        {
            await using var host = new HostProcess(data.FullName);
            await host.StartAsync(withFloor: true);
            var fleet = await FleetSeed.EnrollAsync(host, clusters);
            await FleetSeed.AuthorizeAsync(fleet);
            var requests = new List<CheckInRequests>();
            foreach (var cluster in fleet)
            {
                var hello = await cluster.Client.CheckInAsync(new CheckInRequest { ClusterId = cluster.Id.ToString("D"), Epoch = 1, LowestKept = 1, Sections = { CheckInRequests.Understood } }, CancellationToken.None);
                requests.Add(new CheckInRequests(cluster.Id, 1, cluster.Bearer, hello.Desired?.Etag ?? "d0", 1));
            }

            Verdict.Note($"body        {requests[0].BodyBytes} bytes, {clusters} clusters");
            using var database = new Database(host);
            var peak = 0.0;
            foreach (var connections in connectionCounts)
            {
                peak = Math.Max(peak, await PeakAsync(host, database, verdict, requests, connections, rounds, length));
            }

            if (!onlyPeak)
            {
                await HalfLoadAsync(host, database, verdict, requests, peak / 2);
                await OverloadAsync(host, verdict, requests, peak);
            }

            Verdict.Note($"memory      {Machine.MebibytesOf(host.Id, "VmRSS"):0} MiB resident after it all, {Machine.MebibytesOf(host.Id, "VmHWM"):0} at most");
            foreach (var complaint in host.Complaints.Take(5))
            {
                Verdict.Note($"host said   {(complaint.Length < 400 ? complaint : complaint[..400])}");
            }
        }
        finally
        {
            data.Delete(recursive: true);
        }

        return verdict.Passed;
    }

    private static async Task<double> PeakAsync(HostProcess host, Database database, Verdict verdict, List<CheckInRequests> requests, int connections, int rounds, TimeSpan length)
    {
        using var floor = await LoadGenerator.ConnectAsync(host.Plain, connections, _ => WriteEmpty);
        using var subject = await LoadGenerator.ConnectAsync(host.Plain, connections, i => Turns.Of(requests, i, connections));

        // Warm: code compiled in its second tier, caches filled.
        await floor.RunAsync(TimeSpan.FromSeconds(1));
        await subject.RunAsync(TimeSpan.FromSeconds(4));
        await database.DrainAsync();
        Verdict.Note($"{connections} connections, {rounds} rounds of {length.TotalSeconds:0} s floor and {length.TotalSeconds:0} s check-ins");
        Verdict.Note("    round   floor/s  check-in/s  ratio   p50 ms   p99 ms  host µs each  outbox start/mid/end  drained in  others");
        var ratios = new List<double>();
        var figures = new List<double>();
        for (var round = 1; round <= rounds; round++)
        {
            var (under, _, othersFloor) = await MeasureAsync(host, () => floor.RunAsync(length));
            var before = database.OutboxDepth();
            long middle = 0, end = 0;
            var (over, cpu, others) = await MeasureAsync(host, async () =>
            {
                var running = subject.RunAsync(length);
                await Task.Delay(length / 2);
                middle = database.OutboxDepth();
                var result = await running;
                end = database.OutboxDepth();
                return result;
            });
            var drained = await database.DrainAsync();
            if (over.Wrong > 0 || over.Shed.Count > 0 || under.Wrong > 0)
            {
                throw new InvalidOperationException($"{over.Wrong + under.Wrong} answers were wrong and {over.Shed.Count} were 503: {over.FirstWrong ?? under.FirstWrong}");
            }

            ratios.Add(over.PerSecond / under.PerSecond);
            figures.Add(over.PerSecond);
            var disturbed = Math.Max(others, othersFloor);
            Verdict.Note($"    {round,5} {under.PerSecond,9:0} {over.PerSecond,11:0} {ratios[^1],6:0.000} {over.Accepted.Milliseconds(0.5),8:0.0} {over.Accepted.Milliseconds(0.99),8:0.0} {cpu / over.Accepted.Count * 1e6,13:0.0} {$"{before}/{middle}/{end}",21} {drained.TotalSeconds,9:0.00} s {disturbed,7:0.00}{(disturbed > 0.15 ? " disturbed" : "")}");
        }

        verdict.AtLeast($"check-ins at {connections} connections, median", Median(figures), 10_000, "/s");
        verdict.AtLeast($"ratio to the floor at {connections} connections, median", Median(ratios), 0.15, "");
        return Median(figures);
    }

    private static async Task HalfLoadAsync(HostProcess host, Database database, Verdict verdict, List<CheckInRequests> requests, double perSecond)
    {
        using var load = await LoadGenerator.ConnectAsync(host.Plain, 256, i => Turns.Of(requests, i, 256));
        var depths = new List<long>();
        var running = load.RunAsync(TimeSpan.FromSeconds(15), perSecond);
        while (await Task.WhenAny(running, Task.Delay(500)) != running)
        {
            depths.Add(database.OutboxDepth());
        }

        var result = await running;
        Verdict.Note($"half load   {result.PerSecond:0}/s for 15 s, p50 {result.Accepted.Milliseconds(0.5):0.0} ms, outbox rows each half second: {string.Join(' ', depths)}");
        verdict.AtMost("p99 at half load", result.Accepted.Milliseconds(0.99), 50, " ms");
        verdict.Holds($"every answer at half load was 2xx ({result.Wrong + result.Shed.Count} were not)", result.Wrong + result.Shed.Count == 0);
    }

    private static async Task OverloadAsync(HostProcess host, Verdict verdict, List<CheckInRequests> requests, double peak)
    {
        // Enough connections that the waiting check-ins alone overfill the queue.
        var connections = Math.Min(requests.Count, 6000);
        using var load = await LoadGenerator.ConnectAsync(host.Plain, connections, i => Turns.Of(requests, i, connections));
        var result = await load.RunAsync(TimeSpan.FromSeconds(8), peak * 2);
        Verdict.Note($"overload    {peak * 2:0}/s offered over {connections} connections: {result.PerSecond:0}/s accepted, {result.Shed.Count / result.Elapsed.TotalSeconds:0}/s answered 503 (p50 {result.Shed.Milliseconds(0.5):0.0} ms), p99 of the accepted {result.Accepted.Milliseconds(0.99):0} ms");
        verdict.AtLeast("goodput under overload, of peak", result.PerSecond / peak, 0.9, "");
        verdict.AtMost("503 at overload, p99", result.Shed.Milliseconds(0.99), 10, " ms");
        verdict.Holds($"nothing but 2xx and 503 ({result.FirstWrong})", result.Wrong == 0);
    }

    private static async Task<(LoadResult Result, double HostSeconds, double Others)> MeasureAsync(HostProcess host, Func<Task<LoadResult>> run)
    {
        var before = host.ReadCpu();
        var seconds = Cpu.Seconds(host.Id);
        var clock = Stopwatch.StartNew();
        var result = await run();
        return (result, Cpu.Seconds(host.Id) - seconds, host.ReadCpu().OthersSince(before, clock.Elapsed));
    }

    private static int WriteEmpty(Span<byte> destination)
    {
        EmptyPost.CopyTo(destination);
        return EmptyPost.Length;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
