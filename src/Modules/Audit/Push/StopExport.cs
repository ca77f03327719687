using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Audit.Push;

/// <summary>Stops an export that cannot go on: it waits for somebody to look, keeps its place, and the security contacts of whose it is are told.</summary>
internal sealed partial class StopExport(ControlPlaneDbContext db, IEvents events, TimeProvider time, ILogger<StopExport> logger)
{
    /// <summary>Characters of a problem that are kept.</summary>
    public const int MostCharacters = 400;

    /// <summary>Stops it within the open write transaction, if it is still as it was read; the caller saves.</summary>
    public async Task HandleAsync(PushedExport export, string problem, CancellationToken cancellationToken)
    {
        var why = WellFormedText.Line(problem, MostCharacters);
        if (await db.Set<PushedExport>().Where(row => row.Id == export.Id && row.Problem == null && row.BatchId == export.BatchId && row.NextIndex == export.NextIndex).ExecuteUpdateAsync(set => set.SetProperty(row => row.Problem, why), cancellationToken) == 0)
        {
            return;
        }

        var ofLog = await db.Set<Log>().Where(row => row.Id == export.LogId).Select(row => row.CustomerId).SingleOrDefaultAsync(cancellationToken);
        events.Audit(export.Fact("audit.export-stopped", ofLog) with
        {
            Outcome = AuditOutcome.Failed,
            Actor = new AuditActor("system", "audit", "local"),
            Reason = why,
            Changes = [Change.Replace("/state", "running", "stopped"), Change.Add("/next", export.NextIndex)],
        });

        // Without the problem: some of it may be words of the receiver.
        var now = time.GetUtcNow();
        events.Publish(new SendNotification(Guid.CreateVersion7(now), export.CustomerId, [new Recipient(export.CustomerId is null ? "vendor" : "contact", "security")], "export-stopped", new Dictionary<string, string>
        {
            ["export"] = export.Id.ToString(),
            ["origin"] = export.Origin,
        }, "warning", $"audit.export-stopped/{export.Id:N}/{now.ToUnixTimeMilliseconds()}"));
        LogStopped(logger, export.Id, export.Origin, export.NextIndex, why);
    }

    [LoggerMessage(6030, LogLevel.Warning, "The export {Id} of the audit log {Origin} stopped before entry {Next}: {Problem}")]
    private static partial void LogStopped(ILogger logger, Guid id, string origin, long next, string problem);
}
