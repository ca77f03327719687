using System.Text.Json;

namespace MissionControl.Protocol.Documents;

/// <summary>
/// A licence, as its clusters hold it: signed by licensing, for those clusters alone. A newer serial replaces an older one and never the
/// other way round; so a suspension, a revocation and a release are leases too, and reach a site without a connection as a file.
/// </summary>
/// <param name="V">Schema version, 1.</param>
/// <param name="Id">The licence's id.</param>
/// <param name="Serial">Rising for the licence and for each of its clusters, from whichever licence it came.</param>
/// <param name="Clusters">Whom it is for, at most 1,000, each once.</param>
/// <param name="Kind">trial, production or internal.</param>
/// <param name="Status">active, suspended or revoked.</param>
/// <param name="NotBefore">First instant of the licence (UTC, <c>yyyy-MM-ddTHH:mm:ssZ</c>, as all of them).</param>
/// <param name="NotAfter">Its end, not included.</param>
/// <param name="GraceUntil">Until when it is bridged over after its end.</param>
/// <param name="IssuedAt">When this lease was signed.</param>
/// <param name="LeaseUntil">Until when a newer lease is to have come; not later than <paramref name="NotAfter"/>.</param>
/// <param name="ReportEvery">How often usage is to be reported, in seconds.</param>
/// <param name="MaxReportAge">From when on a report is overdue, in seconds.</param>
/// <param name="OverageDays">Days without contact after which nothing beyond the limits is taken any more.</param>
/// <param name="Enforcement">What follows where the licence permits no more: advisory (nothing), degrade or block.</param>
/// <param name="Entitlements">What may be used, at most 200, each once, sorted.</param>
/// <param name="Limits">How much, at most 100, one for each meter.</param>
/// <param name="ClockFrom">What the cluster believed of the time before is void, and this is the time that has been reached; absent but where a wrong clock had to be put right.</param>
public sealed record LicenseLease(
    int V, string Id, long Serial, IReadOnlyList<LeaseCluster> Clusters, string Kind, string Status, string NotBefore, string NotAfter, string GraceUntil, string IssuedAt, string LeaseUntil,
    int ReportEvery, int MaxReportAge, int OverageDays, string Enforcement, IReadOnlyList<string> Entitlements, IReadOnlyList<LeaseLimit> Limits, string? ClockFrom = null)
{
    /// <summary>DSSE payload type.</summary>
    public const string PayloadType = "application/vnd.missioncontrol.license+json";

    /// <summary>Largest envelope, in bytes.</summary>
    public const int MaxBytes = 200 * 1024;

    /// <summary>Most clusters.</summary>
    public const int MaxClusters = 1000;

    /// <summary>Most limits.</summary>
    public const int MaxLimits = 100;

    /// <summary>Most entitlements.</summary>
    public const int MaxEntitlements = 200;

    /// <summary>Most days without contact before overage ends.</summary>
    public const int MaxOverageDays = 400;

    /// <summary>Largest part of a fraction by which a limit may be exceeded.</summary>
    public const int MaxFactor = 1_000_000;

    /// <summary>The bytes to sign.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, DocumentJson.Options);

    /// <summary>Reads a verified payload and checks all that can be said of it alone; never throws on bad input.</summary>
    public static LicenseLease? Read(ReadOnlySpan<byte> payload, out string? problem)
    {
        LicenseLease? lease;
        try
        {
            lease = JsonSerializer.Deserialize<LicenseLease>(payload, DocumentJson.Options);
        }
        catch (JsonException exception)
        {
            problem = $"The payload is not a licence: {exception.Message}";
            return null;
        }

        problem = lease is null ? "The payload is null." : lease.Check();
        return problem is null ? lease : null;
    }

    /// <summary>Reads an instant of a checked lease.</summary>
    public static DateTimeOffset Instant(string text) => UsageWindow.TryInstant(text, out var instant) ? instant : throw new FormatException($"{text} is not an instant.");

    private string? Check()
    {
        if (V != 1 || !Guid.TryParseExact(Id, "D", out _) || Serial < 1)
        {
            return "A licence has v 1, an id and a serial from 1.";
        }

        if (Clusters.Count is 0 or > MaxClusters || Clusters.Any(one => one is null || one.Check() is not null) || Clusters.DistinctBy(one => one.Cluster).Count() != Clusters.Count)
        {
            return $"A licence names 1 to {MaxClusters} clusters, each once, by id and with the ids of its keys.";
        }

        if (Kind is not ("trial" or "production" or "internal") || Status is not ("active" or "suspended" or "revoked") || Enforcement is not ("advisory" or "degrade" or "block"))
        {
            return "kind is trial, production or internal; status active, suspended or revoked; enforcement advisory, degrade or block.";
        }

        if (CheckTimes() is { } times)
        {
            return times;
        }

        if (Entitlements.Count > MaxEntitlements || Entitlements.Any(one => !UsageCell.IsKey(one, 63)) || Entitlements.Distinct(StringComparer.Ordinal).Count() != Entitlements.Count)
        {
            return $"At most {MaxEntitlements} entitlements, each once, written [a-z][a-z0-9_]{{0,62}}.";
        }

        if (Limits.Count > MaxLimits || Limits.Any(one => one is null))
        {
            return $"At most {MaxLimits} limits.";
        }

        return Limits.Select(one => one.Check()).FirstOrDefault(one => one is not null)
            ?? (Limits.DistinctBy(one => one.Meter).Count() == Limits.Count ? null : "A meter has one limit.");
    }

    private string? CheckTimes()
    {
        var texts = new[] { NotBefore, NotAfter, GraceUntil, IssuedAt, LeaseUntil, ClockFrom ?? IssuedAt };
        var instants = new DateTimeOffset[texts.Length];
        for (var i = 0; i < texts.Length; i++)
        {
            if (!UsageWindow.TryInstant(texts[i], out instants[i]))
            {
                return "Instants are written yyyy-MM-ddTHH:mm:ssZ.";
            }
        }

        return instants[0] < instants[1] && instants[1] <= instants[2] && instants[4] <= instants[1]
            && ReportEvery is >= 60 and <= 31 * 86400 && MaxReportAge >= ReportEvery && MaxReportAge <= 400 * 86400 && OverageDays is >= 1 and <= MaxOverageDays
            ? null
            : "notBefore lies before notAfter, graceUntil not before it, leaseUntil not after it; reportEvery is a minute to a month, maxReportAge not less, overageDays 1 to 400.";
    }
}

