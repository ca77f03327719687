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

    /// <summary>Keeps an item under the next number.</summary>
    long Add(string type, long atMs, ReadOnlySpan<byte> body);

    /// <summary>Items to send, newest first, so that the server learns the present state before the past.</summary>
    IReadOnlyList<Item> Peek(int most);

    /// <summary>Forgets what the server holds: everything up to <paramref name="ack"/>, and the numbers it named above.</summary>
    void Acknowledge(long ack, IReadOnlyCollection<long> above);

    /// <summary>Begins a new epoch: kept items get new numbers from 1.</summary>
    void BeginEpoch();
}
