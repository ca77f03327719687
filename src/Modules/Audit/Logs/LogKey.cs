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
        var note = new SignedNote(checkpoint.ToString(), []);
        var text = System.Text.Encoding.UTF8.GetBytes(note.Text);
        foreach (var file in InForce())
        {
            using var signer = NoteSigner.FromSeed(checkpoint.Origin, NoteKeyType.Ed25519, KeyFiles.LoadSymmetric(file.Path));
            note = note.With(signer.Sign(text));
        }

        return note;
    }

    /// <summary>The keys by which a log is verified, as <c>name+id+key</c>; the newest last.</summary>
    /// <param name="origin">The log.</param>
    /// <param name="newest">Its newest checkpoint: a key that has not signed it yet verifies nothing; null: there is none.</param>
    public IReadOnlyList<string> KeysOf(string origin, SignedNote? newest)
    {
        var keys = new List<string>();
        foreach (var file in InForce())
        {
            using var signer = NoteSigner.FromSeed(origin, NoteKeyType.Ed25519, KeyFiles.LoadSymmetric(file.Path));
            if (newest is null || newest.Signatures.Any(signer.Key.Owns))
            {
                keys.Add(signer.Key.ToString());
            }
        }

        return keys;
    }

    private List<KeyFile> InForce()
    {
        var now = time.GetUtcNow();
        return [.. KeyFiles.Of(first).Where(file => file.ActiveFrom <= now)];
    }

    private static string MakeFirst(DataDirectory data, TimeProvider time)
    {
        var path = data.PathOf("keys/log-note.key");
        KeyFiles.MakeSymmetric(path, time.GetUtcNow());
        return path;
    }
}
