using System.Security.Cryptography;
using System.Text;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>What a witness finds of a checkpoint that it is shown (C2SP tlog-witness, with its status codes).</summary>
public enum WitnessFinding
{
    /// <summary>It goes on from what was seen: it may be cosigned once it is kept.</summary>
    Consistent,

    /// <summary>The proof leads from another size than the one that was seen (409): it has to be asked again from there. Nothing is wrong.</summary>
    Conflict,

    /// <summary>No key of the log has signed it (403).</summary>
    Signature,

    /// <summary>It has fewer entries than were seen: what was there is gone (400).</summary>
    Rollback,

    /// <summary>As many entries as were seen, and another root: the log has a second history (422).</summary>
    Fork,

    /// <summary>The proof does not lead from what was seen to this (422).</summary>
    Inconsistent,

    /// <summary>It is of another log than the one that was seen.</summary>
    OtherLog,
}

/// <summary>Signs a message by a witness's key.</summary>
/// <param name="message">The message.</param>
public delegate byte[] WitnessSign(ReadOnlySpan<byte> message);

/// <summary>The rules of a witness, pure: whoever keeps what was seen applies them, and keeps what follows before it says so.</summary>
public static class WitnessRules
{
    private const int NameBytes = 8;

    /// <summary>What a key cosigns as: made of the key, which is random, so that it names nobody and nobody has to be asked for it.</summary>
    public static string NameOf(ReadOnlySpan<byte> publicKey) => $"mc-witness-{Convert.ToHexStringLower(SHA256.HashData(publicKey).AsSpan(0, NameBytes))}";

    /// <summary>The key that verifies what a witness says.</summary>
    /// <exception cref="ArgumentException">The key has not 32 bytes.</exception>
    public static NoteKey KeyOf(ReadOnlySpan<byte> publicKey) => NoteKey.From(NameOf(publicKey), NoteKeyType.Cosignature, publicKey);

    /// <summary>Says that a checkpoint was seen (C2SP tlog-cosignature, Ed25519).</summary>
    /// <param name="publicKey">The witness's key.</param>
    /// <param name="sign">Signs by it.</param>
    /// <param name="text">The text of the note, with the line feed at its end.</param>
    /// <param name="time">When, as Unix seconds.</param>
    public static NoteSignature Cosign(ReadOnlySpan<byte> publicKey, WitnessSign sign, string text, long time)
    {
        ArgumentNullException.ThrowIfNull(sign);
        ArgumentOutOfRangeException.ThrowIfNegative(time);
        using var key = KeyOf(publicKey);
        return new NoteSignature(key.Name, key.Id, NoteKey.Cosignature(time, sign(NoteKey.Cosigned(time, Encoding.UTF8.GetBytes(text)))));
    }

    /// <summary>Judges what is shown by what was seen.</summary>
    /// <param name="seen">The newest that was seen of the log; null: nothing was.</param>
    /// <param name="request">What is shown.</param>
    /// <param name="keys">The keys of the log, 32 bytes each; each signs under the log's own origin (C2SP tlog-policy).</param>
    /// <param name="signers">Those of them that have signed what is shown.</param>
    /// <exception cref="FormatException">The note is no checkpoint.</exception>
    public static WitnessFinding Judge(Checkpoint? seen, AddCheckpoint request, IReadOnlyCollection<ReadOnlyMemory<byte>> keys, out IReadOnlyList<ReadOnlyMemory<byte>> signers)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(keys);
        var shown = Checkpoint.Parse(request.Note.Text);
        signers = SignersOf(shown.Origin, request.Note, keys);
        return signers.Count == 0 ? WitnessFinding.Signature
            : seen is null ? (request.Old == 0 && request.Proof.Count == 0 ? WitnessFinding.Consistent : WitnessFinding.Conflict)
            : shown.Origin != seen.Origin ? WitnessFinding.OtherLog
            : shown.Size < seen.Size ? WitnessFinding.Rollback
            : shown.Size == seen.Size ? (shown.Root == seen.Root ? WitnessFinding.Consistent : WitnessFinding.Fork)
            : request.Old != seen.Size ? WitnessFinding.Conflict
            : MerkleProof.VerifyConsistency(seen.Size, seen.Root, shown.Size, shown.Root, [.. request.Proof]) ? WitnessFinding.Consistent : WitnessFinding.Inconsistent;
    }

    // One bad signature of a known key is enough to believe none: the note was changed on its way (C2SP signed-note).
    private static List<ReadOnlyMemory<byte>> SignersOf(string origin, SignedNote note, IReadOnlyCollection<ReadOnlyMemory<byte>> keys)
    {
        if (!NoteKey.IsName(origin))
        {
            return [];
        }

        var known = keys.Select(key => NoteKey.From(origin, NoteKeyType.Ed25519, key.Span)).ToList();
        try
        {
            return [.. note.Open(known).Verified.Select(one => one.Key.PublicKey)];
        }
        catch (FormatException)
        {
            return [];
        }
        finally
        {
            known.ForEach(key => key.Dispose());
        }
    }
}
