using Google.Protobuf;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Spool;

/// <summary>A spool in memory, bounded by dropping the oldest health; the simulator's, and the index of the one on disk.</summary>
public sealed class MemorySpool(int capacity = 5000) : ISpool
{
    private readonly SortedDictionary<long, Item> items = [];
    private long next = 1;

    /// <inheritdoc />
    public long LowestKept => items.Count == 0 ? next : items.Keys.First();

    /// <inheritdoc />
    public int Count => items.Count;

    /// <inheritdoc />
    public long Add(string type, long atMs, ReadOnlySpan<byte> body)
    {
        Put(new Item { Seq = next, Type = type, AtMs = atMs, Body = ByteString.CopyFrom(body) });
        return next - 1;
    }

    /// <inheritdoc />
    public IReadOnlyList<Item> Peek(int most, int mostBytes, IReadOnlySet<long> held)
    {
        ArgumentNullException.ThrowIfNull(held);
        var chosen = new List<Item>();
        var bytes = 0;
        foreach (var item in items.Values.Reverse())
        {
            if (held.Contains(item.Seq))
            {
                continue;
            }

            bytes += item.Body.Length;
            if (chosen.Count == most || (bytes > mostBytes && chosen.Count > 0))
            {
                break;
            }

            chosen.Add(item);
        }

        return chosen;
    }

    /// <inheritdoc />
    public void Acknowledge(long ack, IReadOnlyCollection<long> above)
    {
        ArgumentNullException.ThrowIfNull(above);
        foreach (var seq in items.Keys.TakeWhile(seq => seq <= ack).ToList())
        {
            items.Remove(seq);
        }

        foreach (var seq in above)
        {
            items.Remove(seq);
        }
    }

    /// <inheritdoc />
    public void BeginEpoch()
    {
        var kept = items.Values.ToList();
        items.Clear();
        next = 1;
        foreach (var item in kept)
        {
            item.Seq = next;
            Put(item);
        }
    }

    /// <summary>All items, lowest number first.</summary>
    internal IEnumerable<Item> All => items.Values;

    /// <summary>Goes on after a number that may have been given before a crash.</summary>
    internal void SkipTo(long number) => next = Math.Max(next, number);

    internal void Put(Item item)
    {
        items[item.Seq] = item;
        next = Math.Max(next, item.Seq + 1);
        if (items.Count > capacity && items.Values.FirstOrDefault(candidate => candidate.Type == "health") is { } oldest)
        {
            items.Remove(oldest.Seq);
        }
    }
}
