using MassTransit;

namespace MissionControl.Contracts.Events.Identity;

/// <summary>An API token was made, changed or revoked. Every role keeps a copy, so that it checks bearers without asking anybody.</summary>
/// <param name="TokenId">Loggable id.</param>
/// <param name="SecretSha256">SHA-256 of the secret.</param>
/// <param name="Subject">The principal.</param>
/// <param name="PrincipalKind">staff, customerUser or serviceAccount.</param>
/// <param name="CustomerId">The one customer it is bound to; null: staff.</param>
/// <param name="Scopes">Scopes granted.</param>
/// <param name="Networks">CIDR networks it may be used from; none: any.</param>
/// <param name="ExpiresAt">End of its life (UTC).</param>
/// <param name="RevokedAt">When it was revoked (UTC).</param>
/// <param name="Version">Rising per token.</param>
/// <param name="PersonId">The person whose own it is; null: a program's.</param>
/// <param name="AccountId">The service account whose it is: it may no more than the account may, and ends with it.</param>
[EntityName("identity.token-changed")]
[MessageUrn("identity.token-changed")]
public sealed record TokenChanged(
    string TokenId, byte[] SecretSha256, string Subject, string PrincipalKind, Guid? CustomerId, IReadOnlyList<string> Scopes, IReadOnlyList<string> Networks,
    DateTimeOffset ExpiresAt, DateTimeOffset? RevokedAt, long Version, Guid? PersonId = null, Guid? AccountId = null) : IMessage
{
    /// <inheritdoc />
    public string Key => TokenId;
}

/// <summary>The public keys that verify user tokens.</summary>
/// <param name="Keys">DER SubjectPublicKeyInfo by key id.</param>
/// <param name="Version">Rising.</param>
[EntityName("identity.user-keys-changed")]
[MessageUrn("identity.user-keys-changed")]
public sealed record UserKeysChanged(IReadOnlyDictionary<string, byte[]> Keys, long Version) : IMessage
{
    /// <inheritdoc />
    public string Key => "user-keys";
}
