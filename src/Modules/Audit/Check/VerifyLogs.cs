using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;
using MissionControl.Contracts.Events.Audit;

namespace MissionControl.Audit.Check;

/// <summary>What the last check of a log said.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Size">How many entries it read.</param>
/// <param name="Problem">What is damaged; null: nothing.</param>
internal sealed record LogChecked(DateTimeOffset At, long Size, string? Problem);

/// <summary>
/// Every day, and on the server's own console whenever somebody wants: makes every log anew from its rows and says what is not as it was
/// signed. Customers find most of it themselves; this finds it first, and what they cannot see.
/// </summary>
internal sealed partial class VerifyLogs : Job, IDisposable
{
    /// <summary><c>missioncontrol admin audit fsck</c>.</summary>
    public static readonly ConsoleTask Task = new(
        "audit fsck",
        "Make every audit log anew from its rows, and say which entry, tile, head or checkpoint is damaged: exit code 0, nothing is; 2, something is. Mission Control may go on running. Example: missioncontrol admin audit fsck --log all",
        [("log", "The log's id, or all.")],
        async (services, option, cancellationToken) =>
        {
            var one = option("log") == "all" ? (Guid?)null : Guid.TryParse(option("log"), out var id) ? id : throw new ArgumentException("--log is the id of a log, or all.");
            var found = new List<LogFinding>();
            await foreach (var finding in AllAsync(services, one, static _ => System.Threading.Tasks.Task.CompletedTask, cancellationToken))
            {
                found.Add(finding);
            }

            var text = string.Join('\n', found.SelectMany(finding => finding.Problems.Select(problem => $"{finding.Log} {finding.Origin}: {problem}")).Append(Told(found)));
            return found.Exists(finding => finding.Problems.Count > 0) ? throw new InvalidOperationException(text) : text;
        });

    private const string Table = "audit_projection";
    private const string Kind = "checked-log";
    private readonly Meter meter = new("MissionControl.Audit");
    private readonly TimeProvider time;
    private readonly ILogger<VerifyLogs> logger;
    private long damaged;

    public VerifyLogs(TimeProvider time, ILogger<VerifyLogs> logger)
        : base("audit.verify-logs", "audit", "0 41 2 * * ?", "Makes every audit log anew from its rows, and says what is damaged")
    {
        (this.time, this.logger) = (time, logger);
        meter.CreateObservableGauge<long>("missioncontrol.audit.logs_damaged", () => Interlocked.Read(ref damaged), "{log}", "Audit logs that this process found damaged when it last checked all of them.");
    }

    /// <summary>What the last check said of some logs.</summary>
    public static async Task<IReadOnlyDictionary<Guid, LogChecked>> LastAsync(ControlPlaneDbContext db, IReadOnlyCollection<Guid> logs, CancellationToken cancellationToken)
    {
        var ids = logs.Select(log => log.ToString("N")).ToList();
        var rows = await db.Projections("audit").AsNoTracking().Where(row => row.Kind == Kind && ids.Contains(row.Id)).Select(row => new { row.Id, row.Body }).ToListAsync(cancellationToken);
        return rows.ToDictionary(row => Guid.ParseExact(row.Id, "N"), row => JsonSerializer.Deserialize<LogChecked>(row.Body)!);
    }

    public void Dispose() => meter.Dispose();

    public override async Task<string> RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        var found = new List<LogFinding>();
        var since = Stopwatch.GetTimestamp();

        // Half of the time is for others.
        async Task PauseAsync(CancellationToken token)
        {
            await System.Threading.Tasks.Task.Delay(Stopwatch.GetElapsedTime(since), token);
            since = Stopwatch.GetTimestamp();
        }

        await foreach (var finding in AllAsync(scope, null, PauseAsync, cancellationToken))
        {
            found.Add(finding);
            await KeepAsync(scope, db, finding, cancellationToken);
        }

        var bad = found.Count(finding => finding.Problems.Count > 0);
        Interlocked.Exchange(ref damaged, bad);
        scope.GetRequiredService<IEvents>().Audit(new AuditFact("audit.logs-verified", AuditLog.Operator, "logs", "all")
        {
            Actor = new AuditActor("system", "audit", "local"),
            Outcome = bad == 0 ? AuditOutcome.Success : AuditOutcome.Failed,
            Changes = [Change.Add("/logs", found.Count), Change.Add("/entries", found.Sum(finding => finding.Size)), Change.Add("/damaged", bad), Change.Add("/withheld", found.Sum(finding => finding.Withheld))],
        });
        await db.SaveChangesAsync(cancellationToken);
        return Told(found);
    }

    private static async IAsyncEnumerable<LogFinding> AllAsync(IServiceProvider services, Guid? one, Func<CancellationToken, Task> pause, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (db, guard, key) = (services.GetRequiredService<ControlPlaneDbContext>(), services.GetRequiredService<HeadGuard>(), services.GetRequiredService<LogKey>());
        var known = await guard.ReadAsync(cancellationToken);
        var logs = await (from log in db.Set<Log>().AsNoTracking()
                          where one == null || log.Id == one
                          join head in db.Set<LogHead>().AsNoTracking() on log.Id equals head.LogId
                          orderby log.Name
                          select new StoredLog(log.Id, log.Origin, log.Kind, log.CustomerId, head.Size, 0)).ToListAsync(cancellationToken);
        if (one is not null && logs.Count == 0)
        {
            throw new ArgumentException($"There is no log {one}.");
        }

        foreach (var log in logs)
        {
            yield return await CheckLog.RunAsync(db, log, known.Heads.TryGetValue(log.Id, out var head) ? head : null, key, pause, cancellationToken);
        }
    }

    private async Task KeepAsync(IServiceProvider scope, ControlPlaneDbContext db, LogFinding finding, CancellationToken cancellationToken)
    {
        var problem = finding.Problems.Count == 0 ? null : string.Join(' ', finding.Problems);
        var now = time.GetUtcNow();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        await db.Dialect.UpsertAsync(db, new BulkRows(Table, ["kind", "id", "version", "body"], ["kind", "id"], [[Kind, finding.Log.ToString("N"), now.ToUnixTimeMilliseconds(), JsonSerializer.Serialize(new LogChecked(now, finding.Size, problem))]]), null, cancellationToken);
        if (problem is not null)
        {
            LogDamaged(logger, finding.Origin, problem);
            scope.GetRequiredService<IEvents>().Audit(new AuditFact("audit.log-damaged", AuditLog.Operator, "log", finding.Log.ToString())
            {
                Actor = new AuditActor("system", "audit", "local"),
                Outcome = AuditOutcome.Failed,
                Reason = problem.Length <= 500 ? problem : problem[..500],
                Changes = [Change.Add("/size", finding.Size)],
            });
            await db.SaveChangesAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    private static string Told(List<LogFinding> found) => string.Create(
        CultureInfo.InvariantCulture,
        $"{found.Count} logs, {found.Sum(finding => finding.Size)} entries, {found.Sum(finding => finding.Tiles)} tiles, {found.Sum(finding => finding.Checkpoints)} checkpoints: {(found.Count(finding => finding.Problems.Count > 0) is var bad and > 0 ? $"{bad} logs are damaged" : "all as it was signed")}. Personal values that are not there: {found.Sum(finding => finding.Withheld)}.");

    [LoggerMessage(6010, LogLevel.Critical, "The audit log {Origin} is damaged: {Problem}")]
    private static partial void LogDamaged(ILogger logger, string origin, string problem);
}
