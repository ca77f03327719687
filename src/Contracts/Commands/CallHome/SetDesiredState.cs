using MassTransit;

namespace MissionControl.Contracts.Commands.CallHome;

/// <summary>What a role wants a cluster to hold. callhome keeps one row per cluster and section; the higher version wins.</summary>
/// <param name="ClusterId">The cluster.</param>
/// <param name="Section">settings, lease, receipts, inventory, update, remote, findings, witness or credentials.</param>
/// <param name="NotAfter">After this instant (UTC) it is no longer sent; null: no end.</param>
/// <param name="Body">The section's bytes, sent as they are; at most 256 KiB.</param>
/// <param name="Version">Rising per cluster and section.</param>
[EntityName("callhome.set-desired-state")]
[MessageUrn("callhome.set-desired-state")]
public sealed record SetDesiredState(Guid ClusterId, string Section, DateTimeOffset? NotAfter, byte[] Body, long Version) : IMessage
{
    /// <inheritdoc />
    public string Key => $"{ClusterId:N}/{Section}";
}
