using System.Globalization;
using System.Xml;

namespace MissionControl.Identity.Federation.Saml;

/// <summary>What a response must be the answer to.</summary>
/// <param name="RequestId">The id of the request that this browser carried.</param>
/// <param name="EntityId">What we are called there.</param>
/// <param name="Address">Where it must have been sent.</param>
internal sealed record SamlExpectation(string RequestId, string EntityId, string Address);

/// <summary>
/// Judges a response (SAML profiles 2.0, 4.1.4). One assertion, signed by itself, whether or not the response is signed around it; nothing
/// is read but what the signature gave back.
/// </summary>
internal static class SamlResponse
{
    /// <summary>Said by the provider: nobody was signed in there.</summary>
    public const string Declined = "declined";

    private const int LongestSubject = 255;
    private const int MostAttributes = 200;
    private static readonly string[] Instants = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"];

    /// <summary>Reads what a browser brought.</summary>
    /// <exception cref="ProviderException">It is not good; the message is for the audit log.</exception>
    public static SamlAnswer Read(Provider provider, string encoded, SamlExpectation expected, DateTimeOffset now)
    {
        var response = Parse(encoded);
        var peer = provider.Saml!;
        var certificates = peer.CertificatesAt(now);
        if (certificates.Count == 0)
        {
            throw new ProviderException("certificate-ended", "Every certificate that was configured for this provider has ended, or is not good yet.");
        }

        Shape(response);
        if (SignatureOf(response) is { } around)
        {
            response = XmlSignature.Verify(response, around, certificates);
        }

        JudgeResponse(provider, response, expected);
        var found = Only(response, "Assertion", SamlNames.Assertion) ?? throw new ProviderException("no-assertion", "The response holds no assertion.");
        var signature = SignatureOf(found) ?? throw new ProviderException("not-signed", "The assertion is not signed. Have the provider sign assertions, not the response alone.");
        return Judge(provider, peer, XmlSignature.Verify(found, signature, certificates), expected, now);
    }

    private static XmlElement Parse(string encoded)
    {
        byte[] bytes;
        try
        {
            bytes = Convert.FromBase64String(encoded);
        }
        catch (FormatException)
        {
            throw new ProviderException("not-base64", "SAMLResponse is not base64.");
        }

        return StrictXml.ReadMessage(bytes).DocumentElement!;
    }

    // All of signature wrapping needs a second assertion, a second response or two elements of one id: there is one of each, or nothing is read.
    private static void Shape(XmlElement response)
    {
        if (!Is(response, "Response", SamlNames.Protocol))
        {
            throw new ProviderException("not-a-response", "What came is no SAML 2.0 response.");
        }

        var ids = new HashSet<string>(StringComparer.Ordinal);
        var (assertions, responses) = (0, 0);
        foreach (var element in response.SelectNodes("descendant-or-self::*")!.Cast<XmlElement>())
        {
            switch (element.LocalName)
            {
                case "EncryptedAssertion" or "EncryptedID" or "EncryptedAttribute" or "NewEncryptedID":
                    throw new ProviderException("encrypted", "The response is encrypted. Switch encryption of assertions off at the provider: TLS protects them on their way.");
                case "Assertion" when ++assertions > 1 || element.ParentNode != response || element.NamespaceURI != SamlNames.Assertion:
                case "Response" when ++responses > 1:
                case "Signature" when element.ParentNode != response && !Is(element.ParentNode, "Assertion", SamlNames.Assertion):
                    throw new ProviderException("wrapped", $"The response holds more than one assertion, response or signature, or one where none belongs ({element.LocalName}).");
            }

            foreach (var id in element.Attributes.Cast<XmlAttribute>().Where(attribute => attribute.LocalName.Equals("id", StringComparison.OrdinalIgnoreCase) && attribute.NamespaceURI != SamlNames.Namespaces))
            {
                if (!ids.Add(id.Value))
                {
                    throw new ProviderException("duplicate-id", "The response holds the same id twice.");
                }
            }
        }
    }

    private static XmlElement? SignatureOf(XmlElement element) => Only(element, "Signature", SamlNames.Signature);

