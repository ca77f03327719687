using MassTransit;

namespace MissionControl.Contracts.Events.Identity;

/// <summary>
/// Somebody found tokens where they do not belong, of kinds that other roles own: each looks at those of its own, makes them worth
/// nothing, and answers. What identity owns it has revoked already.
/// </summary>
/// <param name="ReportId">The report that they were found by.</param>
/// <param name="Tokens">At most a thousand. Whether there is such a token, and with this secret, only its owner knows.</param>
/// <param name="OccurredAt">When they were reported (UTC).</param>
[EntityName("identity.tokens-leaked")]
[MessageUrn("identity.tokens-leaked")]
public sealed record TokensLeaked(Guid ReportId, IReadOnlyList<LeakedToken> Tokens, DateTimeOffset OccurredAt) : IMessage
{
    /// <inheritdoc />
    public string Key => ReportId.ToString("N");

    /// <inheritdoc />
    public long Version => 1;
}

/// <summary>A token that is said to have leaked; never the token itself.</summary>
/// <param name="IncidentId">Where identity waits for the answer.</param>
/// <param name="Kind">The third letter of the token: e, an enrolment token; c, a cluster's access token.</param>
/// <param name="TokenId">Loggable id.</param>
/// <param name="SecretSha256">SHA-256 of the secret that was found, of a sealed token of its whole body: only with the right one did it leak.</param>
/// <param name="Untagged">Of a sealed token the body without the tag that makes it good, from which its owner tells whose it was; null: of another.</param>
public sealed record LeakedToken(Guid IncidentId, string Kind, string TokenId, byte[] SecretSha256, byte[]? Untagged = null);
