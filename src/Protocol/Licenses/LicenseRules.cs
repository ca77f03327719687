using MissionControl.Protocol.Documents;

namespace MissionControl.Protocol.Licenses;

/// <summary>
/// The state of a licence and what follows from it: a pure function of the lease, the time, the last contact and the question, the same
/// in Mission Control and at the customer's. Time that goes on never makes it better, but for the beginning of a licence and of a month
/// whose usage is not known yet, and a clock that is put back does not either.
/// </summary>
public static class LicenseRules
{
    /// <summary>How far a clock may go back before anybody speaks of it.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(5);

    /// <summary>How long a licence is bridged over after its end.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromDays(30);

    /// <summary>Days before the end at which somebody is told.</summary>
    public static IReadOnlyList<int> WarnDays { get; } = [30, 14, 7, 1];

    /// <summary>Days before its end from which a trial is called expiring: it may not run much longer than others are warned ahead.</summary>
    public const int TrialWarnDays = 7;

    /// <summary>Every state, from the best to the worst; <c>none</c> stands for itself.</summary>
    public static IReadOnlyList<string> States { get; } = ["new", "trial", "active", "expiring", "grace", "expired", "suspended", "revoked"];

    /// <summary>Days without contact after which overage ends.</summary>
    public static int OverageDays(string kind) => kind == "trial" ? 7 : 14;

    /// <summary>The state alone.</summary>
    public static string State(LicenseLease lease, LicenseKnowledge known)
    {
        ArgumentNullException.ThrowIfNull(lease);
        ArgumentNullException.ThrowIfNull(known);
        return StateAt(lease, Reached(known), IsRolledBack(known)).State;
    }

    /// <summary>What there is to say where there is no licence.</summary>
    public static LicenseVerdict None(DateTimeOffset now) => new(false, "NO_LICENSE", "critical", "none", "deny", null, null, null, null, null, null, null, [], [], now);

    /// <summary>Checks a licence.</summary>
    /// <param name="lease">A checked lease, whose signature was verified.</param>
    /// <param name="known">The time and the last contact.</param>
    /// <param name="question">What is to be used; quantities are well-formed.</param>
    public static LicenseVerdict Check(LicenseLease lease, LicenseKnowledge known, LicenseQuestion question)
    {
        ArgumentNullException.ThrowIfNull(lease);
        ArgumentNullException.ThrowIfNull(known);
        ArgumentNullException.ThrowIfNull(question);
        var at = Reached(known);
        var (state, code) = StateAt(lease, at, IsRolledBack(known));
        var contact = known.LastContact ?? LicenseLease.Instant(lease.IssuedAt);
        var overageUntil = contact.AddDays(lease.OverageDays);
        var reportOverdue = at >= contact.AddSeconds(lease.MaxReportAge);
        var isGood = state is "trial" or "active" or "expiring";

        // Beyond the limits nothing is taken without contact, nor while the licence is only bridged over.
        var overage = isGood && at < overageUntil;
        var limits = lease.Limits.Select(limit => Standing.Of(limit, question.Used, LicenseLease.Instant(lease.IssuedAt), at)).ToList();
        string[] missing = [.. (question.Entitlements ?? []).Where(one => !lease.Entitlements.Contains(one)).Distinct(StringComparer.Ordinal)];
        var refused = !(isGood || state == "grace");
        if (!refused && missing.Length > 0)
        {
            (refused, code) = (true, "ENTITLEMENT_MISSING");
        }
        else if (!refused && limits.Any(limit => limit.IsBeyond && !(overage && limit.IsBearable)))
        {
            (refused, code) = (true, limits.Any(limit => limit.IsBeyond && !limit.IsBearable) ? "LIMIT_EXCEEDED" : "OVERAGE_ENDED");
        }

        var allowed = limits.Any(limit => limit.IsBeyond) ? "allow_overage" : "allow";
        var decision = !refused ? allowed : lease.Enforcement switch { "block" => "deny", "degrade" => "degrade", _ => allowed };
        if (!refused && code == "VALID")
        {
            code = allowed == "allow_overage" ? "OVERAGE" : reportOverdue ? "REPORT_OVERDUE" : "VALID";
        }

        var notAfter = LicenseLease.Instant(lease.NotAfter);
        return new LicenseVerdict(
            isGood || state == "grace", code, Severity(code), state, decision, notAfter, LicenseLease.Instant(lease.GraceUntil), LicenseLease.Instant(lease.LeaseUntil), contact.AddSeconds(lease.ReportEvery), overageUntil,
            lease.Serial, at < notAfter ? (int)(notAfter - at).TotalDays : null, limits.ConvertAll(limit => limit.Told), missing, at);
    }

