using MassTransit;

namespace MissionControl.Contracts.Events.Identity;

/// <summary>A service account came to be, or what it may do changed. Every role keeps a copy, so that it checks what programs send without asking anybody.</summary>
/// <param name="AccountId">The account, which is its <c>client_id</c>; its subject is <c>client:{id}</c>.</param>
/// <param name="CustomerId">The one customer that it is bound to; null: staff.</param>
/// <param name="IsActive">Whether what it holds opens anything.</param>
/// <param name="Scopes">What it may do at most, whatever its tokens say.</param>
/// <param name="Networks">CIDR networks it calls from; none: any.</param>
/// <param name="Version">Rising per account.</param>
[EntityName("identity.service-account-changed")]
[MessageUrn("identity.service-account-changed")]
public sealed record ServiceAccountChanged(Guid AccountId, Guid? CustomerId, bool IsActive, IReadOnlyList<string> Scopes, IReadOnlyList<string> Networks, long Version) : IMessage
{
    /// <inheritdoc />
    public string Key => AccountId.ToString("N");
}

/// <summary>The public keys that verify the access tokens of OAuth clients, as the JWKS publishes them.</summary>
/// <param name="Issuer">Who signs them; null: this installation has no address yet, and issues none.</param>
/// <param name="Keys">DER SubjectPublicKeyInfo by key id.</param>
/// <param name="Version">Rising.</param>
[EntityName("identity.client-keys-changed")]
[MessageUrn("identity.client-keys-changed")]
public sealed record ClientKeysChanged(string? Issuer, IReadOnlyDictionary<string, byte[]> Keys, long Version) : IMessage
{
    /// <inheritdoc />
    public string Key => "client-keys";
}
