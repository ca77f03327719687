using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Telemetry;

namespace MissionControl.Audit.Guard;

/// <summary>
/// In every replica: holds the database against what this replica remembers of it, and says so where it went back, whoever signs at
/// present; and remembers what the others have signed.
/// </summary>
internal sealed partial class WatchHeads : BackgroundService
{
    private const string Condition = "audit-logs";
    private const int MostNamed = 5;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Room = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Whole = TimeSpan.FromMinutes(10);
    private readonly HashSet<Guid> told = [];
    private readonly Meter meter = new("MissionControl.Audit");
    private readonly HeadGuard guard;
    private readonly LogKey key;
    private readonly IServiceScopeFactory scopes;
    private readonly Readiness readiness;
    private readonly TimeProvider time;
    private readonly ILogger<WatchHeads> logger;
    private DateTimeOffset? wholeAt;
    private DateTimeOffset looked;
    private string? said;
    private long held;

    public WatchHeads(HeadGuard guard, LogKey key, IServiceScopeFactory scopes, Readiness readiness, TimeProvider time, ILogger<WatchHeads> logger)
    {
        (this.guard, this.key, this.scopes, this.readiness, this.time, this.logger) = (guard, key, scopes, readiness, time, logger);
        meter.CreateObservableGauge<long>("missioncontrol.audit.logs_held", () => Interlocked.Read(ref held), "{log}", "Audit logs that are not signed, because the database is not the one that was signed before.");
    }

    /// <summary>Whether it has looked at all logs since the start: nothing is signed before.</summary>
    public bool HasLooked { get; private set; }

    /// <summary>Looks at all logs the next time.</summary>
    public void LookAtAll() => wholeAt = null;

    public override void Dispose()
    {
        meter.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // The database or the disk is away, which others tell, too; nothing is signed before it has looked.
                LogFailed(logger, exception);
            }

            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Looks once.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var now = time.GetUtcNow();
        var all = wholeAt is not { } last || now - last >= Whole || now < last;
        var reading = await guard.ReadAsync(cancellationToken);
        if (reading.State == GuardState.Missing)
        {
            await AdoptAsync(scope.ServiceProvider, db, cancellationToken);
            return;
        }

        var problems = new Dictionary<Guid, string>();
        IReadOnlyList<StoredLog> logs = [];
        if (reading.State == GuardState.Damaged)
        {
            problems[HeldLogs.All] = $"The file of signed heads cannot be believed: {reading.Problem}.";
            all = true;
        }
        else
        {
            var finding = await GuardLook.RunAsync(db, key, reading.Heads, all ? null : looked - Room, cancellationToken);
            (problems, logs) = (new Dictionary<Guid, string>(finding.Problems), finding.Logs);
            await FollowAsync(reading, finding, cancellationToken);
        }

