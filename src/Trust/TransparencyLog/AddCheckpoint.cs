using System.Globalization;
using System.Text;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>
/// What a witness is asked to see: a checkpoint, and the proof that it goes on from one of before (the body of <c>add-checkpoint</c>, C2SP
/// tlog-witness). It is carried by a check-in here, and by HTTP elsewhere.
/// </summary>
/// <param name="Old">The size from which the proof leads; 0: nothing was seen yet.</param>
/// <param name="Proof">The path, RFC 6962 §2.1.2.</param>
/// <param name="Note">The checkpoint, signed by its log.</param>
public sealed record AddCheckpoint(long Old, IReadOnlyList<TreeHash> Proof, SignedNote Note)
{
    /// <summary>The longest path that is read (C2SP tlog-witness).</summary>
    public const int MaxProof = 63;

    private const string OldWord = "old ";

    /// <summary>Reads it; verifies nothing.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static AddCheckpoint Parse(ReadOnlySpan<byte> bytes)
    {
        // The first empty line: the note behind it has one of its own.
        var end = bytes.IndexOf("\n\n"u8);
        Malformed.Unless(end >= 0, "An empty line stands before the checkpoint.");
        var lines = Encoding.Latin1.GetString(bytes[..end]).Split('\n');
        var old = 0L;
        Malformed.Unless(lines[0].StartsWith(OldWord, StringComparison.Ordinal) && Checkpoint.TryParseSize(lines[0][OldWord.Length..], out old), "The first line is 'old' and a decimal number below 2^63.");
        Malformed.Unless(lines.Length - 1 <= MaxProof, $"A path has {MaxProof} hashes at most.");
        var proof = new TreeHash[lines.Length - 1];
        for (var i = 0; i < proof.Length; i++)
        {
            Malformed.Unless(TreeHash.TryParse(lines[i + 1], out proof[i]), "Each line of a path is the base64 of 32 bytes.");
        }

        return new AddCheckpoint(old, proof, SignedNote.Parse(bytes[(end + 2)..]));
    }

    /// <summary>As it is sent.</summary>
    public byte[] ToBytes() => Encoding.UTF8.GetBytes(ToString());

    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{OldWord}{Old}\n{string.Concat(Proof.Select(hash => $"{hash}\n"))}\n{Note}");
}
