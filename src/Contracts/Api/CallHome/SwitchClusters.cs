namespace MissionControl.Contracts.Api.CallHome;

/// <summary>Which clusters are meant: whatever is given must fit. At least one field is needed, so that nobody means the whole fleet unawares; a state alone does mean all in it.</summary>
/// <param name="CustomerId">Those of a customer.</param>
/// <param name="State">active, suspended or decommissioned; null: the first two, and any of those that <paramref name="Ids"/> names.</param>
/// <param name="Q">A part of the name, in any case, or an id.</param>
/// <param name="Ids">These, at most 1000.</param>
public sealed record ClusterFilter(Guid? CustomerId = null, string? State = null, string? Q = null, IReadOnlyList<Guid>? Ids = null);

/// <summary>Asks what a switch over many clusters would do.</summary>
/// <param name="Filter">Which clusters.</param>
public sealed record PreviewSwitchRequest(ClusterFilter? Filter);

/// <summary>Suspends or resumes many clusters.</summary>
/// <param name="Filter">Which clusters.</param>
/// <param name="Reason">Why, 3 to 500 characters; it goes to the audit log, once for each cluster.</param>
/// <param name="ExpectedCount">How many the preview said; when it is another number now, nothing is begun (409 <c>count-moved</c>).</param>
public sealed record SwitchClustersRequest(ClusterFilter? Filter, string? Reason, long? ExpectedCount);

/// <summary>What a switch over many clusters would do now.</summary>
/// <param name="Count">How many it would switch: what to send as <c>expectedCount</c>.</param>
/// <param name="Exclusions">Those of the filter that it would not switch.</param>
/// <param name="Sample">The first of those it would, by name.</param>
/// <param name="HoldsWithinSeconds">How long after its turn each switch holds on every replica.</param>
public sealed record SwitchPreview(long Count, IReadOnlyList<SwitchExclusion> Exclusions, IReadOnlyList<SwitchTarget> Sample, int HoldsWithinSeconds);

/// <summary>Clusters that a switch leaves alone, for one reason.</summary>
/// <param name="Reason">already-active, already-suspended, suspended-by-staff (only they resume it), decommissioned, or not-found: there is none, or it is not yours.</param>
/// <param name="Count">How many.</param>
/// <param name="Detail">The reason in words.</param>
public sealed record SwitchExclusion(string Reason, long Count, string Detail);

/// <summary>A cluster that a switch would be about.</summary>
/// <param name="Id">The cluster.</param>
/// <param name="Name">Its name.</param>
/// <param name="CustomerId">Its customer.</param>
public sealed record SwitchTarget(Guid Id, string Name, Guid CustomerId);
