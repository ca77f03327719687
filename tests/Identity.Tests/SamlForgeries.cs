using System.Security.Cryptography;
using System.Security.Cryptography.Xml;
using System.Text;
using System.Xml;
using MissionControl.Identity.Federation.Saml;

namespace MissionControl.Identity.Tests;

/// <summary>How each attack is made.</summary>
public sealed partial class SamlResponseTests
{
    private static XmlElement Evil(XmlDocument document, bool keepsId = false)
    {
        var evil = (XmlElement)SamlForge.Find(document, "Assertion").CloneNode(true);
        if (!keepsId)
        {
            evil.SetAttribute("ID", "_evil");
        }

        evil.InnerXml = evil.InnerXml.Replace("viewers", "admins", StringComparison.Ordinal);
        foreach (var signature in evil.ChildNodes.OfType<XmlElement>().Where(child => child.LocalName == "Signature").ToList())
        {
            evil.RemoveChild(signature);
        }

        return evil;
    }

    private static void Wrap(int number, XmlDocument document)
    {
        var response = document.DocumentElement!;
        if (number <= 2)
        {
            // XSW1 and 2: the whole signed response hides within, or before, the signature of a forged one.
            var original = (XmlElement)response.CloneNode(true);
            var signature = response.ChildNodes.OfType<XmlElement>().First(child => child.LocalName == "Signature");
            response.SetAttribute("ID", "_evil");
            response.ReplaceChild(Evil(document), SamlForge.Find(document, "Assertion"));
            var inner = original.ChildNodes.OfType<XmlElement>().First(child => child.LocalName == "Signature");
            original.RemoveChild(inner);
            if (number == 1)
            {
                signature.AppendChild(original);
            }
            else
            {
                response.InsertBefore(original, signature);
            }

            return;
        }

        var (signed, evil) = (SamlForge.Find(document, "Assertion"), Evil(document));
        var proof = signed.ChildNodes.OfType<XmlElement>().First(child => child.LocalName == "Signature");
        switch (number)
        {
            case 3: // The forged one before the signed one.
                response.InsertBefore(evil, signed);
                break;
            case 4: // The signed one within the forged one.
                response.ReplaceChild(evil, signed);
                evil.AppendChild(signed);
                break;
            case 5: // The signature moves to the forged one, the signed one follows.
                signed.RemoveChild(proof);
                evil.InsertAfter(proof, evil.FirstChild);
                response.InsertBefore(evil, signed);
                break;
            case 6: // The same, and the signed one is within the signature.
                signed.RemoveChild(proof);
                evil.InsertAfter(proof, evil.FirstChild);
                response.ReplaceChild(evil, signed);
                proof.AppendChild(signed);
                break;
            case 7: // The forged one within Extensions.
                var extensions = document.CreateElement("samlp", "Extensions", SamlNames.Protocol);
                extensions.AppendChild(evil);
                response.InsertBefore(extensions, signed);
                break;
            case 8: // The signed one within an Object of the signature, which is the forged one's.
                signed.RemoveChild(proof);
                evil.InsertAfter(proof, evil.FirstChild);
                response.ReplaceChild(evil, signed);
                var box = document.CreateElement("ds", "Object", Signature);
                box.AppendChild(signed);
                proof.AppendChild(box);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(number), number, null);
        }
    }

    private string Text(string how)
    {
        var good = Idp.Sign(Idp.Response(Now)).OuterXml;
        string Typed(string type, string entity) => SamlForge.Encode($"<!DOCTYPE r {type}>{good.Replace("mallory<", $"{entity}<", StringComparison.Ordinal)}");
        return how switch
        {
            "no base64" => "<not base64>",
            "no XML" => SamlForge.Encode("hello"),
            "not UTF-8" => Convert.ToBase64String(Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes(good)).ToArray()),
            "an entity of a file (XXE)" => Typed("[<!ENTITY x SYSTEM \"file:///etc/passwd\">]", "&x;"),
            "an entity of an address (XXE)" => Typed("[<!ENTITY % x SYSTEM \"http://127.0.0.1:1/\"> %x;]", "mallory"),
            "an external document type" => Typed("SYSTEM \"http://127.0.0.1:1/x.dtd\"", "mallory"),
            "a billion laughs" => Typed($"[<!ENTITY l0 \"lol\">{string.Concat(Enumerable.Range(1, 9).Select(i => $"<!ENTITY l{i} \"{string.Concat(Enumerable.Repeat($"&l{i - 1};", 10))}\">"))}]", "&l9;"),
            "a comment in the NameID (truncation)" => SamlForge.Encode(good.Replace("mallory<", "mal<!-- -->lory<", StringComparison.Ordinal)),
            "a processing instruction in the NameID" => SamlForge.Encode(good.Replace("mallory<", "mal<?x y?>lory<", StringComparison.Ordinal)),
            "too large" => SamlForge.Encode(good.Replace("mallory<", $"{new string('a', 270_000)}<", StringComparison.Ordinal)),
            "too deep" => SamlForge.Encode(good.Replace("mallory<", $"{string.Concat(Enumerable.Repeat("<a>", 20_000))}{string.Concat(Enumerable.Repeat("</a>", 20_000))}<", StringComparison.Ordinal)),
            "too many attributes" => SamlForge.Encode(good.Replace("<saml:Subject>", $"<saml:Subject {string.Concat(Enumerable.Range(0, 5000).Select(i => $"a{i}=\"\" "))}>", StringComparison.Ordinal)),
            "namespaces that canonical form repeats" => SamlForge.Encode(good.Replace("<saml:Subject>", $"<saml:Subject xmlns:x=\"urn:{new string('a', 100_000)}\">{string.Concat(Enumerable.Repeat("<x:b/>", 10_000))}", StringComparison.Ordinal)),
            "unsigned" => SamlForge.Encode(Idp.Response(Now)),
            "an unsigned assertion in a signed response" => SamlForge.Encode(Idp.Sign(Idp.Response(Now), "Response")),
            "another's response" => SamlForge.Encode(good.Replace("samlp:Response", "samlp:LogoutResponse", StringComparison.Ordinal)),
            "an assertion of another namespace" => SamlForge.Encode(good.Replace("<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"", "<saml:Assertion xmlns:saml=\"urn:evil\"", StringComparison.Ordinal)),
            "a signature of another namespace" => SamlForge.Encode(good.Replace($"<Signature xmlns=\"{Signature}\"", "<Signature xmlns=\"urn:evil\"", StringComparison.Ordinal)),
            "an encrypted assertion" => SamlForge.Encode(WholeAssertion().Replace(good, "<saml:EncryptedAssertion/>")),
            "a refusal" => SamlForge.Encode(WholeAssertion().Replace(good, "").Replace("status:Success\" />", "status:Responder\"><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:AuthnFailed\"/></samlp:StatusCode>", StringComparison.Ordinal)),
            "a refusal without status" => SamlForge.Encode(good.Replace("<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\" />", "", StringComparison.Ordinal)),
            _ => throw new ArgumentOutOfRangeException(nameof(how), how, null),
        };
    }

    private XmlDocument Forge(string how)
    {
        XmlDocument Signed(Action<SignedXml, Reference> change) => Idp.Sign(Idp.Response(Now), change: change);

        // Changes what is signed and signs it again by the true key: nothing but the form is wrong.
        XmlDocument Anew(Action<XmlDocument, XmlElement> change)
        {
            var document = Idp.Sign(Idp.Response(Now));
            var info = SamlForge.Find(document, "SignedInfo");
            change(document, info);
            SamlForge.Find(document, "SignatureValue").InnerText = Convert.ToBase64String(Idp.Key.SignData(Canonical(info), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
            return document;
        }

        XmlDocument Changed(Action<XmlDocument> change)
        {
            var document = Idp.Sign(Idp.Response(Now));
            change(document);
            return document;
        }

        void Transform(XmlDocument document, int which, string algorithm, string inner = "")
        {
            var transform = document.SelectNodes("//*[local-name()='Transform']")!.OfType<XmlElement>().ElementAt(which);
            transform.SetAttribute("Algorithm", algorithm);
            transform.InnerXml = inner;
        }

        void Uri(XmlDocument document, string uri) => SamlForge.Find(document, "Reference").SetAttribute("URI", uri);

        switch (how)
        {
            case "as it must be": return Anew((_, _) => { });
            case "another key": return Idp.Sign(Idp.Response(Now), key: Stranger.Key);
            case "another key in KeyInfo":
                return Idp.Sign(Idp.Response(Now), change: (signed, _) => signed.KeyInfo = Info(new RSAKeyValue(Stranger.Key), new KeyInfoX509Data(Stranger.Certificate)), key: Stranger.Key);
            case "SHA-1 in the signature":
                return Changed(document =>
                {
                    var info = SamlForge.Find(document, "SignedInfo");
                    ((XmlElement)info.ChildNodes[1]!).SetAttribute("Algorithm", "http://www.w3.org/2000/09/xmldsig#rsa-sha1");
                    SamlForge.Find(document, "SignatureValue").InnerText = Convert.ToBase64String(Idp.Key.SignData(Canonical(info), HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1));
                });
            case "SHA-1 in the digest": return Signed((_, reference) => reference.DigestMethod = "http://www.w3.org/2000/09/xmldsig#sha1");
            case "HMAC with the public key" or "HMAC of a bit":
                return Changed(document =>
                {
                    var info = SamlForge.Find(document, "SignedInfo");
                    var method = (XmlElement)info.ChildNodes[1]!;
                    method.SetAttribute("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256");
                    if (how == "HMAC of a bit")
                    {
                        method.InnerXml = $"<HMACOutputLength xmlns=\"{Signature}\">8</HMACOutputLength>";
                    }

                    SamlForge.Find(document, "SignatureValue").InnerText = Convert.ToBase64String(HMACSHA256.HashData(Idp.Certificate.GetPublicKey(), Canonical(info)));
                });
            case "inclusive canonical form": return Signed((signed, _) => signed.SignedInfo!.CanonicalizationMethod = SignedXml.XmlDsigC14NTransformUrl);
            case "canonical form with comments": return Anew((_, info) => ((XmlElement)info.ChildNodes[0]!).SetAttribute("Algorithm", SignedXml.XmlDsigExcC14NWithCommentsTransformUrl));
            case "an XSLT transform":
                return Anew((document, _) => Transform(document, 0, SignedXml.XmlDsigXsltTransformUrl, "<xsl:stylesheet version=\"1.0\" xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\"><xsl:template match=\"/\"><xsl:value-of select=\"document('http://127.0.0.1:1/')\"/></xsl:template></xsl:stylesheet>"));
            case "an XPath transform": return Anew((document, _) => Transform(document, 0, SignedXml.XmlDsigXPathTransformUrl, $"<XPath xmlns=\"{Signature}\">true()</XPath>"));
            case "a base64 transform": return Anew((document, _) => Transform(document, 1, SignedXml.XmlDsigBase64TransformUrl));
            case "no canonical transform": return Anew((document, _) => document.SelectNodes("//*[local-name()='Transform']")![1]!.ParentNode!.RemoveChild(document.SelectNodes("//*[local-name()='Transform']")![1]!));
            case "an empty reference": return Anew((document, _) => Uri(document, ""));
            case "a reference to the response": return Anew((document, _) => Uri(document, "#_response"));
            case "a reference to an address": return Anew((document, _) => Uri(document, "http://127.0.0.1:1/assertion.xml"));
            case "an XPointer": return Anew((document, _) => Uri(document, "#xpointer(id('_assertion'))"));
            case "two references": return Anew((_, info) => info.AppendChild(info.LastChild!.CloneNode(true)));
            case "no reference": return Anew((_, info) => info.RemoveChild(info.LastChild!));
            case "an Object in the signature": return Signed((signed, _) => signed.AddObject(new DataObject { Data = SamlForge.Load("<a><b/></a>").SelectNodes("/a/b")! }));
            case "a changed value": return Changed(document => document.DocumentElement!.InnerXml = document.DocumentElement.InnerXml.Replace("viewers", "admins", StringComparison.Ordinal));
            case "a changed digest": return Changed(document => SamlForge.Find(document, "DigestValue").InnerText = Convert.ToBase64String(new byte[32]));
            case "an empty signature": return Changed(document => SamlForge.Find(document, "Signature").InnerXml = "");
            case "no signature value": return Changed(document => SamlForge.Find(document, "SignatureValue").InnerText = "");
            case "a value in another namespace": return Changed(document => SamlForge.Find(document, "Signature").ReplaceChild(document.CreateElement("SignatureValue", "urn:other"), SamlForge.Find(document, "SignatureValue")));
            case "text within the signature": return Changed(document => SamlForge.Find(document, "Signature").AppendChild(document.CreateTextNode("more")));
            case "a SignedInfo without end": return Changed(document => SamlForge.Find(document, "SignedInfo").SetAttribute("Id", new string('\t', 60_000)));
            case "the signature of another assertion":
                var other = Idp.Sign(Idp.Response(Now, subject: "alice", id: "_assertion"));
                return Changed(document => SamlForge.Find(document, "Assertion").ReplaceChild(document.ImportNode(SamlForge.Find(other, "Signature"), true), SamlForge.Find(document, "Signature")));
            default: throw new ArgumentOutOfRangeException(nameof(how), how, null);
        }

        static KeyInfo Info(params KeyInfoClause[] clauses)
        {
            var info = new KeyInfo();
            Array.ForEach(clauses, info.AddClause);
            return info;
        }
    }

    private static string Spoil(string how, string good)
    {
        const string Request = "InResponseTo=\"_request\"";
        var at = SamlForge.At(Now.AddMinutes(5));
        string Not(string what, string by) => good.Replace(what, by, StringComparison.Ordinal);
        string Last(string what, string by) => good.LastIndexOf(what, StringComparison.Ordinal) is var i ? $"{good[..i]}{by}{good[(i + what.Length)..]}" : good;
        string First(string what, string by) => good.IndexOf(what, StringComparison.Ordinal) is var i ? $"{good[..i]}{by}{good[(i + what.Length)..]}" : good;
        var issuer = $"<saml:Issuer>{SamlForge.Entity}</saml:Issuer>";
        return how switch
        {
            "another audience" => Not("corp/metadata", "other/metadata"),
            "no audience" => WholeAudience().Replace(good, ""),
            "two audience restrictions of which one is another's" => Not("</saml:Conditions>", "<saml:AudienceRestriction><saml:Audience>urn:other</saml:Audience></saml:AudienceRestriction></saml:Conditions>"),
            "another recipient" => Not("Recipient=\"https://control.example.com", "Recipient=\"https://other.example.com"),
            "another destination" => Not("Destination=\"https://control.example.com", "Destination=\"https://other.example.com"),
            "no destination" => Not($"Destination=\"{SamlForge.Expected.Address}\"", ""),
            "another issuer of the assertion" => Last(issuer, "<saml:Issuer>https://other.example.com</saml:Issuer>"),
            "another issuer of the response" => First(issuer, "<saml:Issuer>https://other.example.com</saml:Issuer>"),
            "the issuer with a slash" => Last(issuer, $"<saml:Issuer>{SamlForge.Entity}/</saml:Issuer>"),
            "expired" => First($"NotOnOrAfter=\"{at}\"", $"NotOnOrAfter=\"{SamlForge.At(Now.AddMinutes(-1))}\""),
            "expired by its conditions" => Last($"NotOnOrAfter=\"{at}\"", $"NotOnOrAfter=\"{SamlForge.At(Now.AddMinutes(-1))}\""),
            "no end" => First($"NotOnOrAfter=\"{at}\"", ""),
            "not yet" => Not("NotBefore=\"", $"NotBefore=\"{SamlForge.At(Now.AddMinutes(1).AddSeconds(1))}\" Was=\""),
            "made tomorrow" => Last($"IssueInstant=\"{SamlForge.At(Now)}\"", $"IssueInstant=\"{SamlForge.At(Now.AddDays(1))}\""),
            "an instant of another zone" => Not($"AuthnInstant=\"{SamlForge.At(Now)}\"", "AuthnInstant=\"2026-11-27T12:00:00+05:00\""),
            "no InResponseTo" => First(Request, ""),
            "no InResponseTo in the confirmation" => Last(Request, ""),
            "another's InResponseTo" => First(Request, "InResponseTo=\"_another\""),
            "another's InResponseTo in the confirmation" => Last(Request, "InResponseTo=\"_another\""),
            "no confirmation" => WholeConfirmation().Replace(good, ""),
            "the holder's confirmation" => Not("cm:bearer", "cm:holder-of-key"),
            "SAML 1.1" => Last("Version=\"2.0\"", "Version=\"1.1\""),
            "a condition that nobody knows" => Not("</saml:Conditions>", "<saml:Condition/></saml:Conditions>"),
            "no sign-in" => Not("saml:AuthnStatement", "saml:AuthzDecisionStatement"),
            "a session that has ended" => Not("SessionIndex=", $"SessionNotOnOrAfter=\"{SamlForge.At(Now)}\" SessionIndex="),
            "a transient NameID" => Not("format:persistent", "format:transient"),
            "a mail address as NameID" => Not("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"),
            "a NameID of no format" => Not(" Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\"", ""),
            "a NameID of another provider" => Not("<saml:NameID ", "<saml:NameID NameQualifier=\"https://other.example.com\" "),
            "a NameID for another one" => Not("<saml:NameID ", "<saml:NameID SPNameQualifier=\"https://other.example.com\" "),
            "no NameID" => WholeName().Replace(good, ""),
            "an empty NameID" => Not(">mallory<", "><"),
            "a NameID beyond all length" => Not(">mallory<", $">{new string('a', 256)}<"),
            "a NameID of two lines" => Not(">mallory<", ">mall\nory<"),
            "two subjects" => Not("<saml:Conditions", "<saml:Subject/><saml:Conditions"),
            "an attribute twice" => Not("Name=\"email\"", "Name=\"groups\""),
            _ => throw new ArgumentOutOfRangeException(nameof(how), how, null),
        };
    }
}
