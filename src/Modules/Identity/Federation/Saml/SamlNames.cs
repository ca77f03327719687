namespace MissionControl.Identity.Federation.Saml;

/// <summary>Names of SAML 2.0 and of XML signatures, as the standards write them.</summary>
internal static class SamlNames
{
    public const string Assertion = "urn:oasis:names:tc:SAML:2.0:assertion";
    public const string Protocol = "urn:oasis:names:tc:SAML:2.0:protocol";
    public const string Metadata = "urn:oasis:names:tc:SAML:2.0:metadata";
    public const string Signature = "http://www.w3.org/2000/09/xmldsig#";
    public const string Namespaces = "http://www.w3.org/2000/xmlns/";

    public const string ExclusiveC14N = "http://www.w3.org/2001/10/xml-exc-c14n#";
    public const string Enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

    public const string Success = "urn:oasis:names:tc:SAML:2.0:status:Success";
    public const string Bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
    public const string Persistent = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
    public const string Entity = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";
    public const string Post = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
    public const string Redirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";

    /// <summary>Where AD FS and Entra ID say by which methods somebody signed in: the counterpart of amr.</summary>
    public const string MicrosoftMethods = "http://schemas.microsoft.com/claims/authnmethodsreferences";

    /// <summary>Contexts (SAML authentication contexts, 3.4) that are a first factor or none, whoever says otherwise.</summary>
    public static readonly IReadOnlyList<string> ProvesNothing =
    [
        .. new[] { "Password", "PasswordProtectedTransport", "unspecified", "PreviousSession", "InternetProtocol", "InternetProtocolPassword", "Telephony" }.Select(name => $"urn:oasis:names:tc:SAML:2.0:ac:classes:{name}"),
        .. new[] { "password", "windows", "unspecified" }.Select(name => $"http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/{name}"),
    ];
}
