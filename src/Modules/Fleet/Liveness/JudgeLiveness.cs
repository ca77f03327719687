using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Fleet.Clusters;
using MissionControl.Fleet.Incidents;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;

namespace MissionControl.Fleet.Liveness;

/// <summary>
/// Judges silence. While the newest processed watermark is older than 15 s every deadline stands still; when intake comes back, and
/// after a start, silence counts from then on, so that our own outage never makes a cluster late.
/// </summary>
internal sealed class JudgeLiveness(TimeProvider time) : Sweeper("fleet.judge-liveness", "fleet", TimeSpan.FromSeconds(2))
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(15);

    // Clocks of replicas differ by less.
    private static readonly TimeSpan PutBack = TimeSpan.FromMinutes(1);
    private readonly AcceptRate rate = new();
    private bool started;

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("liveness is judged for every customer's clusters");
        var now = time.GetUtcNow();
        if (await db.Set<IntakeClock>().AnyAsync(row => row.JudgedAt > now + PutBack, cancellationToken))
        {
            await PutBackAsync(db, now, cancellationToken);
        }

        if (await db.Set<IntakeReplica>().OrderByDescending(row => row.At).Select(row => (DateTimeOffset?)row.At).FirstOrDefaultAsync(cancellationToken) is not { } newest)
        {
            // Intake has never been there: nothing is known, and nothing judged.
            return;
        }

        var silent = await SilentClusters.ReadAsync(db, now, cancellationToken);
        var heard = await rate.CountAsync(db, now, cancellationToken);
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var clock = await ClockAsync(db, now, cancellationToken);
        if (await IsDeliveringAsync(db, clock, newest, now, cancellationToken))
        {
            rate.Take(heard, clock, now);
            await MassOutageGuard.ApplyAsync(db, clock, rate, silent, now, cancellationToken);
        }

        clock.JudgedAt = now;
        started = true;
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>The clock, for this replica alone until the transaction ends: two that judge at once would each open an incident.</summary>
    private static async Task<IntakeClock> ClockAsync(ControlPlaneDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var at = now.ToUnixTimeMilliseconds();
        await db.Dialect.InsertIfAbsentAsync(db, new BulkRows("fleet_intake_clock", ["id", "judged_at", "floor_at", "released_at"], ["id"], [[1, at, at, 0L]]), cancellationToken);
        await db.Dialect.LockRowsAsync(db, "fleet_intake_clock", ["id"], [[1]], cancellationToken);
        return await db.Set<IntakeClock>().SingleAsync(row => row.Id == 1, cancellationToken);
    }

    /// <summary>Our own clock was put back: nothing may lie ahead of it, and silence counts from now.</summary>
    private static async Task PutBackAsync(ControlPlaneDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        await LastContact.PutBackAsync(db, now, cancellationToken);
        await db.Set<IntakeReplica>().Where(row => row.At > now).ExecuteUpdateAsync(set => set.SetProperty(row => row.At, now), cancellationToken);
        await db.Set<IntakeClock>().ExecuteUpdateAsync(set => set.SetProperty(row => row.JudgedAt, now).SetProperty(row => row.FloorAt, now), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Whether silence proves anything; opens and closes the incident that says why not.</summary>
    private async Task<bool> IsDeliveringAsync(ControlPlaneDbContext db, IntakeClock clock, DateTimeOffset newest, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var open = await db.Set<Incident>().Where(row => row.EndedAt == null && row.Kind != Incident.MassOutage).OrderBy(row => row.BeganAt).ToListAsync(cancellationToken);
        var incident = open.FirstOrDefault();
        var paused = now - clock.JudgedAt > MaxAge;
        if (paused)
        {
            incident ??= await Incident.OpenAsync(db, Incident.JudgingStopped, clock.JudgedAt,
                $"Fleet did not judge from {clock.JudgedAt:u} to {now:u}: it was stopped, or its database did not answer.", 0, now, cancellationToken);
        }

        if (now - newest > MaxAge)
        {
            clock.StalledSince ??= newest < clock.JudgedAt ? newest : clock.JudgedAt;
            incident ??= await Incident.OpenAsync(db, Incident.IntakeStalled, newest,
                $"No callhome replica's watermark has been processed since {newest:u}: callhome is stopped, or what it receives does not come through.", 0, now, cancellationToken);
            return false;
        }

        foreach (var one in incident is null ? [] : open.Append(incident).Distinct())
        {
            await one.EndAsync(db, $"Watermarks came through again at {now:u}; silence counts from then on.", now, cancellationToken);
        }

        if (incident is not null || clock.StalledSince is not null || !started)
        {
            clock.StalledSince = null;
            clock.FloorAt = now;
        }

        return true;
    }
}
