using System.Security.Cryptography;
using System.Text;

namespace MissionControl.Platform.Security;

/// <summary>
/// Seals secrets where they lie (AES-256-GCM), by the keys of one use: the newest one in force seals, every one of them opens, so that a
/// copy of what was sealed is worth nothing without the key beside it, and a rotated key takes nothing away.
/// </summary>
public sealed class SecretSeal
{
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private readonly string first;
    private readonly string purpose;
    private readonly TimeProvider time;

    /// <summary>Makes the first key of the use when there is none.</summary>
    /// <param name="first">Path of the first key.</param>
    /// <param name="purpose">What is sealed; the same key used for anything else does not open it.</param>
    /// <param name="time">Says which key is in force.</param>
    public SecretSeal(string first, string purpose, TimeProvider time)
    {
        this.first = first;
        this.purpose = purpose;
        this.time = time;
        KeyFiles.MakeSymmetric(first, time.GetUtcNow());
    }

    /// <summary>Seals a secret for one place.</summary>
    /// <param name="plain">The secret.</param>
    /// <param name="place">Where it is kept, such as the id of its row: put elsewhere it does not open.</param>
    public byte[] Seal(ReadOnlySpan<byte> plain, string place)
    {
        var box = new byte[NonceSize + TagSize + plain.Length];
        var nonce = box.AsSpan(0, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(KeyFiles.LoadSymmetric(KeyFiles.InForce(KeyFiles.Of(first), time.GetUtcNow())!.Path), TagSize);
        cipher.Encrypt(nonce, plain, box.AsSpan(NonceSize + TagSize), box.AsSpan(NonceSize, TagSize), Bound(place));
        return box;
    }

    /// <summary>Opens what a key of the use sealed for this place.</summary>
    /// <exception cref="CryptographicException">None of the keys did.</exception>
    public byte[] Open(ReadOnlySpan<byte> box, string place)
    {
        if (box.Length >= NonceSize + TagSize)
        {
            var plain = new byte[box.Length - NonceSize - TagSize];
            foreach (var file in KeyFiles.Of(first).Reverse())
            {
                using var cipher = new AesGcm(KeyFiles.LoadSymmetric(file.Path), TagSize);
                try
                {
                    cipher.Decrypt(box[..NonceSize], box[(NonceSize + TagSize)..], box.Slice(NonceSize, TagSize), plain, Bound(place));
                    return plain;
                }
                catch (AuthenticationTagMismatchException)
                {
                    // Sealed by another key of the ring.
                }
            }
        }

        throw new CryptographicException($"No key beside {first} opens what was sealed.");
    }

    private byte[] Bound(string place) => Encoding.UTF8.GetBytes(purpose + place);
}
