using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Identity;

/// <summary>Makes a service account, with ordinary rights; what changes identity, keys, approvals, sessions, releases or periods is asked for afterwards, one by one.</summary>
/// <param name="Name">What the program is.</param>
/// <param name="Scopes">Ordinary scopes, at most those of the caller; there may be none yet.</param>
/// <param name="CustomerId">Binds it to one customer; null: staff.</param>
/// <param name="OwnerId">The person who answers for it; null: the caller.</param>
/// <param name="Networks">CIDR networks it calls from; a customer's may have none.</param>
public sealed record CreateServiceAccountRequest(
    [property: Required, StringLength(100, MinimumLength = 1)] string? Name, [property: Required] IReadOnlyList<string>? Scopes, Guid? CustomerId = null, Guid? OwnerId = null, IReadOnlyList<string>? Networks = null);

/// <summary>A service account that was made.</summary>
/// <param name="Id">The account.</param>
/// <param name="ClientId">What OAuth calls it.</param>
public sealed record CreatedServiceAccount(Guid Id, string ClientId);

/// <summary>A service account.</summary>
/// <param name="Id">The account.</param>
/// <param name="ClientId">What OAuth calls it.</param>
/// <param name="Name">What the program is.</param>
/// <param name="CustomerId">The customer it is bound to; null: staff.</param>
/// <param name="OwnerId">The person who answers for it.</param>
/// <param name="OwnerName">What that person is called, where the reader may know.</param>
/// <param name="State">active or disabled.</param>
/// <param name="Scopes">What it may do, and its tokens at most.</param>
/// <param name="Networks">Networks it calls from.</param>
/// <param name="CreatedAt">When it was made (UTC).</param>
/// <param name="Version">For If-Match.</param>
/// <param name="Actions">make-credential, ask-scope, change-owner, disable and enable, and whether the reader may now.</param>
public sealed record ServiceAccountItem(
    Guid Id, string ClientId, string Name, Guid? CustomerId, Guid OwnerId, string? OwnerName, string State, IReadOnlyList<string> Scopes, IReadOnlyList<string> Networks, DateTimeOffset CreatedAt, long Version,
    IReadOnlyList<AllowedAction> Actions);

/// <summary>A service account with all that it has.</summary>
/// <param name="Account">The account.</param>
/// <param name="Tokens">Its API tokens and client secrets, the newest first.</param>
/// <param name="Keys">Its public keys, the newest first.</param>
/// <param name="Requests">Rights that were asked for it, the newest first.</param>
/// <param name="TokenEndpoint">Where it gets access tokens; null: this installation has no address yet.</param>
public sealed record ServiceAccountDetail(ServiceAccountItem Account, IReadOnlyList<TokenItem> Tokens, IReadOnlyList<ClientKeyItem> Keys, IReadOnlyList<ScopeRequestItem> Requests, string? TokenEndpoint);

/// <summary>A public key of a service account.</summary>
/// <param name="Id">The key.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Kid">What assertions name it by.</param>
/// <param name="Algorithm">ES256, RS256 or PS256.</param>
/// <param name="State">active, expired or revoked.</param>
/// <param name="CreatedAt">When it was registered (UTC).</param>
/// <param name="ExpiresAt">When it ends (UTC).</param>
/// <param name="RevokedAt">When it was revoked (UTC).</param>
/// <param name="LastUsedAt">When an access token was last given for it (UTC).</param>
/// <param name="LastUsedFrom">The address to which.</param>
public sealed record ClientKeyItem(
    Guid Id, string Name, string Kid, string Algorithm, string State, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? RevokedAt, DateTimeOffset? LastUsedAt, string? LastUsedFrom);

