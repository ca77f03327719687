using MissionControl.Protocol.CallHome;

namespace MissionControl.CallHome.Intake;

/// <summary>One check-in on its way through the group commit.</summary>
internal sealed class Submission(KnownCluster cluster, long epoch, long lowestKept, IReadOnlyList<DroppedRange> dropped, IReadOnlyList<SubmittedItem> items, int bytes, int nextSeconds, long writtenAtMs = 0)
{
    private readonly TaskCompletionSource<IntakeOutcome> done = new();

    public KnownCluster Cluster { get; } = cluster;

    public long Epoch { get; } = epoch;

    public long LowestKept { get; } = lowestKept;

    /// <summary>What the agent has let go of.</summary>
    public IReadOnlyList<DroppedRange> Dropped { get; } = dropped;

    /// <summary>Items that passed the door, those that did not have their refusal set.</summary>
    public IReadOnlyList<SubmittedItem> Items { get; } = items;

    /// <summary>Bytes of the bodies, for the size of the group.</summary>
    public int Bytes { get; } = bytes;

    /// <summary>The interval handed out with the answer.</summary>
    public int NextSeconds { get; } = nextSeconds;

    /// <summary>When the cluster wrote it, by its own clock, if somebody carried it here; 0 when it speaks now.</summary>
    public long WrittenAtMs { get; } = writtenAtMs;

    /// <summary>What became of it; after the commit, never before.</summary>
    public Task<IntakeOutcome> Done => done.Task;

    /// <summary>
    /// Tells the callers what became of their check-ins. A few share one work item of the pool: what is left to do for each is short,
    /// and to wake a thread for it costs as much. The thread that commits does none of it.
    /// </summary>
    public static void Tell(IReadOnlyList<(Submission Submission, IntakeOutcome Outcome)> outcomes)
    {
        var share = Math.Clamp(outcomes.Count / (2 * System.Environment.ProcessorCount), 1, 8);
        for (var first = 0; first < outcomes.Count; first += share)
        {
            ThreadPool.UnsafeQueueUserWorkItem(new Share(outcomes, first, Math.Min(first + share, outcomes.Count)), preferLocal: false);
        }
    }

    private sealed class Share(IReadOnlyList<(Submission Submission, IntakeOutcome Outcome)> outcomes, int first, int end) : IThreadPoolWorkItem
    {
        public void Execute()
        {
            for (var i = first; i < end; i++)
            {
                outcomes[i].Submission.done.TrySetResult(outcomes[i].Outcome);
            }
        }
    }
}

/// <summary>An item and what the door already knows of it.</summary>
internal struct SubmittedItem
{
    public required Item Item { get; init; }

    /// <summary>First 8 bytes of the SHA-256 of the body and its type.</summary>
    public required ulong Digest { get; init; }

    /// <summary>Why the item is refused; null when it is taken.</summary>
    public ItemRefusal? Refusal { get; init; }
}

/// <summary>What became of a check-in.</summary>
/// <param name="Kind">The verdict.</param>
/// <param name="State">The cluster's state after it.</param>
/// <param name="Refusals">Refusals found while judging numbers.</param>
/// <param name="Skipped">The cluster holds numbers to be settled that were never seen here.</param>
internal sealed record IntakeOutcome(IntakeVerdict Kind, IntakeState? State, IReadOnlyList<ItemRefusal> Refusals, bool Skipped = false);

internal enum IntakeVerdict
{
    /// <summary>Durable.</summary>
    Durable,

    /// <summary>An epoch that is no longer in force spoke.</summary>
    StaleEpoch,

    /// <summary>An epoch that was never issued spoke.</summary>
    UnknownEpoch,

    /// <summary>A number came again with other bytes.</summary>
    CloneSuspected,

    /// <summary>The database did not take it; nothing was acknowledged.</summary>
    Unavailable,
}
