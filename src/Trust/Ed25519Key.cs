using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MissionControl.Trust;

/// <summary>
/// An Ed25519 key (RFC 8032), for the few public formats that demand it. The platform's class library has none, so this asks the
/// libcrypto that it already stands on; nothing else in the project may.
/// </summary>
public sealed class Ed25519Key : IDisposable
{
    /// <summary>Length of a public key and of a seed, in bytes.</summary>
    public const int KeySize = 32;

    /// <summary>Length of a signature, in bytes.</summary>
    public const int SignatureSize = 64;

    // RFC 8410: SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING }; there are no parameters, so the head is always the same.
    private static readonly byte[] SpkiHead = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    private readonly LibCrypto.Key key;
    private readonly byte[] publicKey;
    private readonly bool canSign;

    private Ed25519Key(LibCrypto.Key key, bool canSign)
    {
        this.key = key;
        this.canSign = canSign;
        publicKey = LibCrypto.PublicKeyOf(key);
    }

    /// <summary>The public key, 32 bytes.</summary>
    public ReadOnlyMemory<byte> PublicKey => publicKey;

    /// <summary>A key from its 32-byte seed (the private key of RFC 8032).</summary>
    /// <exception cref="ArgumentException">It has another length.</exception>
    public static Ed25519Key FromSeed(ReadOnlySpan<byte> seed) => new(LibCrypto.PrivateKey(Exactly(seed, KeySize, nameof(seed))), canSign: true);

    /// <summary>A key that only verifies.</summary>
    /// <exception cref="ArgumentException">It has another length than 32 bytes.</exception>
    public static Ed25519Key FromPublicKey(ReadOnlySpan<byte> publicKey) => new(LibCrypto.PublicKey(Exactly(publicKey, KeySize, nameof(publicKey))), canSign: false);

    /// <summary>Reads a DER SubjectPublicKeyInfo (RFC 8410); false when it is not exactly one of an Ed25519 key.</summary>
    public static bool TryFromSpki(ReadOnlySpan<byte> spki, [NotNullWhen(true)] out Ed25519Key? key)
    {
        key = spki.Length == SpkiHead.Length + KeySize && spki.StartsWith(SpkiHead) ? FromPublicKey(spki[SpkiHead.Length..]) : null;
        return key is not null;
    }

    /// <summary>A new seed.</summary>
    public static byte[] NewSeed() => RandomNumberGenerator.GetBytes(KeySize);

    /// <summary>The public key as DER SubjectPublicKeyInfo.</summary>
    public byte[] ToSpki() => [.. SpkiHead, .. publicKey];

    /// <summary>Signs.</summary>
    /// <exception cref="InvalidOperationException">The key only verifies.</exception>
    public byte[] Sign(ReadOnlySpan<byte> data) => canSign ? LibCrypto.Sign(key, data) : throw new InvalidOperationException("This key only verifies.");

    /// <summary>Verifies; anything but 64 bytes is false.</summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) => signature.Length == SignatureSize && LibCrypto.Verify(key, data, signature);

    /// <inheritdoc />
    public void Dispose() => key.Dispose();

    private static ReadOnlySpan<byte> Exactly(ReadOnlySpan<byte> bytes, int length, string name) =>
        bytes.Length == length ? bytes : throw new ArgumentException($"An Ed25519 key has {length} bytes.", name);
}

/// <summary>The few calls into OpenSSL 3 (EVP_DigestSign(3), EVP_PKEY_new(3)). Memory of the other side lives in safe handles only.</summary>
internal static partial class LibCrypto
{
    private const string Library = "libcrypto";
    private const int Ed25519 = 1087;

    static LibCrypto() => NativeLibrary.SetDllImportResolver(typeof(LibCrypto).Assembly, static (name, assembly, path) =>
    {
        if (name == Library)
        {
            foreach (var candidate in new[] { "libcrypto.so.3", "libcrypto.3.dylib", "libcrypto-3-x64.dll", "libcrypto-3-arm64.dll" })
            {
                if (NativeLibrary.TryLoad(candidate, assembly, path, out var handle))
                {
                    return handle;
                }
            }
        }

        return 0;
    });

