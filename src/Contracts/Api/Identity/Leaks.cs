using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Identity;

/// <summary>Reports that a token leaked. Whoever holds the whole of it may, signed in or not: that it is here proves that it did.</summary>
/// <param name="Token">The token, or a text with one in it; only its id and the SHA-256 of its secret are kept.</param>
/// <param name="Url">Where it was found.</param>
public sealed record ReportLeakRequest([property: Required, StringLength(4000, MinimumLength = 1)] string? Token, [property: StringLength(2000)] string? Url = null);

/// <summary>What became of a report. It says nothing of whose the token is.</summary>
/// <param name="TokenId">The loggable id, such as <c>mca_…</c>; null: there is no token in what was sent.</param>
/// <param name="Verdict">leaked: it is a token of ours, and worth nothing any more. passed-on: only the role that owns it can tell, and it was asked. not-ours: it is none, or not with this secret.</param>
/// <param name="IncidentId">Its incident, for a reader who may see it.</param>
public sealed record ReportedLeak(string? TokenId, string Verdict, Guid? IncidentId);

/// <summary>A token that leaked, as it is listed.</summary>
/// <param name="Id">The incident.</param>
/// <param name="TokenId">Loggable id with its kind, such as <c>mca_…</c>.</param>
/// <param name="Kind">api, enrolment or clusterAccess.</param>
/// <param name="Name">What the token is called.</param>
/// <param name="CustomerId">Whom it could act for; null: the vendor.</param>
/// <param name="ClusterId">The cluster that it concerns.</param>
/// <param name="OwnerId">The person whose own it is, or who answers for the program whose it is.</param>
/// <param name="State">unconfirmed: its owner has not said yet whether it is real. open or closed.</param>
/// <param name="Outcome">revoked: it was good until we heard of it. was-used, was-revoked or was-expired: it was worth nothing already. Null: unconfirmed.</param>
/// <param name="Source">Who found it first: github, gitlab, person or anonymous.</param>
/// <param name="Url">The first place that was named.</param>
/// <param name="Places">How many places are known.</param>
/// <param name="ReportedAt">When it was first reported (UTC).</param>
/// <param name="DeadAt">Since when it is worth nothing (UTC).</param>
/// <param name="LastUsedAt">When it was last used, whether that was refused or not (UTC).</param>
/// <param name="UsedSince">Whether somebody used it, or tried to, after it was reported.</param>
/// <param name="ClosedAt">When somebody closed it (UTC).</param>
/// <param name="Version">For If-Match.</param>
/// <param name="Actions">close, and whether the reader may now.</param>
public sealed record LeakItem(
    Guid Id, string TokenId, string Kind, string? Name, Guid? CustomerId, Guid? ClusterId, Guid? OwnerId, string State, string? Outcome, string Source, string? Url, int Places, DateTimeOffset ReportedAt,
    DateTimeOffset? DeadAt, DateTimeOffset? LastUsedAt, bool UsedSince, DateTimeOffset? ClosedAt, long Version, IReadOnlyList<AllowedAction> Actions)
{
    /// <summary>The token that took its place before it leaked, when it had been rotated; the leak does not end that one.</summary>
    public string? SuccessorId { get; init; }
}

/// <summary>A token that leaked, with all that is known of it.</summary>
/// <param name="Leak">The incident.</param>
/// <param name="OwnerName">What the owner is called, where the reader may know.</param>
/// <param name="Places">Where it was found, the first first; at most 100 are kept.</param>
/// <param name="Uses">The addresses that used it, the last first; at most 100 are told.</param>
/// <param name="Timeline">What happened, in order.</param>
/// <param name="ClosedBecause">Why it was closed: contained, test or accepted; null: it is open.</param>
/// <param name="Comment">What whoever closed it wrote.</param>
public sealed record LeakDetail(
    LeakItem Leak, string? OwnerName, IReadOnlyList<LeakPlaceItem> Places, IReadOnlyList<TokenUseItem> Uses, IReadOnlyList<LeakStep> Timeline, string? ClosedBecause, string? Comment);

/// <summary>A place where a token was found.</summary>
/// <param name="FoundAt">When we heard of it (UTC).</param>
/// <param name="Reporter">github, gitlab, person or anonymous.</param>
/// <param name="Source">What kind of place, as the reporter says, such as commit.</param>
/// <param name="Url">Where.</param>
public sealed record LeakPlaceItem(DateTimeOffset FoundAt, string Reporter, string? Source, string? Url);

/// <summary>An address that used a token.</summary>
/// <param name="Address">The address.</param>
/// <param name="FirstAt">First (UTC).</param>
/// <param name="LastAt">Last (UTC).</param>
/// <param name="Accepted">How often it was let in.</param>
/// <param name="Refused">How often it was not.</param>
/// <param name="SinceReport">Whether the last time was after the leak was reported.</param>
public sealed record TokenUseItem(string Address, DateTimeOffset FirstAt, DateTimeOffset LastAt, long Accepted, long Refused, bool SinceReport);

/// <summary>A step of an incident.</summary>
/// <param name="At">When (UTC).</param>
/// <param name="What">reported, verified, rotated, found-again, dead, told, used-since or closed.</param>
/// <param name="Detail">The same in words.</param>
public sealed record LeakStep(DateTimeOffset At, string What, string Detail);

/// <summary>Closes an incident: everything about it is done. It never closes by itself.</summary>
/// <param name="Because">contained: the token is replaced and what it did is known. test: it was meant to be found. accepted: nothing more can be known, and that is accepted.</param>
/// <param name="Reason">What was done, 3 to 500 characters; it stands in the audit log.</param>
public sealed record CloseLeakRequest([property: Required, AllowedValues("contained", "test", "accepted")] string? Because, string? Reason);
