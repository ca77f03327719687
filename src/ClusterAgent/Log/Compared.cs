using MissionControl.Protocol.Documents;

namespace MissionControl.ClusterAgent.Log;

/// <summary>An entry of the cluster's own log beside the customer's.</summary>
/// <param name="Log">The log that it stands in.</param>
/// <param name="Index">Where.</param>
/// <param name="Entry">The entry.</param>
/// <param name="State">matched, unmatched, waiting (it may still be on its way), before (the customer's log was taken out from later on), or alone (nobody else notes such a thing); null: it was not compared.</param>
internal sealed record ComparedEntry(string Log, long Index, ClusterLogEntry Entry, string? State);

/// <summary>The cluster's own logs beside its customer's.</summary>
/// <param name="Entries">The cluster's entries.</param>
/// <param name="MissingHere">Keys that the customer's log says the cluster has introduced, and that the cluster knows nothing of.</param>
internal sealed record Compared(IReadOnlyList<ComparedEntry> Entries, IReadOnlyList<ToldRotation> MissingHere)
{
    /// <summary>How long something may be on its way.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    /// <summary>Whether both say the same.</summary>
    public bool IsMatched => MissingHere.Count == 0 && Entries.All(entry => entry.State != "unmatched");

    /// <summary>Compares them.</summary>
    /// <param name="logs">The cluster's logs, in the order of their epochs.</param>
    /// <param name="customer">The customer's; null: nothing is compared.</param>
    /// <param name="asOf">When the customer's log was taken out.</param>
    public static Compared Of(IReadOnlyList<(string Origin, IReadOnlyList<ClusterLogEntry> Entries)> logs, CustomerLogFile? customer, DateTimeOffset asOf)
    {
        var entries = logs.SelectMany(log => log.Entries.Select((entry, index) => new ComparedEntry(log.Origin, index, entry, customer is null ? null : StateOf(entry, customer, BegunOf(log.Entries, asOf), asOf)))).ToList();

        // What the newest log covers, with room for clocks: of epochs before the end is not known, and of what was before its beginning nothing.
        var newest = logs.Count == 0 ? [] : logs[^1].Entries;
        var own = newest.Select(Reconciliation.KeyOf).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var missing = customer is null || newest.Count == 0 ? [] : customer.Vendor.Rotations.Where(told => told.RecordedAt - BegunOf(newest, asOf) > Grace && asOf - told.RecordedAt >= Grace && !own.Contains(told.Reference)).ToList();
        return new Compared(entries, missing);
    }

    // A log that says it begins only after now is not believed: it covers everything.
    private static DateTimeOffset BegunOf(IReadOnlyList<ClusterLogEntry> entries, DateTimeOffset asOf) =>
        entries.Count > 0 && entries.Min(entry => entry.Dated) is var begun && begun - asOf <= Grace ? begun : DateTimeOffset.MinValue;

    // Differences only: an instant near the end of time plus an hour is none. What is dated later than now and a wrong clock explain is on no way.
    private static string StateOf(ClusterLogEntry entry, CustomerLogFile customer, DateTimeOffset begun, DateTimeOffset asOf) =>
        Reconciliation.WantedBy(entry) is not { } wanted ? "alone"
        : customer.Vendor.Has(wanted, begun) ? "matched"
        : customer.Since is { } since && (entry.Dated - since < Grace || Reconciliation.IsCounted(wanted)) ? "before"
        : asOf - entry.Dated < Grace && entry.Dated - asOf <= Grace ? "waiting"
        : "unmatched";
}
