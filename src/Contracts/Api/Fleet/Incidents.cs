namespace MissionControl.Contracts.Api.Fleet;

/// <summary>Something on our own side, or the network's, that explains why many clusters seem silent at once.</summary>
/// <param name="Id">The incident.</param>
/// <param name="Kind">intake-stalled, judging-stopped or mass-outage.</param>
/// <param name="State">open or closed.</param>
/// <param name="BeganAt">From when (UTC).</param>
/// <param name="EndedAt">Until when (UTC); null while it lasts.</param>
/// <param name="Cause">Why, in words.</param>
/// <param name="Effect">What it means for what the fleet shows.</param>
/// <param name="Action">What to look at.</param>
/// <param name="Clusters">How many clusters it concerns; 0 when it concerns all.</param>
public sealed record IncidentItem(Guid Id, string Kind, string State, DateTimeOffset BeganAt, DateTimeOffset? EndedAt, string Cause, string Effect, string Action, int Clusters);
