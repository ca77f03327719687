using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Fleet.Health;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;

namespace MissionControl.Fleet.Clusters;

/// <summary><c>GET /api/v1/fleet/clusters</c>: filters, order, counts of the whole filter, pages and files.</summary>
internal static class ClusterList
{
    private static readonly string[] Healths = ["green", "yellow", "red", "unknown"];
    private static readonly string[] States = ["active", "suspended", "decommissioned"];

    /// <summary>What a list may be asked. A parameter that is repeated means any of its values.</summary>
    internal sealed record Query
    {
        [FromQuery]
        public Guid[]? Customer { get; init; }

        [FromQuery]
        public string[]? Liveness { get; init; }

        [FromQuery]
        public string[]? Health { get; init; }

        [FromQuery]
        public string[]? State { get; init; }

        [FromQuery]
        public string[]? Version { get; init; }

        [FromQuery]
        public string[]? Region { get; init; }

        [FromQuery]
        public string[]? Rule { get; init; }

        [FromQuery]
        public bool? Stale { get; init; }

        [FromQuery]
        public string? SilentFor { get; init; }

        [FromQuery]
        public string? Q { get; init; }

        [FromQuery]
        public string? Count { get; init; }

        [FromQuery]
        public string? Facets { get; init; }
    }

    /// <summary>The orders of the list; the usual one begins with what is worst.</summary>
    public static ListOrders<ClusterOverview> Orders { get; } = new ListOrders<ClusterOverview>("worst")
        .Only("worst", row => row.Badness, row => row.SortName, row => row.ClusterId)
        .By("name", row => row.SortName, row => row.ClusterId).By("version", row => row.Version, row => row.ClusterId)
        .By("customer", row => row.CustomerName, row => row.ClusterId).By("enrolledAt", row => row.EnrolledAt, row => row.ClusterId);

    public static async Task<IResult> GetAsync([AsParameters] Query query, [AsParameters] ListQuery list, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (Check(query) is { } problem)
        {
            return problem;
        }

        var rows = Filter(db, query, time.GetUtcNow());
        if (Csv.IsWanted(list.Request))
        {
            // A file of all customers' is told with its rows before the first of them leaves.
            List<Guid> ids = db.Scope.IsAll ? await rows.Select(row => row.ClusterId).ToListAsync(cancellationToken) : [];
            return Csv.File("clusters", Summaries(db, Orders.Apply(rows, list)).AsAsyncEnumerable(), [.. ids.Select(id => id.ToString())]);
        }

        // Counts and rows are of one moment: their sums agree, whatever comes in meanwhile.
        await using var snapshot = await db.BeginSnapshotAsync(cancellationToken);
        var (total, facets) = await CountAsync(rows, query, cancellationToken);
        return await Orders.PageAsync(list, rows, page => SummariesAsync(db, page, cancellationToken), cancellationToken, total, facets);
    }

    /// <summary>What the API says of these clusters: one join, for the rows of a page only.</summary>
    public static IQueryable<ClusterSummary> Summaries(ControlPlaneDbContext db, IQueryable<ClusterOverview> rows) =>
        from row in rows
        join contact in db.Set<LastContact>().AsNoTracking() on row.ClusterId equals contact.ClusterId into contacts
        from contact in contacts.DefaultIfEmpty()
        join health in db.Set<StoredHealth>().AsNoTracking() on row.ClusterId equals health.ClusterId into healths
        from health in healths.DefaultIfEmpty()
        select ClusterVitals.Of(health == null ? null : health.Body, new ClusterSummary(
            row.ClusterId, row.Name, row.CustomerId, row.CustomerName, row.State, row.CloneSuspected, Words.Of(row.Liveness), row.LivenessSince, row.Health,
            row.State != "active" || (row.Liveness != LivenessState.Online && row.Liveness != LivenessState.Late), row.WorstReason, row.Version, row.NodesUp, row.NodesAll,
            contact == null ? (DateTimeOffset?)null : contact.ReceivedAt, contact == null ? 60 : contact.NextSeconds, row.EnrolledAt, row.HealthSince, row.Region, row.AgentVersion, null, null, null));

    private static async Task<IReadOnlyList<ClusterSummary>> SummariesAsync(ControlPlaneDbContext db, IReadOnlyList<ClusterOverview> page, CancellationToken cancellationToken)
    {
        var ids = page.Select(row => row.ClusterId).ToList();
        var found = await Summaries(db, db.Set<ClusterOverview>().AsNoTracking().Where(row => ids.Contains(row.ClusterId))).ToDictionaryAsync(row => row.Id, cancellationToken);
        return [.. ids.Select(id => found[id])];
    }

