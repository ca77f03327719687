using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>How a key signs a note (C2SP signed-note, "Signature types").</summary>
public enum NoteKeyType
{
    /// <summary>Ed25519 over the text of the note.</summary>
    Ed25519 = 1,

    /// <summary>Ed25519 over a time and the text: what a witness says (C2SP tlog-cosignature).</summary>
    Cosignature = 4,
}

/// <summary>A key that verifies signatures of notes, as <c>name+id+key</c> (C2SP signed-note, "Verifier keys"). Immutable.</summary>
public sealed class NoteKey : IDisposable
{
    private const int IdSize = 4;
    private readonly Ed25519Key key;

    private NoteKey(string name, NoteKeyType type, Ed25519Key key)
    {
        Name = name;
        Type = type;
        this.key = key;
        Id = IdOf(name, type, key.PublicKey.Span);
    }

    /// <summary>Who signs: a name without white space and plus sign, as the lines of signatures begin.</summary>
    public string Name { get; }

    /// <summary>How it signs.</summary>
    public NoteKeyType Type { get; }

    /// <summary>The key itself, 32 bytes.</summary>
    public ReadOnlyMemory<byte> PublicKey => key.PublicKey;

    /// <summary>First four bytes of the hash of name, type and key, by which a signature says whose it is. A hint: two keys can have the same.</summary>
    public uint Id { get; }

    /// <summary>A key of somebody.</summary>
    /// <exception cref="ArgumentException">The name is none, or the key has not 32 bytes.</exception>
    public static NoteKey From(string name, NoteKeyType type, ReadOnlySpan<byte> publicKey) =>
        IsName(name) ? new NoteKey(name, type, Ed25519Key.FromPublicKey(publicKey)) : throw new ArgumentException("A key's name has no white space and no plus sign.", nameof(name));

    /// <summary>Reads <c>name+id+key</c>, where the id is the right one and the type one of those known here.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out NoteKey? key)
    {
        key = null;
        if (!TrySplit(text, "", out var name, out var id, out var type, out var bytes))
        {
            return false;
        }

        var read = new NoteKey(name, type, Ed25519Key.FromPublicKey(bytes));
        if (read.Id != id)
        {
            read.Dispose();
            return false;
        }

        key = read;
        return true;
    }

    /// <summary>Whether a signature line bears this key's name and id.</summary>
    public bool Owns(NoteSignature signature)
    {
        ArgumentNullException.ThrowIfNull(signature);
        return signature.KeyId == Id && signature.Name == Name;
    }

    /// <summary>Whether the signature is this key's over the text of a note.</summary>
    /// <param name="text">The text, with the line feed at its end.</param>
    /// <param name="signature">The signature.</param>
    /// <param name="time">When a witness says to have seen it, as Unix seconds; 0 for other types.</param>
    public bool Verify(ReadOnlySpan<byte> text, NoteSignature signature, out long time)
    {
        time = 0;
        if (!Owns(signature))
        {
            return false;
        }

        var bytes = signature.Bytes.Span;
        if (Type == NoteKeyType.Ed25519)
        {
            return key.Verify(text, bytes);
        }

        if (bytes.Length != sizeof(long) + Ed25519Key.SignatureSize || BinaryPrimitives.ReadInt64BigEndian(bytes) is var seen && seen < 0 || !key.Verify(Cosigned(seen, text), bytes[sizeof(long)..]))
        {
            return false;
        }

        time = seen;
        return true;
    }

    /// <inheritdoc />
    public override string ToString() => $"{Name}+{Id:x8}+{Convert.ToBase64String([(byte)Type, .. key.PublicKey.Span])}";

    /// <inheritdoc />
    public void Dispose() => key.Dispose();

    /// <summary>What a cosigner signs (C2SP tlog-cosignature, "Ed25519 signed message").</summary>
    internal static byte[] Cosigned(long time, ReadOnlySpan<byte> text) => [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"cosignature/v1\ntime {time}\n")), .. text];

    /// <summary>What stands in the line of a cosigner: the time, eight bytes with the big end first, and the signature.</summary>
    internal static byte[] Cosignature(long time, ReadOnlySpan<byte> signature)
    {
        var bytes = new byte[sizeof(long) + signature.Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, time);
        signature.CopyTo(bytes.AsSpan(sizeof(long)));
        return bytes;
    }

    /// <summary>A name as signature lines may begin with: not empty, no white space of any alphabet, no plus sign.</summary>
    internal static bool IsName([NotNullWhen(true)] string? name) => !string.IsNullOrEmpty(name) && !name.Any(letter => char.IsWhiteSpace(letter) || char.IsControl(letter) || letter == '+');

    /// <summary>Takes a key's text apart: <c>prefix name + id + base64(type || 32 bytes)</c>.</summary>
    internal static bool TrySplit(string? text, string prefix, [NotNullWhen(true)] out string? name, out uint id, out NoteKeyType type, [NotNullWhen(true)] out byte[]? bytes)
    {
        (name, id, type, bytes) = (null, 0, default, null);
        if (text is null || !text.StartsWith(prefix, StringComparison.Ordinal))
        {
            return false;
        }

        // The key's base64 may have plus signs of its own; name and id have none.
        var parts = text[prefix.Length..].Split('+', 3);
        if (parts.Length != 3 || !IsName(parts[0]) || parts[1].Length != 2 * IdSize || !parts[1].All(char.IsAsciiHexDigitLower)
            || !SignedNote.TryDecode(parts[2], out var decoded) || decoded.Length != 1 + Ed25519Key.KeySize || (NoteKeyType)decoded[0] is not (NoteKeyType.Ed25519 or NoteKeyType.Cosignature))
        {
            return false;
        }

        (name, id, type, bytes) = (parts[0], uint.Parse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), (NoteKeyType)decoded[0], decoded[1..]);
        return true;
    }

    private static uint IdOf(string name, NoteKeyType type, ReadOnlySpan<byte> publicKey) =>
        BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData([.. Encoding.UTF8.GetBytes(name), (byte)'\n', (byte)type, .. publicKey]));
}
