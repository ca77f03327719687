using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Cli.Audit;

/// <summary>
/// A log as it is read for a copy of it. What the copy has is read there, and everything else is fetched and set aside, so that nothing
/// comes into the copy before all of it was found to be what the log has signed; what was set aside when it could not be finished is
/// there for the next time.
/// </summary>
internal sealed class Mirror : LogSource
{
    private readonly LogSource source;
    private readonly DirectoryLog kept;
    private readonly DirectoryLog aside;
    private readonly string place;

    /// <summary>Makes the place.</summary>
    /// <param name="source">The log.</param>
    /// <param name="place">Where the copy is.</param>
    public Mirror(LogSource source, string place)
    {
        (this.source, this.place) = (source, place);
        (kept, aside) = (new DirectoryLog(place), new DirectoryLog(Path.Combine(place, ".incoming")));
        Directory.CreateDirectory(aside.PathOf(""));
    }

    /// <summary>The copy's own checkpoint.</summary>
    public string Checkpoint => kept.PathOf(CheckpointName);

    public override async Task<ReadOnlyMemory<byte>?> ReadAsync(string path, int longest, CancellationToken cancellationToken)
    {
        if (path == CheckpointName)
        {
            return await source.ReadAsync(path, longest, cancellationToken);
        }

        if ((await kept.ReadAsync(path, longest, cancellationToken) ?? await aside.ReadAsync(path, longest, cancellationToken)) is { } here)
        {
            return here;
        }

        var fetched = await source.ReadAsync(path, longest, cancellationToken);
        if (fetched is { } content)
        {
            WholeFile.Write(aside.Prepare(path), content.Span);
        }

        return fetched;
    }

    // A copy may have some of what the log has not any more: where that begins, only the log says.
    public override Task<long?> GoesOnAsync(long missing, long size, CancellationToken cancellationToken) => source.GoesOnAsync(missing, size, cancellationToken);

    /// <summary>Takes what was set aside into the copy when it is good, its checkpoint last; throws it away when it is not; and else leaves it for the next time.</summary>
    /// <returns>The report, which says when it is the copy itself that is not what the log has signed.</returns>
    public AuditReport Take(AuditReport report, LogPolicy policy)
    {
        if (report.Verdict == Verdict.Good)
        {
            foreach (var path in TileId.AllOf(report.Now!.Checkpoint.Size).SelectMany(id => new[] { $"{id}", $"{id with { Width = TileId.FullWidth }}" }).Where(aside.Has))
            {
                File.Move(aside.PathOf(path), kept.Prepare(path), overwrite: true);
            }

            report.Now.Keep(Checkpoint, policy);
        }

        if (report.Verdict is Verdict.Good or Verdict.Inconsistent)
        {
            Directory.Delete(aside.PathOf(""), recursive: true);
        }

        return report is { Verdict: Verdict.Inconsistent, Found.Tile: { } tile } && (kept.Has($"{tile}") || (tile.Level == TileId.Entries && kept.Has($"{tile with { Level = 0 }}")))
            ? report with { Problem = $"{report.Problem} It stands in {place}: if the log itself is good, remove it there, and it is fetched again." }
            : report;
    }
}
