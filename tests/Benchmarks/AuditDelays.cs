using System.Diagnostics;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;
using MissionControl.Platform.Messaging;
using MissionControl.Testing;

namespace MissionControl.Benchmarks;

/// <summary>How long it takes until an entry is acknowledged, stands in its log, and is covered by a checkpoint, at a rate that does not wait for answers.</summary>
internal static class AuditDelays
{
    // Whoever waits for a seat waits in the figure: each is counted from when it was due.
    private const int AtOnce = 256;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    public static async Task RunAsync(Verdict verdict, TimeSpan length, bool postgres)
    {
        await using var subject = await AuditSubject.StartAsync(postgres);
        await DoorAsync(verdict, subject, 500, length);
        await ToldAsync(verdict, subject, 50, length);
        await ToldAsync(verdict, subject, 500, length);
        await subject.SignedAsync();
    }

    private static async Task DoorAsync(Verdict verdict, AuditSubject subject, int perSecond, TimeSpan length)
    {
        var customer = Guid.CreateVersion7();
        await OfferAsync(Stopwatch.StartNew(), perSecond, length / 4, _ => subject.AppendAsync(customer));
        var ids = new Guid[Count(perSecond, length)];
        var floor = AuditBenchmark.Floor();
        var times = await OfferAsync(Stopwatch.StartNew(), perSecond, length, async i => ids[i] = await subject.AppendAsync(customer));
        var waits = times.Select(time => (time.Done - time.Due).TotalMilliseconds).Order().ToList();
        Verdict.Note(AuditBenchmark.Line($"{perSecond}/s offered to the consumer: acknowledged p50 {At(waits, 0.5):0.0} ms, p99 {At(waits, 0.99):0.0} ms; floor {1000 / floor:0.00} ms, one commit"));
        await subject.SignedAsync();
        var missing = ids.ToHashSet();
        await subject.WalkAsync((await subject.LogsAsync())[customer], (_, entry) => missing.Remove(entry.GetProperty("eventId").GetGuid()));
        verdict.Holds(AuditBenchmark.Line($"all {ids.Length} stand in the verified log"), missing.Count == 0 && await subject.IsNothingParkedAsync());
        verdict.AtMost("append acknowledged, p50", At(waits, 0.5), 25, " ms");
        verdict.AtMost("append acknowledged, p99", At(waits, 0.99), 150, " ms");
    }

    private static async Task ToldAsync(Verdict verdict, AuditSubject subject, int perSecond, TimeSpan length)
    {
        var customer = Guid.CreateVersion7();
        var warm = await OfferAsync(Stopwatch.StartNew(), perSecond, length / 4, i => TellAsync("warm", i));
        await AllSignedAsync(warm.Length);
        var clock = Stopwatch.StartNew();
        using var end = new CancellationTokenSource();
        var watching = WatchAsync(subject, customer, clock, end.Token);
        var times = await OfferAsync(clock, perSecond, length, i => TellAsync("thing", i));
        await AllSignedAsync(warm.Length + times.Length);

        // Once more, so that the last checkpoint was seen.
        await Task.Delay(2 * Look);
        await end.CancelAsync();
        var seen = await watching;
        var (committed, appended, covered) = (new List<double>(), new List<double>(), new List<double>());
        await subject.WalkAsync((await subject.LogsAsync())[customer], (index, entry) =>
        {
            var target = entry.GetProperty("target");
            if (target.GetProperty("type").GetString() == "thing")
            {
                var (due, done) = times[int.Parse(target.GetProperty("id").GetString()!, System.Globalization.CultureInfo.InvariantCulture)];
                committed.Add((done - due).TotalMilliseconds);
                appended.Add((seen.First(look => look.Size > index).At - due).TotalMilliseconds);
                covered.Add((seen.First(look => look.Signed > index).At - due).TotalMilliseconds);
            }
        });
        foreach (var figures in new[] { committed, appended, covered })
        {
            figures.Sort();
        }

        var rate = times.Length / times.Max(time => time.Done).TotalSeconds;
        Verdict.Note(AuditBenchmark.Line($"{perSecond}/s told by IEvents, a transaction each, {rate:0}/s done: committed p50 {At(committed, 0.5):0.0} ms, p99 {At(committed, 0.99):0.0} ms; in the log p50 {At(appended, 0.5):0} ms, p99 {At(appended, 0.99):0} ms; covered by a checkpoint p50 {At(covered, 0.5):0} ms, p99 {At(covered, 0.99):0} ms; looked for every {Look.TotalMilliseconds:0} ms"));
        verdict.Holds(AuditBenchmark.Line($"all {times.Length} told at {perSecond}/s stand in the verified log, each once"), covered.Count == times.Length && await subject.IsNothingParkedAsync());
        if (perSecond == 500)
        {
            verdict.AtMost("told and committed at 500/s, after which nothing can be lost, p50", At(committed, 0.5), 25, " ms");
            verdict.AtMost("told and committed at 500/s, p99", At(committed, 0.99), 150, " ms");
        }

        verdict.AtMost($"from telling to the checkpoint at {perSecond}/s, p99", At(covered, 0.99), 1_000, " ms");

        Task AllSignedAsync(int told) => Eventually.TrueAsync(async () => (await subject.SizeAsync(customer)).Signed >= told, "all that was told is signed", TimeSpan.FromMinutes(5));

        Task TellAsync(string what, int i) => subject.TellAsync(new AuditFact("licensing.thing-changed", AuditLog.Customer, what, i.ToString(System.Globalization.CultureInfo.InvariantCulture))
        {
            CustomerId = customer,
            Changes = [Change.Replace("/number", i, i + 1)],
            Personal = new Dictionary<string, string> { ["address"] = "192.0.2.1" },
        });
    }

    // What a reader of the log would see, and when.
    private static async Task<List<(TimeSpan At, long Size, long Signed)>> WatchAsync(AuditSubject subject, Guid customer, Stopwatch clock, CancellationToken cancellationToken)
    {
        var seen = new List<(TimeSpan, long, long)>();
        while (!cancellationToken.IsCancellationRequested)
        {
            var (size, signed) = await subject.SizeAsync(customer);
            seen.Add((clock.Elapsed, size, signed));
            await Task.Delay(Look, CancellationToken.None);
        }

        return seen;
    }

    private static int Count(int perSecond, TimeSpan length) => Math.Max(1, (int)(perSecond * length.TotalSeconds));

    private static async Task<(TimeSpan Due, TimeSpan Done)[]> OfferAsync(Stopwatch clock, int perSecond, TimeSpan length, Func<int, Task> act)
    {
        var (begun, times) = (clock.Elapsed, new (TimeSpan, TimeSpan)[Count(perSecond, length)]);
        using var seats = new SemaphoreSlim(AtOnce);
        var all = new List<Task>();
        for (var i = 0; i < times.Length; i++)
        {
            var due = begun + TimeSpan.FromSeconds((double)i / perSecond);
            while (due - clock.Elapsed is { Ticks: > 0 } rest)
            {
                await Task.Delay(rest + TimeSpan.FromMilliseconds(1));
            }

            await seats.WaitAsync();
            all.Add(OneAsync(i, due));
        }

        await Task.WhenAll(all);
        return times;

        async Task OneAsync(int i, TimeSpan due)
        {
            await Task.Run(() => act(i));
            times[i] = (due, clock.Elapsed);
            seats.Release();
        }
    }

    private static double At(List<double> figures, double share) => figures.Count == 0 ? double.NaN : figures[(int)Math.Min(figures.Count - 1, Math.Ceiling(figures.Count * share) - 1)];
}
