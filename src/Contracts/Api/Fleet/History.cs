namespace MissionControl.Contracts.Api.Fleet;

/// <summary>
/// Metrics of a cluster over time, in one shape for every chart: bucket <c>i</c> begins at <c>from + i × stepSeconds</c>; where
/// nothing was measured the value is null, never zero and never drawn through.
/// </summary>
/// <param name="From">Begin of the first bucket (UTC).</param>
/// <param name="To">End of the last (UTC).</param>
/// <param name="StepSeconds">Length of a bucket.</param>
/// <param name="KeptFrom">What is older is no longer kept (UTC).</param>
/// <param name="Metrics">Every metric there is in this range.</param>
/// <param name="Series">The metrics asked for.</param>
/// <param name="Marks">Warnings and severe events within the range, oldest first; at most 200.</param>
public sealed record HistoryDocument(
    DateTimeOffset From, DateTimeOffset To, int StepSeconds, DateTimeOffset KeptFrom, IReadOnlyList<string> Metrics, IReadOnlyList<HistorySeries> Series, IReadOnlyList<EventItem> Marks);

/// <summary>One metric over time.</summary>
/// <param name="Metric">Its name, such as <c>cpu</c> (the worst node), <c>cpu:n1</c> or <c>disk:n1/data</c>.</param>
/// <param name="Unit">Unit of the values.</param>
/// <param name="Values">Mean of each bucket; null for a gap.</param>
/// <param name="Least">Least value of each bucket.</param>
/// <param name="Greatest">Greatest value of each bucket.</param>
/// <param name="Warning">Yellow from here, where a rule judges this metric.</param>
/// <param name="Critical">Red from here.</param>
public sealed record HistorySeries(
    string Metric, string Unit, IReadOnlyList<double?> Values, IReadOnlyList<double?> Least, IReadOnlyList<double?> Greatest, double? Warning, double? Critical);

/// <summary>A bucket of a metric, as a row of a file.</summary>
/// <param name="At">Begin of the bucket (UTC).</param>
/// <param name="Metric">The metric.</param>
/// <param name="Value">Mean; empty for a gap.</param>
/// <param name="Least">Least value.</param>
/// <param name="Greatest">Greatest value.</param>
public sealed record HistoryRow(DateTimeOffset At, string Metric, double? Value, double? Least, double? Greatest);
