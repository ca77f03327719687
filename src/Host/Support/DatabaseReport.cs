using System.Data.Common;
using System.Reflection;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using MissionControl.Catalog;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;

namespace MissionControl.Host.Support;

/// <summary>
/// What the database says of itself, read beside whatever runs on it: counts, and of the tables that every role has what waits, who holds
/// what and how it went. One query a table, each with an end; never what is in a row of a role's own. What one login may not read, or
/// what does not answer, hides nothing else.
/// </summary>
internal static class DatabaseReport
{
    /// <summary>Where counting ends; what waits is looked at up to a hundredth of it.</summary>
    private const int MostRows = 1_000_000;

    private const int MostWaiting = 10_000;
    private const int MostRuns = 2_000;

    /// <summary>Nobody waits longer for all of it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan PatienceToConnect = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan PatienceOfQuery = TimeSpan.FromSeconds(5);

    // Their rows are told one by one, or in groups, and counted on the way.
    private static readonly Type[] Told = [typeof(OutboxMessage), typeof(InboxMessage), typeof(ParkedMessage), typeof(Lease), typeof(JobRun), typeof(Replica)];

    /// <summary>Reads it.</summary>
    /// <exception cref="Exception">It cannot be reached, which drivers say in exceptions of many kinds.</exception>
    public static async Task<(object Engine, object Report)> ReadAsync(Shape shape, string sqliteFile, DateTimeOffset now, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        var services = new ServiceCollection();
        services.AddSingleton(new ModuleCatalog(ModuleList.All, [ModuleCatalog.AllRoles]));
        shape.AddStorage(services, sqliteFile);
        await using var provider = services.BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        await using var db = ActivatorUtilities.CreateInstance<ControlPlaneDbContext>(scope.ServiceProvider);
        if (shape.Provider == "sqlite")
        {
            // As a backup does, and not over the connections of a process that may write.
            db.Database.SetDbConnection(new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = sqliteFile, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString()), contextOwnsConnection: true);
        }

        db.Database.SetCommandTimeout(PatienceOfQuery);
        db.Scope.OpenAll("a support bundle counts rows");
        var connection = await db.OpenConnectionAsync(patience.Token).WaitAsync(PatienceToConnect, patience.Token);
        var engine = new { Provider = db.Dialect.Name, connection.ServerVersion, Schema = await SchemaAsync(db, patience.Token) };
        var roles = new List<object>();
        foreach (var module in ModuleList.All)
        {
            roles.Add(await RoleAsync(db, module.Name, now, patience.Token));
        }

        var tables = new List<object>();
        foreach (var entity in db.Model.GetEntityTypes().Where(entity => entity.GetTableName() is not null && entity.BaseType is null && !entity.IsOwned() && !Told.Contains(entity.ClrType)).OrderBy(entity => entity.GetTableName(), StringComparer.Ordinal))
        {
            tables.Add(new { Table = entity.GetTableName(), Rows = await TryAsync(() => CountAsync(db, entity, patience.Token)) });
        }

