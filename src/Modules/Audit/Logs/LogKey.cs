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
