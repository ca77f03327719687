namespace MissionControl.Contracts.Api.Fleet;

/// <summary>What changed since a position. Each thing stands at most once, with its newest change.</summary>
/// <param name="Items">What changed, oldest change first.</param>
/// <param name="After">The position to ask from the next time.</param>
/// <param name="More">There is more right now: ask again at once.</param>
public sealed record FleetChanges(IReadOnlyList<FleetChange> Items, string After, bool More);

/// <summary>Something changed that pages show; what it is now, the resource says.</summary>
/// <param name="Topic">cluster or incident.</param>
/// <param name="Id">Its id.</param>
/// <param name="CustomerId">The customer concerned; null for incidents.</param>
/// <param name="At">When (UTC).</param>
public sealed record FleetChange(string Topic, Guid Id, Guid? CustomerId, DateTimeOffset At);
