using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Spool;

/// <summary>
/// Items between their making and their acknowledgement. A number, once given, is never given again, whatever crashes; what
/// <see cref="Add"/> returned survives a power cut where the store is a disk.
/// </summary>
public interface ISpool
{
    /// <summary>Lowest number still kept or not yet used: everything below is acknowledged or dropped.</summary>
    long LowestKept { get; }

    /// <summary>Items kept.</summary>
    int Count { get; }

    /// <summary>Usage windows among them.</summary>
    int Usage { get; }

    /// <summary>Bytes of their bodies.</summary>
    long Bytes { get; }

    /// <summary>When the oldest of them happened, Unix milliseconds; 0 when there is none.</summary>
    long OldestAtMs { get; }

    /// <summary>What was dropped since <see cref="DroppedTold"/>.</summary>
    IReadOnlyList<DroppedRange> Dropped { get; }

    /// <summary>Keeps an item under the next number.</summary>
    /// <exception cref="IOException">It could not be written; nothing is kept.</exception>
    long Add(string type, long atMs, ReadOnlySpan<byte> body);

    /// <summary>Items to send, newest first, so that the server learns the present state before the past.</summary>
    /// <param name="most">How many at most.</param>
    /// <param name="mostBytes">How large together at most; a single item may be larger.</param>
    /// <param name="held">Numbers that the server does not want yet.</param>
    IReadOnlyList<Item> Peek(int most, int mostBytes, IReadOnlySet<long> held);

    /// <summary>The item of a number; null when it is not kept.</summary>
    Item? Find(long seq);

    /// <summary>Forgets what the server holds: everything up to <paramref name="ack"/>, and the numbers it named above.</summary>
    void Acknowledge(long ack, IReadOnlyCollection<long> above);

    /// <summary>Lets go of all items of a type but the newest ones. Usage is never let go.</summary>
    void Drop(string type, int keep, string reason);

    /// <summary>Lets go of one item that was quarantined elsewhere.</summary>
    void Remove(long seq);

    /// <summary>The server has heard of what was dropped.</summary>
    void DroppedTold();

    /// <summary>Begins a new epoch: kept items get new numbers from 1.</summary>
    void BeginEpoch();
}
