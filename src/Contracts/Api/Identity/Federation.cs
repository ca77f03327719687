using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Identity;

/// <summary>A provider as whoever wants to sign in sees it.</summary>
/// <param name="Id">Stands in addresses: <c>/signin/{id}</c>.</param>
/// <param name="Name">What it is called.</param>
public sealed record SignInProvider(string Id, string Name)
{
    /// <summary><c>openid</c>: it asks for name and password on pages of its own. <c>ldap</c>: they are asked for here.</summary>
    public string Kind { get; init; } = "openid";
}

/// <summary>Begins to sign in at a provider.</summary>
/// <param name="ReturnUrl">Where to go afterwards: a path of the portal.</param>
public sealed record BeginFederatedSignInRequest([property: StringLength(2000)] string? ReturnUrl = null);

/// <summary>A sign-in that was begun.</summary>
/// <param name="Address">Where to send the browser.</param>
/// <param name="Browser">The browser's own secret, for its cookie: with it alone the sign-in is finished.</param>
/// <param name="ExpiresAt">Until then (UTC).</param>
/// <param name="ComesAsForm">Whether the answer is posted by a page of the provider (SAML), so that the cookie has to come along from another site.</param>
public sealed record BegunFederatedSignIn(string Address, string Browser, DateTimeOffset ExpiresAt, bool ComesAsForm = false);

/// <summary>What a provider answered (OpenID Connect Core 1.0, 3.1.2.5; RFC 9207), or a response of SAML.</summary>
/// <param name="Browser">The browser's own secret.</param>
/// <param name="State">As it came.</param>
/// <param name="Code">As it came; null: the provider refused.</param>
/// <param name="Iss">As it came; null: it did not.</param>
/// <param name="Error">As it came; null: none.</param>
/// <param name="Agent">The browser, as it calls itself.</param>
/// <param name="SamlResponse">In place of code, iss and error: the response as it came (SAML bindings 2.0, 3.5.4); the state is its RelayState.</param>
public sealed record FinishFederatedSignInRequest(
    [property: Required, StringLength(100)] string? Browser,
    [property: Required, StringLength(100)] string? State,
    [property: StringLength(4000)] string? Code,
    [property: StringLength(400)] string? Iss = null,
    [property: StringLength(200)] string? Error = null,
    [property: StringLength(500)] string? Agent = null,
    [property: StringLength(360_000)] string? SamlResponse = null);

/// <summary>Proves the second factor that the provider did not: by a code, or by a passkey that was asked for.</summary>
/// <param name="Browser">The browser's own secret.</param>
/// <param name="Code">What the authenticator shows, or a recovery code; null: a passkey proves it.</param>
/// <param name="Agent">The browser, as it calls itself.</param>
/// <param name="Challenge">The question that the passkey answers.</param>
/// <param name="Credential">What the browser's <c>navigator.credentials.get</c> gave, as JSON text.</param>
public sealed record ProveFederatedSignInRequest(
    [property: Required, StringLength(100)] string? Browser, [property: StringLength(40)] string? Code, [property: StringLength(500)] string? Agent = null,
    [property: StringLength(100)] string? Challenge = null, [property: StringLength(PasskeyLimits.Credential)] string? Credential = null);

/// <summary>Asks how a sign-in stands.</summary>
/// <param name="Browser">The browser's own secret.</param>
public sealed record FederatedSignInRequest([property: Required, StringLength(100)] string? Browser);

/// <summary>How a sign-in at a provider stands.</summary>
/// <param name="Needs">null: nothing, there is a session. <c>code</c>: what the authenticator shows. <c>passkey</c>: a passkey, since there is no authenticator. <c>authenticator</c>: one is to be set up, and shown to work by its code.</param>
/// <param name="Session">The session's secret.</param>
/// <param name="ExpiresAt">When the session, or the time for what is needed, ends (UTC).</param>
/// <param name="ReturnUrl">Where the reader wanted to go.</param>
/// <param name="TotpSecret">The secret for a new authenticator.</param>
/// <param name="TotpUri">The same as a QR code holds it.</param>
/// <param name="RecoveryCodes">Of an authenticator that was set up just now: codes in its place; shown once.</param>
public sealed record FederatedSignIn(
    string? Needs, string? Session, DateTimeOffset ExpiresAt, string ReturnUrl, string? TotpSecret = null, string? TotpUri = null, IReadOnlyList<string>? RecoveryCodes = null)
{
    /// <summary>Whether a passkey of the person proves it as well.</summary>
    public bool AcceptsPasskey { get; init; }
}

