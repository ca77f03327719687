using System.Buffers.Text;
using System.Security.Cryptography;
using MissionControl.Trust.Envelopes;
using Xunit;

namespace MissionControl.Trust.Tests;

public sealed class KeyTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mc-key-").FullName;

    [Fact]
    public void A_key_goes_by_its_digest()
    {
        using var signer = EcdsaSigner.Create();
        var key = VerificationKey.FromSpki(signer.PublicKeySpki);

        Assert.Equal(Base64Url.EncodeToString(SHA256.HashData(signer.PublicKeySpki).AsSpan(0, 16)), signer.KeyId);
        Assert.Equal(signer.KeyId, key.KeyId);
        Assert.Equal(signer.PublicKeySpki, key.Spki.ToArray());
    }

    [Fact]
    public void A_signature_has_64_bytes_and_fits_its_data_and_key_only()
    {
        using var signer = EcdsaSigner.Create();
        using var other = EcdsaSigner.Create();
        var key = VerificationKey.FromSpki(signer.PublicKeySpki);
        var signature = signer.Sign("data"u8);

        Assert.Equal(64, signature.Length);
        Assert.True(key.Verify("data"u8, signature));
        Assert.False(key.Verify("date"u8, signature));
        Assert.False(key.Verify("data"u8, [.. signature, 0]));
        Assert.False(key.Verify("data"u8, signature.AsSpan(1)));
        Assert.False(VerificationKey.FromSpki(other.PublicKeySpki).Verify("data"u8, signature));
    }

    [Fact]
    public void No_key_but_P256_of_exact_form_is_read()
    {
        using var right = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var longer = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var alike = ECDsa.Create(ECCurve.CreateFromFriendlyName("secp256k1"));
        using var rsa = RSA.Create(2048);
        byte[][] wrong =
        [
            [.. right.ExportSubjectPublicKeyInfo(), 0], right.ExportSubjectPublicKeyInfo()[..^1], longer.ExportSubjectPublicKeyInfo(), alike.ExportSubjectPublicKeyInfo(), rsa.ExportSubjectPublicKeyInfo(), [],
        ];
        foreach (var spki in wrong)
        {
            Assert.ThrowsAny<CryptographicException>(() => VerificationKey.FromSpki(spki));
        }

        foreach (var pem in new[] { longer.ExportPkcs8PrivateKeyPem(), alike.ExportPkcs8PrivateKeyPem() })
        {
            var file = Path.Combine(directory, "wrong.pem");
            File.WriteAllText(file, pem);
            Assert.ThrowsAny<CryptographicException>(() => EcdsaSigner.Load(file));
        }
    }

    [Fact]
    public void A_signer_made_of_a_key_lives_on_when_its_owner_is_done_with_it()
    {
        var owned = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var spki = owned.ExportSubjectPublicKeyInfo();
        using var signer = EcdsaSigner.From(owned);
        owned.Dispose();

        Assert.True(VerificationKey.FromSpki(spki).Verify("data"u8, signer.Sign("data"u8)));
    }

    [Fact]
    public void A_key_file_is_made_once_and_private()
    {
        var file = Path.Combine(directory, "key.pem");
        using var first = EcdsaSigner.LoadOrCreate(file);
        using var again = EcdsaSigner.LoadOrCreate(file);
        File.WriteAllText(Path.Combine(directory, "copy.pem"), first.ExportPkcs8Pem());
        using var copy = EcdsaSigner.Load(Path.Combine(directory, "copy.pem"));

        Assert.Equal((first.KeyId, first.KeyId), (again.KeyId, copy.KeyId));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public void Of_many_that_make_a_key_file_at_once_all_get_the_same_key_and_nothing_is_left_over()
    {
        for (var round = 0; round < 20; round++)
        {
            var file = Path.Combine(directory, $"{round}.pem");
            using var together = new Barrier(4);
            var ids = new string[4];
            Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
            {
                // Those that can start together do; a thread that is not there yet keeps nobody waiting.
                together.SignalAndWait(TimeSpan.FromMilliseconds(50));
                using var signer = EcdsaSigner.LoadOrCreate(file);
                ids[i] = signer.KeyId;
            });
            Assert.Single(ids.Distinct());
            Assert.Single(Directory.GetFiles(directory, $"{round}.pem*"));
        }
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
