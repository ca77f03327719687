using MassTransit;

namespace MissionControl.Contracts.Events.Licensing;

/// <summary>A customer was created or changed; always the whole of what other roles need.</summary>
/// <param name="CustomerId">The tenant.</param>
/// <param name="Name">Its name.</param>
/// <param name="Region">Its region, as the vendor names it.</param>
/// <param name="State">active or closed.</param>
/// <param name="Version">Rising per customer.</param>
[EntityName("licensing.customer-changed")]
[MessageUrn("licensing.customer-changed")]
public sealed record CustomerChanged(Guid CustomerId, string Name, string Region, string State, long Version) : IMessage
{
    /// <inheritdoc />
    public string Key => CustomerId.ToString("N");
}
