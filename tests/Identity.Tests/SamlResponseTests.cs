using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography.Xml;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using MissionControl.Identity.Federation;
using MissionControl.Identity.Federation.Saml;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>The judge of responses alone: what it takes, and each known attack by its name.</summary>
public sealed partial class SamlResponseTests
{
    private const string Signature = "http://www.w3.org/2000/09/xmldsig#";
    private static readonly DateTimeOffset Now = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);

    // Keys cost more to make than all that is done with them here.
    private static readonly SamlForge Idp = new(Now);
    private static readonly SamlForge Stranger = new(Now);

    [Fact]
    public void A_signed_assertion_says_who_somebody_is()
    {
        var answer = Read(SamlForge.Encode(Idp.Sign(Idp.Response(Now))));
        Assert.Equal(("_assertion", "mallory", "urn:test:mfa"), (answer.Id, answer.Subject, answer.Context));
        Assert.Equal(["viewers"], answer.Of("groups"));
        Assert.Equal(Now.AddMinutes(5), answer.EndsAt);
        var claims = answer.ToClaims(Idp.Provider());
        Assert.Equal(("Mallory", "mallory@example.com", SamlForge.Entity), (claims.Name, claims.Email, claims.Issuer));
    }

    [Fact]
    public void A_response_that_is_signed_around_a_signed_assertion_is_taken_too()
    {
        var both = Idp.Sign(Idp.Sign(Idp.Response(Now)), "Response");
        Assert.Equal("mallory", Read(SamlForge.Encode(both)).Subject);

        // The outer one counts as well: a changed status or address breaks it, and so does another's key.
        both.DocumentElement!.SetAttribute("IssueInstant", SamlForge.At(Now.AddMinutes(-1)));
        Refused("signature", SamlForge.Encode(both));
        Refused("signature", SamlForge.Encode(Idp.Sign(Idp.Sign(Idp.Response(Now)), "Response", key: Stranger.Key)));
    }

    [Theory]
    [InlineData("http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", "http://www.w3.org/2001/04/xmldsig-more#sha384")]
    [InlineData("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", "http://www.w3.org/2001/04/xmlenc#sha512")]
    public void Longer_digests_are_taken(string method, string digest) => Assert.Equal("mallory", Read(SamlForge.Encode(Idp.Sign(Idp.Response(Now), change: (signed, reference) => (signed.SignedInfo!.SignatureMethod, reference.DigestMethod) = (method, digest)))).Subject);

    [Fact]
    public void Namespaces_count_and_prefixes_do_not()
    {
        var other = Idp.Response(Now).Replace("saml:", "a:", StringComparison.Ordinal).Replace("xmlns:saml=", "xmlns:a=", StringComparison.Ordinal).Replace("samlp:", "", StringComparison.Ordinal).Replace("xmlns:samlp=", "xmlns=", StringComparison.Ordinal);
        Assert.Equal("mallory", Read(SamlForge.Encode(Idp.Sign(other))).Subject);
    }

    [Fact]
    public void An_end_beyond_all_time_breaks_nothing()
    {
        var answer = Read(SamlForge.Encode(Idp.Sign(Idp.Response(Now).Replace(SamlForge.At(Now.AddMinutes(5)), "9999-12-31T23:59:59.9999999Z", StringComparison.Ordinal))));
        Assert.Equal(Now.AddDays(1), ConsumedAssertion.KeptUntil(answer.EndsAt, Now));
    }

    [Fact]
    public void Prefixes_in_values_may_be_kept_by_a_list()
    {
        var listed = Idp.Sign(Idp.Response(Now), change: (_, reference) =>
        {
            reference.TransformChain = new TransformChain();
            reference.AddTransform(new XmlDsigEnvelopedSignatureTransform());
            reference.AddTransform(new XmlDsigExcC14NTransform("xs saml"));
        });
        Assert.Equal("mallory", Read(SamlForge.Encode(listed)).Subject);
        var twice = Idp.Sign(Idp.Response(Now), change: (_, reference) =>
        {
            reference.TransformChain = new TransformChain();
            reference.AddTransform(new XmlDsigEnvelopedSignatureTransform());
            reference.AddTransform(new XmlDsigExcC14NTransform("xs"));
        });
        SamlForge.Find(twice, "InclusiveNamespaces").SetAttribute("PrefixList", "xs xs");
        Assert.Equal("signature", Assert.Throws<ProviderException>(() => Read(SamlForge.Encode(twice))).Code);
    }

    [Fact]
    public void An_elliptic_curve_signs_as_well()
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=ec", ec, HashAlgorithmName.SHA256).CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
        var document = Idp.Sign(Idp.Response(Now), change: null);
        var info = SamlForge.Find(document, "SignedInfo");
        ((XmlElement)info.ChildNodes[1]!).SetAttribute("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256");
        SamlForge.Find(document, "SignatureValue").InnerText = Convert.ToBase64String(ec.SignData(Canonical(info), HashAlgorithmName.SHA256));
        Assert.Equal("mallory", Read(SamlForge.Encode(document), Idp.Provider(certificate)).Subject);
        Refused("signature", SamlForge.Encode(document));
    }

    [Fact]
    public void Certificates_are_changed_with_overlap_and_count_within_their_own_times()
    {
        var response = SamlForge.Encode(Stranger.Sign(Stranger.Response(Now)));
        Assert.Equal("mallory", Read(response, Idp.Provider(Idp.Certificate, Stranger.Certificate)).Subject);
        Refused("signature", response, Idp.Provider(Idp.Certificate));

        using var ended = new SamlForge(Now.AddDays(-10), Now.AddSeconds(-1));
        Refused("certificate-ended", SamlForge.Encode(ended.Sign(ended.Response(Now))), ended.Provider());
        Refused("signature", SamlForge.Encode(ended.Sign(ended.Response(Now))), ended.Provider(ended.Certificate, Idp.Certificate));
    }

    /// <summary>XSW1 to XSW8 of "On Breaking SAML" (Somorovsky and others, 2012), as the tools that try them number them.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Signature_wrapping_finds_no_second_assertion(int number)
    {
        // The response is signed for the first two, the assertion for the others. The forged one claims to be an administrator's.
        var document = number <= 2 ? Idp.Sign(Idp.Sign(Idp.Response(Now)), "Response") : Idp.Sign(Idp.Response(Now));
        Wrap(number, document);
        Assert.Contains("admins", document.OuterXml, StringComparison.Ordinal);
        Refused("wrapped", SamlForge.Encode(document));
    }

    [Fact]
    public void Signature_wrapping_under_the_same_id_or_beside_another_name_finds_none_either()
    {
        // The signed one hides where a careless reader looks by id, and the forged one carries the same.
        var hidden = Idp.Sign(Idp.Response(Now));
        var (signed, evil) = (SamlForge.Find(hidden, "Assertion"), Evil(hidden, keepsId: true));
        hidden.DocumentElement!.InsertBefore(evil, signed);
        var box = hidden.CreateElement("samlp", "Extensions", SamlNames.Protocol);
        hidden.DocumentElement.InsertBefore(box, evil);
        box.AppendChild(signed);
        Refused("wrapped", SamlForge.Encode(hidden));

        // One assertion, whose signature is of another element of the same id.
        var twice = Idp.Sign(Idp.Response(Now));
        var other = twice.CreateElement("other");
        other.SetAttribute("ID", "_assertion");
        twice.DocumentElement!.AppendChild(other);
        Refused("duplicate-id", SamlForge.Encode(twice));
        other.RemoveAttribute("ID");
        other.SetAttribute("xml:id", "_assertion");
        Refused("duplicate-id", SamlForge.Encode(twice));
    }

    public static TheoryData<string, string> Texts => new()
    {
        { "no base64", "not-base64" },
        { "no XML", "not-xml" },
        { "not UTF-8", "not-utf8" },
        { "an entity of a file (XXE)", "not-xml" },
        { "an entity of an address (XXE)", "not-xml" },
        { "an external document type", "not-xml" },
        { "a billion laughs", "not-xml" },
        { "a comment in the NameID (truncation)", "comment" },
        { "a processing instruction in the NameID", "comment" },
        { "too large", "too-large" },
        { "too deep", "too-deep" },
        { "too many attributes", "too-deep" },
        { "namespaces that canonical form repeats", "namespace" },
        { "unsigned", "not-signed" },
        { "an unsigned assertion in a signed response", "not-signed" },
        { "another's response", "not-a-response" },
        { "an assertion of another namespace", "wrapped" },
        { "a signature of another namespace", "not-signed" },
        { "an encrypted assertion", "encrypted" },
        { "a refusal", SamlResponse.Declined },
        { "a refusal without status", SamlResponse.Declined },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void What_is_no_response_is_refused(string how, string code) => Refused(code, Text(how));

    public static TheoryData<string, string> Forged => new()
    {
        { "another key", "no certificate" },
        { "another key in KeyInfo", "no certificate" },
        { "SHA-1 in the signature", "SignatureMethod" },
        { "SHA-1 in the digest", "DigestMethod" },
        { "HMAC with the public key", "SignatureMethod" },
        { "HMAC of a bit", "SignatureMethod" },
        { "inclusive canonical form", "canonical form" },
        { "canonical form with comments", "canonical form" },
        { "an XSLT transform", "transforms" },
        { "an XPath transform", "transforms" },
        { "a base64 transform", "canonical form" },
        { "no canonical transform", "Transforms holds" },
        { "an empty reference", "URI" },
        { "a reference to the response", "URI" },
        { "a reference to an address", "URI" },
        { "an XPointer", "URI" },
        { "two references", "SignedInfo holds" },
        { "no reference", "SignedInfo holds" },
        { "an Object in the signature", "Signature holds" },
        { "a changed value", "DigestValue" },
        { "a changed digest", "no certificate" },
        { "an empty signature", "Signature holds" },
        { "no signature value", "no certificate" },
        { "a value in another namespace", "Signature holds" },
        { "text within the signature", "Signature holds" },
        { "a SignedInfo without end", "SignedInfo" },
        { "the signature of another assertion", "DigestValue" },
    };

    [Theory]
    [MemberData(nameof(Forged))]
    public void A_signature_in_any_other_form_is_none(string how, string why)
    {
        Assert.Equal("mallory", Read(SamlForge.Encode(Forge("as it must be"))).Subject);
        var refusal = Assert.Throws<ProviderException>(() => Read(SamlForge.Encode(Forge(how))));
        Assert.Equal("signature", refusal.Code);
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Wrong => new()
    {
        { "another audience", "audience" },
        { "no audience", "audience" },
        { "two audience restrictions of which one is another's", "audience" },
        { "another recipient", "recipient" },
        { "another destination", "destination" },
        { "no destination", "destination" },
        { "another issuer of the assertion", "issuer" },
        { "another issuer of the response", "issuer" },
        { "the issuer with a slash", "issuer" },
        { "expired", "expired" },
        { "expired by its conditions", "expired" },
        { "no end", "expired" },
        { "not yet", "not-yet" },
        { "made tomorrow", "issue-instant" },
        { "an instant of another zone", "instant" },
        { "no InResponseTo", "in-response-to" },
        { "no InResponseTo in the confirmation", "in-response-to" },
        { "another's InResponseTo", "in-response-to" },
        { "another's InResponseTo in the confirmation", "in-response-to" },
        { "no confirmation", "confirmation" },
        { "the holder's confirmation", "confirmation" },
        { "SAML 1.1", "version" },
        { "a condition that nobody knows", "condition" },
        { "no sign-in", "missing" },
        { "a session that has ended", "session-ended" },
        { "a transient NameID", "name-format" },
        { "a mail address as NameID", "name-format" },
        { "a NameID of no format", "name-format" },
        { "a NameID of another provider", "name-qualifier" },
        { "a NameID for another one", "name-qualifier" },
        { "no NameID", "missing" },
        { "an empty NameID", "subject" },
        { "a NameID beyond all length", "subject" },
        { "a NameID of two lines", "subject" },
        { "two subjects", "twice" },
        { "an attribute twice", "attributes" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void An_assertion_that_is_well_signed_and_not_for_this_sign_in_is_refused(string how, string code)
    {
        var text = Spoil(how, Idp.Response(Now));
        Assert.NotEqual(Idp.Response(Now), text);
        Refused(code, SamlForge.Encode(Idp.Sign(text)));
    }

    [Fact]
    public void A_configured_attribute_names_the_person_in_place_of_the_NameID()
    {
        var provider = Idp.Provider() is var plain ? plain with { Saml = plain.Saml! with { SubjectAttribute = "email" } } : null!;
        var transient = Idp.Response(Now).Replace("format:persistent", "format:transient", StringComparison.Ordinal);
        Assert.Equal("mallory@example.com", Read(SamlForge.Encode(Idp.Sign(transient)), provider).Subject);
        Refused("subject", SamlForge.Encode(Idp.Sign(transient)), provider with { Saml = provider.Saml! with { SubjectAttribute = "uid" } });
    }

    [Fact]
    public void Whatever_letter_of_a_signed_response_is_changed_nobody_else_comes_of_it()
    {
        var bytes = Encoding.UTF8.GetBytes(Idp.Sign(Idp.Sign(Idp.Response(Now)), "Response").OuterXml);
        var random = new Random(20261127);
        for (var round = 0; round < 1500; round++)
        {
            var spoilt = (byte[])bytes.Clone();
            spoilt[random.Next(spoilt.Length)] = (byte)random.Next(256);
            try
            {
                Assert.Equal("mallory", Read(Convert.ToBase64String(spoilt)).Subject);
            }
            catch (ProviderException)
            {
                // Refused, in its own words: no other exception may come of what a Stranger sends.
            }
        }
    }

    private static SamlAnswer Read(string encoded, Provider provider) => SamlResponse.Read(provider, encoded, SamlForge.Expected, Now);

    private static byte[] Canonical(XmlElement element)
    {
        var transform = new XmlDsigExcC14NTransform();
        transform.LoadInput(SamlForge.Load(element.OuterXml));
        using var output = (MemoryStream)transform.GetOutput(typeof(Stream));
        return output.ToArray();
    }

    [GeneratedRegex("<saml:Assertion.*</saml:Assertion>", RegexOptions.Singleline)]
    private static partial Regex WholeAssertion();

    [GeneratedRegex("<saml:NameID.*</saml:NameID>")]
    private static partial Regex WholeName();

    [GeneratedRegex("<saml:SubjectConfirmation .*</saml:SubjectConfirmation>")]
    private static partial Regex WholeConfirmation();

    [GeneratedRegex("<saml:AudienceRestriction>.*</saml:AudienceRestriction>")]
    private static partial Regex WholeAudience();

    private SamlAnswer Read(string encoded) => Read(encoded, Idp.Provider());

    private void Refused(string code, string encoded, Provider? provider = null) => Assert.Equal(code, Assert.Throws<ProviderException>(() => Read(encoded, provider ?? Idp.Provider())).Code);
}
