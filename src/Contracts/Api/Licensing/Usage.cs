using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Licensing;

/// <summary>One version of a meter: what a quantity means.</summary>
/// <param name="Key">Name, as clusters report it.</param>
/// <param name="Version">From 1; a new meaning is a new version.</param>
/// <param name="Unit">What one is one of.</param>
/// <param name="Scale">Digits after the point, 0 to 9.</param>
/// <param name="Aggregation">sum, max, unit_seconds, last or period_cumulative: how hours, clusters and environments become one number.</param>
/// <param name="Description">For people.</param>
/// <param name="CreatedAt">When it was defined (UTC); 1970 for the starter set.</param>
public sealed record MeterItem(string Key, int Version, string Unit, int Scale, string Aggregation, string Description, DateTimeOffset CreatedAt);

/// <summary>Defines a version of a meter.</summary>
/// <param name="Key"><c>[a-z][a-z0-9_]{0,62}</c>.</param>
/// <param name="Version">From 1.</param>
/// <param name="Unit">1 to 40 characters.</param>
/// <param name="Scale">0 to 9.</param>
/// <param name="Aggregation">sum, max, unit_seconds, last or period_cumulative.</param>
/// <param name="Description">At most 300 characters.</param>
public sealed record DefineMeterRequest(
    [property: Required, RegularExpression("^[a-z][a-z0-9_]{0,62}$")] string? Key,
    [property: Range(1, 1_000_000)] int Version,
    [property: Required, StringLength(40, MinimumLength = 1)] string? Unit,
    [property: Range(0, 9)] int Scale,
    [property: Required, RegularExpression("^(sum|max|unit_seconds|last|period_cumulative)$")] string? Aggregation,
    [property: StringLength(300)] string? Description = null);

/// <summary>Consumption over time.</summary>
/// <param name="From">Begin (UTC), included.</param>
/// <param name="To">End (UTC), not included.</param>
/// <param name="Granularity">hour, day or month, by UTC.</param>
/// <param name="GroupBy">cluster, environment, customer or none.</param>
/// <param name="CompleteThrough">Every selected cluster has reported every hour up to here (UTC); null when one of them has never reported, and with <c>asOf</c>.</param>
/// <param name="ReceivedThrough">When the newest window of the selected clusters came in (UTC).</param>
/// <param name="Completeness">The hours behind the numbers, all buckets together.</param>
/// <param name="WaitingWindows">Signed windows that have come and are not judged yet, of whatever hours: their cluster is not known to licensing, or a copy of it is suspected and a person must decide. Their hours count as missing until then.</param>
/// <param name="Buckets">One per point of every series.</param>
/// <param name="Series">One per meter, version and group.</param>
/// <param name="Watermark">The newest change that it knows; the same question with <c>asOf</c> this number gives the same numbers again, whatever comes later.</param>
/// <param name="AsOf">When that was known (UTC).</param>
public sealed record UsageReport(
    DateTimeOffset From, DateTimeOffset To, string Granularity, string GroupBy, DateTimeOffset? CompleteThrough, DateTimeOffset? ReceivedThrough,
    UsageCompleteness Completeness, long WaitingWindows, IReadOnlyList<UsageBucket> Buckets, IReadOnlyList<UsageSeries> Series, long Watermark, DateTimeOffset AsOf);

/// <summary>What stands behind numbers, in hours of clusters.</summary>
/// <param name="ReceivedHours">Windows that count.</param>
/// <param name="MissingHours">Windows that should have come and have not.</param>
/// <param name="IncompleteHours">Windows whose cluster says that it could not observe everything.</param>
/// <param name="DisputedHours">Windows reported twice with different bytes; the first counts until somebody settles it.</param>
/// <param name="ParkedHours">Windows with quantities of meters that are not defined, or that do not fit them.</param>
public sealed record UsageCompleteness(long ReceivedHours, long MissingHours, long IncompleteHours, long DisputedHours, long ParkedHours)
{
    /// <summary>Nothing is missing, incomplete, disputed or parked.</summary>
    public bool IsComplete => MissingHours == 0 && IncompleteHours == 0 && DisputedHours == 0 && ParkedHours == 0;
}