/// <summary>A group at the provider and the role that it gives here.</summary>
/// <param name="Group">The group as the provider writes it; <c>*</c> is everybody whom it signs in.</param>
/// <param name="Role">A role of customers' users.</param>
public sealed record GroupRole([property: Required, StringLength(200, MinimumLength = 1)] string? Group, [property: Required, StringLength(40)] string? Role);

/// <summary>Sets by which provider a customer's users sign in.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Issuer">Its issuer, exactly as its discovery document writes it; of SAML the metadata says it.</param>
/// <param name="ClientId">The client that Mission Control is there; SAML knows none.</param>
/// <param name="ClientSecret">The client's secret; it is never shown again. Null or empty: as it was, or a public client.</param>
/// <param name="Scopes">What is asked for, separated by spaces; null: openid profile email.</param>
/// <param name="GroupsClaim">The claim, or the attribute of SAML, that lists groups; null: groups.</param>
/// <param name="Roles">Which group gives which role.</param>
/// <param name="RequiredAcr">Values of acr, separated by spaces, each of which proves a second factor.</param>
/// <param name="RequiredAmr">Values of amr, separated by spaces, each of which proves a second factor.</param>
/// <param name="CustomerId">The customer; null: the caller's own.</param>
/// <param name="Saml">How it is spoken to by SAML; null: it is an OpenID provider. It stays what it is.</param>
public sealed record SetProviderRequest(
    [property: Required, StringLength(100, MinimumLength = 1)] string? Name,
    [property: StringLength(300)] string? Issuer,
    [property: StringLength(300)] string? ClientId,
    [property: StringLength(500)] string? ClientSecret,
    [property: Required, MinLength(1), MaxLength(50)] IReadOnlyList<GroupRole>? Roles,
    [property: StringLength(500)] string? Scopes = null,
    [property: StringLength(100)] string? GroupsClaim = null,
    [property: StringLength(500)] string? RequiredAcr = null,
    [property: StringLength(500)] string? RequiredAmr = null,
    Guid? CustomerId = null,
    SetSaml? Saml = null);

/// <summary>How a provider is spoken to by SAML.</summary>
/// <param name="Metadata">Its metadata, of one EntityDescriptor: entity id, address and certificates are read from it. Null or empty: as they were.</param>
/// <param name="MetadataAddress">Where it was fetched, so that a test can say when it is another one there; null: nowhere.</param>
/// <param name="SubjectAttribute">The attribute that names a person for good; null: the persistent NameID.</param>
public sealed record SetSaml([property: StringLength(262_144)] string? Metadata = null, [property: StringLength(500)] string? MetadataAddress = null, [property: StringLength(200)] string? SubjectAttribute = null);

/// <summary>How a provider is spoken to by SAML.</summary>
/// <param name="ProviderAddress">Where browsers are sent.</param>
/// <param name="Certificates">With which it signs.</param>
/// <param name="SubjectAttribute">The attribute that names a person; null: the persistent NameID.</param>
/// <param name="MetadataAddress">Where its metadata was fetched; null: it was pasted.</param>
/// <param name="OurMetadata">Our own metadata, which is our entity id as well; null: the installation does not know its own address.</param>
public sealed record SamlSettings(string ProviderAddress, IReadOnlyList<SamlCertificate> Certificates, string? SubjectAttribute, string? MetadataAddress, string? OurMetadata);

/// <summary>A certificate with which an identity provider signs.</summary>
/// <param name="Subject">As it is written in it.</param>
/// <param name="Sha256">Of it, in hexadecimal.</param>
/// <param name="EndsAt">When it ends (UTC).</param>
/// <param name="State">good, ends-soon (within 30 days), or ended, and then it signs nobody in.</param>
public sealed record SamlCertificate(string Subject, string Sha256, DateTimeOffset EndsAt, string State);

/// <summary>Asks for the metadata of an identity provider.</summary>
/// <param name="Address">Where it publishes it.</param>
public sealed record FetchMetadataRequest([property: Required, StringLength(500, MinimumLength = 1)] string? Address);

