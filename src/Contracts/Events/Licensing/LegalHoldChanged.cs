using MassTransit;

namespace MissionControl.Contracts.Events.Licensing;

/// <summary>A customer's records must be kept whatever their age, or no longer.</summary>
/// <param name="CustomerId">The tenant.</param>
/// <param name="Held">True while nothing of this customer may be purged.</param>
/// <param name="Version">Rising per customer.</param>
[EntityName("licensing.legal-hold-changed")]
[MessageUrn("licensing.legal-hold-changed")]
public sealed record LegalHoldChanged(Guid CustomerId, bool Held, long Version) : IMessage
{
    /// <inheritdoc />
    public string Key => CustomerId.ToString("N");
}
