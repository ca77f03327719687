namespace MissionControl.Protocol.Licenses;

/// <summary>What a check of a licence is asked.</summary>
/// <param name="Used">What is used now, by meter; where it says nothing, the lease's own figure counts.</param>
/// <param name="Entitlements">What is to be used.</param>
public sealed record LicenseQuestion(IReadOnlyDictionary<string, string>? Used = null, IReadOnlyList<string>? Entitlements = null)
{
    /// <summary>Nothing in particular.</summary>
    public static LicenseQuestion Plain { get; } = new();
}

/// <summary>What a check of a licence answers. Whether the licence is valid is one thing, what is to be done another.</summary>
/// <param name="Valid">The licence is in force.</param>
/// <param name="Code">The one reason that decides, such as <c>VALID</c>, <c>EXPIRED</c> or <c>CLOCK_ROLLBACK</c>.</param>
/// <param name="Severity">info, warning or critical.</param>
/// <param name="State">new, trial, active, expiring, grace, expired, suspended, revoked; none where there is no licence.</param>
/// <param name="Decision">allow, allow_overage, degrade or deny: what new work is taken. Nothing that is there is stopped or deleted by any of them.</param>
/// <param name="EffectiveUntil">Until when the licence runs (UTC).</param>
/// <param name="GraceUntil">Until when it is bridged over after that.</param>
/// <param name="LeaseUntil">Until when a newer lease is to have come.</param>
/// <param name="NextReportDue">When usage is to be reported next.</param>
/// <param name="OverageUntil">Until when anything beyond the limits is taken without contact.</param>
/// <param name="Serial">Of the lease.</param>
/// <param name="DaysLeft">Whole days until the end; null once it has passed.</param>
/// <param name="Limits">What is used and left.</param>
/// <param name="MissingEntitlements">What was asked for and is not in the licence.</param>
/// <param name="EvaluatedAt">The instant that was judged by: the clock, or the latest that is known to have been reached.</param>
public sealed record LicenseVerdict(
    bool Valid, string Code, string Severity, string State, string Decision, DateTimeOffset? EffectiveUntil, DateTimeOffset? GraceUntil, DateTimeOffset? LeaseUntil, DateTimeOffset? NextReportDue,
    DateTimeOffset? OverageUntil, long? Serial, int? DaysLeft, IReadOnlyList<LimitStanding> Limits, IReadOnlyList<string> MissingEntitlements, DateTimeOffset EvaluatedAt);

/// <summary>How a limit stands.</summary>
/// <param name="Meter">Key of the meter.</param>
/// <param name="Limit">How much is permitted.</param>
/// <param name="Used">How much is used.</param>
/// <param name="Remaining">What is left; 0 where none is.</param>
/// <param name="Percent">Used of the limit, rounded down; null where the limit is 0.</param>
/// <param name="Policy">deny, allow or up-to.</param>
/// <param name="Per">term or month.</param>
/// <param name="Most">The most that the policy permits; null: no end.</param>
/// <param name="AsOf">When the usage is of; null: none has come.</param>
public sealed record LimitStanding(string Meter, string Limit, string Used, string Remaining, long? Percent, string Policy, string Per, string? Most, DateTimeOffset? AsOf);

/// <summary>What is known of the time and of Mission Control, beside the lease.</summary>
/// <param name="Now">By the clock that is at hand.</param>
/// <param name="HighWater">The latest instant that is known to have been reached.</param>
/// <param name="LastContact">When both sides heard of each other last; null: when the lease was signed.</param>
public sealed record LicenseKnowledge(DateTimeOffset Now, DateTimeOffset HighWater, DateTimeOffset? LastContact)
{
    /// <summary>Of whoever has no reason to doubt its clock.</summary>
    public static LicenseKnowledge At(DateTimeOffset now, DateTimeOffset? lastContact) => new(now, now, lastContact);
}
