using System.Globalization;
using System.Linq.Expressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;

namespace MissionControl.Fleet.Clusters;

/// <summary><c>GET /api/v1/fleet/clusters</c>: filters, order, counts of the whole filter, pages and files.</summary>
internal static class ClusterList
{
    private const int MaxList = 500;
    private static readonly string[] Healths = ["green", "yellow", "red", "unknown"];
    private static readonly string[] States = ["active", "suspended", "decommissioned"];

    /// <summary>What a list may be asked. A parameter that is repeated means any of its values.</summary>
    internal sealed record Query(
        [FromQuery] Guid[]? Customer, [FromQuery] string[]? Liveness, [FromQuery] string[]? Health, [FromQuery] string[]? State, [FromQuery] string[]? Version, [FromQuery] string[]? Region,
        [FromQuery] bool? Stale, [FromQuery] string? Q, [FromQuery] string? Sort, [FromQuery] string? Count, [FromQuery] string? Facets, [FromQuery] int? Limit, [FromQuery] string? Cursor);

    public static async Task<IResult> GetAsync([AsParameters] Query query, HttpRequest request, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (Check(query) is { } problem)
        {
            return problem;
        }

        var rows = Filter(db.Set<ClusterOverview>().AsNoTracking(), query);
        var order = Orders[query.Sort ?? "worst"];
        if (Csv.IsWanted(request))
        {
            return Csv.File("clusters", Summaries(db, order.Apply(rows)).AsAsyncEnumerable());
        }

        // Counts, rows and the next position are of one moment: their sums agree, whatever comes in meanwhile.
        await using var snapshot = await db.BeginSnapshotAsync(cancellationToken);
        var (total, facets) = await CountAsync(rows, query, cancellationToken);
        if (query.Cursor is not null)
        {
            if (!Cursors.TryDecode(query.Cursor, out var parts) || parts.Length != 2 || !Guid.TryParse(parts[1], out var after) || order.After(rows, parts[0], after) is not { } rest)
            {
                return Problems.Of(ProblemCodes.Malformed, "The cursor is not one of ours, or of another order; begin again without it.");
            }

            rows = rest;
        }

        var take = Math.Clamp(query.Limit ?? 50, 1, MaxList);
        var page = await Summaries(db, order.Apply(rows).Take(take + 1)).ToListAsync(cancellationToken);
        string? next = null;
        if (page.Count > take)
        {
            page.RemoveAt(take);
            var id = page[^1].Id;
            var last = await db.Set<ClusterOverview>().AsNoTracking().SingleAsync(row => row.ClusterId == id, cancellationToken);
            next = request.Path + QueryString.Create(request.Query.Where(parameter => parameter.Key is not ("cursor" or "count" or "facets"))).Add("cursor", Cursors.Encode(order.KeyOf(last), last.ClusterId.ToString()));
        }

        return TypedResults.Ok(new Page<ClusterSummary>(page, next, total, facets));
    }

    /// <summary>What the API says of these clusters: one join, for the rows of a page only.</summary>
    public static IQueryable<ClusterSummary> Summaries(ControlPlaneDbContext db, IQueryable<ClusterOverview> rows) =>
        from row in rows
        join contact in db.Set<LastContact>().AsNoTracking() on row.ClusterId equals contact.ClusterId into contacts
        from contact in contacts.DefaultIfEmpty()
        select new ClusterSummary(
            row.ClusterId, row.Name, row.CustomerId, row.CustomerName, row.State, row.CloneSuspected, Words.Of(row.Liveness), row.LivenessSince, row.Health,
            row.State != "active" || (row.Liveness != LivenessState.Online && row.Liveness != LivenessState.Late), row.WorstReason, row.Version, row.NodesUp, row.NodesAll,
            contact == null ? (DateTimeOffset?)null : contact.ReceivedAt, contact == null ? 60 : contact.NextSeconds, row.EnrolledAt, row.HealthSince, row.Region, row.AgentVersion);

