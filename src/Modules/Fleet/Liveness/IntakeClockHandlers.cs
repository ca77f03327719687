using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Fleet.Clusters;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Time;

namespace MissionControl.Fleet.Liveness;

/// <summary>Keeps the newest proof that intake delivers.</summary>
internal sealed class KeepWatermark(ControlPlaneDbContext db) : IMessageHandler<IntakeWatermark>
{
    public async Task HandleAsync(IntakeWatermark message, MessageContext context, CancellationToken cancellationToken)
    {
        var clock = await db.Set<IntakeClock>().SingleOrDefaultAsync(row => row.Id == 1, cancellationToken);
        if (clock is null)
        {
            db.Add(new IntakeClock { Id = 1, WatermarkAt = message.At, JudgedAt = message.At, FloorAt = message.At });
        }
        else if (message.At > clock.WatermarkAt)
        {
            clock.WatermarkAt = message.At;
        }
    }
}

/// <summary>
/// Judges every cluster's silence. While the newest watermark is older than 15 s every deadline stands still; when intake comes
/// back, silence counts from then on, so that our own outage never makes a cluster late.
/// </summary>
internal sealed class JudgeLiveness(TimeProvider time) : Sweeper("fleet.judge-liveness", "fleet", TimeSpan.FromSeconds(2))
{
    private static readonly TimeSpan MaxWatermarkAge = TimeSpan.FromSeconds(15);

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("liveness is judged for every customer's clusters");
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (await db.Set<IntakeClock>().SingleOrDefaultAsync(row => row.Id == 1, cancellationToken) is not { } clock)
        {
            return;
        }

        var now = time.GetUtcNow();
        if (now - clock.WatermarkAt > MaxWatermarkAge)
        {
            clock.StalledSince ??= clock.WatermarkAt;
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return;
        }

        if (clock.StalledSince is not null || now - clock.JudgedAt > MaxWatermarkAge)
        {
            // Intake, or this sweeper, stood still: what was not heard meanwhile proves nothing.
            clock.StalledSince = null;
            clock.FloorAt = now;
        }

        clock.JudgedAt = now;
        await JudgeAllAsync(db, clock.FloorAt, now, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task JudgeAllAsync(ControlPlaneDbContext db, DateTimeOffset floor, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var clusters = await (
            from cluster in db.Set<FleetCluster>().AsNoTracking()
            where cluster.State == "active"
            join contact in db.Set<LastContact>().AsNoTracking() on cluster.Id equals contact.ClusterId into contacts
            from contact in contacts.DefaultIfEmpty()
            join liveness in db.Set<ClusterLiveness>().AsNoTracking() on cluster.Id equals liveness.ClusterId into states
            from liveness in states.DefaultIfEmpty()
            select new
            {
                cluster.Id,
                cluster.CustomerId,
                ReceivedAt = (DateTimeOffset?)contact.ReceivedAt,
                NextSeconds = (int?)contact.NextSeconds,
                Before = (LivenessState?)liveness.State,
            }).ToListAsync(cancellationToken);
        var changed = new List<(Guid Id, Guid Customer, LivenessState? Before, LivenessState Now)>();
        foreach (var cluster in clusters)
        {
            var since = cluster.ReceivedAt is { } received && received > floor ? received : floor;
            var state = cluster.ReceivedAt is null ? LivenessState.Never : Judge.Of(now - since, cluster.NextSeconds ?? 60);

            // The floor only delays a worsening: a cluster that was missing before our restart does not look online because of it.
            if (cluster.ReceivedAt is { } last && last <= floor && cluster.Before is { } before && state < before)
            {
                state = before;
            }

            if (state != cluster.Before)
            {
                changed.Add((cluster.Id, cluster.CustomerId, cluster.Before, state));
            }
        }

        var rows = changed.Select(change => new object?[] { change.Id, change.Customer, change.Now.ToString(), now.ToUnixTimeMilliseconds() }).ToList();
        await db.Dialect.UpsertAsync(db, new BulkRows("fleet_liveness", ["cluster_id", "customer_id", "state", "since"], ["cluster_id"], rows), null, cancellationToken);
    }
}