/// <summary>What an identity provider publishes.</summary>
/// <param name="EntityId">What it is called.</param>
/// <param name="ProviderAddress">Where browsers are sent.</param>
/// <param name="Certificates">With which it signs.</param>
/// <param name="Metadata">As it was fetched.</param>
public sealed record FetchedMetadata(string EntityId, string ProviderAddress, IReadOnlyList<SamlCertificate> Certificates, string Metadata);

/// <summary>A customer's provider.</summary>
/// <param name="Id">Its id.</param>
/// <param name="CustomerId">The customer whose users it signs in.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Issuer">Its issuer.</param>
/// <param name="ClientId">The client that Mission Control is there.</param>
/// <param name="HasSecret">Whether the client has a secret.</param>
/// <param name="Scopes">What is asked for.</param>
/// <param name="GroupsClaim">The claim that lists groups.</param>
/// <param name="Roles">Which group gives which role.</param>
/// <param name="RequiredAcr">Values of acr that prove a second factor.</param>
/// <param name="RequiredAmr">Values of amr that prove a second factor.</param>
/// <param name="SignInAddress">Where its users sign in; null: the installation does not know its own address.</param>
/// <param name="RedirectUri">To be registered at the provider; of SAML where it posts its answers.</param>
/// <param name="LogoutAddress">To be registered at the provider for back-channel logout; of SAML there is none.</param>
/// <param name="CreatedAt">When it was added (UTC).</param>
/// <param name="Actions">change, remove and test, and whether the reader may now.</param>
/// <param name="Saml">How it is spoken to by SAML; null: it is an OpenID provider.</param>
public sealed record ProviderItem(
    Guid Id, Guid CustomerId, string Name, string Issuer, string ClientId, bool HasSecret, string Scopes, string GroupsClaim, IReadOnlyList<GroupRole> Roles, string RequiredAcr, string RequiredAmr,
    string? SignInAddress, string? RedirectUri, string? LogoutAddress, DateTimeOffset CreatedAt, IReadOnlyList<AllowedAction> Actions, SamlSettings? Saml = null);

/// <summary>By what staff signs in besides passkeys and passwords. It stands in the server's configuration; nobody changes it here.</summary>
/// <param name="Items">Providers and then directories, in the order of the configuration.</param>
public sealed record StaffProviderList(IReadOnlyList<StaffProviderItem> Items);

/// <summary>A provider or a directory that signs staff in.</summary>
/// <param name="Id">Its Id in the configuration.</param>
/// <param name="Name">What its button says.</param>
/// <param name="Kind">openid, saml or ldap.</param>
/// <param name="Address">Its issuer, entity id or server; empty: the file that says it cannot be read.</param>
/// <param name="Roles">Which group gives which role.</param>
/// <param name="RedirectUri">To be registered at the provider; of SAML where it posts its answers. Null: of a directory, or the installation does not know its own address.</param>
/// <param name="LogoutAddress">To be registered at an OpenID provider for back-channel logout.</param>
/// <param name="OurMetadata">Of SAML our own metadata, which is our entity id as well.</param>
/// <param name="Actions">test, and whether the reader may now.</param>
public sealed record StaffProviderItem(string Id, string Name, string Kind, string Address, IReadOnlyList<GroupRole> Roles, string? RedirectUri, string? LogoutAddress, string? OurMetadata, IReadOnlyList<AllowedAction> Actions);

/// <summary>Asks a provider or a directory of staff what it answers.</summary>
/// <param name="Name">Of a directory: somebody to look for, as they sign in; null: nobody.</param>
public sealed record TestStaffProviderRequest([property: StringLength(200)] string? Name = null);

/// <summary>A provider that was added.</summary>
/// <param name="Id">Its id.</param>
public sealed record AddedProvider(Guid Id);

/// <summary>What came of asking a provider.</summary>
/// <param name="Succeeded">Whether people can be sent there.</param>
/// <param name="Checks">Each thing that was looked at.</param>
public sealed record ProviderTest(bool Succeeded, IReadOnlyList<ProviderCheck> Checks);

/// <summary>One thing that was looked at.</summary>
/// <param name="Code">Kebab-case, such as issuer-differs or pkce.</param>
/// <param name="Outcome">passed, warning or failed.</param>
/// <param name="Detail">In words.</param>
public sealed record ProviderCheck(string Code, string Outcome, string Detail);