    public static Key PrivateKey(ReadOnlySpan<byte> seed) => Good(EVP_PKEY_new_raw_private_key(Ed25519, 0, seed, (nuint)seed.Length));

    public static Key PublicKey(ReadOnlySpan<byte> bytes) => Good(EVP_PKEY_new_raw_public_key(Ed25519, 0, bytes, (nuint)bytes.Length));

    public static byte[] PublicKeyOf(Key key)
    {
        var bytes = new byte[Ed25519Key.KeySize];
        var length = (nuint)bytes.Length;
        Good(EVP_PKEY_get_raw_public_key(key, bytes, ref length) == 1 && length == (nuint)bytes.Length);
        return bytes;
    }

    public static byte[] Sign(Key key, ReadOnlySpan<byte> data)
    {
        using var context = Good(EVP_MD_CTX_new());
        Good(EVP_DigestSignInit(context, 0, 0, 0, key) == 1);
        var signature = new byte[Ed25519Key.SignatureSize];
        var length = (nuint)signature.Length;
        Good(EVP_DigestSign(context, signature, ref length, data, (nuint)data.Length) == 1 && length == (nuint)signature.Length);
        return signature;
    }

    public static bool Verify(Key key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        using var context = Good(EVP_MD_CTX_new());
        Good(EVP_DigestVerifyInit(context, 0, 0, 0, key) == 1);
        var verdict = EVP_DigestVerify(context, signature, (nuint)signature.Length, data, (nuint)data.Length) == 1;
        ERR_clear_error();
        return verdict;
    }

    private static T Good<T>(T handle)
        where T : SafeHandle
    {
        Good(!handle.IsInvalid);
        return handle;
    }

    private static void Good(bool success)
    {
        if (!success)
        {
            // The queue is per thread and also read by the class library: what is ours must not stay in it.
            ERR_clear_error();
            throw new CryptographicException("libcrypto refused an Ed25519 operation.");
        }
    }

    [LibraryImport(Library)]
    private static partial Key EVP_PKEY_new_raw_private_key(int type, nint engine, ReadOnlySpan<byte> key, nuint length);

    [LibraryImport(Library)]
    private static partial Key EVP_PKEY_new_raw_public_key(int type, nint engine, ReadOnlySpan<byte> key, nuint length);

    [LibraryImport(Library)]
    private static partial int EVP_PKEY_get_raw_public_key(Key key, Span<byte> bytes, ref nuint length);

    [LibraryImport(Library)]
    private static partial void EVP_PKEY_free(nint key);

    [LibraryImport(Library)]
    private static partial Context EVP_MD_CTX_new();

    [LibraryImport(Library)]
    private static partial void EVP_MD_CTX_free(nint context);

    [LibraryImport(Library)]
    private static partial int EVP_DigestSignInit(Context context, nint keyContext, nint digest, nint engine, Key key);

    [LibraryImport(Library)]
    private static partial int EVP_DigestSign(Context context, Span<byte> signature, ref nuint signatureLength, ReadOnlySpan<byte> data, nuint length);

    [LibraryImport(Library)]
    private static partial int EVP_DigestVerifyInit(Context context, nint keyContext, nint digest, nint engine, Key key);

    [LibraryImport(Library)]
    private static partial int EVP_DigestVerify(Context context, ReadOnlySpan<byte> signature, nuint signatureLength, ReadOnlySpan<byte> data, nuint length);

    [LibraryImport(Library)]
    private static partial void ERR_clear_error();

    /// <summary>An EVP_PKEY.</summary>
    internal sealed class Key() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            EVP_PKEY_free(handle);
            return true;
        }
    }

    /// <summary>An EVP_MD_CTX.</summary>
    private sealed class Context() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            EVP_MD_CTX_free(handle);
            return true;
        }
    }
}
