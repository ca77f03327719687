using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.CallHome.Credentials;
using MissionControl.CallHome.Intake;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.CallHome;

namespace MissionControl.CallHome.Clusters;

/// <summary><c>POST /callhome/v1/unenroll</c>: the cluster takes its leave; its usage stays.</summary>
internal static class Unenroll
{
    public static void Map(IEndpointRouteBuilder callhome) => callhome
        .MapPost("/unenroll", HandleAsync).AllowAnonymous().WithName("Unenroll").WithSummary("Leave Mission Control").ExcludeFromDescription();

    private static async Task HandleAsync(
        HttpContext context, ControlPlaneDbContext db, Assertions assertions, Nonces nonces, ClusterDirectory directory, IEvents events, TimeProvider time)
    {
        if (await Wire.ReadAsync(context, UnenrollRequest.Parser) is not { } request)
        {
            return;
        }

        if (!Assertions.IsWellFormed(request.Assertion))
        {
            await ExchangeToken.RefuseAsync(context, AssertionError.Invalid, nonces, time);
            return;
        }

        await using var transaction = await db.BeginWriteAsync(cancellationToken: context.RequestAborted);
        var (assertion, error) = await assertions.VerifyAsync(request.Assertion, "unenroll", context.RequestAborted);
        if (assertion is null)
        {
            await transaction.DisposeAsync();
            await ExchangeToken.RefuseAsync(context, error, nonces, time);
            return;
        }

        var now = time.GetUtcNow();
        var cluster = assertion.Cluster;
        var from = cluster.State;
        if (cluster.TryEnter(ClusterState.Decommissioned, byStaff: false, now))
        {
            events.Publish(cluster.ToEvent(assertion.Keys, now));
            events.Audit(new AuditFact("callhome.cluster-unenrolled", AuditLog.Customer, "cluster", cluster.Id.ToString())
            {
                CustomerId = cluster.CustomerId,
                ClusterId = cluster.Id,
                Reason = WellFormedText.Line(request.Reason, 500),
                Changes = [Change.Replace("/state", from, ClusterState.Decommissioned)],
                Actor = new AuditActor("cluster", cluster.Id.ToString(), "assertion"),
            });
        }

        await db.SaveChangesAsync(context.RequestAborted);
        await transaction.CommitAsync(context.RequestAborted);
        await directory.RefreshAsync(now, context.RequestAborted);
        await Wire.WriteAsync(context, new UnenrollResponse { ServerTimeMs = now.ToUnixTimeMilliseconds() });
    }
}
