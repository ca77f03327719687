using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography.Xml;
using System.Xml;

namespace MissionControl.Identity.Federation.Saml;

/// <summary>
/// Verifies an enveloped signature in the one form that SAML permits (SAML core 2.0, 5.4) and gives back what was signed: the element read
/// anew from the very bytes that the digest is of. Whatever else stood in the message is not in it. The key is one that was configured;
/// what the message says of keys is not looked at. The framework's own judge (SignedXml) does more than is wanted here: it follows
/// references, runs transforms and takes keys; only its canonical form is used.
/// </summary>
internal static class XmlSignature
{
    private const int LongestSignedInfo = 8 * 1024;

    private const string More = "http://www.w3.org/2001/04/xmldsig-more#";
    private const string Encryption = "http://www.w3.org/2001/04/xmlenc#";
    private const int LeastRsaBits = 2048;

    private static readonly Dictionary<string, (bool IsRsa, HashAlgorithmName Hash)> Methods = new(StringComparer.Ordinal)
    {
        [$"{More}rsa-sha256"] = (true, HashAlgorithmName.SHA256),
        [$"{More}rsa-sha384"] = (true, HashAlgorithmName.SHA384),
        [$"{More}rsa-sha512"] = (true, HashAlgorithmName.SHA512),
        [$"{More}ecdsa-sha256"] = (false, HashAlgorithmName.SHA256),
        [$"{More}ecdsa-sha384"] = (false, HashAlgorithmName.SHA384),
        [$"{More}ecdsa-sha512"] = (false, HashAlgorithmName.SHA512),
    };

    private static readonly Dictionary<string, HashAlgorithmName> Digests = new(StringComparer.Ordinal)
    {
        [$"{Encryption}sha256"] = HashAlgorithmName.SHA256,
        [$"{More}sha384"] = HashAlgorithmName.SHA384,
        [$"{Encryption}sha512"] = HashAlgorithmName.SHA512,
    };

