using System.Globalization;
using System.Text.Json;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Platform.Security;

/// <summary>
/// The anchor document on disk, newest and older versions: <c>anchors.dsse</c> and <c>anchors.7.dsse</c>. Every version is signed by
/// a root that its predecessor names, and clusters take them one by one, so none is ever thrown away.
/// </summary>
public static class AnchorFile
{
    private static readonly TimeSpan RootLife = TimeSpan.FromDays(20 * 365);
    private static readonly TimeSpan KeyLife = TimeSpan.FromDays(5 * 365);

    /// <summary>Signs the first document; nothing happens when there is one.</summary>
    /// <param name="path">Where it goes.</param>
    /// <param name="root">Signs it, and stands in it.</param>
    /// <param name="receipt">Signs receipts for usage.</param>
    /// <param name="answer">Signs answers to bundles.</param>
    /// <param name="lease">Signs licences.</param>
    /// <param name="now">The present instant.</param>
    public static void MakeFirst(string path, EcdsaSigner root, EcdsaSigner receipt, EcdsaSigner answer, EcdsaSigner lease, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(receipt);
        ArgumentNullException.ThrowIfNull(answer);
        ArgumentNullException.ThrowIfNull(lease);
        var document = new AnchorDocument(1, 1, now, [Key(root, "root", now, RootLife), Key(receipt, "receipt", now, KeyLife), Key(answer, "answer", now, KeyLife), Key(lease, "lease", now, KeyLife)]);
        KeyFiles.TryWrite(path, Dsse.Sign(AnchorDocument.PayloadType, document.ToBytes(), root));
    }

    /// <summary>Signs the next version: a new key of a use, its predecessors until the overlap has passed, and everything else that is still valid.</summary>
    /// <exception cref="InvalidOperationException">The root is not one that the newest version names: clusters would not believe it.</exception>
    public static AnchorDocument Renew(string path, EcdsaSigner root, EcdsaSigner fresh, string use, DateTimeOffset activeFrom, TimeSpan overlap, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(fresh);
        var envelope = File.ReadAllBytes(path);
        var newest = Read(envelope);
        if (!newest.Keys.Any(key => key.Kid == root.KeyId && key.Uses.Contains("root")))
        {
            throw new InvalidOperationException($"Key {root.KeyId} is not a root of anchor document {newest.Version}; no cluster would believe what it signs.");
        }

        var until = activeFrom + overlap;
        var keys = newest.Keys.Where(key => key.NotAfter > now).Select(key => key.Uses.Contains(use) && key.NotAfter > until ? key with { NotAfter = until } : key);
        var document = new AnchorDocument(1, newest.Version + 1, now, [.. keys, Key(fresh, use, now, use == "root" ? RootLife : KeyLife)]);
        KeyFiles.TryWrite(PathOf(path, newest.Version), envelope);
        KeyFiles.Replace(path, Dsse.Sign(AnchorDocument.PayloadType, document.ToBytes(), root));
        return document;
    }

    /// <summary>Signs a version with the key of a use that the newest one does not name yet, as after an upgrade that brought the use; nothing happens when it does.</summary>
    /// <returns>Whether there is a new version.</returns>
    /// <exception cref="InvalidOperationException">The root is not one that the newest version names.</exception>
    public static bool Adopt(string path, EcdsaSigner root, EcdsaSigner key, string use, DateTimeOffset now)
    {
        if (Names(path, use))
        {
            return false;
        }

        Renew(path, root, key, use, now, TimeSpan.Zero, now);
        return true;
    }

    /// <summary>Whether the newest version names a key of a use.</summary>
    public static bool Names(string path, string use) => Read(File.ReadAllBytes(path)).Keys.Any(key => key.Uses.Contains(use));

    /// <summary>All versions by number, as they are sent.</summary>
    public static SortedDictionary<long, byte[]> Versions(string path)
    {
        var versions = new SortedDictionary<long, byte[]>();
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(path))!, $"{Path.GetFileNameWithoutExtension(path)}.*{Path.GetExtension(path)}").Append(path))
        {
            var envelope = File.ReadAllBytes(file);
            versions[Read(envelope).Version] = envelope;
        }

        return versions;
    }

    /// <summary>The document in an envelope of our own; not verified.</summary>
    public static AnchorDocument Read(ReadOnlySpan<byte> envelope)
    {
        var reader = JsonSerializer.Deserialize<JsonElement>(envelope);
        return AnchorDocument.Parse(reader.GetProperty("payload").GetBytesFromBase64());
    }

    private static AnchorKey Key(EcdsaSigner key, string use, DateTimeOffset now, TimeSpan life) => new(key.KeyId, "ES256", key.PublicKeySpki, [use], now, now + life);

    private static string PathOf(string path, long version) =>
        Path.ChangeExtension(path, string.Create(CultureInfo.InvariantCulture, $".{version}{Path.GetExtension(path)}"));
}
