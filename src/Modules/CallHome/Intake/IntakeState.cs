using System.Buffers.Binary;

namespace MissionControl.CallHome.Intake;

/// <summary>
/// What intake remembers of one cluster's items, enough to acknowledge across restarts and replicas and to notice a number used
/// twice (ADR 0003): the number up to which everything is settled, the settled numbers above it, what was declared dropped there, and
/// the digests of the last items. Immutable: a group commit works on successors and throws them away when the commit fails.
/// </summary>
internal sealed class IntakeState
{
    /// <summary>Digests kept: twice what an agent sends before it waits for an answer, so that a copied machine is noticed at once.</summary>
    public const int DigestCapacity = 32;

    /// <summary>Numbers above the acknowledged one that may be settled out of order.</summary>
    public const int AboveCapacity = 4096;

    /// <summary>Ranges declared dropped above the acknowledged number; further ones wait until <c>lowest_kept</c> has passed them.</summary>
    public const int DroppedCapacity = Limits.DroppedRanges;

    private readonly long[] above;
    private readonly NumberRange[] dropped;
    private readonly (long Seq, ulong Digest)[] digests;

    private IntakeState(long epoch, long ack, long version, long[] above, NumberRange[] dropped, (long, ulong)[] digests)
    {
        Epoch = epoch;
        Ack = ack;
        Version = version;
        this.above = above;
        this.dropped = dropped;
        this.digests = digests;
    }

    public long Epoch { get; }

    /// <summary>Every item up to this number is durable, refused for good, or declared dropped.</summary>
    public long Ack { get; }

    /// <summary>Rises with every stored change; the compare-and-swap by which another replica's write is noticed.</summary>
    public long Version { get; }

    /// <summary>Settled numbers above <see cref="Ack"/>, ascending.</summary>
    public IReadOnlyList<long> Above => above;

    /// <summary>What was declared dropped above <see cref="Ack"/>, ascending; no two of them touch.</summary>
    public IReadOnlyList<NumberRange> Dropped => dropped;

    /// <summary>Of a cluster that has never spoken, in no epoch.</summary>
    public static IntakeState Unheard { get; } = Initial(0, 0);

    public static IntakeState Initial(long epoch, long version) => new(epoch, 0, version, [], [], []);

    /// <summary>True when the number is settled already.</summary>
    public bool IsSettled(long seq) => seq <= Ack || Array.BinarySearch(above, seq) >= 0 || Array.Exists(dropped, range => range.First <= seq && seq <= range.Last);

    /// <summary>True when the whole range was declared before, or is acknowledged.</summary>
    public bool Knows(NumberRange declared) => declared.Last <= Ack || Array.Exists(dropped, range => range.First <= Math.Max(declared.First, Ack + 1) && declared.Last <= range.Last);

    /// <summary>The digest remembered for a number.</summary>
    public bool TryGetDigest(long seq, out ulong digest)
    {
        foreach (var entry in digests)
        {
            if (entry.Seq == seq)
            {
                digest = entry.Digest;
                return true;
            }
        }

        digest = 0;
        return false;
    }

    /// <summary>The state after these numbers were settled and these ranges declared dropped; both may be in any order.</summary>
    public IntakeState After(List<(long Seq, ulong Digest)> settled, long lowestKept, IReadOnlyList<NumberRange> declared)
    {
        var ack = Math.Max(Ack, lowestKept - 1);
        if (settled.Count == 1 && above.Length == 0 && dropped.Length == 0 && declared.Count == 0 && settled[0].Seq == ack + 1)
        {
            return new IntakeState(Epoch, ack + 1, Version + 1, [], [], Remember(settled));
        }

        var numbers = new long[above.Length + settled.Count];
        above.CopyTo(numbers, 0);
        for (var i = 0; i < settled.Count; i++)
        {
            numbers[above.Length + i] = settled[i].Seq;
        }

        Array.Sort(numbers);
        var ranges = declared.Count == 0 ? dropped : Merge(declared);
        var (next, gone) = (0, 0);
        while (true)
        {
            if (next < numbers.Length && numbers[next] - 1 <= ack)
            {
                ack = Math.Max(ack, numbers[next++]);
            }
            else if (gone < ranges.Length && ranges[gone].First - 1 <= ack)
            {
                ack = Math.Max(ack, ranges[gone++].Last);
            }
            else
            {
                return new IntakeState(Epoch, ack, Version + 1, numbers[next..], ranges[gone..Math.Min(ranges.Length, gone + DroppedCapacity)], Remember(settled));
            }
        }
    }

