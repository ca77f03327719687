using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Rating;

/// <summary>How documents and answers name what the rater knows.</summary>
internal static class Words
{
    public static string Of(Use use) => use switch { Use.Production => "production", Use.Trial => "trial", _ => "internal" };

    public static string Of(CommitmentKind kind) => kind switch
    {
        CommitmentKind.None => "none",
        CommitmentKind.MinimumPerPeriod => "minimum_per_period",
        CommitmentKind.TermPool => "term_pool",
        _ => "high_water_mark",
    };

    public static string Of(LineKind kind) => kind switch
    {
        LineKind.Usage => "usage",
        LineKind.Overage => "overage",
        LineKind.Minimum => "minimum",
        LineKind.Fee => "fee",
        LineKind.Commitment => "commitment",
        LineKind.UnusedCommitment => "unused_commitment",
        LineKind.TrueUp => "true_up",
        _ => "covered",
    };

    public static string Of(CorrectionKind kind) => kind switch { CorrectionKind.Quantity => "quantity", CorrectionKind.Reversal => "reversal", _ => "new" };
}

/// <summary>Scaled integers as decimal text.</summary>
internal static class Decimals
{
    /// <summary>With as many digits after the point as it needs: one text for one value.</summary>
    public static string Text(Int128 scaled, int scale)
    {
        var text = Quantity.Format(scaled, scale);
        return scale == 0 ? text : text.TrimEnd('0').TrimEnd('.');
    }
}
