using System.Security.Cryptography;
using System.Text;
using MissionControl.Platform.Data;
using MissionControl.Platform.Security;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Logs;

/// <summary>
/// The keys that sign the checkpoints of all logs, readable by this role alone: seeds of Ed25519 (RFC 8032). Every one that is in
/// force signs, so that whoever knows only the one of before a rotation, and whoever knows only the new one, can both verify.
/// </summary>
internal sealed class LogKey(DataDirectory data, TimeProvider time)
{
    private readonly string first = MakeFirst(data, time);

    /// <summary>Signs what a log says of itself.</summary>
    public SignedNote Sign(Checkpoint checkpoint)
    {
        var text = checkpoint.ToString();
        return new SignedNote(text, ByEach(checkpoint.Origin, signer => signer.Sign(Encoding.UTF8.GetBytes(text))));
    }

    /// <summary>The keys by which a log is verified, as <c>name+id+key</c>; the newest last.</summary>
    /// <param name="origin">The log.</param>
    /// <param name="newest">Its newest checkpoint: a key that has not signed it yet verifies nothing; null: there is none.</param>
    public IReadOnlyList<string> KeysOf(string origin, SignedNote? newest) =>
        [.. ByEach(origin, signer => newest is null || newest.Signatures.Any(signer.Key.Owns) ? signer.Key.ToString() : null).OfType<string>()];

    /// <summary>The keys in force, 32 bytes each, by whatever name a log has; the newest last.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> PublicKeys() => ByEach("any", signer => signer.Key.PublicKey);

    /// <summary>Whether a key that is here has signed a checkpoint.</summary>
    public bool HasSigned(string origin, SignedNote note) => KeysOf(origin, note).Count > 0 && ProblemOf(origin, note) is null;

    /// <summary>Why a checkpoint was not signed by a key that is here; null: it was.</summary>
    public string? ProblemOf(string origin, SignedNote note)
    {
        var keys = KeysOf(origin, note).Select(text => NoteKey.TryParse(text, out var known) ? known : null).OfType<NoteKey>().ToList();
        try
        {
            // One that was signed by keys that were deleted since cannot be judged.
            _ = keys.Count == 0 ? null : note.Open(keys);
            return null;
        }
        catch (FormatException exception)
        {
            return exception.Message;
        }
        finally
        {
            keys.ForEach(known => known.Dispose());
        }
    }

    /// <summary>A key of another use made of each that is in force, the newest last (RFC 5869): who has one of these has none of those.</summary>
    public IReadOnlyList<byte[]> Derived(string use)
    {
        var now = time.GetUtcNow();
        return [.. KeyFiles.Of(first).Where(file => file.ActiveFrom <= now).Select(file => HKDF.DeriveKey(HashAlgorithmName.SHA256, KeyFiles.LoadSymmetric(file.Path), 32, info: Encoding.UTF8.GetBytes(use)))];
    }

    // Of a log, since a key's name is the log's (C2SP tlog-policy).
    private List<T> ByEach<T>(string origin, Func<NoteSigner, T> make)
    {
        var now = time.GetUtcNow();
        return [.. KeyFiles.Of(first).Where(file => file.ActiveFrom <= now).Select(file =>
        {
            using var signer = NoteSigner.FromSeed(origin, NoteKeyType.Ed25519, KeyFiles.LoadSymmetric(file.Path));
            return make(signer);
        })];
    }

    private static string MakeFirst(DataDirectory data, TimeProvider time)
    {
        var path = data.PathOf("keys/log-note.key");
        KeyFiles.MakeSymmetric(path, time.GetUtcNow());
        return path;
    }
}
