using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;

namespace MissionControl.Benchmarks;

/// <summary>The audit logs: how fast they take entries and what these weigh, how soon an entry is signed, and how fast a log is verified and served.</summary>
internal static class AuditBenchmark
{
    public const string Append = "append";
    public const string Delay = "delay";
    public const string Verify = "verify";
    public const string Tiles = "tiles";

    /// <param name="parts">Which of them.</param>
    /// <param name="length">How long each rate is measured.</param>
    /// <param name="writers">Events under way at once.</param>
    /// <param name="logs">Logs among which they are spread.</param>
    /// <param name="entries">Entries of the log that is verified.</param>
    /// <param name="postgres">On PostgreSQL and over RabbitMQ.</param>
    public static async Task<bool> RunAsync(IReadOnlyCollection<string> parts, TimeSpan length, int writers, int logs, int entries, bool postgres)
    {
        var verdict = Verdict.Begin(
            "audit", "one event of which the bytes in its log are about 600, one personal value beside it; appended means committed, and counted is only what a walk over the signed log finds afterwards, over the API, by nothing but its key",
            postgres ? "PostgreSQL 15, fsync; over RabbitMQ what roles tell; floor: one raw insert into SQLite in a transaction of its own" : "SQLite, WAL, synchronous=FULL, one commit for each batch; floor: one raw insert in a transaction of its own");
        Verdict.Note($"disk        {new DriveInfo(Path.GetTempPath()).DriveFormat}");
        if (parts.Contains(Append))
        {
            await AppendAsync(verdict, "one log", 1, (2_000, 5_000), length, writers, postgres);
            await AppendAsync(verdict, $"{logs} logs", logs, (1_500, 3_000), length, writers, postgres);
        }

        if (parts.Contains(Delay))
        {
            await AuditDelays.RunAsync(verdict, length, postgres);
        }

        if (parts.Contains(Verify))
        {
            await AuditReads.VerifyAsync(verdict, entries);
        }

        if (parts.Contains(Tiles))
        {
            await AuditReads.TilesAsync(verdict, length);
        }

        return verdict.Passed;
    }

    /// <summary>The single-row commit rate of this machine.</summary>
    public static double Floor() => RawSqlite.RowsPerSecond(2_000, 1);

    private static async Task AppendAsync(Verdict verdict, string name, int logs, (int Least, int Aim) budget, TimeSpan length, int writers, bool postgres)
    {
        await using var subject = await AuditSubject.StartAsync(postgres);
        var customers = Enumerable.Range(0, logs).Select(_ => Guid.CreateVersion7()).ToList();

        // Compiles, and makes the logs.
        await WriteAsync(subject, customers, length / 4, writers);
        await Parallel.ForEachAsync(customers, async (customer, _) => await subject.AppendAsync(customer));
        await subject.SignedAsync();
        var (floor, batches) = (Floor(), await BatchesAsync(subject));
        var (clock, before) = (Stopwatch.StartNew(), Cpu.Read(Environment.ProcessId));
        var (acknowledged, took) = await WriteAsync(subject, customers, length, writers);
        var others = Cpu.Read(Environment.ProcessId).OthersSince(before, clock.Elapsed);
        batches = await BatchesAsync(subject) - batches;
        floor = (floor + Floor()) / 2;
        await subject.SignedAsync();
        var (found, twice) = await FindAsync(subject, acknowledged);
        var rate = found / took.TotalSeconds;
        Verdict.Note(Line($"{name}: {rate:0} entries/s for {took.TotalSeconds:0.0} s, {writers} writers, {(double)acknowledged.Count / batches:0} entries in a commit; floor {floor:0} commits/s; ratio {rate / floor:0.00}; others used {others:0.00} cores; the aim is {budget.Aim}/s"));
        verdict.AtLeast($"appends to {name}", rate, budget.Least, "/s");
        verdict.Holds(Line($"{name}: all {acknowledged.Count} acknowledged stand in verified logs, each once"), found == acknowledged.Count && twice == 0 && await subject.IsNothingParkedAsync());

        // To read was told to the logs, too.
        await subject.SignedAsync();
        if (logs == 1 && !postgres)
        {
            await subject.StopAsync();
            Weigh(verdict, subject.Host.Data);
        }
    }

