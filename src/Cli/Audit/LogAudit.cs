using System.Globalization;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Cli.Audit;

/// <summary>Judges a log: who has signed it, what it had signed before, and everything that it holds.</summary>
internal static class LogAudit
{
    /// <param name="source">The log.</param>
    /// <param name="policy">Whose word counts.</param>
    /// <param name="before">What it had signed when it was verified last; null: it was not.</param>
    /// <param name="maxAge">How old the newest word of a witness may be; null: any age will do.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<AuditReport> RunAsync(LogSource source, LogPolicy policy, SeenNote? before, TimeSpan? maxAge, CancellationToken cancellationToken)
    {
        SeenNote now;
        try
        {
            now = SeenNote.Parse(await source.CheckpointAsync(cancellationToken) ?? throw new SourceFailure("checkpoint is not there."));
        }
        catch (Exception exception) when (exception is SourceFailure or FormatException)
        {
            return new AuditReport(Verdict.Incomplete, before) { Problem = exception is FormatException ? $"checkpoint is none: {exception.Message}" : exception.Message };
        }

        WitnessedCheckpoint seen;
        try
        {
            seen = policy.Judge(now.Note);
        }
        catch (FormatException exception)
        {
            return new AuditReport(Verdict.Inconsistent, before) { Now = now, Problem = $"{exception.Message} The checkpoint says that it is of {now.Checkpoint.Origin}." };
        }

        if (source.IsOfItsTime && before?.Checkpoint is { } later && later.Origin == now.Checkpoint.Origin && later.Size > now.Checkpoint.Size)
        {
            return new AuditReport(Verdict.Incomplete, before) { Now = now, Seen = seen, Problem = string.Create(CultureInfo.InvariantCulture, $"This is of {now.Checkpoint.Size} entries, and {later.Size} were seen already: whether those go on from these, only a newer one shows. Without the state it is verified by itself.") };
        }

        WalkFinding found;
        var (read, first) = (0L, 0L);
        try
        {
            first = source.First;
            found = await LogWalk.RunAsync(now.Checkpoint, before?.Checkpoint, source.TileAsync, entries => read = entries, cancellationToken, first: first);
        }
        catch (SourceFailure failure)
        {
            found = new WalkFinding(WalkResult.Incomplete, read, 0, failure.Message);
        }

        var (verdict, problem) = found.Result switch
        {
            WalkResult.Inconsistent => (Verdict.Inconsistent, found.Problem),
            WalkResult.Incomplete => (Verdict.Incomplete, found.Problem),
            _ when !seen.HasQuorum => (Verdict.Incomplete, $"Too few witnesses have signed the checkpoint for the policy's quorum: {(seen.Witnesses.Count == 0 ? "none" : string.Join(", ", seen.Witnesses.Keys))}."),
            _ when maxAge is { } most && TooOld(seen.Witnesses.Values, most) is { } age => (Verdict.Stale, age),
            _ => (Verdict.Good, null),
        };
        return new AuditReport(verdict, before) { Now = now, Seen = seen, Found = found, First = first, Problem = problem };
    }

    private static string? TooOld(IEnumerable<long> times, TimeSpan most)
    {
        var newest = times.DefaultIfEmpty().Max();
        return newest == 0 ? "No witness says when it has seen the checkpoint."
            : newest < (TimeProvider.System.GetUtcNow() - most).ToUnixTimeSeconds() ? $"The last witness has seen the checkpoint at {AuditReport.Time(newest)}, which is longer ago than --max-age permits."
            : null;
    }
}
