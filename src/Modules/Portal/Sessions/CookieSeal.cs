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
internal sealed class CookieSeal(DataDirectory data, TimeProvider time) : IXmlEncryptor
{
    private readonly SecretSeal seal = new(data.PathOf("keys/cookie-sealing.key"), "missioncontrol cookie-keys v1", time);

    public EncryptedXmlInfo Encrypt(XElement plaintextElement) =>
        new(new XElement("sealed", Convert.ToBase64String(seal.Seal(Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting)), ""))), typeof(CookieUnseal));

    /// <summary>Opens what this or an earlier key of the use sealed.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">None of the keys did: people sign in again.</exception>
    public XElement Decrypt(XElement element) => XElement.Parse(Encoding.UTF8.GetString(seal.Open(Convert.FromBase64String(element.Value), "")));
}

/// <summary>Opens what <see cref="CookieSeal"/> sealed; the library makes it by the name that stands in the file.</summary>
internal sealed class CookieUnseal(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement) => services.GetRequiredService<CookieSeal>().Decrypt(encryptedElement);
}