        await HoldAsync(db, reading.Id == Guid.Empty ? guard.Place : reading.Id, problems, all ? null : [.. logs.Select(log => log.Id)], logs, now, cancellationToken);
        (wholeAt, looked) = (all && reading.State == GuardState.Good ? now : wholeAt, now);
        HasLooked = true;
    }

    // Nobody who lost this file may be kept from starting: what the database has signed is believed once more, and that is told.
    private async Task AdoptAsync(IServiceProvider scope, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var finding = await GuardLook.RunAsync(db, key, new Dictionary<Guid, KnownHead>(), null, cancellationToken);
        if (finding.Newer.Count > 0)
        {
            scope.GetRequiredService<IEvents>().Audit(new AuditFact("audit.guard-adopted", AuditLog.Operator, "replica", scope.GetRequiredService<ProcessIdentity>().Instance)
            {
                Changes = [Change.Add("/logs", finding.Newer.Count)],
                Reason = "The file of signed heads was not there; what the database has signed was believed.",
            });
            await db.SaveChangesAsync(cancellationToken);
            LogAdopted(logger, finding.Newer.Count);
        }

        await guard.MakeAsync([.. finding.Newer], cancellationToken);
    }

    private async Task FollowAsync(GuardReading reading, GuardFinding finding, CancellationToken cancellationToken)
    {
        if (reading.Problem is not null)
        {
            LogMended(logger, reading.Problem);
        }

        if (finding.Newer.Count > 0)
        {
            await guard.AddAsync(reading.Heads, [.. finding.Newer], cancellationToken);
            if (!HasLooked)
            {
                LogBehind(logger, finding.Newer.Count);
            }
        }
    }

    // Of all logs when none are named; else only of those that were looked at.
    private async Task HoldAsync(ControlPlaneDbContext db, Guid id, Dictionary<Guid, string> problems, HashSet<Guid>? seen, IReadOnlyList<StoredLog> logs, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var rows = await HeldLogs.ReadAsync(db, cancellationToken);

        // By its place wrote who could not believe the file there: who can says so for that place alone.
        var own = rows.Where(row => row.Guard == id || row.Guard == guard.Place).ToList();
        var add = problems.Where(pair => !own.Exists(row => row.Log == pair.Key && row.Guard == id && row.Problem == pair.Value)).ToList();
        var remove = own.Where(row => !(problems.ContainsKey(row.Log) && row.Guard == id) && seen?.Contains(row.Log) != false).Select(row => (row.Log, row.Guard)).ToList();
        if (add.Count > 0 || remove.Count > 0)
        {
            await HeldLogs.ChangeAsync(db, id, add, remove, now, cancellationToken);
            rows = await HeldLogs.ReadAsync(db, cancellationToken);
        }

        told.RemoveWhere(log => remove.Exists(row => row.Log == log));
        var fresh = problems.Where(pair => told.Add(pair.Key)).ToList();
        if (fresh.Count > 0)
        {
            LogHeld(logger, fresh.Count, string.Join("; ", fresh.Take(MostNamed).Select(pair => $"{logs.FirstOrDefault(log => log.Id == pair.Key)?.Origin ?? (pair.Key == HeldLogs.All ? "all" : pair.Key.ToString())}: {pair.Value}")));
        }

        Show(rows.Select(row => row.Log).Distinct().Count());
    }

    private void Show(long count)
    {
        Interlocked.Exchange(ref held, count);
        var text = count == 0 ? null : $"{count} audit logs are not signed: the database is not the one that was signed before. See event 6002.";
        if (text is null && said is not null)
        {
            readiness.IsWell(Condition);
            LogReleased(logger);
        }
        else if (text is not null)
        {
            readiness.Warns(Condition, text);
        }

        said = text;
    }

    [LoggerMessage(6002, LogLevel.Critical, "{Count} audit logs are not signed, because the database is not the one that was signed before: {Problems} Entries are appended all the same. Bring the right database back, or, if there is none, run missioncontrol admin audit accept-restored")]
    private static partial void LogHeld(ILogger logger, int count, string problems);

    [LoggerMessage(6003, LogLevel.Warning, "The file of signed heads was not there, and {Count} logs had been signed: what the database has signed is believed. If nobody made a new disk or volume, find out who took it away")]
    private static partial void LogAdopted(ILogger logger, int count);

    [LoggerMessage(6004, LogLevel.Warning, "The file of signed heads knew less of {Count} logs than the database has signed: other replicas signed meanwhile, or an older copy was put in its place")]
    private static partial void LogBehind(ILogger logger, int count);

    [LoggerMessage(6005, LogLevel.Critical, "The file of signed heads was written anew from memory: {Problem}. Find out who did that")]
    private static partial void LogMended(ILogger logger, string problem);

    [LoggerMessage(6006, LogLevel.Information, "All audit logs are signed again")]
    private static partial void LogReleased(ILogger logger);

    [LoggerMessage(6007, LogLevel.Error, "The database could not be held against the file of signed heads; it is tried again, and nothing is signed before it succeeded once")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
