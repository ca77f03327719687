namespace MissionControl.Identity.Federation.Saml;

/// <summary>What an assertion says of somebody, after it was judged.</summary>
/// <param name="Id">The assertion's own, good once.</param>
/// <param name="EndsAt">When it ends.</param>
/// <param name="Subject">Who it is at its provider.</param>
/// <param name="Attributes">By name.</param>
/// <param name="Context">How the person proved who it is (AuthnContextClassRef).</param>
/// <param name="SessionEndsAt">When the provider wants the session to end; null: it does not say.</param>
internal sealed record SamlAnswer(string Id, DateTimeOffset EndsAt, string Subject, IReadOnlyDictionary<string, IReadOnlyList<string>> Attributes, string? Context, DateTimeOffset? SessionEndsAt)
{
    private const int MostGroups = 1000;

    private static readonly string[] Names =
    [
        "displayName", "urn:oid:2.16.840.1.113730.3.1.241", "http://schemas.microsoft.com/identity/claims/displayname", "name", "cn", "urn:oid:2.5.4.3", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    ];

    private static readonly string[] Mails = ["email", "mail", "urn:oid:0.9.2342.19200300.100.1.3", "urn:oid:1.2.840.113549.1.9.1", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"];

    /// <summary>The same as a sign-in uses it.</summary>
    public FederatedClaims ToClaims(Provider provider)
    {
        var email = First(Mails)?.Trim();
        return FederatedClaims.Of(provider, Subject, First(Names) ?? email ?? Subject, email, [.. Of(provider.GroupsClaim).Take(MostGroups)]);
    }

    public IReadOnlyList<string> Of(string attribute) => Attributes.GetValueOrDefault(attribute) ?? [];

    private string? First(string[] attributes) => attributes.Select(name => Of(name).FirstOrDefault(value => !string.IsNullOrWhiteSpace(value))).FirstOrDefault(value => value is not null);
}