    /// <summary>The instant that is judged by.</summary>
    public static DateTimeOffset Reached(LicenseKnowledge known)
    {
        ArgumentNullException.ThrowIfNull(known);
        return known.Now > known.HighWater ? known.Now : known.HighWater;
    }

    /// <summary>Whether the clock was put back.</summary>
    public static bool IsRolledBack(LicenseKnowledge known)
    {
        ArgumentNullException.ThrowIfNull(known);
        return known.HighWater - known.Now > ClockTolerance;
    }

    private static (string State, string Code) StateAt(LicenseLease lease, DateTimeOffset at, bool isRolledBack)
    {
        if (lease.Status == "revoked")
        {
            return ("revoked", "REVOKED");
        }

        if (lease.Status == "suspended")
        {
            return ("suspended", "SUSPENDED");
        }

        var notAfter = LicenseLease.Instant(lease.NotAfter);
        if (at >= LicenseLease.Instant(lease.GraceUntil))
        {
            return ("expired", "EXPIRED");
        }

        if (at < LicenseLease.Instant(lease.NotBefore))
        {
            return ("new", "NOT_YET_VALID");
        }

        // A clock that was put back says nothing any more of how much of the licence is left.
        if (isRolledBack || at >= notAfter)
        {
            return ("grace", isRolledBack ? "CLOCK_ROLLBACK" : "GRACE");
        }

        // Of what was agreed since then nothing is known here; what the licence permits goes on until its own end.
        if (at >= LicenseLease.Instant(lease.LeaseUntil))
        {
            return ("grace", "LEASE_LAPSED");
        }

        return at >= notAfter.AddDays(-(lease.Kind == "trial" ? TrialWarnDays : WarnDays[0])) ? ("expiring", "EXPIRING") : (lease.Kind == "trial" ? "trial" : "active", "VALID");
    }

    private static string Severity(string code) => code switch
    {
        "VALID" or "NOT_YET_VALID" => "info",
        "EXPIRING" or "REPORT_OVERDUE" or "OVERAGE" or "OVERAGE_ENDED" or "LEASE_LAPSED" or "ENTITLEMENT_MISSING" => "warning",
        _ => "critical",
    };

    private sealed record Standing(LimitStanding Told, bool IsBeyond, bool IsBearable)
    {
        // Everything to the finest scale there is; limit times factor stays below 2^127: 10^27 times 10^6.
        public static Standing Of(LeaseLimit limit, IReadOnlyDictionary<string, string>? told, DateTimeOffset issued, DateTimeOffset at)
        {
            var isTold = told is not null && told.TryGetValue(limit.Meter, out _);

            // What was used in a month is nothing of the one that has begun since.
            var counted = limit.AsOf is null ? issued : LicenseLease.Instant(limit.AsOf);
            var isOld = limit.Per == "month" && (counted.Year, counted.Month).CompareTo((at.Year, at.Month)) < 0;
            var usedText = isTold ? told![limit.Meter] : isOld ? "0" : limit.Used;
            var (most, used) = (Quantity.Parse(limit.Limit), Quantity.Parse(usedText));
            var bearable = limit.Policy switch
            {
                "allow" => (Int128?)null,
                "up-to" => most * limit.Numerator!.Value / limit.Denominator!.Value,
                _ => most,
            };
            return new Standing(
                new LimitStanding(
                    limit.Meter, limit.Limit, usedText, Quantity.Text(used >= most ? 0 : most - used), most == 0 ? null : (long)Int128.Min(used * 100 / most, long.MaxValue), limit.Policy, limit.Per,
                    bearable is { } end ? Quantity.Text(end) : null, isTold ? at : limit.AsOf is null ? null : LicenseLease.Instant(limit.AsOf)),
                used > most, bearable is null || used <= bearable);
        }
    }
}
