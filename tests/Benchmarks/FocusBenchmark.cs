using System.Diagnostics;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Licensing.Focus;
using MissionControl.Licensing.Rating;

namespace MissionControl.Benchmarks;

/// <summary>Statements as rows of FOCUS: how many a second, and whether a file that is ten times as long takes more memory.</summary>
internal static class FocusBenchmark
{
    private const int LinesOfAStatement = 100;

    public static async Task<bool> RunAsync(int rows)
    {
        var verdict = Verdict.Begin("focus", $"a row of cost and usage, from the bytes of a statement of {LinesOfAStatement} lines to the bytes of the file, one thread", "none: statements in memory, the file thrown away");
        var statement = Statement();
        foreach (var csv in new[] { false, true })
        {
            await WriteAsync(statement, rows / 10, csv);
            var (_, small) = await WriteAsync(statement, rows / 10, csv);
            var (took, large) = await WriteAsync(statement, rows, csv);
            verdict.AtLeast(csv ? "rows of CSV" : "rows of JSON lines", rows / took.TotalSeconds, 50_000, "/s");
            verdict.AtMost($"most memory held of {rows} rows, beyond that of a tenth of them", (large - small) / 1e6, 4, " MB");
        }

        return verdict.Passed;
    }

    private static async Task<(TimeSpan Took, long Held)> WriteAsync(BilledPeriod statement, int rows, bool csv)
    {
        var held = 0L;
        var charges = Enumerable.Range(0, rows / LinesOfAStatement).SelectMany(i =>
        {
            held = i % 1000 == 0 ? Math.Max(held, GC.GetTotalMemory(forceFullCollection: true)) : held;
            return Charge.All(statement);
        });
        var clock = Stopwatch.StartNew();
        await new FocusFile<Charge>(new FocusDatasets(new FocusOptions()).CostAndUsage, charges.ToAsyncEnumerable(), []).WriteAsync(Stream.Null, csv, CancellationToken.None);
        return (clock.Elapsed, held);
    }

    private static BilledPeriod Statement()
    {
        var id = Guid.CreateVersion7();
        var document = new StatementDocument
        {
            Number = "S-C-1-2026-12",
            Generation = 1,
            Customer = id,
            Contract = new VersionOf(id, 1),
            PriceBook = new VersionOf(id, 1),
            Watermark = 1,
            Rated = new RatedPeriod(
                new RatingPeriod(0, 744, 0, 744), "EUR", [.. Enumerable.Range(1, LinesOfAStatement - 1).Select(i => new RatedLine(new LineKey("hosts", i, Use.Production, LineKind.Usage, false), "Host units, by the hour", "host_unit_seconds", "host unit hour", i * 1_234_567_891L, 45_000_000, 40_500_000, i))],
                Carry.None, null, 0, []),
            Corrections = [],
            Missing = [],
            InputsSha256 = "sha256:00",
        };
        return new BilledPeriod(document.Number, id, "sha256:00", DateTimeOffset.UnixEpoch, document.ToBytes(), 0, 744, "EUR", id, id, "North AS", null, id, "C-1", 1, id, "Oslo");
    }
}