    private static async Task<(List<(Guid Customer, Guid Event)> Acknowledged, TimeSpan Took)> WriteAsync(AuditSubject subject, List<Guid> customers, TimeSpan length, int writers)
    {
        var clock = Stopwatch.StartNew();
        var own = await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            var acknowledged = new List<(Guid, Guid)>();
            for (var i = writer; clock.Elapsed < length; i += writers)
            {
                var customer = customers[i % customers.Count];
                acknowledged.Add((customer, await subject.AppendAsync(customer)));
            }

            return acknowledged;
        })));
        return ([.. own.SelectMany(acknowledged => acknowledged)], clock.Elapsed);
    }

    // Whatever is taken in one transaction has one time in the inbox.
    private static Task<long> BatchesAsync(AuditSubject subject) => subject.CountAsync("SELECT count(DISTINCT applied_at) AS \"Value\" FROM audit_inbox WHERE consumer = 'audit.append-entry'");

    private static async Task<(long Found, long Twice)> FindAsync(AuditSubject subject, List<(Guid Customer, Guid Event)> acknowledged)
    {
        var (found, twice, logs) = (0L, 0L, await subject.LogsAsync());
        await Parallel.ForEachAsync(acknowledged.GroupBy(one => one.Customer, one => one.Event), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (wanted, _) =>
        {
            var (missing, seen) = (wanted.ToHashSet(), new HashSet<Guid>());
            await subject.WalkAsync(logs[wanted.Key], (_, entry) =>
            {
                var id = entry.GetProperty("eventId").GetGuid();
                Interlocked.Add(ref twice, seen.Add(id) ? 0 : 1);
                Interlocked.Add(ref found, missing.Remove(id) ? 1 : 0);
            });
        });
        return (found, twice);
    }

    // By what goes free when a table is dropped from a copy, its indexes with it: as the rows lie there, half-filled pages and all.
    private static void Weigh(Verdict verdict, string data)
    {
        var directory = Directory.CreateTempSubdirectory("mc-bench-");
        try
        {
            const string Name = "missioncontrol.db";
            foreach (var file in Directory.EnumerateFiles(data, Name + "*").Where(file => !file.EndsWith("-shm", StringComparison.Ordinal)))
            {
                File.Copy(file, Path.Combine(directory.FullName, Path.GetFileName(file)));
            }

            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(directory.FullName, Name), Pooling = false }.ToString());
            connection.Open();
            Read(connection, "PRAGMA foreign_keys=OFF");
            var (entries, content, page) = (Read(connection, "SELECT count(*) FROM audit_log_leaf"), Read(connection, "SELECT sum(length(content)) FROM audit_log_leaf"), Read(connection, "PRAGMA page_size"));
            var (leaf, tile, rest) = (Dropped("audit_log_leaf") - ((double)content / entries), Dropped("audit_log_tile"), Dropped("audit_log_checkpoint") + Dropped("audit_log_head"));
            var (index, inbox, personal) = (Dropped("audit_index"), Dropped("audit_inbox"), Dropped("audit_log_personal"));
            Verdict.Note(Line($"bytes in the database for each of {entries} entries, indexes included: content {(double)content / entries:0}, personal values {personal:0}"));
            Verdict.Note(Line($"besides: {leaf:0} hash, ids and hash of the event, the index that finds one that comes twice, and what stays empty on their pages of {page}; {tile:0} tiles; {rest:0} heads and checkpoints; {index:0} search index, which can be made again; {inbox:0} inbox, which is swept; together {leaf + tile + rest + index + inbox:0}"));
            verdict.AtMost("tree and its indexes for each entry, without search index and inbox", leaf + tile + rest, 150, " bytes");

            double Dropped(string table)
            {
                var used = Used();
                Read(connection, $"DROP TABLE {table}");
                return (double)(used - Used()) * page / entries;
            }

            long Used() => Read(connection, "PRAGMA page_count") - Read(connection, "PRAGMA freelist_count");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static long Read(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of this file.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command.ExecuteScalar() is { } value ? Convert.ToInt64(value, CultureInfo.InvariantCulture) : 0;
    }

    /// <summary>A line of figures as they are written everywhere.</summary>
    public static string Line(FormattableString line) => FormattableString.Invariant(line);
}
