using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Push;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;

namespace MissionControl.Audit.Guard;

/// <summary>
/// <c>missioncontrol admin audit accept-restored</c>: somebody says that the database is the right one although more, or other, was signed
/// before. Whoever verifies will find that entries are gone; what was given up stands in each log, where they find it, too. What was sent of it
/// stops.
/// </summary>
internal static class AcceptRestored
{
    public static readonly ConsoleTask Task = new(
        "audit accept-restored",
        "Sign audit logs again although the database knows less than was signed, as after a restore for which there is no better backup. Customers who verify their log will see that entries are gone: tell them. Example: missioncontrol admin audit accept-restored --log all --reason \"disk failed, backup of 3 March\"",
        [("log", "The log's id, or all."), ("reason", "Why, for everybody who reads the logs.")],
        RunAsync);

    private static async Task<string> RunAsync(IServiceProvider services, Func<string, string> option, CancellationToken cancellationToken)
    {
        var (db, guard, key) = (services.GetRequiredService<ControlPlaneDbContext>(), services.GetRequiredService<HeadGuard>(), services.GetRequiredService<LogKey>());
        var one = option("log") == "all" ? (Guid?)null : Guid.TryParse(option("log"), out var id) ? id : throw new ArgumentException("--log is the id of a log, or all.");
        var reason = string.IsNullOrWhiteSpace(option("reason")) ? throw new ArgumentException("--reason says why, for everybody who reads the logs.") : option("reason").Trim();
        var reading = await guard.ReadAsync(cancellationToken);
        var finding = await GuardLook.RunAsync(db, key, reading.Heads, null, cancellationToken);
        var rows = await HeldLogs.ReadAsync(db, cancellationToken);
        if (reading.State == GuardState.Damaged && one is not null)
        {
            throw new InvalidOperationException($"The file of signed heads cannot be believed: {reading.Problem}. Accept all logs, which writes it anew.");
        }

        // What this process knows, and what other replicas said that they know.
        var problems = new Dictionary<Guid, string>(finding.Problems);
        rows.Where(row => row.Log != HeldLogs.All).ToList().ForEach(row => problems.TryAdd(row.Log, row.Problem));
        var accepted = problems.Keys.Where(log => one is null || log == one).ToList();
        if (accepted.Count == 0 && reading.State == GuardState.Good && !rows.Exists(row => one is null))
        {
            throw new InvalidOperationException("There is nothing to accept: no such log is held.");
        }

        var believed = (await GuardLook.RunAsync(db, key, new Dictionary<Guid, KnownHead>(), null, cancellationToken)).Newer;
        Tell(services.GetRequiredService<IEvents>(), reading, finding.Logs, believed, accepted, problems, reason);
        await using (var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken))
        {
            await (one is null ? HeldLogs.RemoveAllAsync(db, cancellationToken) : HeldLogs.RemoveAsync(db, [.. rows.Where(row => accepted.Contains(row.Log)).Select(row => (row.Log, row.Guard))], cancellationToken));

            // Receivers may have entries that are not in the log any more, and others would follow them at the same places.
            var stop = services.GetRequiredService<StopExport>();
            foreach (var export in await db.Set<PushedExport>().AsNoTracking().Where(row => row.Problem == null && accepted.Contains(row.LogId)).ToListAsync(cancellationToken))
            {
                await stop.HandleAsync(export, "The log came back from an older backup: what was sent may not be in it any more. Look at what the receiver has, and make another export from where the two part.", cancellationToken);
            }

            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        // Said first and done then: of the two the entry must not be what is missing.
        var heads = reading.State == GuardState.Good ? new Dictionary<Guid, KnownHead>(reading.Heads) : new Dictionary<Guid, KnownHead>(believed);
        foreach (var log in accepted)
        {
            heads.Remove(log);
            if (believed.TryGetValue(log, out var head))
            {
                heads[log] = head;
            }
        }

        await guard.MakeAsync(heads, cancellationToken);
        return $"""
            Accepted {accepted.Count} logs, which are signed again within seconds:
            {string.Join('\n', accepted.Select(log => $"  {log} {problems[log]}"))}
            Whoever verified them before will find that entries are gone or others: tell them what happened. Every replica that remembers more goes on saying so (event 6002) until this command was run where it runs, too.
            """;
    }

    private static void Tell(IEvents events, GuardReading reading, IReadOnlyList<StoredLog> logs, IReadOnlyDictionary<Guid, KnownHead> believed, List<Guid> accepted, Dictionary<Guid, string> problems, string reason)
    {
        AuditFact Fact(AuditLog log, string type, string id) => new("audit.restored-accepted", log, type, id)
        {
            Actor = new AuditActor("staff", "console", "local"),
            Reason = reason,
            Personal = new Dictionary<string, string> { ["user"] = Environment.UserName },
        };

        events.Audit(Fact(AuditLog.Operator, "logs", "all") with
        {
            Changes = [Change.Add("/logs", accepted.Count), Change.Add("/guard", reading.State == GuardState.Good ? "good" : reading.Problem ?? "missing")],
        });
        foreach (var log in accepted.Select(id => logs.FirstOrDefault(log => log.Id == id)).OfType<StoredLog>())
        {
            var (before, now) = (reading.Heads.TryGetValue(log.Id, out var known) ? known : (KnownHead?)null, believed.TryGetValue(log.Id, out var stored) ? stored : (KnownHead?)null);
            events.Audit(Fact(log.Kind switch { "customer" => AuditLog.Customer, "fleet" => AuditLog.Fleet, _ => AuditLog.Operator }, "log", log.Id.ToString()) with
            {
                CustomerId = log.CustomerId,
                Changes = [Change.Replace("/size", before?.Size, now?.Size ?? 0), Change.Replace("/root", before?.Root.ToString(), now?.Root.ToString()), Change.Add("/problem", problems[log.Id])],
            });
        }
    }
}
