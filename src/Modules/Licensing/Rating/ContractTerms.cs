namespace MissionControl.Licensing.Rating;

// What the rater is told of a contract: pure values, made of a stored contract version.

/// <summary>What usage is for; what is not for production is shown and costs nothing.</summary>
internal enum Use
{
    Production,
    Trial,
    Internal,
}

/// <summary>What the customer promised to use.</summary>
internal enum CommitmentKind
{
    None,

    /// <summary>At least this amount in every period; what is not used of it is charged.</summary>
    MinimumPerPeriod,

    /// <summary>This amount for the whole term, charged with its first period; usage draws on it until it is spent.</summary>
    TermPool,

    /// <summary>This many units of a rate at all times; a higher mark lifts what is charged for the rest of the term.</summary>
    HighWaterMark,
}

/// <summary>A commitment.</summary>
/// <param name="Kind">Which.</param>
/// <param name="AmountMinor">Amount in minor units of the contract's currency; 0 for a high-water mark.</param>
/// <param name="Sku">The rate whose units are committed; null but for a high-water mark.</param>
/// <param name="Units">Committed units of that rate, in 10^-9; 0 but for a high-water mark.</param>
internal sealed record Commitment(CommitmentKind Kind, long AmountMinor = 0, string? Sku = null, long Units = 0)
{
    public static Commitment None { get; } = new(CommitmentKind.None);
}

/// <summary>What usage beyond the commitment costs: the usual price times <paramref name="Numerator"/> / <paramref name="Denominator"/>.</summary>
/// <param name="Allowed">False: the licence permits none; what came all the same is charged at the usual price and listed.</param>
/// <param name="Numerator">At least the denominator.</param>
/// <param name="Denominator">From 1.</param>
internal sealed record OveragePolicy(bool Allowed, int Numerator = 1, int Denominator = 1);

/// <summary>A price reduction that is in force at a period's first hour.</summary>
/// <param name="Sku">The rate; null: all of them.</param>
/// <param name="PerMillion">0 to 1,000,000: 125,000 is 12.5 %.</param>
/// <param name="FromHour">First hour, since 1970-01-01T00Z.</param>
/// <param name="ToHour">Last hour, not included; null: as long as the contract.</param>
internal sealed record Discount(string? Sku, int PerMillion, int FromHour, int? ToHour);

/// <summary>What the usage of one environment is for, where that differs from its contract's.</summary>
/// <param name="ClusterId">The cluster; null: of any.</param>
/// <param name="Environment">The environment's id, as in the dimension <c>env</c>.</param>
/// <param name="Use">What for.</param>
internal sealed record EnvironmentUse(Guid? ClusterId, string Environment, Use Use);

/// <summary>One version of a contract.</summary>
/// <param name="FromHour">First hour of the contract, since 1970-01-01T00Z.</param>
/// <param name="ToHour">Its last hour, not included.</param>
/// <param name="Currency">ISO 4217; the same as that of its price book.</param>
/// <param name="Use">What for, unless an environment says otherwise.</param>
/// <param name="Commitment">What is promised.</param>
/// <param name="Overage">What lies beyond.</param>
/// <param name="Discounts">Of several for one rate the largest counts; they do not add up.</param>
/// <param name="Environments">Those that are for something else.</param>
internal sealed record ContractTerms(
    int FromHour, int ToHour, string Currency, Use Use, Commitment Commitment, OveragePolicy Overage, IReadOnlyList<Discount> Discounts, IReadOnlyList<EnvironmentUse> Environments);
