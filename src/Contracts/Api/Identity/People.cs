using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Identity;

/// <summary>A role that a person can hold: a set of scopes.</summary>
/// <param name="Name">Its name, such as support-engineer.</param>
/// <param name="Title">The same in words.</param>
/// <param name="Kind">Who can hold it: staff or customerUser.</param>
/// <param name="Scopes">What it permits.</param>
/// <param name="CanGrant">Whether the reader holds all of that, and may give it to others.</param>
public sealed record RoleItem(string Name, string Title, string Kind, IReadOnlyList<string> Scopes, bool CanGrant);

/// <summary>A role and since when somebody holds it.</summary>
/// <param name="Name">The role.</param>
/// <param name="Since">From then on (UTC).</param>
/// <param name="Until">Until then (UTC); null: still.</param>
public sealed record HeldRoleItem(string Name, DateTimeOffset Since, DateTimeOffset? Until)
{
    /// <summary>Whether it is given to the person itself; besides it may be held through groups.</summary>
    public bool IsDirect { get; init; } = true;

    /// <summary>The groups through which it is held.</summary>
    public IReadOnlyList<GroupName> Groups { get; init; } = [];
}

/// <summary>A group by which somebody holds a role.</summary>
/// <param name="Id">The group.</param>
/// <param name="Name">What it is called, or was when it was removed.</param>
public sealed record GroupName(Guid Id, string Name);

/// <summary>A person.</summary>
/// <param name="Id">Its id; its subject is <c>person:{id}</c>.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Email">The mail address it signs in with.</param>
/// <param name="Kind">staff or customerUser.</param>
/// <param name="CustomerId">The customer of a customer's user; null: staff.</param>
/// <param name="State">active, disabled, or locked: too many wrong tries, for a while.</param>
/// <param name="Roles">The roles it holds now, each once, with all through which it is held.</param>
/// <param name="Factors">What it signs in with: passkey, and totp for password and authenticator.</param>
/// <param name="CreatedAt">When it accepted its invitation (UTC).</param>
/// <param name="LastSignInAt">When it signed in last (UTC).</param>
/// <param name="Sessions">How many browsers it is signed in with.</param>
/// <param name="Actions">change-roles, disable, enable, end-sessions, recover and forget-authenticator, and whether the reader may now.</param>
public sealed record PersonItem(
    Guid Id, string Name, string Email, string Kind, Guid? CustomerId, string State, IReadOnlyList<HeldRoleItem> Roles, IReadOnlyList<string> Factors, DateTimeOffset CreatedAt, DateTimeOffset? LastSignInAt,
    int Sessions, IReadOnlyList<AllowedAction> Actions)
{
    /// <summary>Whether a provider signs it in, and no password: then the mail address is what the provider claimed, or empty.</summary>
    public bool IsFederated { get; init; }
}

/// <summary>A person with the roles it ever held.</summary>
/// <param name="Person">The person.</param>
/// <param name="History">Every role it held or holds, newest first; one that was held in two ways at once stands there twice.</param>
public sealed record PersonDetail(PersonItem Person, IReadOnlyList<HeldRoleItem> History);

/// <summary>Changes which roles are given to a person itself from now on. What it holds through groups is changed there.</summary>
/// <param name="Roles">All of them; what is left out ends. May be empty only for somebody who holds a role through a group.</param>
/// <param name="Reason">Why; it stands in the audit log.</param>
public sealed record ChangeRolesRequest([property: Required, MaxLength(10)] IReadOnlyList<string>? Roles, [property: StringLength(500)] string? Reason = null);

/// <summary>Why something is done to a person.</summary>
/// <param name="Reason">Stands in the audit log.</param>
public sealed record PersonActionRequest([property: StringLength(500)] string? Reason = null);

/// <summary>Invites somebody. Who accepts becomes a person.</summary>
/// <param name="Email">The mail address; it is told by mail.</param>
/// <param name="Name">What to call the person.</param>
/// <param name="Roles">Roles it begins with; each within the inviter's own rights.</param>
/// <param name="CustomerId">The customer whose user it becomes; null: staff, or for a customer's caller that customer's.</param>
public sealed record InviteRequest(
    [property: Required, StringLength(254, MinimumLength = 3)] string? Email,
    [property: Required, StringLength(100, MinimumLength = 1)] string? Name,
    [property: Required, MinLength(1), MaxLength(10)] IReadOnlyList<string>? Roles,
    Guid? CustomerId = null);

