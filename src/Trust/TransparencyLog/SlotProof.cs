using System.Globalization;
using System.Text;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>
/// That an epoch binds a head of a log: with it and the entry of the epoch, which everybody can read in the anchor, nothing else is
/// needed to see it.
/// </summary>
/// <param name="Epoch">Which epoch; its entry stands in the anchor at the place before that number.</param>
/// <param name="Slot">The slot of the log, the same in every epoch.</param>
/// <param name="Slots">How many there were.</param>
/// <param name="Blinding">What blinds the slot in this epoch.</param>
/// <param name="Path">The proof of inclusion in the slot tree, from the leaf's sibling upwards.</param>
/// <param name="Note">The checkpoint of the log that is bound.</param>
public sealed record SlotProof(long Epoch, long Slot, long Slots, ReadOnlyMemory<byte> Blinding, IReadOnlyList<TreeHash> Path, SignedNote Note)
{
    /// <summary>The longest that is read, in bytes.</summary>
    public const int MaxLength = SignedNote.MaxLength + 4096;

    private const string Head = "mc-slot-proof/v1";
    private static readonly string[] Words = ["epoch ", "slot ", "slots ", "blinding "];

    /// <summary>Reads a proof; verifies nothing.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static SlotProof Parse(ReadOnlySpan<byte> bytes)
    {
        var split = bytes.IndexOf("\n\n"u8);
        Malformed.Unless(split >= 0, "A proof of a slot has an empty line in front of the checkpoint.");
        var lines = Encoding.Latin1.GetString(bytes[..split]).Split('\n');
        Malformed.Unless(lines[0] == Head, $"A proof of a slot begins with {Head}.");
        Malformed.Unless(lines.Length > Words.Length && Words.Select((word, i) => lines[1 + i].StartsWith(word, StringComparison.Ordinal)).All(good => good), "A proof of a slot says epoch, slot, slots and blinding, a line each.");
        var numbers = new long[3];
        for (var i = 0; i < numbers.Length; i++)
        {
            Malformed.Unless(Checkpoint.TryParseSize(lines[1 + i][Words[i].Length..], out numbers[i]), "Epoch, slot and slots are decimal numbers without zeros in front, below 2^63.");
        }

        Malformed.Unless(SignedNote.TryDecode(lines[4][Words[3].Length..], out var blinding) && blinding.Length == TransparencyLog.Epoch.BlindingSize, "What blinds a slot is the base64 of 32 bytes.");
        Malformed.Unless(lines.Length - 5 <= MerkleProof.MaxLength, $"A path has {MerkleProof.MaxLength} hashes at most.");
        var path = new TreeHash[lines.Length - 5];
        for (var i = 0; i < path.Length; i++)
        {
            Malformed.Unless(TreeHash.TryParse(lines[5 + i], out path[i]), "Each line of a path is the base64 of 32 bytes.");
        }

        return new SlotProof(numbers[0], numbers[1], numbers[2], blinding, path, SignedNote.Parse(bytes[(split + 2)..]));
    }

    /// <summary>Whether the epoch binds the checkpoint, whose signatures and whose slot are the caller's to judge.</summary>
    /// <param name="entry">The entry of the epoch in the anchor.</param>
    /// <exception cref="FormatException">It does not; the message says why.</exception>
    public void Verify(Epoch entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        Malformed.Unless(entry.Number == Epoch && entry.Slots == Slots, "The entry in the anchor is of another epoch, or says another number of slots.");
        var leaf = TransparencyLog.Epoch.SlotOf(Epoch, Checkpoint.Parse(Note.Text), Blinding.Span);
        Malformed.Unless(MerkleProof.VerifyInclusion(leaf, Slot, Slots, [.. Path], entry.SlotRoot), string.Create(CultureInfo.InvariantCulture, $"Epoch {Epoch} does not bind this checkpoint: the path does not lead from slot {Slot} to the root of its slots."));
    }

    /// <summary>The proof as it is sent.</summary>
    public byte[] ToBytes() => Encoding.UTF8.GetBytes(ToString());

    /// <inheritdoc />
    public override string ToString()
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{Head}\nepoch {Epoch}\nslot {Slot}\nslots {Slots}\nblinding {Convert.ToBase64String(Blinding.Span)}\n");
        foreach (var hash in Path)
        {
            text.Append(hash.ToString()).Append('\n');
        }

        return text.Append('\n').Append(Note).ToString();
    }
}
