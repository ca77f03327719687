using MassTransit;

namespace MissionControl.Contracts.Events.Identity;

/// <summary>A person came to be, or what a signed-in one may do changed. Every role keeps a copy, so that it checks user tokens without asking anybody.</summary>
/// <param name="PersonId">The person; its subject is <c>person:{id}</c>.</param>
/// <param name="Kind">staff or customerUser.</param>
/// <param name="CustomerId">The one customer of a customer's user; null: staff.</param>
/// <param name="IsActive">Whether it may be signed in.</param>
/// <param name="Stamp">Rising: a user token with an older one is no longer valid.</param>
[EntityName("identity.person-changed")]
[MessageUrn("identity.person-changed")]
public sealed record PersonChanged(Guid PersonId, string Kind, Guid? CustomerId, bool IsActive, long Stamp) : IMessage
{
    /// <inheritdoc />
    public string Key => PersonId.ToString("N");

    /// <inheritdoc />
    public long Version => Stamp;
}
