using System.Globalization;
using System.Text;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>
/// A receipt (C2SP tlog-proof): that an entry stands in a log, so that whoever holds it, the log's key and a policy needs nobody else
/// to see it. Kept in files that end with <c>.tlog-proof</c>.
/// </summary>
/// <param name="Index">Where the entry stands.</param>
/// <param name="Path">The proof of inclusion, from the leaf's sibling upwards.</param>
/// <param name="Note">The checkpoint of the log, with its signatures and those of witnesses.</param>
public sealed record LogProof(long Index, IReadOnlyList<TreeHash> Path, SignedNote Note)
{
    private const string Head = "c2sp.org/tlog-proof@v1";
    private const string ExtraWord = "extra ";
    private const string IndexWord = "index ";

    /// <summary>What comes along and is proven by nothing here; receipts carry the entry itself. Empty: nothing.</summary>
    public ReadOnlyMemory<byte> Extra { get; init; }

    /// <summary>Reads a proof; verifies nothing.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static LogProof Parse(ReadOnlySpan<byte> bytes)
    {
        // The note judges its own bytes; what stands in front of it is ASCII.
        var split = bytes.IndexOf("\n\n"u8);
        Malformed.Unless(split >= 0, "A proof has an empty line in front of its checkpoint.");
        var lines = Encoding.Latin1.GetString(bytes[..split]).Split('\n');
        Malformed.Unless(lines[0] == Head, $"A proof begins with {Head}.");
        var at = 1;
        byte[] extra = [];
        if (at < lines.Length && lines[at].StartsWith(ExtraWord, StringComparison.Ordinal))
        {
            Malformed.Unless(SignedNote.TryDecode(lines[at][ExtraWord.Length..], out var decoded), "What comes along with a proof is base64.");
            extra = decoded!;
            at++;
        }

        var index = 0L;
        Malformed.Unless(at < lines.Length && lines[at].StartsWith(IndexWord, StringComparison.Ordinal) && Checkpoint.TryParseSize(lines[at][IndexWord.Length..], out index), "A proof says at which index the entry stands: a decimal number below 2^63.");
        Malformed.Unless(lines.Length - ++at <= MerkleProof.MaxLength, $"A path has {MerkleProof.MaxLength} hashes at most.");
        var path = new TreeHash[lines.Length - at];
        for (var i = 0; i < path.Length; i++)
        {
            Malformed.Unless(TreeHash.TryParse(lines[at + i], out path[i]), "Each line of a path is the base64 of 32 bytes.");
        }

        return new LogProof(index, path, SignedNote.Parse(bytes[(split + 2)..])) { Extra = extra };
    }

    /// <summary>Whether the entry stands in the log as this says, by a policy.</summary>
    /// <param name="entry">The bytes of the entry.</param>
    /// <param name="policy">Whose word counts.</param>
    /// <returns>What the log said and who has seen it.</returns>
    /// <exception cref="FormatException">It proves nothing; the message says why.</exception>
    public WitnessedCheckpoint Verify(ReadOnlySpan<byte> entry, LogPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var seen = policy.Judge(Note);
        Malformed.Unless(seen.HasQuorum, $"Too few witnesses have seen the checkpoint of {seen.Checkpoint.Size} entries.");
        Malformed.Unless(MerkleProof.VerifyInclusion(TreeHash.OfLeaf(entry), Index, seen.Checkpoint.Size, [.. Path], seen.Checkpoint.Root), $"The path does not lead from the entry to the root of {seen.Checkpoint.Origin}.");
        return seen;
    }

    /// <summary>The proof as it is sent.</summary>
    public byte[] ToBytes() => Encoding.UTF8.GetBytes(ToString());

    /// <inheritdoc />
    public override string ToString()
    {
        var text = new StringBuilder().Append(Head).Append('\n');
        if (!Extra.IsEmpty)
        {
            text.Append(ExtraWord).Append(Convert.ToBase64String(Extra.Span)).Append('\n');
        }

        text.Append(CultureInfo.InvariantCulture, $"{IndexWord}{Index}\n");
        foreach (var hash in Path)
        {
            text.Append(hash.ToString()).Append('\n');
        }

        return text.Append('\n').Append(Note).ToString();
    }
}
