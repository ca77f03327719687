using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.CallHome.Credentials;
using MissionControl.CallHome.Intake;
using MissionControl.Contracts;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.CallHome;

namespace MissionControl.CallHome.Clusters;

/// <summary>
/// <c>POST /callhome/v1/epoch</c>: a restored or copied machine asks for a new epoch. Granted once at once; a second request
/// within 24 h is granted too, so that health keeps flowing, but usage of both senders waits for a person.
/// </summary>
internal static class RequestEpoch
{
    /// <summary>Epochs are rare: a claim further ahead than this is no memory of ours.</summary>
    private const int MaxForgotten = 16;

    private static readonly string[] Reasons = ["restored", "clone-suspected", "state-lost"];

    public static void Map(IEndpointRouteBuilder callhome) => callhome
        .MapPost("/epoch", HandleAsync).AllowAnonymous().WithName("RequestEpoch").WithSummary("Ask for a new epoch").ExcludeFromDescription();

    /// <summary>
    /// A control plane restored from a backup may have forgotten epochs that it issued. They are taken from the cluster's own signed
    /// word, so that the next one lies above them and the hours that were signed under them still count.
    /// </summary>
    private static void Recall(ControlPlaneDbContext db, IEvents events, Assertion assertion, DateTimeOffset now)
    {
        var cluster = assertion.Cluster;
        if (Number(assertion, "epoch") is not { } held || held - cluster.Epoch > MaxForgotten)
        {
            return;
        }

        var claimed = Number(assertion, "epoch_issued_ms") is { } ms && ms > 0 && ms < now.ToUnixTimeMilliseconds() ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : now;
        var issuedAt = claimed > cluster.EpochIssuedAt ? claimed : cluster.EpochIssuedAt;
        while (cluster.Epoch < held)
        {
            cluster.RecallEpoch(issuedAt, now);
            db.Add(new ClusterEpoch { ClusterId = cluster.Id, Epoch = cluster.Epoch, IssuedAt = issuedAt, Reason = "recalled" });
            events.Publish(cluster.ToEvent(assertion.Keys, now));
        }
    }

    /// <summary>
    /// The epoch that was granted last, when its answer seems to have been lost: the same installation still holds the one before, and
    /// nobody has spoken in the new one. A copy that is given the same epoch so is found out by its numbers.
    /// </summary>
    private static async Task<EpochResponse?> LostAnswerAsync(ControlPlaneDbContext db, Assertion assertion, EpochRequest request, CancellationToken cancellationToken)
    {
        var cluster = assertion.Cluster;
        if (Number(assertion, "epoch") != cluster.Epoch - 1 || !Cluster.Fingerprint(request.InstallFingerprint).AsSpan().SequenceEqual(cluster.InstallFingerprint))
        {
            return null;
        }

        var last = await db.Set<ClusterEpoch>().AsNoTracking().SingleOrDefaultAsync(epoch => epoch.ClusterId == cluster.Id && epoch.Epoch == cluster.Epoch, cancellationToken);
        var wasHeard = await db.Set<IntakeRow>().AnyAsync(row => row.ClusterId == cluster.Id && row.Epoch >= cluster.Epoch, cancellationToken);
        return wasHeard || last is null || !Reasons.Contains(last.Reason)
            ? null
            : new EpochResponse { Epoch = last.Epoch, IssuedAtMs = last.IssuedAt.ToUnixTimeMilliseconds(), Quarantined = last.Quarantined };
    }

    private static long? Number(Assertion assertion, string claim) =>
        assertion.Claims.TryGetProperty(claim, out var value) && value.ValueKind == System.Text.Json.JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    private static async Task HandleAsync(
        HttpContext context, ControlPlaneDbContext db, Assertions assertions, Nonces nonces, ClusterDirectory directory, IEvents events, TimeProvider time)
    {
        if (await Wire.ReadAsync(context, EpochRequest.Parser) is not { } request)
        {
            return;
        }

        if (!Reasons.Contains(request.Reason))
        {
            await Problems.WriteAsync(context, ProblemCodes.Invalid, $"reason must be one of {string.Join(", ", Reasons)}.");
            return;
        }

        if (!Assertions.IsWellFormed(request.Assertion))
        {
            await ExchangeToken.RefuseAsync(context, AssertionError.Invalid, nonces, time);
            return;
        }

        await using var transaction = await db.BeginWriteAsync(cancellationToken: context.RequestAborted);
        var (assertion, error) = await assertions.VerifyAsync(request.Assertion, "epoch", context.RequestAborted);
        if (assertion is null)
        {
            await transaction.DisposeAsync();
            await ExchangeToken.RefuseAsync(context, error, nonces, time);
            return;
        }

        if (Assertions.Text(assertion.Claims, "reason") != request.Reason)
        {
            await transaction.DisposeAsync();
            await ExchangeToken.RefuseAsync(context, AssertionError.Invalid, nonces, time);
            return;
        }

        var cluster = assertion.Cluster;
        if (await ExchangeToken.RefuseStateAsync(context, cluster, transaction))
        {
            return;
        }

        var now = time.GetUtcNow();
        if (await LostAnswerAsync(db, assertion, request, context.RequestAborted) is { } granted)
        {
            await db.SaveChangesAsync(context.RequestAborted);
            await transaction.CommitAsync(context.RequestAborted);
            await Wire.WriteAsync(context, granted);
            return;
        }

        var dayAgo = now.AddDays(-1);
        var again = await db.Set<ClusterEpoch>().AnyAsync(epoch => epoch.ClusterId == cluster.Id && epoch.IssuedAt > dayAgo && epoch.Reason != ClusterEpoch.Enrolled && epoch.Reason != ClusterEpoch.Readmitted, context.RequestAborted);
        var before = cluster.Epoch;
        Recall(db, events, assertion, now);
        cluster.IssueEpoch(now);
        cluster.InstallFingerprint = Cluster.Fingerprint(request.InstallFingerprint);
        if (again)
        {
            cluster.SuspectClone(now);
        }

        db.Add(new ClusterEpoch { ClusterId = cluster.Id, Epoch = cluster.Epoch, IssuedAt = now, Reason = request.Reason, Quarantined = again });
        events.Publish(cluster.ToEvent(assertion.Keys, now));
        events.Audit(new AuditFact("callhome.epoch-issued", AuditLog.Customer, "cluster", cluster.Id.ToString())
        {
            CustomerId = cluster.CustomerId,
            ClusterId = cluster.Id,
            Reason = request.Reason,
            Changes = [Change.Replace("/epoch", before, cluster.Epoch)],
            Actor = new AuditActor("cluster", cluster.Id.ToString(), "assertion"),
        });
        await db.SaveChangesAsync(context.RequestAborted);
        await transaction.CommitAsync(context.RequestAborted);
        await directory.RefreshAsync(now, context.RequestAborted);
        await Wire.WriteAsync(context, new EpochResponse { Epoch = cluster.Epoch, IssuedAtMs = now.ToUnixTimeMilliseconds(), Quarantined = again });
    }
}
