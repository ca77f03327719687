namespace MissionControl.Licensing.Rating;

/// <summary>A period of a contract with all that it is rated by.</summary>
/// <param name="Period">Its hours.</param>
/// <param name="Card">Prices that are in force at its first hour.</param>
/// <param name="Terms">The contract's version that is.</param>
/// <param name="Totals">What was counted in it.</param>
internal sealed record TermPeriod(RatingPeriod Period, RateCard Card, ContractTerms Terms, IReadOnlyList<MeterTotal> Totals);

/// <summary>A contract from its first period on: what is left of a pool and the highest mark go from each to the next, so that a change in an old one shows in all that follow.</summary>
internal static class Term
{
    /// <summary>Rates the periods, which follow one another without a hole.</summary>
    /// <exception cref="RatingException">They do not, or one cannot be rated.</exception>
    public static IReadOnlyList<RatedPeriod> Rate(IReadOnlyList<TermPeriod> periods)
    {
        var rated = new List<RatedPeriod>(periods.Count);
        var (carry, at) = (Carry.None, periods.Count == 0 ? 0 : periods[0].Terms.FromHour);
        foreach (var one in periods)
        {
            if (one.Period.FromHour != at)
            {
                throw new RatingException("A contract is rated from its first hour on, period by period.");
            }

            rated.Add(Rater.Rate(one.Card, one.Terms, one.Period, one.Totals, carry));
            (carry, at) = (rated[^1].Carry, one.Period.ToHour);
        }

        return rated;
    }
}
