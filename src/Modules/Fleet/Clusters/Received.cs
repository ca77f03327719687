using MissionControl.Contracts.Events.CallHome;
using MissionControl.Protocol.CallHome;

namespace MissionControl.Fleet.Clusters;

/// <summary>What every kind of item has in common.</summary>
internal static class Received
{
    private const long MaxSequence = (1L << 42) - 1;

    /// <summary>The items of several groups, in their order.</summary>
    public static List<ReceivedItem> Items(IEnumerable<ItemsReceived> messages) => [.. messages.SelectMany(message => message.Inflate().Items)];

    public static Guid Cluster(ReceivedItem item) => new(item.ClusterId.Span, bigEndian: true);

    public static Guid Customer(ReceivedItem item) => new(item.CustomerId.Span, bigEndian: true);

    /// <summary>
    /// Order of a cluster's items in one number: the epoch, then the sequence. Not its clock, which a person may step: an older
    /// message never overwrites a newer one.
    /// </summary>
    public static long Rank(ReceivedItem item) => (item.Epoch << 42) | Math.Min(item.Seq, MaxSequence);

    /// <summary>The epoch in a rank.</summary>
    public static long EpochOf(long rank) => rank >> 42;

    /// <summary>The sequence in a rank.</summary>
    public static long SequenceOf(long rank) => rank & MaxSequence;

    /// <summary>The newest item of each cluster in a group.</summary>
    public static Dictionary<Guid, ReceivedItem> Newest(IEnumerable<ReceivedItem> items)
    {
        var newest = new Dictionary<Guid, ReceivedItem>();
        foreach (var item in items)
        {
            var cluster = Cluster(item);
            if (!newest.TryGetValue(cluster, out var known) || Rank(known) < Rank(item))
            {
                newest[cluster] = item;
            }
        }

        return newest;
    }
}
