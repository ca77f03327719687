using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using MissionControl.Platform.Tasks;

namespace MissionControl.CallHome.Clusters;

/// <summary>
/// <c>/api/v1/callhome/clusters/suspend</c> and <c>…/resume</c>: many clusters at once, as a task. Decommissioning is final and is done
/// to one cluster at a time.
/// </summary>
internal sealed class SwitchManyClusters(ClusterSwitch which, TimeProvider time) : TaskAction($"{which.Verb}-clusters", "callhome", Scope)
{
    private const string Scope = "callhome:write";
    private const int MaxIds = 1000;
    private const int MaxText = 100;
    private const int SampleSize = 10;

    // Each replica asks the database every 2 s what changed.
    private const int HoldsWithinSeconds = 5;

    private static readonly string[] States = [.. Enum.GetNames<ClusterState>().Select(name => name.ToLowerInvariant())];

    /// <summary>Those that many clusters can be switched by.</summary>
    public static readonly IReadOnlyList<ClusterSwitch> Switches = [ClusterSwitch.Suspend, ClusterSwitch.Resume];

    public static void Map(IEndpointRouteBuilder api)
    {
        foreach (var which in Switches)
        {
            var (clusters, name) = (api.MapGroup($"/clusters/{which.Verb}"), char.ToUpperInvariant(which.Verb[0]) + which.Verb[1..]);
            clusters.MapPost("/preview", (PreviewSwitchRequest request, ControlPlaneDbContext db, CancellationToken cancellationToken) => PreviewAsync(which, request, db, cancellationToken))
                .RequireScope(Scope).WithName($"Preview{name}Clusters").WithSummary($"What would be {which.Past} by a filter, what not and why; changes nothing").Produces<SwitchPreview>();
            clusters.MapPost("/", (SwitchClustersRequest request, ControlPlaneDbContext db, IEnumerable<TaskAction> kinds, LongTasks tasks, CancellationToken cancellationToken) =>
                    StartAsync(which, request, db, kinds, tasks, cancellationToken))
                .RequireScope(Scope).WithName($"{name}Clusters").WithSummary($"{name} all clusters of a filter, as a task").Produces<TaskSummary>(StatusCodes.Status202Accepted).AcceptIdempotencyKey();
        }
    }

    public override async Task<Func<CancellationToken, Task<string?>>> PrepareAsync(IServiceProvider scope, LongTask task, LongTaskItem item, CancellationToken cancellationToken)
    {
        var (db, id) = (scope.GetRequiredService<ControlPlaneDbContext>(), Guid.Parse(item.Target));
        if (task.CustomerId is { } customer)
        {
            db.Scope.OpenOne(customer);
        }
        else
        {
            db.Scope.OpenAll("a task of staff switches clusters of any customer");
        }

        // Its version is checked when it is saved: who changes it meanwhile makes this be tried again.
        var cluster = await db.Set<Cluster>().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
        return async token => cluster is null
            ? "There is no such cluster any more."
            : await which.ApplyAsync(cluster, new ClusterSwitch.Why(task.Reason, ActorOf(task), task.Id), db, scope.GetRequiredService<IEvents>(), time.GetUtcNow(), token);
    }

    private static async Task<IResult> PreviewAsync(ClusterSwitch which, PreviewSwitchRequest request, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var errors = Mistakes(request.Filter);
        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        // Counts and sample are of one moment.
        await using var snapshot = await db.BeginSnapshotAsync(cancellationToken);
        var found = Of(db, request.Filter!);
        var states = await found.GroupBy(row => new { row.State, row.SuspendedByStaff }).Select(group => new { group.Key.State, group.Key.SuspendedByStaff, Count = group.LongCount() }).ToListAsync(cancellationToken);
        var byStaff = db.Scope.IsAll;
        var exclusions = states.Where(group => !which.IsFor(group.State)).GroupBy(group => group.State).OrderBy(state => state.Key).Select(state => Exclusion(state.Key, state.Sum(group => group.Count))).ToList();
        var vendors = byStaff ? 0 : states.Where(group => which.IsForStaffOnly(group.State, group.SuspendedByStaff)).Sum(group => group.Count);
        if (vendors > 0)
        {
            exclusions.Add(new SwitchExclusion("suspended-by-staff", vendors, ClusterSwitch.ByStaffOnly));
        }

        if (request.Filter!.Ids?.Distinct().ToList() is { } ids && ids.Count - await db.Set<Cluster>().CountAsync(row => EF.Parameter(ids).Contains(row.Id), cancellationToken) is var absent and > 0)
        {
            exclusions.Add(new SwitchExclusion("not-found", absent, "There is no such cluster, or it is not yours."));
        }

        var sample = await which.Takes(found, byStaff).OrderBy(row => row.Name).ThenBy(row => row.Id).Take(SampleSize).Select(row => new SwitchTarget(row.Id, row.Name, row.CustomerId)).ToListAsync(cancellationToken);
        return TypedResults.Ok(new SwitchPreview(states.Where(group => which.IsFor(group.State)).Sum(group => group.Count) - vendors, exclusions, sample, HoldsWithinSeconds));
    }