/// <summary>A span of time of a usage report.</summary>
/// <param name="At">Its first instant (UTC).</param>
/// <param name="Completeness">The hours behind its numbers.</param>
public sealed record UsageBucket(DateTimeOffset At, UsageCompleteness Completeness);

/// <summary>One meter over time.</summary>
/// <param name="Meter">Key of the meter.</param>
/// <param name="Version">Version of the meter.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Aggregation">How the numbers were made.</param>
/// <param name="Group">Cluster, environment or customer; null when not grouped.</param>
/// <param name="Values">Decimal text per bucket; null where no window has come, which is not the same as "0".</param>
/// <param name="Total">Of the whole span.</param>
public sealed record UsageSeries(string Meter, int Version, string Unit, string Aggregation, string? Group, IReadOnlyList<string?> Values, string Total);

/// <summary>One hour of a cluster, or a run of missing hours.</summary>
/// <param name="ClusterId">The cluster.</param>
/// <param name="CustomerId">Its customer.</param>
/// <param name="From">First instant (UTC).</param>
/// <param name="To">End (UTC), not included.</param>
/// <param name="State">received, missing or disputed.</param>
/// <param name="Epoch">Of the document that counts.</param>
/// <param name="Revision">Of the document that counts.</param>
/// <param name="Sha256">Of its payload.</param>
/// <param name="Complete">Whether its cluster observed everything.</param>
/// <param name="ReceivedAt">When it came in (UTC).</param>
public sealed record UsageWindowItem(
    Guid ClusterId, Guid CustomerId, DateTimeOffset From, DateTimeOffset To, string State, long? Epoch, long? Revision, string? Sha256, bool? Complete, DateTimeOffset? ReceivedAt);

/// <summary>All that is known of one hour of a cluster.</summary>
/// <param name="ClusterId">The cluster.</param>
/// <param name="Window">First instant of the hour (UTC).</param>
/// <param name="State">received, missing or disputed.</param>
/// <param name="Documents">Every document that came, the one that counts first.</param>
/// <param name="Cells">What the one that counts says.</param>
public sealed record UsageWindowDetail(Guid ClusterId, DateTimeOffset Window, string State, IReadOnlyList<UsageDocument> Documents, IReadOnlyList<UsageCellItem> Cells);

/// <summary>A signed document of an hour.</summary>
/// <param name="Epoch">Its epoch.</param>
/// <param name="Revision">Its revision.</param>
/// <param name="Sha256">Of its payload.</param>
/// <param name="Verdict">accepted, parked, superseded, conflict or rejected.</param>
/// <param name="Problem">Code of what is wrong with it.</param>
/// <param name="Detail">What is wrong, in words.</param>
/// <param name="ReceivedAt">When it came in (UTC).</param>
/// <param name="DecidedAt">When a person put a conflict or a rejected document away for good (UTC).</param>
/// <param name="Kid">The key that signed it.</param>
/// <param name="Signature">base64 of the signature.</param>
/// <param name="Payload">base64 of the signed bytes; with kid and signature anybody can verify it (DSSE).</param>
public sealed record UsageDocument(
    long Epoch, long Revision, string Sha256, string Verdict, string? Problem, string? Detail, DateTimeOffset ReceivedAt, DateTimeOffset? DecidedAt, string? Kid, string? Signature, string? Payload);

/// <summary>One quantity of a window.</summary>
/// <param name="Meter">Key of the meter.</param>
/// <param name="Version">Version of the meter.</param>
/// <param name="Dimensions">As reported.</param>
/// <param name="Quantity">Decimal text.</param>
/// <param name="Parked">It does not count: its meter is not defined, or it does not fit it.</param>
public sealed record UsageCellItem(string Meter, int Version, IReadOnlyDictionary<string, string> Dimensions, string Quantity, bool Parked);

/// <summary>Puts a conflicting or rejected document away for good.</summary>
/// <param name="Sha256">The document.</param>
/// <param name="Reason">Why; for the audit log.</param>
public sealed record DismissDocumentRequest([property: Required, RegularExpression("^sha256:[0-9a-f]{64}$")] string? Sha256, [property: Required, StringLength(300, MinimumLength = 1)] string? Reason);
