namespace MissionControl.Contracts.Api.Licensing;

/// <summary>A part of the feed of changes, in the order in which they came to be known.</summary>
/// <param name="Items">Changes, the oldest first.</param>
/// <param name="Position">Where to go on: <c>after</c> of the next question, whether there are items or not.</param>
/// <param name="More">True when there are more already.</param>
public sealed record ChangeFeed(IReadOnlyList<ChangeItem> Items, long Position, bool More);

/// <summary>Something that can change a number or an invoice.</summary>
/// <param name="Seq">Its number. Rising without a repetition; a change that was committed is never passed over.</param>
/// <param name="At">When it came to be known (UTC).</param>
/// <param name="Kind">Such as <c>usage.changed</c>, <c>usage.lowered</c>, <c>usage.disputed</c>, <c>meter.defined</c>; more will come: pass over those you do not know.</param>
/// <param name="CustomerId">Whose; null for what is everybody's.</param>
/// <param name="Subject">Id or key of what was changed.</param>
/// <param name="ClusterId">The cluster, where it is about one.</param>
/// <param name="From">First hour that it is about (UTC).</param>
/// <param name="To">End of the last hour (UTC), not included.</param>
/// <param name="Version">The subject's version, where it has one.</param>
public sealed record ChangeItem(long Seq, DateTimeOffset At, string Kind, Guid? CustomerId, string Subject, Guid? ClusterId, DateTimeOffset? From, DateTimeOffset? To, long? Version);

/// <summary>Hours of a cluster that say less than they should.</summary>
/// <param name="ClusterId">The cluster.</param>
/// <param name="From">Begin (UTC), included.</param>
/// <param name="To">End (UTC), not included.</param>
/// <param name="ReceivedHours">Hours that came.</param>
/// <param name="Gaps">Runs of hours of one kind, the oldest first.</param>
public sealed record UsageGaps(Guid ClusterId, DateTimeOffset From, DateTimeOffset To, long ReceivedHours, IReadOnlyList<UsageGap> Gaps);

/// <summary>A run of hours.</summary>
/// <param name="From">First instant (UTC).</param>
/// <param name="To">End (UTC), not included.</param>
/// <param name="State">missing, incomplete, disputed, parked or lowered (by a revision, by more than a tenth).</param>
/// <param name="Hours">How many.</param>
public sealed record UsageGap(DateTimeOffset From, DateTimeOffset To, string State, int Hours);
