using MissionControl.Identity.Federation.Saml;
using MissionControl.Identity.People;

namespace MissionControl.Identity.Federation;

/// <summary>A provider as a sign-in uses it: staff's from the configuration, or one customer's from its row.</summary>
/// <param name="Id">Stands in addresses.</param>
/// <param name="CustomerId">The one customer whose users it signs in; null: staff.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Issuer">Its issuer.</param>
/// <param name="ClientId">The client that Mission Control is there.</param>
/// <param name="ClientSecret">The client's secret; null: a public client.</param>
/// <param name="Scopes">What is asked for.</param>
/// <param name="GroupsClaim">The claim that lists groups.</param>
/// <param name="Roles">Group to role.</param>
/// <param name="RequiredAcr">Values of acr that prove a second factor.</param>
/// <param name="RequiredAmr">Values of amr that prove a second factor.</param>
/// <param name="Version">Of a customer's row, as it was read.</param>
/// <param name="Saml">How it is spoken to by SAML; null: it is an OpenID provider.</param>
internal sealed record Provider(
    string Id, Guid? CustomerId, string Name, string Issuer, string ClientId, string? ClientSecret, IReadOnlyList<string> Scopes, string GroupsClaim, IReadOnlyDictionary<string, string> Roles, IReadOnlyList<string> RequiredAcr, IReadOnlyList<string> RequiredAmr, long Version = 0, SamlPeer? Saml = null)
{
    public const string UsualScopes = "openid profile email";
    public const string UsualGroupsClaim = "groups";

    /// <summary>In place of a group: everybody whom the provider signs in.</summary>
    public const string Everybody = "*";

    /// <summary>Methods of RFC 8176 that are a first factor, whoever says otherwise.</summary>
    public static readonly IReadOnlyList<string> ProvesNothing = ["pwd", "pin", "kba"];

    private const int LongestIssuer = 300;

    public bool IsStaffs => CustomerId is null;

    public string Kind => IsStaffs ? Person.Staff : Person.CustomerUser;

    /// <summary>Where the provider's endpoints are described (OpenID Connect Discovery 1.0, 4).</summary>
    public string MetadataAddress => $"{Issuer.TrimEnd('/')}/.well-known/openid-configuration";

    /// <summary>By what somebody came, for the audit log: openid, saml, or ldap.</summary>
    public string Way { get => field ?? (Saml is null ? "openid" : "saml"); init; }

    // Below /signin the portal has pages of its own.
    public static bool IsSlug(string id) => id is not ("code" or "passkey") && id.Length is > 0 and <= 31 && char.IsAsciiLetterLower(id[0]) && id.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-');

    public static IEnumerable<string> Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>What is wrong with an issuer; null: nothing (OpenID Connect Core 1.0, 2: https, no query, no fragment).</summary>
    public static string? MistakeInIssuer(string issuer) =>
        issuer.Length <= LongestIssuer && issuer.All(letter => letter is > ' ' and < '\u007f') && Uri.TryCreate(issuer, UriKind.Absolute, out var address)
            && address is { Scheme: "https", UserInfo: "", Query: "", Fragment: "" } && address.Host.Length > 0 && !issuer.EndsWith('?') && !issuer.EndsWith('#')
            ? null : $"Write it as https://login.example.com/realm, of {LongestIssuer} characters at most, without query, user and fragment.";

    /// <summary>The key of somebody whom this provider signs in. The two protocols stay apart also where one provider speaks both under one name: what a subject is, each says for itself.</summary>
    public byte[] KeyOf(string subject) => FederatedIdentity.KeyOf(CustomerId, Saml is null ? Issuer : $"saml:{Issuer}", subject);

    /// <summary>What somebody in these groups may be; never a role of the other kind of person, whatever is configured.</summary>
    public IReadOnlyList<string> RolesOf(IReadOnlyCollection<string> groups) =>
        [.. Roles.Where(pair => pair.Key == Everybody || groups.Contains(pair.Key)).Select(pair => pair.Value).Where(role => RoleBook.Find(role)?.Kind == Kind).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Whether what the provider says of the sign-in proves a second factor. It does so only by what was configured: methods mean what each provider wants.</summary>
    public bool ProvesSecondFactor(string? acr, IEnumerable<string> amr) => (acr is not null && RequiredAcr.Contains(acr)) || amr.Any(RequiredAmr.Contains);
}

/// <summary>A sign-in or a look at a provider failed at the provider; in words for whoever configures it, with nothing secret in them.</summary>
internal sealed class ProviderException(string code, string message) : Exception(message)
{
    /// <summary>Kebab-case, for programs.</summary>
    public string Code => code;
}
