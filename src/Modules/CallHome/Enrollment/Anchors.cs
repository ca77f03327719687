using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Options;
using MissionControl.Platform.Data;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.CallHome.Enrollment;

/// <summary>
/// The anchor documents that tell clusters which keys to trust, signed by the root. Kept as files, because the root belongs
/// offline; a first start without one makes a root beside the data, which is right for a trial and said so in the operations guide.
/// A newer version that <c>admin keys</c> writes is noticed within seconds.
/// </summary>
internal sealed class Anchors
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(2);
    private readonly string path;
    private readonly TimeProvider time;
    private readonly Lock sync = new();
    private Documents documents;
    private long readAt;

    public Anchors(DataDirectory data, IOptions<CallHomeOptions> options, TimeProvider time)
    {
        this.time = time;
        path = options.Value.AnchorsFile ?? data.PathOf("keys/anchors.dsse");
        if (!File.Exists(path) && options.Value.AnchorsFile is null)
        {
            using var root = EcdsaSigner.LoadOrCreate(data.PathOf("keys/root.pem"));
            using var receipt = EcdsaSigner.LoadOrCreate(data.PathOf("keys/receipt.pem"));
            using var answer = EcdsaSigner.LoadOrCreate(data.PathOf("keys/answer.pem"));
            using var lease = EcdsaSigner.LoadOrCreate(data.PathOf("keys/lease.pem"));
            AnchorFile.MakeFirst(path, root, receipt, answer, lease, time.GetUtcNow());
        }
        else if (options.Value.AnchorsFile is null && !AnchorFile.Names(path, "lease") && KeyFiles.InForce(KeyFiles.Of(data.PathOf("keys/root.pem")), time.GetUtcNow()) is { } rootFile)
        {
            // Made by a version that knew no licences. Where the root lies in a safe, or no process makes keys, admin keys make does it.
            using var root = EcdsaSigner.Load(rootFile.Path);
            using var lease = EcdsaSigner.LoadOrCreate(data.PathOf("keys/lease.pem"));
            AnchorFile.Adopt(path, root, lease, "lease", time.GetUtcNow());
        }

        documents = Read();
    }

    /// <summary>The newest version's number.</summary>
    public long Version => Current.Version;

    /// <summary>What people compare: <c>sha256:</c> and the digest of the newest envelope.</summary>
    public string Sha256 => Current.Sha256;

    /// <summary>The newest document.</summary>
    public AnchorDocument Document => AnchorFile.Read(Current.ByVersion[Version]);

    /// <summary>The envelope that a person was shown this digest of; the newest when none has it.</summary>
    public ReadOnlyMemory<byte> OfDigest(string? sha256) => sha256 is not null && Current.ByDigest.TryGetValue(sha256, out var envelope) ? envelope : Current.ByVersion[Version];

    /// <summary>The version that follows the one a cluster holds: each is signed by a root that its predecessor names, so none may be skipped.</summary>
    public ReadOnlyMemory<byte> After(long version) => Current.ByVersion.First(entry => entry.Key > version).Value;

    private Documents Current
    {
        get
        {
            lock (sync)
            {
                if (time.GetElapsedTime(readAt) > Freshness)
                {
                    readAt = time.GetTimestamp();
                    documents = Refreshed();
                }

                return documents;
            }
        }
    }

    /// <summary>
    /// Told apart by its bytes: where a directory is mounted whole, as Kubernetes does, the file is a link, whose time never changes.
    /// While it is exchanged it may be away or half there; what was read before is good then, and no check-in fails for it.
    /// </summary>
    private Documents Refreshed()
    {
        try
        {
            return File.ReadAllBytes(path).AsSpan().SequenceEqual(documents.ByVersion[documents.Version]) ? documents : Read();
        }
        catch (Exception exception) when (exception is IOException or JsonException or FormatException or InvalidOperationException or KeyNotFoundException)
        {
            return documents;
        }
    }

    private Documents Read()
    {
        readAt = time.GetTimestamp();
        var versions = AnchorFile.Versions(path);
        return new Documents(versions, versions.Values.ToDictionary(Digest, StringComparer.Ordinal), versions.Keys.Max(), Digest(versions.Values.Last()));
    }

    private static string Digest(byte[] envelope) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(envelope))}";

    private sealed record Documents(SortedDictionary<long, byte[]> ByVersion, Dictionary<string, byte[]> ByDigest, long Version, string Sha256);
}
