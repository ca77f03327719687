using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace MissionControl.Trust.Envelopes;

/// <summary>Names keys by what they are, so that a key id pins key and algorithm at once.</summary>
public static class KeyIds
{
    /// <summary>base64url of the first 16 bytes of SHA-256 over the DER SubjectPublicKeyInfo.</summary>
    public static string Of(ReadOnlySpan<byte> spki)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(spki, hash);
        return Base64Url.EncodeToString(hash[..16]);
    }
}

/// <summary>Signs by ES256 (FIPS 186-5 with P-256 and SHA-256); where the private key lives is nobody else's business.</summary>
public interface ISigner
{
    /// <summary>Id of the key, as <see cref="KeyIds.Of"/> gives it.</summary>
    string KeyId { get; }

    /// <summary>IEEE P1363 signature, 64 bytes.</summary>
    byte[] Sign(ReadOnlySpan<byte> data);
}

/// <summary>A P-256 key in memory, loaded from a file that only this user reads.</summary>
public sealed class EcdsaSigner : ISigner, IDisposable
{
    private readonly ECDsa key;

    private EcdsaSigner(ECDsa key)
    {
        this.key = key;
        PublicKeySpki = key.ExportSubjectPublicKeyInfo();
        KeyId = KeyIds.Of(PublicKeySpki);
    }

    /// <inheritdoc />
    public string KeyId { get; }

    /// <summary>DER SubjectPublicKeyInfo of the public key.</summary>
    public byte[] PublicKeySpki { get; }

    /// <summary>A new key that exists only in memory.</summary>
    public static EcdsaSigner Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Signs by a key that somebody else made and goes on owning.</summary>
    public static EcdsaSigner From(ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var copy = ECDsa.Create(key.ExportParameters(includePrivateParameters: true));
        return new EcdsaSigner(copy);
    }

    /// <summary>Loads a PKCS#8 PEM key, or makes one with mode 0600 when there is none; two processes that race get the same key.</summary>
    /// <exception cref="CryptographicException">The file holds no P-256 key.</exception>
    public static EcdsaSigner LoadOrCreate(string pemPath)
    {
        if (!File.Exists(pemPath))
        {
            using var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            OnceFile.TryWrite(pemPath, Encoding.ASCII.GetBytes(fresh.ExportPkcs8PrivateKeyPem()));
        }

        return Load(pemPath);
    }

    /// <summary>Loads a PKCS#8 PEM key.</summary>
    /// <exception cref="CryptographicException">The file holds no P-256 key.</exception>
    public static EcdsaSigner Load(string pemPath)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(pemPath));
            return Curves.IsP256(key) ? new EcdsaSigner(key) : throw new CryptographicException($"{pemPath} does not hold a P-256 key.");
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>The private key as PKCS#8 PEM, for a file that only its owner reads.</summary>
    public string ExportPkcs8Pem() => key.ExportPkcs8PrivateKeyPem();

    /// <inheritdoc />
    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        // ECDsa instances are not safe for concurrent use.
        lock (key)
        {
            return key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }

    /// <inheritdoc />
    public void Dispose() => key.Dispose();
}

/// <summary>A P-256 public key. The only algorithm it verifies is ES256: there is nothing to negotiate and nothing to downgrade.</summary>
public sealed class VerificationKey
{
    private readonly byte[] spki;

    private VerificationKey(byte[] spki)
    {
        this.spki = spki;
        KeyId = KeyIds.Of(spki);
    }

    /// <summary>Id of the key.</summary>
    public string KeyId { get; }

    /// <summary>DER SubjectPublicKeyInfo.</summary>
    public ReadOnlyMemory<byte> Spki => spki;

    /// <summary>Reads a key.</summary>
    /// <exception cref="CryptographicException">The bytes are not exactly a P-256 SubjectPublicKeyInfo.</exception>
    public static VerificationKey FromSpki(ReadOnlySpan<byte> spki)
    {
        using var key = Import(spki);
        return new VerificationKey(spki.ToArray());
    }

    /// <summary>Verifies an IEEE P1363 signature; anything but 64 bytes is false.</summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != 64)
        {
            return false;
        }

        using var key = Import(spki);
        return key.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static ECDsa Import(ReadOnlySpan<byte> spki)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(spki, out var read);
            if (read != spki.Length || !Curves.IsP256(key))
            {
                throw new CryptographicException("The key is not a P-256 SubjectPublicKeyInfo.");
            }

            return key;
        }
        catch (PlatformNotSupportedException exception)
        {
            // A curve that there is not here.
            key.Dispose();
            throw new CryptographicException("The key is not a P-256 SubjectPublicKeyInfo.", exception);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }
}

/// <summary>The size alone does not tell one curve from another.</summary>
internal static class Curves
{
    private const string P256Oid = "1.2.840.10045.3.1.7";

    public static bool IsP256(ECDsa key) => key.ExportParameters(false).Curve.Oid.Value == P256Oid;
}
