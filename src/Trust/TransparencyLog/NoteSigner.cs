namespace MissionControl.Trust.TransparencyLog;

/// <summary>A key that signs notes, as <c>PRIVATE+KEY+name+id+seed</c>, the way the tools around signed notes write it. Never logged, never shown.</summary>
public sealed class NoteSigner : IDisposable
{
    private const string Prefix = "PRIVATE+KEY+";
    private readonly Ed25519Key key;

    private NoteSigner(string name, NoteKeyType type, ReadOnlySpan<byte> seed)
    {
        key = Ed25519Key.FromSeed(seed);
        Key = NoteKey.From(name, type, key.PublicKey.Span);
    }

    /// <summary>What verifies it.</summary>
    public NoteKey Key { get; }

    /// <summary>A signer from its 32-byte seed.</summary>
    /// <exception cref="ArgumentException">The name is none, or the seed has not 32 bytes.</exception>
    public static NoteSigner FromSeed(string name, NoteKeyType type, ReadOnlySpan<byte> seed) => new(name, type, seed);

    /// <summary>Reads a private key's text.</summary>
    /// <exception cref="FormatException">It is none, or its id is another key's; the message does not repeat it.</exception>
    public static NoteSigner Parse(string text)
    {
        if (!NoteKey.TrySplit(text, Prefix, out var name, out var id, out var type, out var seed))
        {
            throw new FormatException("This is no private key of notes.");
        }

        var signer = new NoteSigner(name, type, seed);
        if (signer.Key.Id != id)
        {
            signer.Dispose();
            throw new FormatException("The id in this private key is not its own.");
        }

        return signer;
    }

    /// <summary>Signs the text of a note.</summary>
    /// <param name="text">The text, with the line feed at its end.</param>
    /// <param name="time">When a witness has seen it, as Unix seconds; not used by other types.</param>
    public NoteSignature Sign(ReadOnlySpan<byte> text, long time = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(time);
        return new NoteSignature(Key.Name, Key.Id, Key.Type == NoteKeyType.Ed25519 ? key.Sign(text) : NoteKey.Cosignature(time, key.Sign(NoteKey.Cosigned(time, text))));
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Key.Dispose();
        key.Dispose();
    }
}
