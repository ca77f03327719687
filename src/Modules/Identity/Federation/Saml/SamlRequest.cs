using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.WebUtilities;

namespace MissionControl.Identity.Federation.Saml;

/// <summary>Asks an identity provider to sign somebody in (SAML bindings 2.0, 3.4: HTTP-Redirect). RelayState is the attempt's state, never an address.</summary>
internal static class SamlRequest
{
    private static readonly XNamespace Protocol = SamlNames.Protocol;
    private static readonly XNamespace Assertion = SamlNames.Assertion;

    public static string AddressOf(Provider provider, SamlExpectation expected, string state, DateTimeOffset now)
    {
        var peer = provider.Saml!;
        var request = new XElement(
            Protocol + "AuthnRequest",
            new XAttribute(XNamespace.Xmlns + "samlp", SamlNames.Protocol),
            new XAttribute("ID", expected.RequestId),
            new XAttribute("Version", "2.0"),
            new XAttribute("IssueInstant", now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)),
            new XAttribute("Destination", peer.SignInAddress),
            new XAttribute("ProtocolBinding", SamlNames.Post),
            new XAttribute("AssertionConsumerServiceURL", expected.Address),
            new XElement(Assertion + "Issuer", new XAttribute(XNamespace.Xmlns + "saml", SamlNames.Assertion), expected.EntityId),
            peer.SubjectAttribute is null ? new XElement(Protocol + "NameIDPolicy", new XAttribute("Format", SamlNames.Persistent), new XAttribute("AllowCreate", "true")) : null,
            provider.RequiredAcr.Count == 0 ? null : new XElement(
                Protocol + "RequestedAuthnContext",
                new XAttribute("Comparison", "exact"),
                provider.RequiredAcr.Select(context => new XElement(Assertion + "AuthnContextClassRef", new XAttribute(XNamespace.Xmlns + "saml", SamlNames.Assertion), context))));
        return QueryHelpers.AddQueryString(peer.SignInAddress, new Dictionary<string, string?> { ["SAMLRequest"] = Deflate(request.ToString(SaveOptions.DisableFormatting)), ["RelayState"] = state });
    }

    private static string Deflate(string text)
    {
        using var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.Optimal))
        {
            deflate.Write(Encoding.UTF8.GetBytes(text));
        }

        return Convert.ToBase64String(packed.ToArray());
    }
}
