using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Identity;

/// <summary>How one can sign in here.</summary>
/// <param name="Tokens">Whether an API token still opens pages: until the first administrator has signed in.</param>
public sealed record SignInOptions(bool Tokens)
{
    /// <summary>The providers that sign staff in.</summary>
    public IReadOnlyList<SignInProvider> Providers { get; init; } = [];
}

/// <summary>Signs a person in.</summary>
/// <param name="Email">The mail address.</param>
/// <param name="Password">The password.</param>
/// <param name="Code">What the authenticator shows, or a recovery code.</param>
/// <param name="Agent">The browser, as it calls itself.</param>
public sealed record SignInRequest(
    [property: Required, StringLength(254)] string? Email,
    [property: Required, StringLength(200)] string? Password,
    [property: Required, StringLength(40)] string? Code,
    [property: StringLength(500)] string? Agent = null);

/// <summary>Oneself.</summary>
/// <param name="Id">The person.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Email">The mail address it signs in with.</param>
/// <param name="Kind">staff or customerUser.</param>
/// <param name="CustomerId">The customer; null: staff.</param>
/// <param name="Roles">Roles held now.</param>
/// <param name="PasswordSetAt">When the password was set (UTC); null: one signs in with passkeys only.</param>
/// <param name="Authenticator">The authenticator; null: none.</param>
/// <param name="RecoveryCodesLeft">Recovery codes that were not used.</param>
/// <param name="Session">The session that asks.</param>
/// <param name="Passkeys">The passkeys, oldest first.</param>
public sealed record MeItem(
    Guid Id, string Name, string Email, string Kind, Guid? CustomerId, IReadOnlyList<HeldRoleItem> Roles, DateTimeOffset? PasswordSetAt, FactorItem? Authenticator, int RecoveryCodesLeft, Guid Session, IReadOnlyList<PasskeyItem> Passkeys)
{
    /// <summary>Whether a provider signs it in, and no password.</summary>
    public bool IsFederated { get; init; }
}

/// <summary>Something that proves who one is.</summary>
/// <param name="Kind">totp.</param>
/// <param name="AddedAt">When it was set up (UTC).</param>
/// <param name="LastUsedAt">When it was used last (UTC).</param>
public sealed record FactorItem(string Kind, DateTimeOffset AddedAt, DateTimeOffset? LastUsedAt);

/// <summary>A browser that is signed in.</summary>
/// <param name="Id">Its id.</param>
/// <param name="CreatedAt">When it was signed in (UTC).</param>
/// <param name="SeenAt">When a person last did something with it (UTC), to the minute.</param>
/// <param name="ExpiresAt">Its end at the latest (UTC).</param>
/// <param name="Agent">The browser, as it called itself.</param>
/// <param name="Factors">How it was opened, such as pwd totp.</param>
/// <param name="IsThis">Whether it is the one that asks.</param>
public sealed record SessionItem(Guid Id, DateTimeOffset CreatedAt, DateTimeOffset SeenAt, DateTimeOffset ExpiresAt, string? Agent, string Factors, bool IsThis);

/// <summary>Changes one's own password; all other sessions end.</summary>
/// <param name="Current">The password until now.</param>
/// <param name="New">12 to 200 characters.</param>
/// <param name="Code">What the authenticator shows.</param>
public sealed record ChangePasswordRequest(
    [property: Required, StringLength(200)] string? Current, [property: Required, StringLength(200)] string? New, [property: Required, StringLength(40)] string? Code);

/// <summary>A code that proves that it is still the same person.</summary>
/// <param name="Code">What the authenticator shows; null: a passkey proves it (step-up).</param>
public sealed record ProofRequest([property: StringLength(40)] string? Code = null);

/// <summary>New recovery codes; those before are worth nothing any more.</summary>
/// <param name="Codes">Never shown again.</param>
public sealed record RecoveryCodesItem(IReadOnlyList<string> Codes);

/// <summary>A new authenticator, not in use before it is confirmed.</summary>
/// <param name="Secret">Its secret, base32.</param>
/// <param name="Uri">The same as <c>otpauth://</c> address, for a QR code.</param>
/// <param name="NeedsPassword">Whether a password is to be chosen with it, since there is none.</param>
public sealed record NewAuthenticator(string Secret, string Uri, bool NeedsPassword);

/// <summary>Puts a new authenticator in place of the one before.</summary>
/// <param name="Code">What the old one shows, or a recovery code; null: a passkey proves it (step-up).</param>
/// <param name="NewCode">What the new one shows.</param>
/// <param name="Password">12 to 200 characters, where there is no password yet.</param>
public sealed record ConfirmAuthenticatorRequest([property: StringLength(40)] string? Code, [property: Required, StringLength(20)] string? NewCode, [property: StringLength(200)] string? Password = null);