/// <summary>A right that somebody asks for a service account.</summary>
/// <param name="Id">The request.</param>
/// <param name="Scope">The right.</param>
/// <param name="Reason">What for.</param>
/// <param name="AskedBy">Who asked.</param>
/// <param name="AskedAt">When (UTC).</param>
/// <param name="ExpiresAt">Until when it can be granted (UTC).</param>
/// <param name="State">asked, granted, refused, withdrawn or expired.</param>
/// <param name="DecidedBy">Who decided.</param>
/// <param name="DecidedAt">When (UTC).</param>
/// <param name="Actions">grant, refuse and withdraw, and whether the reader may now.</param>
public sealed record ScopeRequestItem(
    Guid Id, string Scope, string Reason, string AskedBy, DateTimeOffset AskedAt, DateTimeOffset ExpiresAt, string State, string? DecidedBy, DateTimeOffset? DecidedAt, IReadOnlyList<AllowedAction> Actions);

/// <summary>Asks one right for a service account.</summary>
/// <param name="Scope">The right.</param>
/// <param name="Reason">What for, 3 to 500 characters; whoever grants it reads it.</param>
public sealed record AskScopeRequest([property: Required, StringLength(50)] string? Scope, string? Reason);

/// <summary>A right that was asked for.</summary>
/// <param name="Id">The request.</param>
/// <param name="ExpiresAt">Until when somebody else can grant it (UTC).</param>
public sealed record AskedScope(Guid Id, DateTimeOffset ExpiresAt);

/// <summary>Takes a right from a service account; its tokens lose it as well.</summary>
/// <param name="Scope">The right.</param>
/// <param name="Reason">Why; it stands in the audit log.</param>
public sealed record TakeScopeRequest([property: Required, StringLength(50)] string? Scope, [property: StringLength(500)] string? Reason = null);

/// <summary>Switches a service account, or decides about something of it.</summary>
/// <param name="Reason">Why; it stands in the audit log.</param>
public sealed record ServiceAccountActionRequest([property: StringLength(500)] string? Reason = null);

/// <summary>Says who else answers for a service account.</summary>
/// <param name="OwnerId">One of the vendor's staff, or of the customer that the account is bound to, who may sign in.</param>
/// <param name="Reason">Why, 3 to 500 characters; it stands in the audit log.</param>
public sealed record ChangeOwnerRequest(Guid? OwnerId, string? Reason);

/// <summary>Makes an API token of a service account.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Scopes">Some of the account's scopes; null: all that it has now.</param>
/// <param name="ExpiresInDays">1 to 366; default 90.</param>
/// <param name="Networks">Networks it may be used from, within those of the account; none: those.</param>
public sealed record CreateAccountTokenRequest(
    [property: Required, StringLength(100, MinimumLength = 1)] string? Name, IReadOnlyList<string>? Scopes = null, [property: Range(1, 366)] int ExpiresInDays = 90, IReadOnlyList<string>? Networks = null);

/// <summary>Makes a client secret of a service account; it has two at most, so that the new one is in place before the old one ends.</summary>
/// <param name="ExpiresInDays">1 to 366; default 366.</param>
public sealed record CreateClientSecretRequest([property: Range(1, 366)] int ExpiresInDays = 366);

/// <summary>Registers a public key of a service account, for <c>private_key_jwt</c>.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Key">PEM or JWK of the public key: P-256, or RSA of 2048 to 4096 bits.</param>
/// <param name="Algorithm">ES256, RS256 or PS256; null: what the key says, or RS256 for RSA.</param>
/// <param name="ExpiresInDays">1 to 366; default 366.</param>
public sealed record AddClientKeyRequest(
    [property: Required, StringLength(100, MinimumLength = 1)] string? Name, [property: Required, StringLength(4000, MinimumLength = 1)] string? Key, [property: AllowedValues(null, "ES256", "RS256", "PS256")] string? Algorithm = null,
    [property: Range(1, 366)] int ExpiresInDays = 366);

/// <summary>A key that was registered.</summary>
/// <param name="Id">The key.</param>
/// <param name="Kid">What assertions name it by.</param>
/// <param name="ExpiresAt">When it ends (UTC).</param>
public sealed record AddedClientKey(Guid Id, string Kid, DateTimeOffset ExpiresAt);
