using System.Text;
using FsCheck;
using FsCheck.Fluent;
using MissionControl.Trust.Envelopes;
using Xunit;

namespace MissionControl.Trust.Tests;

public sealed class DsseTests : IDisposable
{
    private const string Type = "application/vnd.missioncontrol.test+json";
    private readonly EcdsaSigner signer = EcdsaSigner.Create();

    [Fact]
    public void What_was_signed_is_verified_byte_for_byte() => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), payload =>
    {
        var envelope = Dsse.Sign(Type, payload, signer);

        Assert.True(Dsse.TryVerify(envelope, Type, Keys, out var verified, out var error), error);
        Assert.Equal(payload, verified.Payload);
        Assert.Equal(signer.KeyId, verified.KeyId);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(50));

    [Fact]
    public void No_single_changed_byte_verifies_or_throws()
    {
        var envelope = Dsse.Sign(Type, "{\"a\":1}"u8, signer);
        for (var i = 0; i < envelope.Length; i++)
        {
            var changed = envelope.ToArray();
            changed[i] ^= 1;
            Assert.False(Dsse.TryVerify(changed, Type, Keys, out _, out var error), $"byte {i}");
            Assert.NotNull(error);
        }
    }

    [Fact]
    public void Random_bytes_never_throw() => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes => !Dsse.TryVerify(bytes, Type, Keys, out _, out _)).QuickCheckThrowOnFailure();

    [Fact]
    public void A_document_of_one_type_never_passes_as_another()
    {
        var envelope = Dsse.Sign(Type, "x"u8, signer);

        Assert.False(Dsse.TryVerify(envelope, "application/other", Keys, out _, out _));
        var renamed = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(envelope).Replace(Type.Replace("+", "\\u002B"), "application/other").Replace(Type, "application/other"));
        Assert.False(Dsse.TryVerify(renamed, "application/other", Keys, out _, out _));
    }

    [Fact]
    public void An_unknown_key_extra_members_and_duplicate_members_are_refused()
    {
        var envelope = Encoding.UTF8.GetString(Dsse.Sign(Type, "x"u8, signer));

        Assert.False(Dsse.TryVerify(Encoding.UTF8.GetBytes(envelope), Type, _ => null, out _, out _));
        Assert.False(Dsse.TryVerify(Encoding.UTF8.GetBytes("{\"extra\":1," + envelope[1..]), Type, Keys, out _, out _));
        Assert.False(Dsse.TryVerify(Encoding.UTF8.GetBytes("{\"payload\":\"eA==\"," + envelope[1..]), Type, Keys, out _, out _));
    }

    [Fact]
    public void An_envelope_beyond_its_size_is_refused_unread() =>
        Assert.False(Dsse.TryVerify(Dsse.Sign(Type, new byte[1000], signer), Type, Keys, out _, out _, maxBytes: 1000));

    [Fact]
    public void An_envelope_of_exactly_its_size_is_taken()
    {
        var envelope = Dsse.Sign(Type, new byte[1000], signer);

        Assert.True(Dsse.TryVerify(envelope, Type, Keys, out var verified, out _, maxBytes: envelope.Length));
        Assert.Equal(1000, verified.Payload.Length);
        Assert.Equal(64, verified.Signature.Length);
    }

    [Theory]
    [InlineData("eA==", "eB==")] // bits that no byte is made of
    [InlineData("eA==", "eA== ")]
    [InlineData("eA==", " eA==")]
    [InlineData("eA==", "eA=\\n=")]
    [InlineData("eA==", "eA")]
    [InlineData("\"eA==\"", "null")]
    public void Of_one_payload_there_is_one_text(string written, string also)
    {
        var envelope = Encoding.UTF8.GetString(Dsse.Sign(Type, "x"u8, signer));
        Assert.Contains(written, envelope, StringComparison.Ordinal);

        Assert.False(Dsse.TryVerify(Encoding.UTF8.GetBytes(envelope.Replace(written, also, StringComparison.Ordinal)), Type, Keys, out _, out var error));
        Assert.NotNull(error);
    }

    [Fact]
    public void No_signature_and_two_are_refused()
    {
        var envelope = Encoding.UTF8.GetString(Dsse.Sign(Type, "x"u8, signer));
        var begin = envelope.IndexOf('[', StringComparison.Ordinal) + 1;
        var one = envelope[begin..envelope.IndexOf(']', StringComparison.Ordinal)];
        foreach (var signatures in new[] { "", $"{one},{one}", "null" })
        {
            Assert.False(Dsse.TryVerify(Encoding.UTF8.GetBytes(envelope.Replace(one, signatures, StringComparison.Ordinal)), Type, Keys, out _, out var error), signatures);
            Assert.NotNull(error);
        }
    }

    [Fact]
    public void A_key_that_is_looked_up_under_another_name_is_not_believed()
    {
        using var other = EcdsaSigner.Create();
        var envelope = Dsse.Sign(Type, "x"u8, other);

        Assert.False(Dsse.TryVerify(envelope, Type, _ => VerificationKey.FromSpki(signer.PublicKeySpki), out _, out _));
    }

    public void Dispose() => signer.Dispose();

    private VerificationKey? Keys(string kid) => kid == signer.KeyId ? VerificationKey.FromSpki(signer.PublicKeySpki) : null;
}