        return (engine, new { ReadAt = now, Bytes = await TryAsync(async () => await db.Dialect.SizeAsync(db, patience.Token)), CountedUpTo = MostRows, WaitingLookedAtUpTo = MostWaiting, Roles = roles, Tables = tables });
    }

    private static async Task<object> SchemaAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var (known, applied) = (db.Database.GetMigrations().ToList(), (await db.Database.GetAppliedMigrationsAsync(cancellationToken)).ToList());
        var (missing, unknown) = (known.Except(applied).ToList(), applied.Except(known).ToList());
        return new { State = unknown.Count > 0 ? "newer" : missing.Count > 0 ? "behind" : "current", Newest = applied.LastOrDefault(), Missing = missing, Unknown = unknown };
    }

    private static async Task<object> RoleAsync(ControlPlaneDbContext db, string role, DateTimeOffset now, CancellationToken cancellationToken) => new
    {
        Role = role,
        Outbox = await TryAsync(async () =>
        {
            var rows = await db.Outbox(role).AsNoTracking().OrderBy(row => row.Id).Take(MostWaiting).Select(row => new { row.Type, row.CreatedAt, row.Attempts, row.LastError }).ToListAsync(cancellationToken);
            return new
            {
                Waiting = rows.Count, OldestSince = rows.FirstOrDefault()?.CreatedAt,
                ByType = rows.GroupBy(row => row.Type).Select(group => new { Type = group.Key, Count = group.Count(), OldestSince = group.First().CreatedAt, Failed = group.Count(row => row.LastError is not null), MostAttempts = group.Max(row => row.Attempts), LastError = group.LastOrDefault(row => row.LastError is not null)?.LastError }),
            };
        }),
        Inbox = await TryAsync(async () =>
        {
            var rows = await db.Inbox(role).AsNoTracking().OrderByDescending(row => row.AppliedAt).Take(MostWaiting).Select(row => new { row.Consumer, row.AppliedAt }).ToListAsync(cancellationToken);
            return new { Applied = rows.Count, LastAt = rows.FirstOrDefault()?.AppliedAt, ByConsumer = rows.GroupBy(row => row.Consumer).Select(group => new { Consumer = group.Key, Count = group.Count(), LastAt = group.First().AppliedAt }) };
        }),
        Parked = await TryAsync(async () =>
        {
            var rows = await db.ParkedMessages(role).AsNoTracking().OrderBy(row => row.Id).Take(MostWaiting).Select(row => new { row.Consumer, row.Type, row.State, row.Attempts, row.FirstFailedAt, row.LastFailedAt, row.FirstError, row.LastError }).ToListAsync(cancellationToken);
            return rows.GroupBy(row => new { row.Type, row.Consumer, row.State, Error = Code(row.LastError) }).Select(group => new
            {
                group.Key.Type, group.Key.Consumer, State = group.Key.State.ToString(), group.Key.Error, Count = group.Count(), OldestSince = group.Min(row => row.FirstFailedAt), LastAt = group.Max(row => row.LastFailedAt),
                group.First().FirstError, group.Last().LastError,
            }).ToList();
        }),
        Leases = await TryAsync(async () => await db.Leases(role).AsNoTracking().OrderBy(row => row.Name).Take(MostRuns).Select(row => new { row.Name, row.Holder, row.Until, Lapsed = row.Until < now }).ToListAsync(cancellationToken)),

        // Who asked for a run and why is theirs.
        Jobs = await TryAsync(async () =>
        {
            var rows = await db.JobRuns(role).AsNoTracking().OrderByDescending(row => row.StartedAt).Take(MostRuns).Select(row => new { row.Job, row.ScheduledAt, row.StartedAt, row.EndedAt, row.Replica, row.Outcome }).ToListAsync(cancellationToken);
            return rows.GroupBy(row => row.Job).Select(group => group.First()).OrderBy(row => row.Job, StringComparer.Ordinal).ToList();
        }),
        Processes = await TryAsync(async () => await db.Replicas(role).AsNoTracking().OrderByDescending(row => row.SeenAt).Take(50).Select(row => new { row.Instance, row.Version, row.StartedAt, row.SeenAt, row.StoppedAt, row.DiskFree, row.DiskTotal, row.CertificateEndsAt, row.WorkPerSecond, row.WorkP99Ms }).ToListAsync(cancellationToken)),
    };

    // The kind of exception; anything else could be the beginning of a secret.
    private static string? Code(string error) => error.Split(':', 2) is [var kind, _] && kind.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '`') ? kind : null;

    private static Task<object> CountAsync(ControlPlaneDbContext db, IEntityType entity, CancellationToken cancellationToken) => (Task<object>)typeof(DatabaseReport)
        .GetMethod(nameof(CountRowsAsync), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(entity.ClrType).Invoke(null, [db, entity, cancellationToken])!;

    private static async Task<object> CountRowsAsync<T>(ControlPlaneDbContext db, IEntityType entity, CancellationToken cancellationToken)
        where T : class => await (entity.HasSharedClrType ? db.Set<T>(entity.Name) : db.Set<T>()).Select(_ => 1).Take(MostRows).CountAsync(cancellationToken);

    /// <summary>What was read, or why it could not be.</summary>
    private static async Task<object?> TryAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception exception) when (exception is DbException or InvalidOperationException or TimeoutException or OperationCanceledException)
        {
            return new { Error = $"{exception.GetType().Name}: {exception.Message}" };
        }
    }
}