    /// <summary>Whether a certificate's key is one that signatures are taken of.</summary>
    public static bool IsUsable(X509Certificate2 certificate)
    {
        try
        {
            using var rsa = certificate.GetRSAPublicKey();
            using var ec = certificate.GetECDsaPublicKey();
            return rsa?.KeySize >= LeastRsaBits || ec?.KeySize >= 256;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>Verifies the signature of an element, which is its child.</summary>
    /// <returns>The element as it was signed, without the signature, as the root of a document of its own.</returns>
    /// <exception cref="ProviderException">It is not good.</exception>
    public static XmlElement Verify(XmlElement element, XmlElement signature, IReadOnlyList<X509Certificate2> certificates)
    {
        var parts = Children(signature, "SignedInfo", "SignatureValue", "KeyInfo?");
        var (info, value) = (parts[0], parts[1]);
        var stated = Children(info, "CanonicalizationMethod", "SignatureMethod", "Reference");
        var (canonical, method, reference) = (stated[0], stated[1], stated[2]);
        var referred = Children(reference, "Transforms", "DigestMethod", "DigestValue");
        var transforms = Children(referred[0], "Transform", "Transform");

        // Of nothing but this element: an empty URI is the whole document, another one is another element.
        if (element.GetAttribute("ID") is not { Length: > 0 } id || reference.GetAttribute("URI") != $"#{id}")
        {
            throw Bad("the reference is not of the element that holds it (URI)");
        }

        Nothing(transforms[0], SamlNames.Enveloped);
        if (!Methods.TryGetValue(method.GetAttribute("Algorithm"), out var algorithm) || method.HasChildNodes)
        {
            throw Bad("its algorithm is none of RSA or ECDSA with SHA-256, SHA-384 or SHA-512 (SignatureMethod)");
        }

        if (!Digests.TryGetValue(referred[1].GetAttribute("Algorithm"), out var digest) || referred[1].HasChildNodes)
        {
            throw Bad("its digest is none of SHA-256, SHA-384 and SHA-512 (DigestMethod)");
        }

        // It is a stranger's until it is verified, and canonicalisation costs the square of what an attribute holds.
        if (info.OuterXml.Length > LongestSignedInfo)
        {
            throw Bad("what it signs is longer than any provider writes it (SignedInfo)");
        }

        var signed = Canonical(info, canonical, null);
        var proof = Base64(value);
        if (!certificates.Any(certificate => Verifies(certificate, algorithm.IsRsa, algorithm.Hash, signed, proof)))
        {
            throw Bad("no certificate that was configured and counts today verifies it");
        }

        var bytes = Canonical(element, transforms[1], signature);
        if (!CryptographicOperations.FixedTimeEquals(CryptographicOperations.HashData(digest, bytes), Base64(referred[2])))
        {
            throw Bad("the element was changed since (DigestValue)");
        }

        return StrictXml.ReadMessage(bytes).DocumentElement!;
    }

    private static bool Verifies(X509Certificate2 certificate, bool isRsa, HashAlgorithmName hash, byte[] signed, byte[] proof)
    {
        if (!IsUsable(certificate))
        {
            return false;
        }

        if (isRsa)
        {
            using var rsa = certificate.GetRSAPublicKey();
            return rsa is not null && rsa.VerifyData(signed, proof, hash, RSASignaturePadding.Pkcs1);
        }

        using var ec = certificate.GetECDsaPublicKey();
        return ec is not null && ec.VerifyData(signed, proof, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    // Exclusive canonical XML without comments of an element that stands alone, with the namespaces that are in scope where it stood.
    private static byte[] Canonical(XmlElement element, XmlElement how, XmlElement? without)
    {
        var transform = new XmlDsigExcC14NTransform(includeComments: false, Prefixes(how));
        var alone = new XmlDocument { PreserveWhitespace = true, XmlResolver = null };
        var place = without is null ? -1 : IndexOf(element, without);
        var root = (XmlElement)alone.AppendChild(alone.ImportNode(element, deep: true))!;
        if (place >= 0)
        {
            root.RemoveChild(root.ChildNodes[place]!);
        }

        for (var above = element.ParentNode as XmlElement; above is not null; above = above.ParentNode as XmlElement)
        {
            foreach (var declared in above.Attributes.Cast<XmlAttribute>().Where(attribute => attribute.NamespaceURI == SamlNames.Namespaces && !root.HasAttribute(attribute.Name)))
            {
                root.SetAttribute(declared.Name, declared.Value);
            }
        }

        transform.LoadInput(alone);
        using var output = (MemoryStream)transform.GetOutput(typeof(Stream));
        return output.ToArray();
    }

    private static int IndexOf(XmlElement parent, XmlElement child)
    {
        for (var i = 0; i < parent.ChildNodes.Count; i++)
        {
            if (ReferenceEquals(parent.ChildNodes[i], child))
            {
                return i;
            }
        }

        throw Bad("it is not within the element that it signs");
    }

    private static string? Prefixes(XmlElement how)
    {
        if (how.GetAttribute("Algorithm") != SamlNames.ExclusiveC14N)
        {
            throw Bad("its canonical form is not exclusive XML canonicalisation without comments");
        }

        return how.ChildNodes.OfType<XmlElement>().ToList() switch
        {
            [] => null,
            [{ LocalName: "InclusiveNamespaces", NamespaceURI: SamlNames.ExclusiveC14N } one] when !one.HasChildNodes => string.Join(' ', one.GetAttribute("PrefixList").Split([' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal)),
            _ => throw Bad("its canonical form has parameters that it does not know"),
        };
    }

    private static void Nothing(XmlElement transform, string algorithm)
    {
        if (transform.GetAttribute("Algorithm") != algorithm || transform.HasChildNodes)
        {
            throw Bad("its transforms are other than enveloped signature and exclusive canonicalisation");
        }
    }

    private static byte[] Base64(XmlElement element)
    {
        try
        {
            return Convert.FromBase64String(element.InnerText);
        }
        catch (FormatException)
        {
            throw Bad($"{element.LocalName} is not base64");
        }
    }

    // Just these, in this order, and nothing between them but space; what ends in a question mark may be missing.
    private static List<XmlElement> Children(XmlElement parent, params string[] names)
    {
        var found = parent.ChildNodes.OfType<XmlElement>().ToList();
        var least = names.Count(name => !name.EndsWith('?'));
        if (found.Count < least || found.Count > names.Length || parent.ChildNodes.Cast<XmlNode>().Any(node => node is not XmlElement && !string.IsNullOrWhiteSpace(node.Value))
            || found.Where((child, i) => child.NamespaceURI != SamlNames.Signature || child.LocalName != names[i].TrimEnd('?')).Any())
        {
            throw Bad($"{parent.LocalName} holds other than {string.Join(", ", names)}");
        }

        return found;
    }

    private static ProviderException Bad(string why) => new("signature", $"The signature is not good: {why}.");
}
