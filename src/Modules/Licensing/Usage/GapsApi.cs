using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Ledger;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Usage;

/// <summary><c>GET /api/v1/licensing/clusters/{id}/usage-gaps</c>: what a person looks at before a period is closed.</summary>
internal static class GapsApi
{
    public static void Map(IEndpointRouteBuilder api) => api
        .MapGet("/clusters/{id:guid}/usage-gaps", GetAsync).RequireScope("licensing:read").Shows("cluster", static (ControlPlaneDbContext db, Guid id) => db.Set<LedgerCluster>().Where(row => row.Id == id).Select(row => (Guid?)row.CustomerId))
        .WithName("GetUsageGaps").WithSummary("Hours of a cluster that are missing, incomplete, disputed, parked or lowered").Produces<UsageGaps>();

    private static async Task<IResult> GetAsync(Guid id, ControlPlaneDbContext db, TimeProvider time, DateTimeOffset? from, DateTimeOffset? to, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var (query, errors) = UsageQuery.Read(from ?? UsageWindow.StartOf(UsageWindow.HourOf(now)).AddDays(-31), to, "day", null, now);
        if (query is null)
        {
            return Problems.Invalid(errors);
        }

        await using var snapshot = await db.BeginSnapshotAsync(cancellationToken);
        if (await db.Set<LedgerCluster>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } cluster)
        {
            return Problems.NotFound();
        }

        var (first, end) = (query.FromHour, query.ToHour);
        var windows = EffectiveWindows.Of(db, first, end, null, null, [id]);
        var came = await windows.Select(window => new { window.Hour, window.Complete }).ToListAsync(cancellationToken);
        var lowered = from window in windows
                      join stored in db.Set<StoredWindow>().AsNoTracking() on new { window.ClusterId, window.Hour, window.Epoch, window.Revision } equals new { stored.ClusterId, stored.Hour, stored.Epoch, stored.Revision }
                      where stored.LoweredBy > 0
                      select window.Hour;
        var disputed = from window in windows
                       join aside in db.Set<QuarantinedWindow>().AsNoTracking() on new { window.ClusterId, window.Hour, window.Epoch, window.Revision } equals new { aside.ClusterId, aside.Hour, aside.Epoch, aside.Revision }
                       where aside.Problem == QuarantinedWindow.RevisionConflict && aside.DecidedAt == null
                       select window.Hour;
        var parked = from window in windows
                     join cell in db.Set<ParkedCell>().AsNoTracking() on new { window.ClusterId, window.Hour, window.Epoch, window.Revision } equals new { cell.ClusterId, cell.Hour, cell.Epoch, cell.Revision }
                     select window.Hour;
        var coverage = await db.Set<ClusterLedger>().AsNoTracking().Where(row => row.ClusterId == id).Select(row => row.Coverage).SingleOrDefaultAsync(cancellationToken);
        var due = UsageApi.DueHour(now);
        var missing = coverage is null ? [] : Coverage.FromBytes(coverage).Missing(first, end, cluster.EndedAt is { } ended ? Math.Min(due, UsageWindow.HourOf(ended)) : due);
        List<UsageGap> gaps =
        [
            .. missing.Select(run => Gap(run.First, run.Last, "missing")),
            .. Runs(came.Where(window => !window.Complete).Select(window => window.Hour), "incomplete"),
            .. Runs(await disputed.Distinct().ToListAsync(cancellationToken), "disputed"),
            .. Runs(await parked.Distinct().ToListAsync(cancellationToken), "parked"),
            .. Runs(await lowered.ToListAsync(cancellationToken), "lowered"),
        ];
        return TypedResults.Ok(new UsageGaps(id, UsageWindow.StartOf(first), UsageWindow.StartOf(end), came.Count, [.. gaps.OrderBy(gap => gap.From).ThenBy(gap => gap.State, StringComparer.Ordinal)]));
    }

    private static IEnumerable<UsageGap> Runs(IEnumerable<int> hours, string state)
    {
        (int First, int Last)? run = null;
        foreach (var hour in hours.Order())
        {
            if (run is { } open && hour > open.Last + 1)
            {
                yield return Gap(open.First, open.Last, state);
                run = null;
            }

            run = (run?.First ?? hour, hour);
        }

        if (run is { } rest)
        {
            yield return Gap(rest.First, rest.Last, state);
        }
    }

    private static UsageGap Gap(int first, int last, string state) => new(UsageWindow.StartOf(first), UsageWindow.StartOf(last + 1), state, last - first + 1);
}
