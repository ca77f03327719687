using Google.Protobuf;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Spool;

/// <summary>A spool that lives as long as the process: a simulated cluster's.</summary>
/// <param name="mostHealth">Health items at most; the oldest goes first.</param>
public sealed class MemorySpool(int mostHealth = 5000) : ISpool
{
    private readonly SpoolIndex index = new(mostHealth);

    /// <inheritdoc />
    public long LowestKept => index.LowestKept;

    /// <inheritdoc />
    public int Count => index.Count;

    /// <inheritdoc />
    public int Usage => index.Usage;

    /// <inheritdoc />
    public long Bytes => index.Bytes;

    /// <inheritdoc />
    public long OldestAtMs => index.OldestAtMs;

    /// <inheritdoc />
    public IReadOnlyList<DroppedRange> Dropped => index.Dropped;

    /// <inheritdoc />
    public long Add(string type, long atMs, ReadOnlySpan<byte> body)
    {
        var seq = index.Next;
        Put(new Item { Seq = seq, Type = type, AtMs = atMs, Body = ByteString.CopyFrom(body) });
        return seq;
    }

    /// <inheritdoc />
    public IReadOnlyList<Item> Peek(int most, int mostBytes, IReadOnlySet<long> held) => [.. index.Choose(most, mostBytes, held).Select(entry => entry.Value.Item!)];

    /// <inheritdoc />
    public Item? Find(long seq) => index.Find(seq)?.Item;

    /// <inheritdoc />
    public void Acknowledge(long ack, IReadOnlyCollection<long> above) => index.Acknowledge(ack, above);

    /// <inheritdoc />
    public void Drop(string type, int keep, string reason) => index.Drop(type, keep, reason);

    /// <inheritdoc />
    public void Remove(long seq) => index.Remove(seq);

    /// <inheritdoc />
    public void DroppedTold() => index.DroppedTold();

    /// <inheritdoc />
    public void BeginEpoch()
    {
        long number = 0;
        index.Replace([.. index.All.Select(entry =>
        {
            entry.Value.Item!.Seq = ++number;
            return new KeyValuePair<long, SpoolEntry>(number, entry.Value);
        })]);
        index.BeginAt(number + 1);
    }

    /// <summary>A copy with the same items and numbers, as a copied machine has it.</summary>
    public MemorySpool Copy()
    {
        var copy = new MemorySpool();
        foreach (var (_, entry) in index.All)
        {
            copy.Put(entry.Item!.Clone());
        }

        copy.index.SkipTo(index.Next);
        return copy;
    }

    private void Put(Item item) => index.Put(item.Seq, new SpoolEntry(item.Type, item.AtMs, item.Body.Length, -1, item));
}
