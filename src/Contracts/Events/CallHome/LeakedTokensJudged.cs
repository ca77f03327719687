using MassTransit;

namespace MissionControl.Contracts.Events.CallHome;

/// <summary>What callhome found, and did, of enrolment and access tokens that are said to have leaked.</summary>
/// <param name="ReportId">The report that named them.</param>
/// <param name="Tokens">One for each that callhome owns by its kind.</param>
/// <param name="OccurredAt">When it was done (UTC).</param>
[EntityName("callhome.leaked-tokens-judged")]
[MessageUrn("callhome.leaked-tokens-judged")]
public sealed record LeakedTokensJudged(Guid ReportId, IReadOnlyList<JudgedToken> Tokens, DateTimeOffset OccurredAt) : IMessage
{
    /// <inheritdoc />
    public string Key => ReportId.ToString("N");

    /// <inheritdoc />
    public long Version => 1;
}

/// <summary>A token that is said to have leaked, and what became of it.</summary>
/// <param name="IncidentId">Where identity waits.</param>
/// <param name="Outcome">unknown: there is no such token, or it has another secret. revoked: it was good until now. was-used, was-revoked or was-expired: it was worth nothing already.</param>
/// <param name="CustomerId">Its customer; null: unknown.</param>
/// <param name="ClusterId">The cluster that enrolled with it, that it was to give back its identity, or whose access it was.</param>
/// <param name="Name">What the cluster is, or was to be, called.</param>
/// <param name="UsedAt">When a cluster enrolled with it (UTC).</param>
public sealed record JudgedToken(Guid IncidentId, string Outcome, Guid? CustomerId, Guid? ClusterId, string? Name, DateTimeOffset? UsedAt);
