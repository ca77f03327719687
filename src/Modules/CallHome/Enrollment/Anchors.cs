using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using MissionControl.Platform.Data;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.CallHome.Enrollment;

/// <summary>
/// The anchor document that tells clusters which keys to trust, signed by the root. Kept as a file, because the root belongs
/// offline; a first start without one makes a root beside the data, which is right for a trial and said so in the operations guide.
/// </summary>
internal sealed class Anchors
{
    public Anchors(DataDirectory data, IOptions<CallHomeOptions> options, TimeProvider time)
    {
        var path = options.Value.AnchorsFile ?? data.PathOf("keys/anchors.dsse");
        if (!File.Exists(path) && options.Value.AnchorsFile is null)
        {
            Make(data, path, time.GetUtcNow());
        }

        Envelope = File.ReadAllBytes(path);
        Sha256 = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Envelope.Span))}";
    }

    /// <summary>The DSSE envelope as sent.</summary>
    public ReadOnlyMemory<byte> Envelope { get; }

    /// <summary>What people compare: <c>sha256:</c> and the digest of the envelope.</summary>
    public string Sha256 { get; }

    private static void Make(DataDirectory data, string path, DateTimeOffset now)
    {
        using var root = EcdsaSigner.LoadOrCreate(data.PathOf("keys/root.pem"));
        using var receipt = EcdsaSigner.LoadOrCreate(data.PathOf("keys/receipt.pem"));
        var document = new AnchorDocument(1, 1, now,
        [
            new AnchorKey(root.KeyId, "ES256", root.PublicKeySpki, ["root"], now, now.AddYears(20)),
            new AnchorKey(receipt.KeyId, "ES256", receipt.PublicKeySpki, ["receipt"], now, now.AddYears(5)),
        ]);
        File.WriteAllBytes(path, Dsse.Sign(AnchorDocument.PayloadType, document.ToBytes(), root));
    }
}