    /// <summary>The same numbers under another stored version.</summary>
    public IntakeState WithVersion(long version) => new(Epoch, Ack, version, above, dropped, digests);

    public byte[] ToBytes()
    {
        var bytes = new byte[4 + (above.Length * 8) + (dropped.Length * 16) + (digests.Length * 16)];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)above.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), (ushort)dropped.Length);
        var at = 4;
        foreach (var seq in above)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), seq);
            at += 8;
        }

        foreach (var (first, last) in dropped)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), first);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + 8), last);
            at += 16;
        }

        foreach (var (seq, digest) in digests)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), seq);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at + 8), digest);
            at += 16;
        }

        return bytes;
    }

    /// <exception cref="InvalidDataException">The bytes were not written by <see cref="ToBytes"/>.</exception>
    public static IntakeState FromBytes(long epoch, long ack, long version, ReadOnlySpan<byte> bytes)
    {
        var count = bytes.Length >= 4 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : int.MaxValue;
        var ranges = bytes.Length >= 4 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]) : int.MaxValue;
        if (count > AboveCapacity || ranges > DroppedCapacity || (bytes.Length - 4 - (count * 8)) % 16 != 0 || bytes.Length < 4 + (count * 8) + (ranges * 16))
        {
            throw new InvalidDataException("The stored intake state is damaged.");
        }

        var above = new long[count];
        for (var i = 0; i < count; i++)
        {
            above[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes[(4 + (i * 8))..]);
        }

        var rest = bytes[(4 + (count * 8))..];
        var dropped = new NumberRange[ranges];
        for (var i = 0; i < ranges; i++)
        {
            dropped[i] = new NumberRange(BinaryPrimitives.ReadInt64LittleEndian(rest[(i * 16)..]), BinaryPrimitives.ReadInt64LittleEndian(rest[((i * 16) + 8)..]));
        }

        rest = rest[(ranges * 16)..];
        var digests = new (long, ulong)[rest.Length / 16];
        for (var i = 0; i < digests.Length; i++)
        {
            digests[i] = (BinaryPrimitives.ReadInt64LittleEndian(rest[(i * 16)..]), BinaryPrimitives.ReadUInt64LittleEndian(rest[((i * 16) + 8)..]));
        }

        return new IntakeState(epoch, ack, version, above, dropped, digests);
    }

    private NumberRange[] Merge(IReadOnlyList<NumberRange> declared)
    {
        var merged = new List<NumberRange>(dropped.Length + declared.Count);
        foreach (var range in dropped.Concat(declared).OrderBy(range => range.First))
        {
            if (merged.Count > 0 && range.First - 1 <= merged[^1].Last)
            {
                merged[^1] = merged[^1] with { Last = Math.Max(merged[^1].Last, range.Last) };
            }
            else
            {
                merged.Add(range);
            }
        }

        return [.. merged];
    }

    private (long, ulong)[] Remember(List<(long Seq, ulong Digest)> settled)
    {
        var keep = Math.Min(digests.Length, Math.Max(0, DigestCapacity - settled.Count));
        var fresh = Math.Min(settled.Count, DigestCapacity);
        var remembered = new (long, ulong)[keep + fresh];
        Array.Copy(digests, digests.Length - keep, remembered, 0, keep);
        settled.CopyTo(settled.Count - fresh, remembered, keep, fresh);
        return remembered;
    }
}

/// <summary>Sequence numbers, both ends included.</summary>
internal readonly record struct NumberRange(long First, long Last);
