using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.CallHome.Intake;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;

namespace MissionControl.CallHome.Clusters;

/// <summary>Marks a cluster that two senders speak as, and tells the vendor and the customer; once, until a person decides.</summary>
internal sealed class CloneAlarm(IServiceScopeFactory scopes, TimeProvider time)
{
    public async Task RaiseAsync(KnownCluster known, string why, CancellationToken cancellationToken)
    {
        if (!known.CloneSuspected)
        {
            await RaiseAsync(known.Id, known.CustomerId, why, cancellationToken);
            known.CloneSuspected = true;
        }
    }

    public async Task RaiseAsync(Guid id, Guid customerId, string why, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("callhome");
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("a suspected clone concerns the vendor whoever the customer is");
        var events = scope.ServiceProvider.GetRequiredService<IEvents>();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var cluster = await db.Set<Cluster>().SingleAsync(row => row.Id == id, cancellationToken);
        if (!cluster.CloneSuspected)
        {
            var now = time.GetUtcNow();
            cluster.SuspectClone(now);
            var keys = await db.Set<ClusterKeyRow>().Where(row => row.ClusterId == id).ToListAsync(cancellationToken);
            events.Publish(cluster.ToEvent(keys, now));
            events.Audit(new AuditFact("callhome.clone-suspected", AuditLog.Customer, "cluster", id.ToString())
            {
                CustomerId = customerId,
                ClusterId = id,
                Outcome = AuditOutcome.Denied,
                Reason = why,
                Actor = new AuditActor("cluster", id.ToString(), "token"),
            });
            events.Publish(new SendNotification(Guid.CreateVersion7(now), customerId, [new Recipient("contact", "technical"), new Recipient("vendor", "technical")], "clone-suspected",
                new Dictionary<string, string> { ["cluster"] = cluster.Name, ["why"] = why }, "critical", $"clone-suspected/{id:N}/{now.ToUnixTimeMilliseconds()}"));
            await db.SaveChangesAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }
}