    private static async Task<IResult> StartAsync(ClusterSwitch which, SwitchClustersRequest request, ControlPlaneDbContext db, IEnumerable<TaskAction> kinds, LongTasks tasks, CancellationToken cancellationToken)
    {
        var errors = Mistakes(request.Filter);
        if (Reasons.Mistake(request.Reason, out var reason) is { } mistake)
        {
            errors.Add(mistake);
        }

        if (request.ExpectedCount is not > 0)
        {
            errors.Add(new FieldError("/expectedCount", "required", "Say how many clusters you expect; the preview counts them."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var targets = await which.Takes(Of(db, request.Filter!), db.Scope.IsAll).OrderBy(row => row.Name).ThenBy(row => row.Id).Take(LongTasks.MaxItems + 1).Select(row => new { row.Id, row.Name }).ToListAsync(cancellationToken);
        if (targets.Count > LongTasks.MaxItems)
        {
            return Problems.Invalid([new FieldError("/filter", "too-many", $"More than {LongTasks.MaxItems} clusters match; one task takes no more. Narrow the filter.")]);
        }

        if (targets.Count != request.ExpectedCount)
        {
            return Problems.Of(ProblemCodes.CountMoved, $"{targets.Count} {(targets.Count == 1 ? "cluster" : "clusters")} of this filter can be {which.Past} now, not {request.ExpectedCount}. Nothing was begun; look again and decide anew.");
        }

        var kind = kinds.OfType<SwitchManyClusters>().Single(kind => kind.Kind == $"{which.Verb}-clusters");
        var summary = $"{char.ToUpperInvariant(which.Verb[0])}{which.Verb[1..]} {(targets.Count == 1 ? "a cluster" : $"{targets.Count} clusters")}";
        var task = await tasks.StartAsync(kind, summary, reason, targets.ConvertAll(row => new TaskTarget(row.Id.ToString(), row.Name)), null, cancellationToken);
        return TasksApi.Accepted("callhome", task!);
    }

    private static List<FieldError> Mistakes(ClusterFilter? filter)
    {
        if (filter is null or { CustomerId: null, State: null, Ids: null or { Count: 0 } } && string.IsNullOrWhiteSpace(filter?.Q))
        {
            return [new FieldError("/filter", "required", "Say which clusters: by customerId, state, q or ids. A state alone means every cluster in it.")];
        }

        var errors = new List<FieldError>();
        if (filter!.State is { } state && !States.Contains(state))
        {
            errors.Add(new FieldError("/filter/state", "unknown-value", $"state is one of {string.Join(", ", States)}."));
        }

        if (filter.Q is { Length: > MaxText })
        {
            errors.Add(new FieldError("/filter/q", "too-long", $"At most {MaxText} characters, as a name has."));
        }

        if (filter.Ids is { Count: > MaxIds })
        {
            errors.Add(new FieldError("/filter/ids", "too-many", $"At most {MaxIds} ids; more are named by customer, state or name."));
        }

        return errors;
    }

    private static IQueryable<Cluster> Of(ControlPlaneDbContext db, ClusterFilter filter)
    {
        var rows = db.Set<Cluster>().AsNoTracking();
        rows = filter.CustomerId is { } customer ? rows.Where(row => row.CustomerId == customer) : rows;
        rows = filter.Ids is { Count: > 0 } && filter.Ids.Distinct().ToList() is var ids ? rows.Where(row => EF.Parameter(ids).Contains(row.Id)) : rows;
        rows = filter.State is { } word && Enum.Parse<ClusterState>(word, ignoreCase: true) is var state ? rows.Where(row => row.State == state)
            : filter.Ids is { Count: > 0 } ? rows : rows.Where(row => row.State != ClusterState.Decommissioned);
        return Guid.TryParse(filter.Q?.Trim(), out var id) ? rows.Where(row => row.Id == id) : rows.Holding(row => row.Name, filter.Q?.Trim());
    }

    private static SwitchExclusion Exclusion(ClusterState state, long count) => state switch
    {
        ClusterState.Decommissioned => new SwitchExclusion("decommissioned", count, "It is decommissioned, for good."),
        ClusterState.Suspended => new SwitchExclusion("already-suspended", count, "It is suspended already."),
        _ => new SwitchExclusion("already-active", count, "It is active already."),
    };
}
