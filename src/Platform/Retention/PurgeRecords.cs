using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;

namespace MissionControl.Platform.Retention;

/// <summary>
/// Deletes what a module's classes of records no longer keep, in small batches, and tells the audit log how many. The count is
/// carried from batch to batch in the batch's own transaction, so that a killed process neither loses nor doubles it.
/// </summary>
internal sealed class PurgeRecords(string module, RetentionTable table, TimeProvider time) : Job($"{module}.purge-records", module, "0 17 * * * ?", "Deletes records whose term is over")
{
    private const string CountKind = "purged";
    private static readonly Meter Meter = new("MissionControl.Platform");
    private static readonly Counter<long> Purged = Meter.CreateCounter<long>("missioncontrol.retention.purged", "{record}", "Records deleted because their term was over.");

    public override async Task<string> RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var scopes = scope.GetRequiredService<IServiceScopeFactory>();
        var purged = new List<string>();
        foreach (var one in table.Classes.Where(one => one.Module == Module && one.KeepFor is not null))
        {
            long total = 0;
            int batch;
            do
            {
                total += batch = await PurgeBatchAsync(scopes, one, cancellationToken);
            }
            while (batch >= RetentionTable.BatchSize);

            if (total > 0)
            {
                purged.Add(string.Create(CultureInfo.InvariantCulture, $"{one.Name} {total}"));
            }
        }

        return purged.Count == 0 ? "Nothing was due" : $"Deleted: {string.Join(", ", purged)}";
    }

    private async Task<int> PurgeBatchAsync(IServiceScopeFactory scopes, RecordClass one, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(Module);
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("records end by age whoever the customer is");
        var before = time.GetUtcNow() - one.KeepFor!.Value;
        var limit = new PurgeLimit(before, await LegalHolds.ReadAsync(db, Module, cancellationToken));
        if (!await one.IsDueAsync!(db, limit, cancellationToken))
        {
            return 0;
        }

        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var deleted = await one.PurgeBatchAsync!(db, limit, cancellationToken);
        await CountAsync(db, scope.ServiceProvider.GetRequiredService<IEvents>(), one, deleted, before, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Purged.Add(deleted, new KeyValuePair<string, object?>("class", one.Name));
        return deleted;
    }

    private async Task CountAsync(ControlPlaneDbContext db, IEvents events, RecordClass one, int deleted, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var carried = await db.Projections(Module).SingleOrDefaultAsync(row => row.Kind == CountKind && row.Id == one.Name, cancellationToken);
        var total = deleted + (carried is null ? 0 : long.Parse(carried.Body, CultureInfo.InvariantCulture));
        if (deleted < RetentionTable.BatchSize)
        {
            events.Audit(new AuditFact($"{Module}.records-purged", AuditLog.Operator, "recordClass", one.Name)
            {
                Reason = $"Kept for {Term.Write(one.KeepFor!.Value)} {one.Rule}",
                Changes = [Change.Add("/purged", total), Change.Add("/before", before)],
            });
            if (carried is not null)
            {
                db.Projections(Module).Remove(carried);
            }
        }
        else if (carried is null)
        {
            db.Projections(Module).Add(new Projection { Kind = CountKind, Id = one.Name, Version = 1, Body = total.ToString(CultureInfo.InvariantCulture) });
        }
        else
        {
            carried.Body = total.ToString(CultureInfo.InvariantCulture);
            carried.Version++;
        }
    }
}
