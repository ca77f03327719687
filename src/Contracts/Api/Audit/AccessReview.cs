using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Audit;

/// <summary>Who of the vendor looked at which customer within a period.</summary>
/// <param name="From">Its begin (UTC).</param>
/// <param name="To">Its end (UTC), not within it.</param>
/// <param name="Items">A row for each who accessed and each customer, the last access first; 500 at most.</param>
/// <param name="Total">How many such rows there are.</param>
public sealed record AccessReview(DateTimeOffset From, DateTimeOffset To, IReadOnlyList<AccessItem> Items, int Total);

/// <summary>What somebody of the vendor did with one customer's data.</summary>
/// <param name="ActorId">Subject: the id of a person, or of a program: <c>token:</c> and the id of its token, or its service account, of which the reads alone are counted.</param>
/// <param name="CustomerId">The customer.</param>
/// <param name="Reads">Things read, each counted once an hour and session.</param>
/// <param name="Changes">Things changed.</param>
/// <param name="Refused">What was tried and refused, or failed.</param>
/// <param name="FirstAt">The first access in the period (UTC).</param>
/// <param name="LastAt">The last one (UTC).</param>
public sealed record AccessItem(string ActorId, Guid CustomerId, int Reads, int Changes, int Refused, DateTimeOffset FirstAt, DateTimeOffset LastAt);

/// <summary>Says that the accesses of a period were reviewed; it stands in the audit log as <c>audit.access-reviewed</c>.</summary>
/// <param name="From">Begin of the period (UTC).</param>
/// <param name="To">Its end (UTC), at most now.</param>
/// <param name="CustomerId">One customer's accesses; null: all customers'.</param>
/// <param name="Reason">What the reviewer found, 3 to 500 characters.</param>
public sealed record SignAccessReviewRequest([property: Required] DateTimeOffset? From, [property: Required] DateTimeOffset? To, Guid? CustomerId, [property: Required] string? Reason);
