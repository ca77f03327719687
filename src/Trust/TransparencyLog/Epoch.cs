using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>
/// An entry of the anchor log: in this epoch, the heads of all logs are those under this root. The anchor has no other entries, and an
/// epoch's number is its place there and one more: a number that came twice would be one that stands at a wrong place. One root for an
/// epoch means that nobody can be shown a head of a log that others are not bound to.
/// </summary>
/// <param name="Number">Which epoch, from 1 on, without a hole.</param>
/// <param name="Time">When it was closed, as Unix seconds; later than the one before.</param>
/// <param name="Slots">How many leaves the slot tree has.</param>
/// <param name="SlotRoot">Root of the tree over the slots.</param>
/// <param name="Previous">SHA-256 of the text of the anchor's checkpoint before this entry.</param>
public sealed record Epoch(long Number, long Time, long Slots, TreeHash SlotRoot, TreeHash Previous)
{
    /// <summary>Length of what blinds a slot, and of the key that it comes from, in bytes.</summary>
    public const int BlindingSize = 32;

    private const string Head = "mc-epoch/v1";

    /// <summary>Where it stands in the anchor.</summary>
    public long Index => Number - 1;

    /// <summary>Reads the bytes of an entry.</summary>
    /// <exception cref="FormatException">They are none of an epoch.</exception>
    public static Epoch Parse(ReadOnlySpan<byte> entry)
    {
        var lines = Encoding.Latin1.GetString(entry).Split('\n');
        return lines is [Head, var number, var time, var slots, var root, var previous, ""]
            && Checkpoint.TryParseSize(number, out var at) && at > 0 && Checkpoint.TryParseSize(time, out var closed) && Checkpoint.TryParseSize(slots, out var count)
            && TreeHash.TryParse(root, out var slotRoot) && TreeHash.TryParse(previous, out var before)
            ? new Epoch(at, closed, count, slotRoot, before)
            : throw new FormatException($"An epoch is {Head}, its number, its time, its slots, their root and the hash of the checkpoint before, a line each.");
    }

    /// <summary>The bytes of the entry.</summary>
    public byte[] ToBytes() => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Head}\n{Number}\n{Time}\n{Slots}\n{SlotRoot}\n{Previous}\n"));

    /// <summary>Leaf of a log in the slot tree of an epoch: <c>"mc-slot/v1" LF number LF origin LF size LF root LF || blinding</c>.</summary>
    /// <param name="number">The epoch.</param>
    /// <param name="head">Head of the log.</param>
    /// <param name="blinding">What <see cref="Blind"/> gave: without it a neighbour could try out heads until one fits the hash that its proofs show it.</param>
    public static TreeHash SlotOf(long number, Checkpoint head, ReadOnlySpan<byte> blinding)
    {
        ArgumentNullException.ThrowIfNull(head);
        ArgumentOutOfRangeException.ThrowIfNotEqual(blinding.Length, BlindingSize, nameof(blinding));
        return TreeHash.OfLeaf([.. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"mc-slot/v1\n{number}\n{head.Origin}\n{head.Size}\n{head.Root}\n")), .. blinding]);
    }

    /// <summary>What blinds the slot of a log in one epoch: HMAC-SHA-256 by the log's key over the number in eight bytes, big end first. Another one each epoch, so that not even a log that rests looks the same.</summary>
    public static byte[] Blind(ReadOnlySpan<byte> key, long number)
    {
        Span<byte> epoch = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(epoch, number);
        return HMACSHA256.HashData(key, epoch);
    }

    /// <summary>What the next epoch binds itself to: the checkpoint that the anchor has before it.</summary>
    public static TreeHash HashOf(Checkpoint anchor)
    {
        ArgumentNullException.ThrowIfNull(anchor);
        return new TreeHash(SHA256.HashData(Encoding.UTF8.GetBytes(anchor.ToString())));
    }
}
