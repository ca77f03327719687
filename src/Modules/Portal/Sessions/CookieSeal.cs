using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;
using MissionControl.Platform.Security;

namespace MissionControl.Portal.Sessions;

/// <summary>
/// Seals the keys of the portal's cookies where they lie, by <c>keys/cookie-sealing.key</c>, which every replica has: a copy of their
/// directory is worth nothing without it. Every key of the use opens, the newest one in force seals.
/// </summary>
internal sealed class CookieSeal : IXmlEncryptor
{
    private const int NonceSize = 12;
    private const int TagSize = 16;

    // The same key used for anything else would not open this.
    private static readonly byte[] Purpose = Encoding.ASCII.GetBytes("missioncontrol cookie-keys v1");
    private readonly string first;
    private readonly TimeProvider time;

    public CookieSeal(DataDirectory data, TimeProvider time)
    {
        this.time = time;
        first = data.PathOf("keys/cookie-sealing.key");
        KeyFiles.MakeSymmetric(first, time.GetUtcNow());
    }

    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        var plain = Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
        var sealedBytes = new byte[NonceSize + TagSize + plain.Length];
        var nonce = sealedBytes.AsSpan(0, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(KeyFiles.LoadSymmetric(KeyFiles.InForce(KeyFiles.Of(first), time.GetUtcNow())!.Path), TagSize);
        cipher.Encrypt(nonce, plain, sealedBytes.AsSpan(NonceSize + TagSize), sealedBytes.AsSpan(NonceSize, TagSize), Purpose);
        return new EncryptedXmlInfo(new XElement("sealed", Convert.ToBase64String(sealedBytes)), typeof(CookieUnseal));
    }

    /// <summary>Opens what this or an earlier key of the use sealed.</summary>
    /// <exception cref="CryptographicException">None of the keys did.</exception>
    public XElement Decrypt(XElement element)
    {
        var sealedBytes = Convert.FromBase64String(element.Value);
        var plain = new byte[sealedBytes.Length - NonceSize - TagSize];
        foreach (var file in KeyFiles.Of(first).Reverse())
        {
            using var cipher = new AesGcm(KeyFiles.LoadSymmetric(file.Path), TagSize);
            try
            {
                cipher.Decrypt(sealedBytes.AsSpan(0, NonceSize), sealedBytes.AsSpan(NonceSize + TagSize), sealedBytes.AsSpan(NonceSize, TagSize), plain, Purpose);
                return XElement.Parse(Encoding.UTF8.GetString(plain));
            }
            catch (AuthenticationTagMismatchException)
            {
                // Sealed by another key of the ring.
            }
        }

        throw new CryptographicException($"No key beside {first} opens this key of the portal's cookies; people sign in again.");
    }
}

/// <summary>Opens what <see cref="CookieSeal"/> sealed; the library makes it by the name that stands in the file.</summary>
internal sealed class CookieUnseal(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement) => services.GetRequiredService<CookieSeal>().Decrypt(encryptedElement);
}
