using MassTransit;

namespace MissionControl.Contracts.Events.CallHome;

/// <summary>
/// Proof that intake delivers: every callhome replica sends one every 5 s on the same path as the items. While the newest
/// processed one is older than 15 s, silence of clusters proves nothing and liveness deadlines stand still.
/// </summary>
/// <param name="Replica">The process that sent it.</param>
/// <param name="At">When it was written to the outbox (UTC).</param>
/// <param name="Version">Rising per replica.</param>
[EntityName("callhome.intake-watermark")]
[MessageUrn("callhome.intake-watermark")]
public sealed record IntakeWatermark(string Replica, DateTimeOffset At, long Version) : IMessage
{
    /// <inheritdoc />
    public string Key => Replica;
}