/// <summary>A cluster that a licence admits.</summary>
/// <param name="Cluster">Its id.</param>
/// <param name="Keys">Ids of the keys that it signs by: a lease that names none of those that an agent holds is of another installation.</param>
public sealed record LeaseCluster(string Cluster, IReadOnlyList<string> Keys)
{
    internal string? Check() =>
        Guid.TryParseExact(Cluster, "D", out _) && Keys.Count <= 10 && Keys.All(one => one is { Length: >= 1 and <= 64 }) ? null : "A cluster has an id and at most 10 keys.";
}

/// <summary>How much of a meter a licence permits.</summary>
/// <param name="Meter">Key of the meter.</param>
/// <param name="Version">Version of its definition.</param>
/// <param name="Limit">Quantity, as text.</param>
/// <param name="Per">Of what time: term (since notBefore) or month (of the calendar, UTC).</param>
/// <param name="Policy">What holds beyond it: deny, allow, or up-to.</param>
/// <param name="Used">How much of it was used when the lease was signed; of a max meter the highest hour.</param>
/// <param name="Numerator">up-to: the limit times this …</param>
/// <param name="Denominator">… by this is the most.</param>
/// <param name="AsOf">Up to when that was counted; absent: no usage has come yet.</param>
public sealed record LeaseLimit(string Meter, int Version, string Limit, string Per, string Policy, string Used, int? Numerator = null, int? Denominator = null, string? AsOf = null)
{
    internal string? Check()
    {
        if (!UsageCell.IsKey(Meter, 63) || Version < 1 || !Quantity.IsWellFormed(Limit) || !Quantity.IsWellFormed(Used) || (AsOf is not null && !UsageWindow.TryInstant(AsOf, out _)))
        {
            return "A limit names a meter and its version, and quantities as decimal text.";
        }

        if (Per is not ("term" or "month") || Policy is not ("deny" or "allow" or "up-to"))
        {
            return $"Limit of {Meter}: per is term or month, policy deny, allow or up-to.";
        }

        var fits = Policy == "up-to"
            ? Numerator is >= 1 and <= LicenseLease.MaxFactor && Denominator is >= 1 and <= LicenseLease.MaxFactor && Numerator >= Denominator
            : Numerator is null && Denominator is null;
        return fits ? null : $"Limit of {Meter}: numerator and denominator stand with up-to alone, 1 to {LicenseLease.MaxFactor}, the numerator not the smaller one.";
    }
}
