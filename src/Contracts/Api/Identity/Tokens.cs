using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Identity;

/// <summary>Asks for an API token.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="CustomerId">Binds it to one customer; null: staff.</param>
/// <param name="Scopes">Scopes, each <c>{role}:{verb}</c>; at most those of the caller.</param>
/// <param name="ExpiresInDays">1 to 366; default 90. It ends no later than the caller's own token, unless that one holds every scope.</param>
/// <param name="Networks">CIDR networks it may be used from; none: any. Within those of the caller's own token, when that one is bound. A bound token opens no session of the portal.</param>
public sealed record CreateTokenRequest(
    [property: Required, StringLength(100, MinimumLength = 1)] string? Name,
    [property: Required, MinLength(1)] IReadOnlyList<string>? Scopes,
    Guid? CustomerId = null,
    [property: Range(1, 366)] int ExpiresInDays = 90,
    IReadOnlyList<string>? Networks = null);

/// <summary>An API token as it is shown once.</summary>
/// <param name="Id">Loggable id.</param>
/// <param name="Token">The secret; never shown again. Known to every role within a second.</param>
/// <param name="ExpiresAt">End of its life (UTC).</param>
public sealed record CreatedToken(string Id, string Token, DateTimeOffset ExpiresAt);

/// <summary>An API token as it is listed.</summary>
/// <param name="Id">Loggable id.</param>
/// <param name="Name">What it is for.</param>
/// <param name="CustomerId">The customer it is bound to; null: staff.</param>
/// <param name="Scopes">Its scopes.</param>
/// <param name="Networks">Networks it may be used from.</param>
/// <param name="State">active, expired or revoked.</param>
/// <param name="CreatedAt">When it was made (UTC).</param>
/// <param name="ExpiresAt">When it ends (UTC).</param>
/// <param name="RevokedAt">When it was revoked (UTC).</param>
/// <param name="Actions">rotate and revoke, and whether the reader may now.</param>
/// <param name="PersonId">The person whose own it is; null: a program's.</param>
public sealed record TokenItem(
    string Id, string Name, Guid? CustomerId, IReadOnlyList<string> Scopes, IReadOnlyList<string> Networks, string State, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? RevokedAt,
    IReadOnlyList<AllowedAction> Actions, Guid? PersonId)
{
    /// <summary>The service account whose it is.</summary>
    public Guid? AccountId { get; init; }

    /// <summary>bearer: it calls the API. client-secret: its account gets access tokens with it, and it opens nothing else.</summary>
    public string Use { get; init; } = "bearer";

    /// <summary>When it last opened a door, to a minute or so (UTC); null: never.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>The address from which it did.</summary>
    public string? LastUsedFrom { get; init; }

    /// <summary>The token that takes its place since it was rotated.</summary>
    public string? SuccessorId { get; init; }

    /// <summary>The token in whose place it came.</summary>
    public string? PredecessorId { get; init; }
}

/// <summary>Puts another token in the place of one: same name, rights, networks, customer, person and length of life.</summary>
/// <param name="OverlapHours">So long both are good, 0 to 168; the old one ends no later than it would have.</param>
public sealed record RotateTokenRequest([property: Range(0, 168)] int OverlapHours = 24);

/// <summary>The successor of a token that was rotated, as it is shown once.</summary>
/// <param name="Id">Loggable id.</param>
/// <param name="Token">The secret; never shown again.</param>
/// <param name="ExpiresAt">End of its life (UTC).</param>
/// <param name="PredecessorId">The token in whose place it comes.</param>
/// <param name="PredecessorEndsAt">Until when that one is still good (UTC).</param>
public sealed record RotatedToken(string Id, string Token, DateTimeOffset ExpiresAt, string PredecessorId, DateTimeOffset PredecessorEndsAt);

/// <summary>A session that a token was traded for.</summary>
/// <param name="Session">Opaque secret; belongs in an HttpOnly cookie.</param>
/// <param name="ExpiresAt">Its end at the latest (UTC).</param>
public sealed record CreatedSession(string Session, DateTimeOffset ExpiresAt);

/// <summary>Trades a session for a short user token.</summary>
/// <param name="Session">The session's secret.</param>
/// <param name="IsActive">Whether a person did something; false: a page that keeps itself fresh, which keeps nobody signed in.</param>
public sealed record TradeSessionRequest([property: Required, StringLength(200)] string? Session, bool IsActive = true);

/// <summary>A user token and whom it speaks for.</summary>
/// <param name="AccessToken">JWT, five minutes.</param>
/// <param name="ExpiresAt">Its end (UTC).</param>
/// <param name="Principal">The principal.</param>
public sealed record TradedSession(string AccessToken, DateTimeOffset ExpiresAt, PrincipalItem Principal);

/// <summary>A principal.</summary>
/// <param name="Subject">Its id.</param>
/// <param name="Kind">staff, customerUser or serviceAccount.</param>
/// <param name="CustomerId">The one customer it is bound to.</param>
/// <param name="Scopes">Its scopes.</param>
/// <param name="TokenId">The token behind the session; null: a person.</param>
/// <param name="Name">What to call it.</param>
public sealed record PrincipalItem(string Subject, string Kind, Guid? CustomerId, IReadOnlyList<string> Scopes, string? TokenId, string Name);
