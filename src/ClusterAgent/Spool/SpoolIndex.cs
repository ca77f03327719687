using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Spool;

/// <summary>Which items there are, and which go first when there are too many: health thins out with age, events are bounded, usage never goes.</summary>
/// <param name="mostHealth">Health items at most.</param>
internal sealed class SpoolIndex(int mostHealth)
{
    public const int MostEvents = 10_000;
    private const int MostRanges = 500;
    private const long Hour = 3_600_000;
    private const long FullRate = 24 * Hour;
    private const long LongestHealth = 14 * 24 * Hour;
    private readonly SortedDictionary<long, SpoolEntry> entries = [];
    private readonly List<DroppedRange> dropped = [];
    private long thinnedAt;

    public int Count => entries.Count;

    public int Usage { get; private set; }

    public int Health { get; private set; }

    public int Events { get; private set; }

    public long Bytes { get; private set; }

    public long Next { get; private set; } = 1;

    public long LowestKept => entries.Count == 0 ? Next : First.Key;

    public long OldestAtMs => entries.Count == 0 ? 0 : entries.Values.Min(entry => entry.AtMs);

    public IReadOnlyList<DroppedRange> Dropped => dropped;

    /// <summary>Lowest number first.</summary>
    public IEnumerable<KeyValuePair<long, SpoolEntry>> All => entries;

    /// <summary>Goes on after a number that may have been given before a crash.</summary>
    public void SkipTo(long number) => Next = Math.Max(Next, number);

    public void Put(long seq, SpoolEntry entry)
    {
        Remove(seq);
        entries[seq] = entry;
        Next = Math.Max(Next, seq + 1);
        Bytes += entry.Length;
        Tally(entry.Type, 1);
        Bound(entry.AtMs);
    }

    public SpoolEntry? Find(long seq) => entries.GetValueOrDefault(seq);

    public void Remove(long seq)
    {
        if (entries.Remove(seq, out var entry))
        {
            Bytes -= entry.Length;
            Tally(entry.Type, -1);
        }
    }

    public void Acknowledge(long ack, IReadOnlyCollection<long> above)
    {
        while (entries.Count > 0 && First.Key <= ack)
        {
            Remove(First.Key);
        }

        foreach (var seq in above)
        {
            Remove(seq);
        }
    }

    /// <summary>Newest first.</summary>
    public IEnumerable<KeyValuePair<long, SpoolEntry>> Choose(int most, int mostBytes, IReadOnlySet<long> held)
    {
        var bytes = 0;
        var chosen = 0;
        foreach (var (seq, entry) in entries.Reverse())
        {
            if (held.Contains(seq))
            {
                continue;
            }

            bytes += entry.Length;
            if (chosen == most || (bytes > mostBytes && chosen > 0))
            {
                yield break;
            }

            chosen++;
            yield return new(seq, entry);
        }
    }

    public void Drop(string type, int keep, string reason)
    {
        if (type == "usage")
        {
            throw new ArgumentException("Usage is never dropped.", nameof(type));
        }

        var victims = entries.Where(entry => entry.Value.Type == type).Select(entry => entry.Key).ToList();
        foreach (var seq in victims.SkipLast(keep))
        {
            Drop(seq, reason);
        }
    }

    public void Drop(long seq, string reason)
    {
        var type = entries[seq].Type;
        Remove(seq);
        if (dropped.LastOrDefault() is { } last && last.Type == type && last.Reason == reason && last.Last < seq && !entries.Keys.Any(kept => kept > last.Last && kept < seq))
        {
            last.Last = seq;
        }
        else
        {
            dropped.Add(new DroppedRange { Type = type, First = seq, Last = seq, Reason = reason });
            dropped.RemoveRange(0, Math.Max(0, dropped.Count - MostRanges));
        }
    }

    public void DroppedTold() => dropped.Clear();

    /// <summary>The same items at other places, or under other numbers.</summary>
    public void Replace(IEnumerable<KeyValuePair<long, SpoolEntry>> moved)
    {
        entries.Clear();
        (Bytes, Usage, Health, Events) = (0, 0, 0, 0);
        foreach (var (seq, entry) in moved)
        {
            entries[seq] = entry;
            Bytes += entry.Length;
            Tally(entry.Type, 1);
        }
    }

    /// <summary>A new epoch: numbers of the old one mean nothing in it.</summary>
    public void BeginAt(long next)
    {
        dropped.Clear();
        Next = next;
    }

    private KeyValuePair<long, SpoolEntry> First => entries.First();

    private void Tally(string type, int change)
    {
        Usage += type == "usage" ? change : 0;
        Health += type == "health" ? change : 0;
        Events += type == "event" ? change : 0;
    }

    private void Bound(long nowMs)
    {
        if (Events > MostEvents)
        {
            Drop(entries.First(entry => entry.Value.Type == "event").Key, "spool-limit");
        }

        if (nowMs - thinnedAt >= Hour)
        {
            thinnedAt = nowMs;
            Thin(nowMs);
        }

        if (Health > mostHealth)
        {
            Drop(entries.First(entry => entry.Value.Type == "health").Key, "spool-limit");
        }
    }

    // A day at the full rate, then one an hour, for a fortnight: what an absence looked like, not every breath of it.
    private void Thin(long nowMs)
    {
        var hours = new HashSet<long>();
        foreach (var (seq, entry) in entries.Where(entry => entry.Value.Type == "health" && nowMs - entry.Value.AtMs > FullRate).ToList())
        {
            if (nowMs - entry.AtMs > LongestHealth || !hours.Add(entry.AtMs / Hour))
            {
                Drop(seq, "age");
            }
        }
    }
}

/// <summary>An item as the index knows it.</summary>
/// <param name="Type">Its class.</param>
/// <param name="AtMs">When it happened.</param>
/// <param name="Length">Bytes of its body.</param>
/// <param name="Offset">Where its record begins in the file; -1 in memory.</param>
/// <param name="Item">The item itself, in memory only.</param>
internal sealed record SpoolEntry(string Type, long AtMs, int Length, long Offset, Item? Item);
