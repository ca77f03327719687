using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Fleet.Clusters;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using Wire = MissionControl.Protocol.CallHome.Health;

namespace MissionControl.Fleet.Health;

/// <summary><c>GET /api/v1/fleet/clusters/{id}/health</c>: every rule with its words, judged by what is stored and what the clock says.</summary>
internal static class HealthApi
{
    public static void Map(RouteGroupBuilder cluster) => cluster
        .MapGet("/health", GetAsync).RequireScope("fleet:read").WithName("GetClusterHealth").WithSummary("Every health rule, the green ones too").Produces<HealthDocument>(200, "application/json", Csv.MediaType);

    private static async Task<IResult> GetAsync(Guid id, HttpRequest request, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await ClusterList.Summaries(db, db.Set<ClusterOverview>().AsNoTracking().Where(row => row.ClusterId == id)).SingleOrDefaultAsync(cancellationToken) is not { } cluster)
        {
            return Problems.NotFound();
        }

        var now = time.GetUtcNow();
        var stored = await db.Set<StoredHealth>().AsNoTracking().SingleOrDefaultAsync(row => row.ClusterId == id, cancellationToken);
        var clock = await db.Set<IntakeClock>().AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        var known = stored is { Rank: >= 0 };
        var ours = new OurKnowledge(cluster.CloneSuspected, stored?.UsageFrom, cluster.LastContact is { } contact ? Judge.Silence(contact, cluster.ExpectedEverySeconds, clock, now) : null);
        var judgement = Judgement.Of(known ? Wire.Parser.ParseFrom(stored!.Body) : new Wire(), known ? RuleStates.Read(stored!.Rules) : null, known ? stored!.At : now, now, ours);
        var document = new HealthDocument(Rule.Word(judgement.Status), cluster.Stale, known ? stored!.At : null, judgement.Indicators());
        return Csv.IsWanted(request) ? Csv.File($"health-{id}", document.Indicators) : TypedResults.Ok(document);
    }
}
