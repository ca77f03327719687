using System.Diagnostics;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Prune;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;

namespace MissionControl.Audit.Push;

/// <summary>
/// Makes the next batch of every export that has none on its way and whose log has more that is signed, and has it delivered by the role
/// notifications: noted and asked for in one transaction. The next one is made when that one was taken, so that a receiver gets entries
/// in their order, and a batch again rather than a hole.
/// </summary>
internal sealed partial class PushEntries(IServiceScopeFactory scopes, TimeProvider time, ILogger<PushEntries> logger) : Sweeper("audit.push-entries", "audit", TimeSpan.FromSeconds(1))
{
    private const int MostExports = 100;

    /// <summary>Less than the term of the lease.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(8);

    /// <summary>Longer than notifications tries: no word came back.</summary>
    private static readonly TimeSpan MostPatience = TimeSpan.FromHours(26);

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var (db, begun) = (scope.GetRequiredService<ControlPlaneDbContext>(), Stopwatch.GetTimestamp());
        var oldest = time.GetUtcNow() - MostPatience;
        var running = db.Set<PushedExport>().AsNoTracking().Where(row => row.Problem == null);
        foreach (var export in await running.Where(row => row.BatchId != null && row.BatchAt < oldest).Take(MostExports).ToListAsync(cancellationToken))
        {
            await StopAsync(scope, export, "Whether the last batch arrived was not told within 26 hours.", cancellationToken);
        }

        // One that has more than its log is due too: the log is not the one it was. A checkpoint of more than there is, as after a restore, counts for what there is.
        var due = await running.Where(row => row.BatchId == null)
            .Select(row => new { Export = row, Log = db.Set<Log>().FirstOrDefault(log => log.Id == row.LogId), Signed = db.Set<LogCheckpoint>().Where(note => note.LogId == row.LogId).Max(note => (long?)note.Size) ?? 0, Size = db.Set<LogHead>().Where(head => head.LogId == row.LogId).Max(head => (long?)head.Size) ?? 0 })
            .Select(one => new { one.Export, one.Log, Signed = one.Signed < one.Size ? one.Signed : one.Size })
            .Where(one => one.Signed != one.Export.NextIndex).OrderBy(one => one.Export.BatchAt).Take(MostExports).ToListAsync(cancellationToken);
        foreach (var one in due)
        {
            if (Stopwatch.GetElapsedTime(begun) > Longest)
            {
                return;
            }

            try
            {
                await using var own = scopes.CreateAsyncScope();
                own.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
                await PushAsync(own.ServiceProvider, one.Export, one.Log, one.Signed, cancellationToken);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                LogFailed(logger, exception, one.Export.Id);
            }
        }
    }

    private async Task PushAsync(IServiceProvider scope, PushedExport export, Log? log, long signed, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        if (log is null || log.Origin != export.Origin || !PushedExport.May(export.CustomerId, log))
        {
            await StopAsync(scope, export, "The log is not the one that the export was made for.", cancellationToken);
            return;
        }

        // What is pruned while it is read looks damaged: the next pass reads it against what is left.
        var minimum = await LogMinimum.OfAsync(db, log.Id, cancellationToken);
        if (export.NextIndex < minimum)
        {
            await StopAsync(scope, export, string.Create(CultureInfo.InvariantCulture, $"Entries from {export.NextIndex} to {minimum - 1} were pruned by the published term before they were sent. Make another export, from entry {minimum} on."), cancellationToken);
            return;
        }

        var batch = signed < export.NextIndex ? null : await Batch.ReadAsync(db, log, export, minimum, signed, cancellationToken);
        if (await LogMinimum.OfAsync(db, log.Id, cancellationToken) != minimum)
        {
            return;
        }

        if (batch is null)
        {
            await StopAsync(scope, export, "The log does not go on from what was sent: it came back from an older backup, or somebody changed it. Look at it, and make another export from where the two part.", cancellationToken);
            return;
        }

        var now = time.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (await db.Set<PushedExport>().Where(row => row.Id == export.Id && row.Problem == null && row.BatchId == null && row.NextIndex == export.NextIndex).ExecuteUpdateAsync(set => set
            .SetProperty(row => row.BatchId, id).SetProperty(row => row.BatchEnd, batch.End).SetProperty(row => row.BatchHash, batch.LastHash).SetProperty(row => row.BatchAt, now), cancellationToken) == 1)
        {
            scope.GetRequiredService<IEvents>().Publish(new DeliverEvent(id, export.EndpointId, batch.ToCloudEvent(id, export, now), new DeliveryReport(NoteDelivery.Name, export.CustomerId)));
            await db.SaveChangesAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task StopAsync(IServiceProvider scope, PushedExport export, string problem, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        await scope.GetRequiredService<StopExport>().HandleAsync(export, problem, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    [LoggerMessage(6031, LogLevel.Error, "The next batch of the export {Id} of an audit log could not be made; it is tried again")]
    private static partial void LogFailed(ILogger logger, Exception exception, Guid id);
}