    private static IResult? Check(Query query)
    {
        var errors = new List<FieldError>();
        OneOf("liveness", query.Liveness, Enum.GetValues<LivenessState>().Select(Words.Of));
        OneOf("health", query.Health, Healths);
        OneOf("state", query.State, States);
        OneOf("sort", query.Sort is null ? null : [query.Sort], Orders.Keys);
        OneOf("count", query.Count is null ? null : [query.Count], ["exact"]);
        OneOf("facets", query.Facets?.Split(','), Facets.Keys);
        return errors.Count == 0 ? null : Problems.Of(ProblemCodes.UnknownParameter, string.Join(' ', errors.Select(error => error.Detail)), errors);

        void OneOf(string name, string[]? values, IEnumerable<string> known)
        {
            if (values is not null && values.Except(known, StringComparer.OrdinalIgnoreCase).Any())
            {
                errors.Add(new FieldError(name, "unknown-value", $"{name} is one of {string.Join(", ", known)}."));
            }
        }
    }

    private static IQueryable<ClusterOverview> Filter(IQueryable<ClusterOverview> rows, Query query)
    {
        rows = Wanted(query.State) is { } states ? rows.Where(row => states.Contains(row.State)) : rows.Where(row => row.State != "decommissioned");
        rows = query.Customer?.ToList() is { Count: > 0 } customers ? rows.Where(row => customers.Contains(row.CustomerId)) : rows;
        rows = Wanted(query.Health) is { } healths ? rows.Where(row => healths.Contains(row.Health)) : rows;
        rows = query.Version?.ToList() is { Count: > 0 } versions ? rows.Where(row => versions.Contains(row.Version)) : rows;
        rows = query.Region?.ToList() is { Count: > 0 } regions ? rows.Where(row => regions.Contains(row.Region)) : rows;
        rows = Wanted(query.Liveness)?.ConvertAll(word => Enum.Parse<LivenessState>(word, ignoreCase: true)) is { } livenesses ? rows.Where(row => livenesses.Contains(row.Liveness)) : rows;

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

    private static List<string>? Wanted(string[]? words) => words is { Length: > 0 } ? [.. words.Select(word => word.ToLowerInvariant())] : null;

    private static async Task<(long? Total, IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>>? Facets)> CountAsync(IQueryable<ClusterOverview> rows, Query query, CancellationToken cancellationToken)
    {
        if (query.Facets is null)
        {
            return (query.Count == "exact" ? await rows.LongCountAsync(cancellationToken) : null, null);
        }

        // One pass over the filter gives every facet and the total.
        var groups = await rows.GroupBy(row => new { row.Health, row.Liveness, row.Version, row.State, row.Region })
            .Select(group => new FacetGroup(group.Key.Health, group.Key.Liveness, group.Key.Version, group.Key.State, group.Key.Region, group.LongCount())).ToListAsync(cancellationToken);
        var found = query.Facets.Split(',').Distinct().ToDictionary(facet => facet, facet => (IReadOnlyDictionary<string, long>)groups
            .GroupBy(Facets[facet]).OrderByDescending(group => group.Sum(entry => entry.Count)).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Count)));
        return (query.Count == "exact" ? groups.Sum(group => group.Count) : null, found);
    }

    private static readonly Dictionary<string, Func<FacetGroup, string>> Facets = new(StringComparer.Ordinal)
    {
        ["health"] = group => group.Health,
        ["liveness"] = group => Words.Of(group.Liveness),
        ["version"] = group => group.Version,
        ["state"] = group => group.State,
        ["region"] = group => group.Region,
    };

    private static readonly Dictionary<string, IOrder> Orders = new(StringComparer.Ordinal)
    {
        ["worst"] = new WorstFirst(),
        ["name"] = new By<string>(row => row.SortName, false, key => key, text => text),
        ["-name"] = new By<string>(row => row.SortName, true, key => key, text => text),
        ["version"] = new By<string>(row => row.Version, false, key => key, text => text),
        ["-version"] = new By<string>(row => row.Version, true, key => key, text => text),
        ["customer"] = new By<string>(row => row.CustomerName, false, key => key, text => text),
        ["-customer"] = new By<string>(row => row.CustomerName, true, key => key, text => text),
        ["enrolledAt"] = new By<DateTimeOffset>(row => row.EnrolledAt, false, Write, Read),
        ["-enrolledAt"] = new By<DateTimeOffset>(row => row.EnrolledAt, true, Write, Read),
    };

    private static string Write(DateTimeOffset instant) => instant.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);

    private static DateTimeOffset Read(string text) => long.TryParse(text, CultureInfo.InvariantCulture, out var ms) && ms is > 0 and < 253_402_300_799_000 ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : DateTimeOffset.UnixEpoch;

    private sealed record FacetGroup(string Health, LivenessState Liveness, string Version, string State, string Region, long Count);

    private interface IOrder
    {
        IQueryable<ClusterOverview> Apply(IQueryable<ClusterOverview> rows);

        IQueryable<ClusterOverview>? After(IQueryable<ClusterOverview> rows, string key, Guid id);

        string KeyOf(ClusterOverview row);
    }

    private sealed class WorstFirst : IOrder
    {
        public IQueryable<ClusterOverview> Apply(IQueryable<ClusterOverview> rows) => rows.OrderBy(row => row.Badness).ThenBy(row => row.SortName).ThenBy(row => row.ClusterId);

        public IQueryable<ClusterOverview>? After(IQueryable<ClusterOverview> rows, string key, Guid id)
        {
            var parts = key.Split('/', 2);
            if (parts.Length != 2 || !int.TryParse(parts[0], CultureInfo.InvariantCulture, out var badness))
            {
                return null;
            }

            var name = parts[1];
            return rows.Where(row => row.Badness > badness || (row.Badness == badness && (string.Compare(row.SortName, name) > 0 || (row.SortName == name && row.ClusterId > id))));
        }

        public string KeyOf(ClusterOverview row) => string.Create(CultureInfo.InvariantCulture, $"{row.Badness}/{row.SortName}");
    }

    private sealed class By<T>(Expression<Func<ClusterOverview, T>> key, bool descending, Func<T, string> write, Func<string, T> read) : IOrder
    {
        private readonly Func<ClusterOverview, T> compiled = key.Compile();

        public IQueryable<ClusterOverview> Apply(IQueryable<ClusterOverview> rows) => descending
            ? rows.OrderByDescending(key).ThenBy(row => row.ClusterId)
            : rows.OrderBy(key).ThenBy(row => row.ClusterId);

        public IQueryable<ClusterOverview>? After(IQueryable<ClusterOverview> rows, string position, Guid id)
        {
            var last = Expression.Property(Expression.Constant(new Position(read(position))), nameof(Position.Key));
            // Texts have no operators of order in an expression; a comparison with 0 says the same.
            var (left, right) = typeof(T) == typeof(string)
                ? ((Expression)Expression.Call(typeof(string), nameof(string.Compare), null, key.Body, last), (Expression)Expression.Constant(0))
                : (key.Body, last);
            var beyond = descending ? Expression.LessThan(left, right) : Expression.GreaterThan(left, right);
            Expression<Func<ClusterOverview, bool>> further = row => row.ClusterId > id;
            var same = Expression.AndAlso(Expression.Equal(key.Body, last), new Replace(further.Parameters[0], key.Parameters[0]).Visit(further.Body));
            return rows.Where(Expression.Lambda<Func<ClusterOverview, bool>>(Expression.OrElse(beyond, same), key.Parameters));
        }

        public string KeyOf(ClusterOverview row) => write(compiled(row));

        private sealed record Position(T Key);

        private sealed class Replace(ParameterExpression from, ParameterExpression to) : ExpressionVisitor
        {
            protected override Expression VisitParameter(ParameterExpression node) => node == from ? to : base.VisitParameter(node);
        }
    }
}