    private static void JudgeResponse(Provider provider, XmlElement response, SamlExpectation expected)
    {
        Demand(response.GetAttribute("Version") == "2.0", "version", "The response is not of SAML 2.0 (Version).");
        Demand(response.GetAttribute("Destination") == expected.Address, "destination", "The response was sent to another address (Destination).");
        Demand(response.GetAttribute("InResponseTo") == expected.RequestId, "in-response-to", "The response answers no request of this browser (InResponseTo). Sign-in that a provider begins by itself is not taken.");
        if (Only(response, "Issuer", SamlNames.Assertion) is { } issuer)
        {
            JudgeIssuer(provider, issuer, "response");
        }

        var status = Only(response, "Status", SamlNames.Protocol) is { } stated ? Only(stated, "StatusCode", SamlNames.Protocol) : null;
        if (status?.GetAttribute("Value") is not SamlNames.Success)
        {
            var inner = status is null ? null : Only(status, "StatusCode", SamlNames.Protocol);
            throw new ProviderException(Declined, $"The provider could not sign you in: {Shown(inner?.GetAttribute("Value"), status?.GetAttribute("Value"))}.");
        }
    }

    private static SamlAnswer Judge(Provider provider, SamlPeer peer, XmlElement assertion, SamlExpectation expected, DateTimeOffset now)
    {
        Demand(assertion.GetAttribute("Version") == "2.0", "version", "The assertion is not of SAML 2.0 (Version).");
        Demand(InstantOf(assertion, "IssueInstant") is { } issued && issued <= now + SamlPeer.Skew, "issue-instant", "The assertion was made tomorrow, or does not say when (IssueInstant).");
        JudgeIssuer(provider, One(assertion, "Issuer"), "assertion");
        var subject = One(assertion, "Subject");
        var ends = JudgeConfirmation(subject, expected, now);
        JudgeConditions(One(assertion, "Conditions"), expected, now);

        var statement = One(assertion, "AuthnStatement");
        Demand(InstantOf(statement, "AuthnInstant") is { } at && at <= now + SamlPeer.Skew, "authn-instant", "The assertion does not say when the person signed in, or says tomorrow (AuthnInstant).");
        var session = InstantOf(statement, "SessionNotOnOrAfter");
        Demand(session is null || session > now, "session-ended", "The provider's session has ended (SessionNotOnOrAfter).");
        var context = Only(One(statement, "AuthnContext"), "AuthnContextClassRef", SamlNames.Assertion)?.InnerText;

        var attributes = AttributesOf(assertion);
        return new SamlAnswer(assertion.GetAttribute("ID"), ends, SubjectOf(provider, peer, subject, attributes, expected), attributes, context, session);
    }

    private static void JudgeIssuer(Provider provider, XmlElement issuer, string what) =>
        Demand(issuer.InnerText == provider.Issuer && issuer.GetAttribute("Format") is "" or SamlNames.Entity, "issuer", $"The {what} is another provider's (Issuer).");

    // The bearer's (SAML profiles 2.0, 4.1.4.2): for this address, this request, until then, and not from later on.
    private static DateTimeOffset JudgeConfirmation(XmlElement subject, SamlExpectation expected, DateTimeOffset now)
    {
        var bearer = subject.ChildNodes.OfType<XmlElement>().Where(child => Is(child, "SubjectConfirmation", SamlNames.Assertion)).ToList() is [var one] && one.GetAttribute("Method") == SamlNames.Bearer ? one : null;
        Demand(bearer is not null, "confirmation", "The assertion needs one confirmation of its subject, the bearer's (SubjectConfirmation).");
        var data = One(bearer!, "SubjectConfirmationData");
        Demand(data.GetAttribute("Recipient") == expected.Address, "recipient", "The assertion is for another address (Recipient).");
        Demand(data.GetAttribute("InResponseTo") == expected.RequestId, "in-response-to", "The assertion answers no request of this browser (InResponseTo).");
        Demand(!data.HasAttribute("NotBefore"), "not-before", "The confirmation of a bearer has no NotBefore.");
        var ends = InstantOf(data, "NotOnOrAfter");
        Demand(ends is not null && now - SamlPeer.Skew < ends, "expired", "The assertion has ended, or never does (NotOnOrAfter of the confirmation).");
        return ends!.Value;
    }

    private static void JudgeConditions(XmlElement conditions, SamlExpectation expected, DateTimeOffset now)
    {
        Demand(InstantOf(conditions, "NotBefore") is not { } from || from <= now + SamlPeer.Skew, "not-yet", "The assertion does not count yet (NotBefore).");
        Demand(InstantOf(conditions, "NotOnOrAfter") is not { } until || now - SamlPeer.Skew < until, "expired", "The assertion has ended (NotOnOrAfter of its conditions).");
        var audiences = 0;
        foreach (var condition in conditions.ChildNodes.OfType<XmlElement>())
        {
            if (Is(condition, "AudienceRestriction", SamlNames.Assertion))
            {
                audiences++;
                Demand(condition.ChildNodes.OfType<XmlElement>().Any(child => Is(child, "Audience", SamlNames.Assertion) && child.InnerText == expected.EntityId), "audience", "The assertion is for somebody else (Audience).");
                continue;
            }

            // What is not understood makes an assertion worth nothing (SAML core 2.0, 2.5.1.1). OneTimeUse is kept in any case; how it may be passed on does not matter to who does not.
            Demand(Is(condition, "OneTimeUse", SamlNames.Assertion) || Is(condition, "ProxyRestriction", SamlNames.Assertion), "condition", "The assertion has a condition that is not known here.");
        }

        Demand(audiences > 0, "audience", "The assertion does not say for whom it is (AudienceRestriction).");
    }

