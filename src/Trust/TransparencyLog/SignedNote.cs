using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>A signature under a note.</summary>
/// <param name="Name">Whose.</param>
/// <param name="KeyId">Id of the key.</param>
/// <param name="Bytes">What the key's type makes of it, without the id.</param>
public sealed record NoteSignature(string Name, uint KeyId, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Its line, without a line feed.</summary>
    public override string ToString()
    {
        var bytes = new byte[sizeof(uint) + Bytes.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, KeyId);
        Bytes.Span.CopyTo(bytes.AsSpan(sizeof(uint)));
        return $"{SignedNote.Dash}{Name} {Convert.ToBase64String(bytes)}";
    }
}

/// <summary>A note that was verified.</summary>
/// <param name="Note">The note.</param>
/// <param name="Verified">The signatures of known keys, each with the time that a witness says; all of them are good.</param>
public sealed record OpenedNote(SignedNote Note, IReadOnlyList<(NoteKey Key, long Time)> Verified);

/// <summary>
/// A text with signatures below it (C2SP signed-note): what a log says of itself, and what witnesses say of that. The text is kept and
/// verified byte for byte; it is never written anew.
/// </summary>
public sealed class SignedNote
{
    /// <summary>The longest note that is read, in bytes.</summary>
    public const int MaxLength = 1_000_000;

    /// <summary>The most signatures that are read.</summary>
    public const int MaxSignatures = 100;

    /// <summary>How a line of a signature begins: an em dash and a space.</summary>
    internal const string Dash = "\u2014 ";
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>A note of a text and signatures over it, which are not looked at here.</summary>
    /// <exception cref="FormatException">The text does not end with a line feed, or has characters that no note may have.</exception>
    public SignedNote(string text, IReadOnlyList<NoteSignature> signatures)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(signatures);
        Malformed.Unless(text.EndsWith('\n'), "The text of a note ends with a line feed.");
        Malformed.Unless(!text.Any(letter => letter != '\n' && letter < ' '), "A note has no control characters.");
        (Text, Signatures) = (text, signatures);
    }

    /// <summary>The text, with the line feed at its end.</summary>
    public string Text { get; }

    /// <summary>The signatures, in their order.</summary>
    public IReadOnlyList<NoteSignature> Signatures { get; }

    /// <summary>Reads a note; verifies nothing.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static SignedNote Parse(ReadOnlySpan<byte> bytes)
    {
        Malformed.Unless(bytes.Length <= MaxLength, $"A note has {MaxLength} bytes at most.");
        string whole;
        try
        {
            whole = Strict.GetString(bytes);
        }
        catch (ArgumentException)
        {
            throw new FormatException("A note is UTF-8.");
        }

        // The last empty line divides text and signatures: the text may have empty lines of its own.
        var split = whole.LastIndexOf("\n\n", StringComparison.Ordinal);
        Malformed.Unless(split >= 0, "A note has an empty line between its text and its signatures.");
        Malformed.Unless(whole.EndsWith('\n') && split + 2 < whole.Length, "A note ends with the line of a signature.");
        var lines = whole[(split + 2)..^1].Split('\n');
        Malformed.Unless(lines.Length <= MaxSignatures, $"A note has {MaxSignatures} signatures at most.");
        return new SignedNote(whole[..(split + 1)], [.. lines.Select(ReadSignature)]);
    }

    /// <summary>
    /// Verifies it by the keys that are known. Signatures of others say nothing; a bad one of a key that is known, and one that comes
    /// twice, make the whole note worth nothing.
    /// </summary>
    /// <exception cref="FormatException">A signature of a known key is bad, or none is of a known key; the message says which.</exception>
    public OpenedNote Open(IReadOnlyCollection<NoteKey> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var text = Encoding.UTF8.GetBytes(Text);
        var verified = new List<(NoteKey, long)>();
        foreach (var signature in Signatures)
        {
            var owners = keys.Where(key => key.Owns(signature)).ToList();
            if (owners.Count == 0)
            {
                continue;
            }

            Malformed.Unless(owners.Count == 1, $"Two known keys are called {signature.Name} and have the same id.");
            if (verified.Any(one => one.Item1 == owners[0]))
            {
                continue;
            }

            Malformed.Unless(owners[0].Verify(text, signature, out var time), $"The signature of {signature.Name} is not good.");
            verified.Add((owners[0], time));
        }

        Malformed.Unless(verified.Count > 0, "No signature is of a known key.");
        return new OpenedNote(this, verified);
    }

    /// <summary>The same note with one more signature.</summary>
    public SignedNote With(NoteSignature signature) => new(Text, [.. Signatures, signature]);

    /// <summary>The note as it is sent.</summary>
    public byte[] ToBytes() => Encoding.UTF8.GetBytes(ToString());

    /// <inheritdoc />
    public override string ToString() => $"{Text}\n{string.Concat(Signatures.Select(signature => $"{signature}\n"))}";

    /// <summary>Decodes base64 as RFC 4648 §4 writes it and no other way.</summary>
    internal static bool TryDecode(string text, [NotNullWhen(true)] out byte[]? bytes)
    {
        var buffer = new byte[text.Length];
        bytes = Convert.TryFromBase64String(text, buffer, out var length) && Convert.ToBase64String(buffer, 0, length) == text ? buffer[..length] : null;
        return bytes is not null;
    }

    private static NoteSignature ReadSignature(string line)
    {
        Malformed.Unless(line.StartsWith(Dash, StringComparison.Ordinal), "The line of a signature begins with an em dash and a space.");
        var parts = line[Dash.Length..].Split(' ');
        Malformed.Unless(parts.Length == 2 && NoteKey.IsName(parts[0]), "The line of a signature has a name and base64.");
        return TryDecode(parts[1], out var bytes) && bytes.Length > sizeof(uint)
            ? new NoteSignature(parts[0], BinaryPrimitives.ReadUInt32BigEndian(bytes), bytes.AsMemory(sizeof(uint)))
            : throw new FormatException($"The signature of {parts[0]} is not the base64 of a key's id and a signature.");
    }
}
