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
    /// <summary>Finds it, where the entries of before were read and have another root; null: there is none.</summary>
    public static async Task<ForkProof?> FindAsync(LogSource source, Checkpoint now, Checkpoint? before, WalkFinding found, CancellationToken cancellationToken)
    {
        if (before is not { Size: > 0 } || found.Entries != before.Size || found.Root == before.Root || before.Size >= now.Size)
        {
            return null;
        }

        var plan = ProofPlan.Consistency(before.Size, now.Size);
        var tiles = new Dictionary<TileId, ReadOnlyMemory<byte>>();
        try
        {
            foreach (var id in plan.Tiles)
            {
                tiles.Add(id, await LogWalk.ReadAsync(id, source.TileAsync, cancellationToken) ?? throw new SourceFailure($"{id} is not there."));
            }

            var hashes = plan.Resolve(id => tiles[id]);
            return MerkleProof.VerifyConsistency(before.Size, found.Root, now.Size, now.Root, hashes) ? new ForkProof(before.Size, found.Root, hashes) : null;
        }
        catch (Exception exception) when (exception is SourceFailure or ArgumentException)
        {
            return null; // What is there of the log is not what it has signed; the notes and the finding stand without it.
        }
    }
}
