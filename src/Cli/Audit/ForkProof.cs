using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Cli.Audit;

/// <summary>
/// That a log has signed two stories, for somebody who has neither: what it signs now is proven (RFC 9162 §2.1.4.2) to begin with as many
/// entries as it had signed before, and with another root than it had signed for them. With both notes it needs no word of ours.
/// </summary>
/// <param name="Size">How many entries it had signed before.</param>
/// <param name="Root">The root that these have in what it signs now.</param>
/// <param name="Hashes">The proof of consistency from there to what it signs now.</param>
internal sealed record ForkProof(long Size, TreeHash Root, IReadOnlyList<TreeHash> Hashes)
{
    /// <summary>Makes it of a log that was found to be inconsistent; null: there are no two checkpoints, or its tiles prove no such thing.</summary>
    public static async Task<ForkProof?> FindAsync(LogSource source, AuditReport report, CancellationToken cancellationToken) =>
        report is { Seen.Checkpoint: { } now, Before.Checkpoint: { } before } ? await FindAsync(source, before, now, cancellationToken) : null;

    /// <summary>Makes it from the tiles of the log itself; null: they prove no such thing.</summary>
    public static async Task<ForkProof?> FindAsync(LogSource source, Checkpoint before, Checkpoint now, CancellationToken cancellationToken)
    {
        if (before.Size == 0 || before.Origin != now.Origin || before.Size >= now.Size)
        {
            return null;
        }

        try
        {
            var root = (await source.ResolveAsync(ProofPlan.Root(before.Size), now.Size, cancellationToken))[0];
            var hashes = await source.ResolveAsync(ProofPlan.Consistency(before.Size, now.Size), now.Size, cancellationToken);
            return root != before.Root && MerkleProof.VerifyConsistency(before.Size, root, now.Size, now.Root, hashes) ? new ForkProof(before.Size, root, hashes) : null;
        }
        catch (Exception exception) when (exception is SourceFailure or ArgumentException)
        {
            return null; // The tiles are not those of what it has signed; the notes and the finding stand without it.
        }
    }
}
