using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>
/// An entry of the anchor log: in this epoch, the heads of all logs are those under this root. One root for an epoch means that nobody
/// can be shown a head of a log that others are not bound to.
/// </summary>
/// <param name="Number">Which epoch, from 1 on, without a hole.</param>
/// <param name="Time">When it was closed, as Unix seconds.</param>
/// <param name="Slots">How many leaves the slot tree has.</param>
/// <param name="SlotRoot">Root of the tree over the slots.</param>
/// <param name="Previous">SHA-256 of the text of the anchor's checkpoint before this entry.</param>
public sealed record Epoch(long Number, long Time, long Slots, TreeHash SlotRoot, TreeHash Previous)
{
    private const string Head = "mc-epoch/v1";

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

    /// <summary>
    /// Leaf of a log in the slot tree of an epoch. What blinds it is known to the log's owner and to nobody else: neighbours see its
    /// hash in their proofs, and not even whether the log has grown.
    /// </summary>
    /// <param name="number">The epoch.</param>
    /// <param name="head">Head of the log.</param>
    /// <param name="key">32 bytes that only the owner of the log is told.</param>
    public static TreeHash SlotOf(long number, Checkpoint head, ReadOnlySpan<byte> key)
    {
        ArgumentNullException.ThrowIfNull(head);
        Span<byte> epoch = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(epoch, number);
        return TreeHash.OfLeaf([.. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"mc-slot/v1\n{number}\n{head.Origin}\n{head.Size}\n{head.Root}\n")), .. HMACSHA256.HashData(key, epoch)]);
    }

    /// <summary>What the next epoch binds itself to.</summary>
    public static TreeHash HashOf(SignedNote note)
    {
        ArgumentNullException.ThrowIfNull(note);
        return new TreeHash(SHA256.HashData(Encoding.UTF8.GetBytes(note.Text)));
    }
}
