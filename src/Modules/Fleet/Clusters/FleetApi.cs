using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Fleet.Health;
using MissionControl.Fleet.Inventory;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Fleet.Clusters;

/// <summary><c>/api/v1/fleet</c>: the fleet, a cluster, its nodes, health and events.</summary>
internal static class FleetApi
{
    private const int MaxList = 500;

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/summary", SummaryAsync).RequireScope("fleet:read").WithName("GetFleetSummary").WithSummary("The fleet at a glance").Produces<FleetSummary>();
        api.MapGet("/clusters", ListAsync).RequireScope("fleet:read").WithName("ListClusters").WithSummary("Clusters, worst first").Produces<Page<ClusterSummary>>();
        var cluster = api.MapGroup("/clusters/{id:guid}");
        cluster.MapGet("/", GetAsync).RequireScope("fleet:read").WithName("GetCluster").WithSummary("One cluster").Produces<ClusterSummary>();
        cluster.MapGet("/health", HealthAsync).RequireScope("fleet:read").WithName("GetClusterHealth").WithSummary("Every health rule, the green ones too").Produces<HealthDocument>();
        cluster.MapGet("/events", EventsAsync).RequireScope("fleet:read").WithName("ListClusterEvents").WithSummary("Events, newest first").Produces<Page<EventItem>>();
        InventoryApi.Map(cluster);
        VersionsApi.Map(api);
    }

    private static IQueryable<Row> Rows(ControlPlaneDbContext db) =>
        from cluster in db.Set<FleetCluster>().AsNoTracking()
        join customer in db.Set<FleetCustomer>().AsNoTracking() on cluster.CustomerId equals customer.Id into customers
        from customer in customers.DefaultIfEmpty()
        join health in db.Set<LastHealth>().AsNoTracking() on cluster.Id equals health.ClusterId into healths
        from health in healths.DefaultIfEmpty()
        join contact in db.Set<LastContact>().AsNoTracking() on cluster.Id equals contact.ClusterId into contacts
        from contact in contacts.DefaultIfEmpty()
        join liveness in db.Set<ClusterLiveness>().AsNoTracking() on cluster.Id equals liveness.ClusterId into states
        from liveness in states.DefaultIfEmpty()
        select new Row
        {
            Id = cluster.Id,
            Name = cluster.Name,
            CustomerId = cluster.CustomerId,
            CustomerName = customer.Name,
            State = cluster.State,
            CloneSuspected = cluster.CloneSuspected,
            EnrolledAt = cluster.EnrolledAt,
            Liveness = (LivenessState?)liveness.State,
            LivenessSince = (DateTimeOffset?)liveness.Since,
            Health = health.Status,
            WorstReason = health.WorstReason,
            Version = health.ProductVersion,
            NodesUp = (int?)health.NodesUp,
            NodesAll = (int?)health.NodesAll,
            LastContact = (DateTimeOffset?)contact.ReceivedAt,
            NextSeconds = (int?)contact.NextSeconds,

            // Worst first: what is bad and still confirmed, then what is silent, then the rest.
            Badness = cluster.CloneSuspected || health.Status == "red" ? 0 : liveness.State == LivenessState.Missing || liveness.State == LivenessState.Lost ? 1 : health.Status == "yellow" ? 2 : liveness.State == LivenessState.Late ? 3 : health.Status == "green" ? 5 : 4,
        };

    private static async Task<IResult> SummaryAsync(ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        var rows = Rows(db).Where(row => row.State != "decommissioned");
        var byLiveness = await rows.GroupBy(row => row.Liveness).Select(group => new { group.Key, Count = group.LongCount() }).ToListAsync(cancellationToken);
        var byHealth = await rows.GroupBy(row => row.Health).Select(group => new { group.Key, Count = group.LongCount() }).ToListAsync(cancellationToken);
        var clock = await db.Set<IntakeClock>().AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        return TypedResults.Ok(new FleetSummary(
            byLiveness.Sum(group => group.Count),
            byLiveness.GroupBy(group => Word(group.Key)).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Count)),
            byHealth.GroupBy(group => group.Key ?? "unknown").ToDictionary(group => group.Key, group => group.Sum(entry => entry.Count)),
            time.GetUtcNow(), clock?.StalledSince));
    }

    private static async Task<IResult> ListAsync(
        ControlPlaneDbContext db, Guid? customer, string? liveness, string? health, string? state, string? version, string? q, string? count, string? facets, int? limit, string? cursor, CancellationToken cancellationToken)
    {
        LivenessState? wanted = null;
        if (liveness is not null)
        {
            if (!Enum.TryParse<LivenessState>(liveness, ignoreCase: true, out var parsed) || int.TryParse(liveness, CultureInfo.InvariantCulture, out _))
            {
                return Problems.Of(ProblemCodes.UnknownParameter, "liveness is one of online, never, late, missing, lost, dormant.");
            }

            wanted = parsed;
        }

        if (health is not (null or "green" or "yellow" or "red" or "unknown"))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "health is one of green, yellow, red, unknown.");
        }

        var query = Rows(db).Where(row => state == null ? row.State != "decommissioned" : row.State == state);
        query = customer is null ? query : query.Where(row => row.CustomerId == customer);
        query = wanted is null ? query : wanted == LivenessState.Never ? query.Where(row => row.Liveness == null || row.Liveness == LivenessState.Never) : query.Where(row => row.Liveness == wanted);
        query = health is null ? query : health == "unknown" ? query.Where(row => row.Health == null || row.Health == "unknown") : query.Where(row => row.Health == health);
        query = version is null ? query : query.Where(row => row.Version == version);
        query = string.IsNullOrWhiteSpace(q) ? query : query.Where(row => EF.Functions.Like(row.Name, $"%{q.Replace("%", "", StringComparison.Ordinal)}%"));
        var total = count == "exact" ? await query.LongCountAsync(cancellationToken) : (long?)null;
        var counts = facets is null ? null : await FacetsAsync(query, facets, cancellationToken);
        var take = Math.Clamp(limit ?? 50, 1, MaxList);
        if (cursor is not null)
        {
            if (!Cursors.TryDecode(cursor, out var parts) || parts.Length != 3 || !int.TryParse(parts[0], CultureInfo.InvariantCulture, out var badness) || !Guid.TryParse(parts[2], out var id))
            {
                return Problems.Of(ProblemCodes.Malformed, "The cursor is not one of ours; begin again without it.");
            }

            var name = parts[1];
            query = query.Where(row => row.Badness > badness || (row.Badness == badness && (string.Compare(row.Name, name) > 0 || (row.Name == name && row.Id > id))));
        }

        var rows = await query.OrderBy(row => row.Badness).ThenBy(row => row.Name).ThenBy(row => row.Id).Take(take + 1).ToListAsync(cancellationToken);
        string? next = null;
        if (rows.Count > take)
        {
            var last = rows[take - 1];
            var filter = new QueryString().Add("limit", take.ToString(CultureInfo.InvariantCulture));
            foreach (var (name, value) in new (string, string?)[] { ("customer", customer?.ToString()), ("liveness", liveness), ("health", health), ("state", state), ("version", version), ("q", q) })
            {
                filter = value is null ? filter : filter.Add(name, value);
            }

            next = "/api/v1/fleet/clusters" + filter.Add("cursor", Cursors.Encode(last.Badness.ToString(CultureInfo.InvariantCulture), last.Name, last.Id.ToString()));
        }

        return TypedResults.Ok(new Page<ClusterSummary>([.. rows.Take(take).Select(Summary)], next, total, counts));
    }

    private static async Task<IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>>> FacetsAsync(IQueryable<Row> query, string facets, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, IReadOnlyDictionary<string, long>>(StringComparer.Ordinal);
        foreach (var facet in facets.Split(','))
        {
            var groups = facet switch
            {
                "health" => await query.GroupBy(row => row.Health).Select(group => new { group.Key, Count = group.LongCount() }).ToDictionaryAsync(group => group.Key ?? "unknown", group => group.Count, cancellationToken),
                "version" => await query.GroupBy(row => row.Version).Select(group => new { group.Key, Count = group.LongCount() }).ToDictionaryAsync(group => group.Key ?? "", group => group.Count, cancellationToken),
                "liveness" => (await query.GroupBy(row => row.Liveness).Select(group => new { group.Key, Count = group.LongCount() }).ToListAsync(cancellationToken))
                    .GroupBy(group => Word(group.Key)).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Count)),
                _ => null,
            };
            if (groups is not null)
            {
                found[facet] = groups;
            }
        }

        return found;
    }

    private static async Task<IResult> GetAsync(Guid id, ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        await Rows(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is { } row ? TypedResults.Ok(Summary(row)) : Problems.NotFound();

    private static async Task<IResult> HealthAsync(Guid id, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await Rows(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } row)
        {
            return Problems.NotFound();
        }

        var last = await db.Set<LastHealth>().AsNoTracking().Where(row => row.ClusterId == id).Select(row => new { row.Body, row.At }).SingleOrDefaultAsync(cancellationToken);
        if (last is null)
        {
            return TypedResults.Ok(new HealthDocument("unknown", true, null, []));
        }

        var indicators = Evaluate.Indicators(Protocol.CallHome.Health.Parser.ParseFrom(last.Body), time.GetUtcNow(), row.CloneSuspected);
        return TypedResults.Ok(new HealthDocument(Rule.Word(Evaluate.Overall(indicators)), IsStale(row), last.At, indicators));
    }

    private static async Task<IResult> EventsAsync(Guid id, ControlPlaneDbContext db, string? severity, int? limit, string? cursor, CancellationToken cancellationToken)
    {
        if (!await db.Set<FleetCluster>().AnyAsync(row => row.Id == id, cancellationToken))
        {
            return Problems.NotFound();
        }

        var take = Math.Clamp(limit ?? 50, 1, MaxList);
        var query = db.Set<ClusterEvent>().AsNoTracking().Where(row => row.ClusterId == id && (severity == null || row.Severity == severity));
        if (cursor is not null)
        {
            if (!Cursors.TryDecode(cursor, out var parts) || parts.Length != 2 || !long.TryParse(parts[0], CultureInfo.InvariantCulture, out var ms))
            {
                return Problems.Of(ProblemCodes.Malformed, "The cursor is not one of ours; begin again without it.");
            }

            var at = DateTimeOffset.FromUnixTimeMilliseconds(ms);
            var after = parts[1];
            query = query.Where(row => row.At < at || (row.At == at && string.Compare(row.Id, after) > 0));
        }

        var rows = await query.OrderByDescending(row => row.At).ThenBy(row => row.Id).Take(take + 1).ToListAsync(cancellationToken);
        var next = rows.Count > take ? $"/api/v1/fleet/clusters/{id}/events?limit={take}&cursor={Cursors.Encode(rows[take - 1].At.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture), rows[take - 1].Id)}" : null;
        return TypedResults.Ok(new Page<EventItem>([.. rows.Take(take).Select(row => new EventItem(row.Id, row.Kind, row.Severity, row.Text, row.Node, row.At, row.ReceivedAt))], next));
    }

    private static ClusterSummary Summary(Row row) => new(
        row.Id, row.Name, row.CustomerId, row.CustomerName ?? "", row.State, row.CloneSuspected, Word(row.Liveness), row.LivenessSince ?? row.EnrolledAt,
        row.CloneSuspected ? "red" : row.Health ?? "unknown", IsStale(row), row.CloneSuspected ? "Two senders speak as this cluster." : row.WorstReason, row.Version ?? "", row.NodesUp ?? 0, row.NodesAll ?? 0, row.LastContact, row.NextSeconds ?? 60);

    // A state that nothing confirms any longer must not look fresh.
    private static bool IsStale(Row row) => row.State != "active" || row.Liveness is not (LivenessState.Online or LivenessState.Late);

    private static string Word(LivenessState? state) => (state ?? LivenessState.Never).ToString().ToLowerInvariant();

    private sealed class Row
    {
        public Guid Id { get; init; }

        public string Name { get; init; } = "";

        public Guid CustomerId { get; init; }

        public string? CustomerName { get; init; }

        public string State { get; init; } = "";

        public bool CloneSuspected { get; init; }

        public DateTimeOffset EnrolledAt { get; init; }

        public LivenessState? Liveness { get; init; }

        public DateTimeOffset? LivenessSince { get; init; }

        public string? Health { get; init; }

        public string? WorstReason { get; init; }

        public string? Version { get; init; }

        public int? NodesUp { get; init; }

        public int? NodesAll { get; init; }

        public DateTimeOffset? LastContact { get; init; }

        public int? NextSeconds { get; init; }

        public int Badness { get; init; }
    }
}