    private static string SubjectOf(Provider provider, SamlPeer peer, XmlElement subject, Dictionary<string, IReadOnlyList<string>> attributes, SamlExpectation expected)
    {
        string text;
        if (peer.SubjectAttribute is { } attribute)
        {
            Demand(attributes.GetValueOrDefault(attribute)?.Count == 1, "subject", "The attribute that names the person is not there, or has several values.");
            text = attributes[attribute][0];
        }
        else
        {
            var name = One(subject, "NameID");
            Demand(name.GetAttribute("Format") == SamlNames.Persistent, "name-format", $"The NameID is of the format '{Shown(name.GetAttribute("Format"))}', which names nobody for good; persistent is wanted, or an attribute that does.");

            // Of an identifier that another one gave, or for another one, nothing is known (SAML core 2.0, 8.3.7).
            Demand(name.GetAttribute("NameQualifier") is "" || name.GetAttribute("NameQualifier") == provider.Issuer, "name-qualifier", "The NameID is another provider's (NameQualifier).");
            Demand(name.GetAttribute("SPNameQualifier") is "" || name.GetAttribute("SPNameQualifier") == expected.EntityId, "name-qualifier", "The NameID is for somebody else (SPNameQualifier).");
            text = name.InnerText;
        }

        Demand(text.Length is > 0 and <= LongestSubject && !text.Any(char.IsControl) && text.Trim() == text, "subject", $"Who the person is has 1 to {LongestSubject} letters, without space around them.");
        return text;
    }

    private static Dictionary<string, IReadOnlyList<string>> AttributesOf(XmlElement assertion)
    {
        var found = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var attribute in assertion.ChildNodes.OfType<XmlElement>().Where(child => Is(child, "AttributeStatement", SamlNames.Assertion))
            .SelectMany(statement => statement.ChildNodes.OfType<XmlElement>()).Where(child => Is(child, "Attribute", SamlNames.Assertion)))
        {
            var name = attribute.GetAttribute("Name");
            Demand(found.Count < MostAttributes && !found.ContainsKey(name), "attributes", $"The assertion has an attribute twice, or more than {MostAttributes}.");
            found[name] = [.. attribute.ChildNodes.OfType<XmlElement>().Where(child => Is(child, "AttributeValue", SamlNames.Assertion)).Select(value => value.InnerText)];
        }

        return found;
    }

    private static DateTimeOffset? InstantOf(XmlElement element, string attribute)
    {
        if (!element.HasAttribute(attribute))
        {
            return null;
        }

        return DateTimeOffset.TryParseExact(element.GetAttribute(attribute), Instants, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant)
            ? instant : throw new ProviderException("instant", $"An instant is not written as UTC ({attribute}).");
    }

    private static XmlElement One(XmlElement parent, string name) => Only(parent, name, SamlNames.Assertion) ?? throw new ProviderException("missing", $"{parent.LocalName} needs one {name}.");

    private static XmlElement? Only(XmlElement parent, string name, string space) => parent.ChildNodes.OfType<XmlElement>().Where(child => Is(child, name, space)).ToList() switch
    {
        [] => null,
        [var one] => one,
        _ => throw new ProviderException("twice", $"{parent.LocalName} holds {name} more than once."),
    };

    private static bool Is(XmlNode? node, string name, string space) => node is XmlElement element && element.LocalName == name && element.NamespaceURI == space;

    private static void Demand(bool isSo, string code, string message)
    {
        if (!isSo)
        {
            throw new ProviderException(code, message);
        }
    }

    /// <summary>What a stranger wrote, short and in one line: the last part of a URN says it.</summary>
    private static string Shown(params string?[] texts) => texts.FirstOrDefault(text => !string.IsNullOrEmpty(text)) is { } text ? new([.. text.Split(':')[^1].Where(letter => letter is > ' ' and < '\u007f').Take(60)]) : "none";
}
