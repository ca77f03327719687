using System.Security.Cryptography;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;
using Xunit;

namespace MissionControl.ClusterAgent.Tests;

public sealed class AnchorsTests : IDisposable
{
    private readonly EcdsaSigner root = EcdsaSigner.Create();
    private readonly EcdsaSigner other = EcdsaSigner.Create();

    [Fact]
    public void A_newer_anchor_document_counts_only_when_a_held_root_signed_it()
    {
        var held = Sign(1, root, root);

        Assert.Equal(2, Anchors.Renew(held, Sign(2, root, root)).Version);
        Assert.Throws<CryptographicException>(() => Anchors.Renew(held, Sign(2, other, other)));
        Assert.Throws<CryptographicException>(() => Anchors.Renew(held, Sign(2, other, root, other)));
        Assert.Throws<CryptographicException>(() => Anchors.Renew(held, Sign(1, root, root)));
        Assert.Throws<CryptographicException>(() => Anchors.Renew(Sign(3, root, root), Sign(2, root, root)));
        Assert.Throws<CryptographicException>(() => Anchors.Renew(held, "{}"u8));
    }

    [Fact]
    public void A_new_root_is_introduced_by_the_old_one()
    {
        var first = Sign(1, root, root);
        var both = Sign(2, root, root, other);
        var moved = Sign(3, other, other);

        Anchors.Renew(first, both);
        Assert.Equal(3, Anchors.Renew(both, moved).Version);
        Assert.Throws<CryptographicException>(() => Anchors.Renew(first, moved));
        Assert.Throws<CryptographicException>(() => Anchors.Renew(moved, Sign(4, root, root, other)));
    }

    public void Dispose()
    {
        root.Dispose();
        other.Dispose();
    }

    private static byte[] Sign(long version, EcdsaSigner signer, params EcdsaSigner[] roots)
    {
        var now = DateTimeOffset.UnixEpoch;
        var document = new AnchorDocument(1, version, now, [.. roots.Select(key => new AnchorKey(key.KeyId, "ES256", key.PublicKeySpki, ["root"], now, now.AddYears(20)))]);
        return Dsse.Sign(AnchorDocument.PayloadType, document.ToBytes(), signer);
    }
}
