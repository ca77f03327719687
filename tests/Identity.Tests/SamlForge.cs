using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography.Xml;
using System.Text;
using System.Xml;
using MissionControl.Identity.Federation;
using MissionControl.Identity.Federation.Saml;

namespace MissionControl.Identity.Tests;

/// <summary>Makes responses of SAML by hand, good ones and such as no library would make. Signs by the framework's SignedXml, which the product does not use.</summary>
internal sealed class SamlForge : IDisposable
{
    public const string Entity = "https://idp.example.com/saml";
    public const string RsaSha256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    public const string Sha256 = "http://www.w3.org/2001/04/xmlenc#sha256";
    public const string Groups = "groups";

    public static readonly SamlExpectation Expected = new("_request", "https://control.example.com/api/v1/identity/federation/corp/metadata", "https://control.example.com/signin/corp/acs");

    public SamlForge(DateTimeOffset now, DateTimeOffset? ends = null, string entity = Entity)
    {
        EntityId = entity;
        var request = new CertificateRequest("CN=idp.example.com", Key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        Certificate = request.CreateSelfSigned(now.AddDays(-1), ends ?? now.AddYears(1));
    }

    public string EntityId { get; }

    public RSA Key { get; } = RSA.Create(2048);

    public X509Certificate2 Certificate { get; }

    public Provider Provider(params X509Certificate2[] certificates) => new(
        "corp", null, "Corp", EntityId, "", null, [], Groups, new Dictionary<string, string> { ["admins"] = "administrator", ["viewers"] = "viewer" }, ["urn:test:mfa"], ["otp"],
        Saml: new SamlPeer("https://idp.example.com/sso", certificates.Length > 0 ? certificates : [Certificate], null));

    /// <summary>An unsigned response with an unsigned assertion, as text; what a test changes it replaces in there.</summary>
    public string Response(DateTimeOffset now, SamlExpectation? expected = null, string subject = "mallory", string group = "viewers", string context = "urn:test:mfa", string? id = null)
    {
        var to = expected ?? Expected;
        return $"""
            <samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_response" Version="2.0" IssueInstant="{At(now)}" Destination="{to.Address}" InResponseTo="{to.RequestId}"><saml:Issuer>{EntityId}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>{Assertion(now, to, subject, group, context, id)}</samlp:Response>
            """;
    }

    public string Assertion(DateTimeOffset now, SamlExpectation to, string subject = "mallory", string group = "viewers", string context = "urn:test:mfa", string? id = null) => $"""
        <saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id ?? "_assertion"}" Version="2.0" IssueInstant="{At(now)}"><saml:Issuer>{EntityId}</saml:Issuer><saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{subject}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData InResponseTo="{to.RequestId}" NotOnOrAfter="{At(now.AddMinutes(5))}" Recipient="{to.Address}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{At(now)}" NotOnOrAfter="{At(now.AddMinutes(5))}"><saml:AudienceRestriction><saml:Audience>{to.EntityId}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="{At(now)}" SessionIndex="_session"><saml:AuthnContext><saml:AuthnContextClassRef>{context}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="displayName"><saml:AttributeValue>Mallory</saml:AttributeValue></saml:Attribute><saml:Attribute Name="email"><saml:AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">mallory@example.com</saml:AttributeValue></saml:Attribute><saml:Attribute Name="groups"><saml:AttributeValue>{group}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>
        """;

    public static string At(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Signs the element of that name as SAML has it: the signature follows its Issuer.</summary>
    public XmlDocument Sign(string text, string element = "Assertion", Action<SignedXml, Reference>? change = null, AsymmetricAlgorithm? key = null) => Sign(Load(text), element, change, key);

    public XmlDocument Sign(XmlDocument document, string element = "Assertion", Action<SignedXml, Reference>? change = null, AsymmetricAlgorithm? key = null)
    {
        var target = Find(document, element);
        var signed = new SignedXml(target) { SigningKey = key ?? Key };
        signed.SignedInfo!.CanonicalizationMethod = SignedXml.XmlDsigExcC14NTransformUrl;
        signed.SignedInfo.SignatureMethod = RsaSha256;
        var reference = new Reference($"#{target.GetAttribute("ID")}") { DigestMethod = Sha256 };
        reference.AddTransform(new XmlDsigEnvelopedSignatureTransform());
        reference.AddTransform(new XmlDsigExcC14NTransform());
        change?.Invoke(signed, reference);
        signed.AddReference(reference);
        signed.ComputeSignature();
        target.InsertAfter(document.ImportNode(signed.GetXml(), true), target.ChildNodes.OfType<XmlElement>().First(child => child.LocalName == "Issuer"));
        return document;
    }

    public static XmlDocument Load(string text)
    {
        var document = new XmlDocument { PreserveWhitespace = true, XmlResolver = null };
        document.LoadXml(text);
        return document;
    }

    public static XmlElement Find(XmlDocument document, string name) => document.SelectNodes($"//*[local-name()='{name}']")!.OfType<XmlElement>().First();

    public static string Encode(XmlDocument document) => Encode(document.OuterXml);

    public static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    public void Dispose()
    {
        Certificate.Dispose();
        Key.Dispose();
    }
}
