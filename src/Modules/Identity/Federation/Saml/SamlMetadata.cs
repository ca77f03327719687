using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Xml;
using System.Xml.Linq;

namespace MissionControl.Identity.Federation.Saml;

/// <summary>What a provider publishes of itself, as it was read.</summary>
/// <param name="EntityId">What it is called.</param>
/// <param name="SignInAddress">Where browsers are sent.</param>
/// <param name="Certificates">With which it signs.</param>
internal sealed record SamlMetadataFacts(string EntityId, string SignInAddress, IReadOnlyList<X509Certificate2> Certificates);

/// <summary>Reads metadata of identity providers and writes our own (SAML metadata 2.0). Trust is who brought it; a signature in it is not looked at.</summary>
internal static class SamlMetadata
{
    private const int MostCertificates = 8;
    private static readonly XNamespace Metadata = SamlNames.Metadata;

    /// <summary>Reads one provider's metadata.</summary>
    /// <exception cref="ProviderException">It is not what is wanted, in words that say what to do.</exception>
    public static SamlMetadataFacts Read(string text, DateTimeOffset now)
    {
        var root = StrictXml.ReadDocument(text).DocumentElement!;
        if (root.LocalName != "EntityDescriptor" || root.NamespaceURI != SamlNames.Metadata)
        {
            throw new ProviderException("not-metadata", root.LocalName == "EntitiesDescriptor" ? "The metadata is of several providers. Take that of one (EntityDescriptor)." : "This is no SAML metadata (EntityDescriptor).");
        }

        if (root.GetAttribute("validUntil") is { Length: > 0 } until && DateTimeOffset.TryParse(until, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var ends) && ends <= now)
        {
            throw new ProviderException("metadata-ended", $"The metadata has ended (validUntil {ends:u}). Fetch it anew.");
        }

        var entity = root.GetAttribute("entityID");
        if (SamlPeer.MistakeInEntity(entity) is { } wrong)
        {
            throw new ProviderException("entity-id", wrong);
        }

        if (Within(root, "IDPSSODescriptor").Where(role => role.GetAttribute("protocolSupportEnumeration").Split(' ').Contains(SamlNames.Protocol)).ToList() is not [var idp])
        {
            throw new ProviderException("no-identity-provider", "The metadata is not of one identity provider that speaks SAML 2.0 (IDPSSODescriptor).");
        }

        if (idp.GetAttribute("WantAuthnRequestsSigned") is "true" or "1")
        {
            throw new ProviderException("wants-signed-requests", "The provider wants signed requests (WantAuthnRequestsSigned), which are not sent. Switch it off there for this application.");
        }

        var address = Within(idp, "SingleSignOnService").Where(service => service.GetAttribute("Binding") == SamlNames.Redirect).Select(service => service.GetAttribute("Location")).FirstOrDefault();
        if (!ProviderClient.IsHttps(address))
        {
            throw new ProviderException("no-address", "The metadata names no https address for sign-in by HTTP-Redirect (SingleSignOnService).");
        }

        return new SamlMetadataFacts(entity, address!, CertificatesOf(idp));
    }

    /// <summary>Reads certificates written as PEM.</summary>
    /// <exception cref="ProviderException">There are none, or they are not good.</exception>
    public static IReadOnlyList<X509Certificate2> ReadPem(string text)
    {
        try
        {
            var found = new X509Certificate2Collection();
            found.ImportFromPem(text);
            return Judge([.. found]);
        }
        catch (CryptographicException)
        {
            throw new ProviderException("certificate", "The certificates cannot be read as PEM.");
        }
    }

    /// <summary>What to give to a provider.</summary>
    public static string Describe(SamlExpectation self) => new XDocument(new XElement(
        Metadata + "EntityDescriptor",
        new XAttribute(XNamespace.Xmlns + "md", SamlNames.Metadata),
        new XAttribute("entityID", self.EntityId),
        new XElement(
            Metadata + "SPSSODescriptor",
            new XAttribute("AuthnRequestsSigned", "false"),
            new XAttribute("WantAssertionsSigned", "true"),
            new XAttribute("protocolSupportEnumeration", SamlNames.Protocol),
            new XElement(Metadata + "NameIDFormat", SamlNames.Persistent),
            new XElement(Metadata + "AssertionConsumerService", new XAttribute("index", "0"), new XAttribute("isDefault", "true"), new XAttribute("Binding", SamlNames.Post), new XAttribute("Location", self.Address))))).ToString();

    private static IReadOnlyList<X509Certificate2> CertificatesOf(XmlElement idp)
    {
        List<X509Certificate2> found = [];
        foreach (var key in Within(idp, "KeyDescriptor").Where(key => key.GetAttribute("use") is "" or "signing"))
        {
            foreach (var text in key.GetElementsByTagName("X509Certificate", SamlNames.Signature).OfType<XmlElement>().Take(MostCertificates))
            {
                try
                {
                    found.Add(X509CertificateLoader.LoadCertificate(Convert.FromBase64String(text.InnerText)));
                }
                catch (Exception exception) when (exception is FormatException or CryptographicException)
                {
                    throw new ProviderException("certificate", "A certificate in the metadata cannot be read (X509Certificate).");
                }
            }
        }

        return Judge(found);
    }

    private static List<X509Certificate2> Judge(List<X509Certificate2> found)
    {
        var different = found.DistinctBy(certificate => Convert.ToHexString(certificate.RawDataMemory.Span), StringComparer.Ordinal).ToList();
        return different.Count == 0 ? throw new ProviderException("no-certificate", "There is no certificate with which the provider signs.")
            : different.Count > MostCertificates ? throw new ProviderException("certificate", $"There are more than {MostCertificates} certificates.")
            : !different.TrueForAll(IsWhole) ? throw new ProviderException("certificate", "A certificate cannot be read whole: its dates or its name are not in the form of X.509.")
            : different.TrueForAll(XmlSignature.IsUsable) ? different
            : throw new ProviderException("weak-key", "A certificate holds another key than RSA of 2048 bits or more, or an elliptic curve of 256 or more.");
    }

    /// <summary>What is shown of a certificate is read when it is looked at: one that is not good for that must not be kept.</summary>
    private static bool IsWhole(X509Certificate2 certificate)
    {
        try
        {
            return certificate.NotBefore < certificate.NotAfter && certificate.Subject.Length >= 0;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static IEnumerable<XmlElement> Within(XmlElement parent, string name) => parent.ChildNodes.OfType<XmlElement>().Where(child => child.LocalName == name && child.NamespaceURI == SamlNames.Metadata);
}
