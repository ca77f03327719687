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
        PruneRegister? pruned = null;
        var (read, first) = (0L, 0L);
        try
        {
            first = source.First;
            found = await LogWalk.RunAsync(now.Checkpoint, before?.Checkpoint, source.TileAsync, entries => read = entries, cancellationToken, first: first);
            if (first == 0 && found is { Result: WalkResult.Incomplete, Tile: { Level: TileId.Entries, Index: var missing } } && await source.GoesOnAsync(missing, now.Checkpoint.Size, cancellationToken) is { } kept)
            {
                // Where it does not say so, what is missing is missing; what else is wrong is said all the same.
                pruned = new PruneRegister(kept);
                var rest = await FromAsync(source, now.Checkpoint, before?.Checkpoint, kept, pruned, entries => read = entries, cancellationToken);
                (first, found) = pruned.Found is not null || rest.Result == WalkResult.Inconsistent ? (kept, rest) : (first, found);
            }
        }
        catch (SourceFailure failure)
        {
            found = new WalkFinding(WalkResult.Incomplete, read, 0, failure.Message);
        }

        var isFork = false;
        if (found.Result == WalkResult.Good && !seen.HasQuorum && await WitnessedAsync(source, policy, now.Checkpoint, cancellationToken) is { } earlier)
        {
            (seen, isFork) = (earlier.IsBefore ? earlier.Seen : seen, !earlier.IsBefore);
        }

        var (verdict, problem) = found.Result switch
        {
            _ when isFork => (Verdict.Inconsistent, "What the witnesses have seen is not the beginning of what the log has signed now."),
            WalkResult.Inconsistent => (Verdict.Inconsistent, found.Problem),
            WalkResult.Incomplete => (Verdict.Incomplete, found.Problem),
            _ when pruned?.Problem is { } withheld => (Verdict.Incomplete, withheld),
            _ when !seen.HasQuorum => (Verdict.Incomplete, $"Too few witnesses have signed the checkpoint for the policy's quorum: {(seen.Witnesses.Count == 0 ? "none" : string.Join(", ", seen.Witnesses.Keys))}."),
            _ when maxAge is { } most && TooOld(seen.Witnesses.Values, most) is { } age => (Verdict.Stale, age),
            _ => (Verdict.Good, null),
        };
        return new AuditReport(verdict, before) { Now = now, Seen = seen, Found = found, First = first, Pruned = pruned?.Found, Problem = problem };
    }

    // Of what was pruned the tiles are left: what was seen before is still proven to be the beginning, also where it ended among that.
    private static async Task<WalkFinding> FromAsync(LogSource source, Checkpoint now, Checkpoint? seen, long first, PruneRegister pruned, Action<long> progress, CancellationToken cancellationToken)
    {
        if (seen is not null && seen.Origin == now.Origin && seen.Size < first)
        {
            try
            {
                var path = await source.ResolveAsync(ProofPlan.Consistency(seen.Size, now.Size), now.Size, cancellationToken);
                if (!MerkleProof.VerifyConsistency(seen.Size, seen.Root, now.Size, now.Root, path))
                {
                    return new WalkFinding(WalkResult.Inconsistent, 0, 0, string.Create(CultureInfo.InvariantCulture, $"The first {seen.Size} entries are not those that the log had signed."));
                }
            }
            catch (ArgumentException exception)
            {
                throw new SourceFailure($"What was seen before cannot be looked at: {exception.Message}");
            }

            seen = null;
        }

        return await LogWalk.RunAsync(now, seen, source.TileAsync, progress, cancellationToken, pruned.Read, first);
    }

    // A log that grows all the time is seen now and then: what was seen has to be the beginning of what it is now. Its tiles were verified by the walk.
    private static async Task<(WitnessedCheckpoint Seen, bool IsBefore)?> WitnessedAsync(LogSource source, LogPolicy policy, Checkpoint now, CancellationToken cancellationToken)
    {
        try
        {
            if (await source.WitnessedAsync(cancellationToken) is not { } bytes || policy.Judge(SignedNote.Parse(bytes.Span)) is not { HasQuorum: true } seen || seen.Checkpoint.Origin != now.Origin || seen.Checkpoint.Size > now.Size)
            {
                return null;
            }

            var path = await source.ResolveAsync(ProofPlan.Consistency(seen.Checkpoint.Size, now.Size), now.Size, cancellationToken);
            return (seen, MerkleProof.VerifyConsistency(seen.Checkpoint.Size, seen.Checkpoint.Root, now.Size, now.Root, path));
        }
        catch (Exception exception) when (exception is SourceFailure or FormatException or ArgumentException)
        {
            return null; // Then too few have seen it, which is said.
        }
    }

    private static string? TooOld(IEnumerable<long> times, TimeSpan most)
    {
        var newest = times.DefaultIfEmpty().Max();
        return newest == 0 ? "No witness says when it has seen the checkpoint."
            : newest < (TimeProvider.System.GetUtcNow() - most).ToUnixTimeSeconds() ? $"The last witness has seen the checkpoint at {AuditReport.Time(newest)}, which is longer ago than --max-age permits."
            : null;
    }
}