    private static IResult? Check(Query query)
    {
        var errors = new List<FieldError>();
        OneOf("liveness", query.Liveness, Enum.GetValues<LivenessState>().Select(Words.Of));
        OneOf("health", query.Health, Healths);
        OneOf("state", query.State, States);
        OneOf("rule", query.Rule, BrokenRules.Known);
        OneOf("count", query.Count is null ? null : [query.Count], ["exact"]);
        OneOf("facets", query.Facets?.Split(','), Facets.Keys);
        if (query.SilentFor is { Length: > 0 } silent && SpanOf(silent) is null)
        {
            errors.Add(new FieldError("silentFor", "unknown-value", "silentFor is a number of minutes, hours or days: 90m, 6h, 14d; at most 999 of them."));
        }

        return errors.Count == 0 ? null : Problems.Of(ProblemCodes.UnknownParameter, string.Join(' ', errors.Select(error => error.Detail)), errors);

        void OneOf(string name, string[]? values, IEnumerable<string> known)
        {
            if (values is not null && values.Except(known, StringComparer.OrdinalIgnoreCase).Any())
            {
                errors.Add(new FieldError(name, "unknown-value", $"{name} is one of {string.Join(", ", known)}."));
            }
        }
    }

    private static IQueryable<ClusterOverview> Filter(ControlPlaneDbContext db, Query query, DateTimeOffset now)
    {
        var rows = db.Set<ClusterOverview>().AsNoTracking();
        rows = Wanted(query.State) is { } states ? rows.Where(row => states.Contains(row.State)) : rows.Where(row => row.State != "decommissioned");
        rows = query.Customer?.ToList() is { Count: > 0 } customers ? rows.Where(row => customers.Contains(row.CustomerId)) : rows;
        rows = Wanted(query.Health) is { } healths ? rows.Where(row => healths.Contains(row.Health)) : rows;
        rows = query.Version?.ToList() is { Count: > 0 } versions ? rows.Where(row => versions.Contains(row.Version)) : rows;
        rows = query.Region?.ToList() is { Count: > 0 } regions ? rows.Where(row => regions.Contains(row.Region)) : rows;
        rows = Wanted(query.Liveness)?.ConvertAll(word => Enum.Parse<LivenessState>(word, ignoreCase: true)) is { } livenesses ? rows.Where(row => livenesses.Contains(row.Liveness)) : rows;

        rows = Wanted(query.Rule)?.ConvertAll(BrokenRules.Mark) is { } marks ? rows.Where(row => marks.Any(mark => row.Broken.Contains(mark))) : rows;
        if (SpanOf(query.SilentFor) is { } silence)
        {
            var since = now - silence;
            rows = rows.Where(row => !db.Set<LastContact>().Any(contact => contact.ClusterId == row.ClusterId && contact.ReceivedAt > since));
        }

        if (query.Stale is { } stale)
        {
            rows = rows.Where(row => stale == (row.State != "active" || (row.Liveness != LivenessState.Online && row.Liveness != LivenessState.Late)));
        }

        var q = query.Q?.Trim();
        if (string.IsNullOrEmpty(q))
        {
            return rows;
        }

        if (Guid.TryParse(q, out var id))
        {
            return rows.Where(row => row.ClusterId == id);
        }

        var text = ClusterOverview.Fold(q);
        return rows.Where(row => row.SortName.Contains(text) || row.ShortId == text);
    }

    // A span and no instant: so a view that was saved means the same tomorrow.
    private static TimeSpan? SpanOf(string? text) =>
        text is not { Length: >= 2 and <= 4 } || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? null
        : char.ToLowerInvariant(text[^1]) switch { 'm' => TimeSpan.FromMinutes(count), 'h' => TimeSpan.FromHours(count), 'd' => TimeSpan.FromDays(count), _ => null };

    private static List<string>? Wanted(string[]? words) => words is { Length: > 0 } ? [.. words.Select(word => word.ToLowerInvariant())] : null;

    private static async Task<(long? Total, IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>>? Facets)> CountAsync(IQueryable<ClusterOverview> rows, Query query, CancellationToken cancellationToken)
    {
        if (query.Facets is null)
        {
            return (query.Count == "exact" ? await rows.LongCountAsync(cancellationToken) : null, null);
        }

        // One pass over the filter gives every facet and the total.
        var groups = await rows.GroupBy(row => new { row.Health, row.Liveness, row.Version, row.State, row.Region, row.Broken })
            .Select(group => new FacetGroup(group.Key.Health, group.Key.Liveness, group.Key.Version, group.Key.State, group.Key.Region, group.Key.Broken, group.LongCount())).ToListAsync(cancellationToken);
        var found = query.Facets.Split(',').Distinct().ToDictionary(facet => facet, facet => (IReadOnlyDictionary<string, long>)groups
            .SelectMany(group => Facets[facet](group).Select(value => (value, group.Count))).GroupBy(entry => entry.value).OrderByDescending(group => group.Sum(entry => entry.Count))
            .ToDictionary(group => group.Key, group => group.Sum(entry => entry.Count)));
        return (query.Count == "exact" ? groups.Sum(group => group.Count) : null, found);
    }

    private static readonly Dictionary<string, Func<FacetGroup, string[]>> Facets = new(StringComparer.Ordinal)
    {
        ["health"] = group => [group.Health],
        ["liveness"] = group => [Words.Of(group.Liveness)],
        ["version"] = group => [group.Version],
        ["state"] = group => [group.State],
        ["region"] = group => [group.Region],

        // A cluster counts under every rule it breaks.
        ["rule"] = group => BrokenRules.Split(group.Broken),
    };

    private sealed record FacetGroup(string Health, LivenessState Liveness, string Version, string State, string Region, string Broken, long Count);
}