/// <summary>An invitation as it is shown once.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Code">What is redeemed; never shown again. Null: it was sent by mail alone, as for every customer's caller.</param>
/// <param name="ExpiresAt">Until then (UTC).</param>
public sealed record CreatedInvitation(Guid Id, string? Code, DateTimeOffset ExpiresAt);

/// <summary>An invitation as it is listed.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Email">Whom it was sent to; null: whoever holds it says.</param>
/// <param name="Name">What the person is to be called.</param>
/// <param name="Kind">staff or customerUser.</param>
/// <param name="CustomerId">The customer.</param>
/// <param name="Roles">Roles that it gives.</param>
/// <param name="IsRecovery">It gives somebody who exists a new password and new factors.</param>
/// <param name="State">open, accepted, expired or revoked.</param>
/// <param name="CreatedAt">When it was made (UTC).</param>
/// <param name="ExpiresAt">When it ends (UTC).</param>
/// <param name="Actions">revoke, and whether the reader may now.</param>
public sealed record InvitationItem(
    Guid Id, string? Email, string? Name, string Kind, Guid? CustomerId, IReadOnlyList<string> Roles, bool IsRecovery, string State, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, IReadOnlyList<AllowedAction> Actions);

/// <summary>Shows what an invitation is for.</summary>
/// <param name="Code">The invitation's code.</param>
/// <param name="TotpSecret">The secret that an opening before gave: if it still is the one, it stays. Without it there is a new one, and those before are worth nothing.</param>
public sealed record OpenInvitationRequest([property: Required, StringLength(100)] string? Code, [property: StringLength(100)] string? TotpSecret = null);

/// <summary>An invitation, shown to whoever holds its code.</summary>
/// <param name="Email">The mail address; null: it is still to be said.</param>
/// <param name="Name">The name; null: it is still to be said.</param>
/// <param name="Kind">staff or customerUser.</param>
/// <param name="Roles">Roles that it gives, in words.</param>
/// <param name="IsRecovery">It gives somebody who exists a new password and new factors.</param>
/// <param name="TotpSecret">The secret for an authenticator, base32.</param>
/// <param name="TotpUri">The same as <c>otpauth://</c> address, for a QR code.</param>
/// <param name="ExpiresAt">When it ends (UTC).</param>
/// <param name="Passkey">Asks for a passkey, in place of password and authenticator or beside them.</param>
public sealed record OpenedInvitation(string? Email, string? Name, string Kind, IReadOnlyList<string> Roles, bool IsRecovery, string TotpSecret, string TotpUri, DateTimeOffset ExpiresAt, PasskeyChallenge Passkey);

/// <summary>Accepts an invitation, with a passkey, or with a password and an authenticator, or with all of them.</summary>
/// <param name="Code">The invitation's code.</param>
/// <param name="Password">12 to 200 characters; null: passkeys only.</param>
/// <param name="Totp">What the authenticator shows now; null: passkeys only.</param>
/// <param name="Email">The mail address, where the invitation has none.</param>
/// <param name="Name">The name, where the invitation has none.</param>
/// <param name="Agent">The browser, as it calls itself.</param>
/// <param name="Passkey">The passkey that was asked for when it was opened.</param>
public sealed record AcceptInvitationRequest(
    [property: Required, StringLength(100)] string? Code,
    [property: StringLength(200)] string? Password = null,
    [property: StringLength(20)] string? Totp = null,
    [property: StringLength(254)] string? Email = null,
    [property: StringLength(100)] string? Name = null,
    [property: StringLength(500)] string? Agent = null,
    NewPasskeyRequest? Passkey = null);

/// <summary>A session, and codes for the day on which the authenticator is lost; none where there is none.</summary>
/// <param name="Session">Opaque secret; belongs in an HttpOnly cookie.</param>
/// <param name="ExpiresAt">Its end at the latest (UTC).</param>
/// <param name="RecoveryCodes">Each opens one session in place of the authenticator; never shown again.</param>
public sealed record AcceptedInvitation(string Session, DateTimeOffset ExpiresAt, IReadOnlyList<string> RecoveryCodes);
