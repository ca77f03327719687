namespace MissionControl.Licensing.Rating;

/// <summary>What is done about hours that are missing when a period is closed.</summary>
internal enum MissingPolicy
{
    /// <summary>The period stays open until they are there, or somebody decides otherwise.</summary>
    Block,

    /// <summary>They count as nothing, and are listed.</summary>
    Zero,

    /// <summary>They count as the hour before them, and are listed as an estimate.</summary>
    Carry,
}

/// <summary>Estimates of a meter. They are lines of their own, and go when what they stand for has come: by the same comparison as any correction.</summary>
internal static class Estimates
{
    /// <summary>What missing hours of one cluster are taken to have been.</summary>
    /// <param name="policy">Of the meter.</param>
    /// <param name="missing">Hours of the period that did not come, both ends included.</param>
    /// <param name="received">
    /// Hours of the cluster that came, in rising order: those of the period, and besides them the last before and the first after it.
    /// An hour that came without this meter says that there was none of it, and is carried as that.
    /// </param>
    /// <param name="values">The meter's values of these hours.</param>
    /// <returns>Values of the missing hours; null: the period cannot be closed.</returns>
    public static IReadOnlyList<MeterValue>? Of(MissingPolicy policy, IReadOnlyList<(int First, int Last)> missing, IReadOnlyList<int> received, IEnumerable<MeterValue> values)
    {
        if (missing.Count == 0 || policy == MissingPolicy.Zero || (policy == MissingPolicy.Carry && received.Count == 0))
        {
            return [];
        }

        if (policy == MissingPolicy.Block)
        {
            return null;
        }

        var hours = values.ToLookup(value => value.Hour);
        var estimates = new List<MeterValue>();
        foreach (var (first, last) in missing)
        {
            // The last that came before the gap; before the first of all, the one after it.
            var like = received.LastOrDefault(hour => hour < first, received[0]);
            for (var hour = first; hour <= last; hour++)
            {
                estimates.AddRange(hours[like].Select(value => value with { Hour = hour }));
            }
        }

        return estimates;
    }
}
