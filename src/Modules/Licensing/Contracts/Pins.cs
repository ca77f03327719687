using MissionControl.Licensing.Pricing;

namespace MissionControl.Licensing.Contracts;

/// <summary>What was in force at an hour. Pure: whoever asks gives the versions that it knows of, so that an old answer can be given again.</summary>
internal static class Pins
{
    /// <summary>The version of a contract: the newest one that counts from the hour or earlier; none before its beginning and from its end on.</summary>
    public static ContractVersion? At(IEnumerable<ContractVersion> versions, int hour) =>
        versions.Where(version => version.FromHour <= hour).MaxBy(version => version.Number) is { } newest && hour < newest.ToHour ? newest : null;

    /// <summary>The version of a price book, of those that are published.</summary>
    public static PriceBookVersion? At(IEnumerable<PriceBookVersion> versions, int hour) =>
        versions.Where(version => version.State == PriceBookVersionState.Published && version.FromHour <= hour).MaxBy(version => version.FromHour);

    /// <summary>Spans of a contract within which one version is in force, in the order of time.</summary>
    public static IReadOnlyList<(int From, int To, ContractVersion Version)> Spans(IReadOnlyCollection<ContractVersion> versions)
    {
        var edges = versions.SelectMany(version => new[] { version.FromHour, version.ToHour }).Distinct().Order().ToList();
        var spans = new List<(int From, int To, ContractVersion Version)>();
        for (var i = 0; i + 1 < edges.Count; i++)
        {
            if (At(versions, edges[i]) is { } version)
            {
                spans.Add((edges[i], edges[i + 1], version));
            }
        }

        return spans;
    }
}
