using System.Diagnostics.Metrics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Time;

namespace MissionControl.Audit.Numbers;

/// <summary>
/// Every process numbers what it tells, without a hole, in the transaction of what it tells of. So a number that is missing while a later
/// one is there is an event that was lost on its way, or taken out of it: the log of the fleet says so, which every customer reads, since
/// nobody knows whose it was; and it says so when the event comes after all. Entries are read once, log by log in their order; which
/// numbers are missing is read from the index in the order of the numbers, so that nothing looks missing only because it was not read yet.
/// </summary>
internal sealed partial class TellGaps : Sweeper, IDisposable
{
    private const string Turn = "numbers";

    /// <summary>How many entries or numbers a step takes at most.</summary>
    private const int Batch = 512;

    /// <summary>How many producers a step reads on at most.</summary>
    private const int Producers = 16;

    /// <summary>No process tells so much: a higher number is somebody's mistake, and says nothing of those below it.</summary>
    public const long Highest = 1L << 53;

    /// <summary>Of how many producers a step tells at most: each can have as many holes as are remembered.</summary>
    private const int Tellers = 8;

    // Less than the term of the lease, so that others do not wait for its rows.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private readonly Meter meter = new("MissionControl.Audit");
    private readonly AppendOnlyTest test;
    private readonly ProcessIdentity process;
    private readonly AuditOptions options;
    private readonly TimeProvider time;
    private readonly ILogger<TellGaps> logger;
    private long told;

    public TellGaps(AppendOnlyTest test, ProcessIdentity process, IOptions<AuditOptions> options, TimeProvider time, ILogger<TellGaps> logger)
        : base("audit.tell-gaps", "audit", TimeSpan.FromSeconds(15))
    {
        (this.test, this.process, this.options, this.time, this.logger) = (test, process, options.Value, time, logger);
        meter.CreateObservableCounter<long>("missioncontrol.audit.gaps", () => Interlocked.Read(ref told), "{gap}", "Gaps in the numbers of those who tell the audit logs what happened, as this process told them.");
    }

    public void Dispose() => meter.Dispose();

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var (db, sequencer, begun) = (scope.GetRequiredService<ControlPlaneDbContext>(), scope.GetRequiredService<Sequencer>(), time.GetTimestamp());
        while (test.Refusal is null && await StepAsync(db, sequencer, cancellationToken) && time.GetElapsedTime(begun) < Longest)
        {
        }
    }

    // Told and remembered to be told in one transaction, and one replica at a time.
    private async Task<bool> StepAsync(ControlPlaneDbContext db, Sequencer sequencer, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (await db.Set<Progress>().CountAsync(row => row.Done && (row.Name == FillIndex.Name || row.Name == ImportEntries.Name), cancellationToken) < 2)
        {
            // What is not in the index yet would look as if it were missing.
            return false;
        }

        await Progress.TakeAsync(db, Turn, 0, cancellationToken);
        var now = time.GetUtcNow();
        var step = new Step(db, now);

        // What is missing may be among what was not read yet.
        var isMore = await ReadAsync(step, cancellationToken) | await ReachAsync(step, cancellationToken);

        // What waited while nothing ran is not missing: it is given the time again in which it comes.
        if (!isMore && now - process.StartedAt >= options.GapAfter)
        {
            isMore = await TellAsync(step, now - options.GapAfter, cancellationToken);
        }

        if (step.Entries.Count > 0)
        {
            await sequencer.AppendAsync(step.Entries, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        foreach (var (producer, hole) in step.Gaps)
        {
            Interlocked.Increment(ref told);
            LogGap(logger, producer, hole.First, hole.Last);
        }

        return isMore;
    }

    // What was appended since: late numbers go into their holes, and of the others is noted whose they are.
    private static async Task<bool> ReadAsync(Step step, CancellationToken cancellationToken)
    {
        var grown = await (from head in step.Db.Set<LogHead>().AsNoTracking()
                           where head.LogId != AnchorLog.Id
                           join read in step.Db.Set<NumbersRead>().AsNoTracking() on head.LogId equals read.LogId into reads
                           from read in reads.DefaultIfEmpty()
                           let position = (long?)read.Position ?? 0
                           where head.Size > position
                           orderby head.LogId
                           select new { head.LogId, From = position, head.Size }).Take(Batch).ToListAsync(cancellationToken);
        var (keys, moved) = (new List<object?[]>(), new List<(Guid, long)>());
        foreach (var log in grown.TakeWhile(_ => keys.Count < Batch))
        {
            var to = Math.Min(log.Size, log.From + Batch - keys.Count);
            for (var position = log.From; position < to; position++)
            {
                keys.Add([log.LogId, position]);
            }

            moved.Add((log.LogId, to));
        }

        // One whose entry is damaged is in no index: who checks the log tells of that.
        var arrived = (await step.Db.Dialect.ReadByKeyAsync(step.Db, IndexedEntry.Table, ["log_id", "position"], keys, ["producer", "producer_seq"], cancellationToken)).OfType<object?[]>().Where(row => (long)row[1]! is > 0 and <= Highest).ToLookup(row => (string)row[0]!, row => (long)row[1]!, StringComparer.Ordinal);
        var names = arrived.Select(group => group.Key).ToList();
        var known = await step.Db.Set<Producer>().AsNoTracking().Where(row => names.Contains(row.Name)).ToDictionaryAsync(row => row.Name, StringComparer.Ordinal, cancellationToken);
        var rows = new List<(string, NumberLine, long?)>();
        foreach (var numbers in arrived)
        {
            var row = known.GetValueOrDefault(numbers.Key);
            var line = row?.Line() ?? new NumberLine(0, []);
            var (reached, highest) = (line.Reached, Math.Max(row?.Known ?? 0, numbers.Max()));
            step.Fill(numbers.Key, numbers.Where(number => number <= reached && line.Take(number, 0)));
            rows.Add((numbers.Key, line, highest));
        }

        await step.StoreAsync(rows, cancellationToken);
        await NumbersRead.MoveAsync(step.Db, moved, cancellationToken);
        return keys.Count == Batch || grown.Count == Batch;
    }

    // Goes on where it came to with producers of which there is more: in the order of numbers, all in one statement. Whose numbers these
    // are is named in it, and how far it looks, so that every engine reads by the index and no more than is wanted.
    private static async Task<bool> ReachAsync(Step step, CancellationToken cancellationToken)
    {
        var behind = await step.Db.Set<Producer>().AsNoTracking().Where(row => row.Known != null).OrderBy(row => row.Known).Take(Producers).ToListAsync(cancellationToken);
        var names = behind.ConvertAll(row => row.Name);
        var entries = step.Db.Set<IndexedEntry>().AsNoTracking();
        var found = await (from row in step.Db.Set<Producer>().AsNoTracking()
                           where names.Contains(row.Name)
                           join entry in entries on row.Name equals entry.Producer
                           where entry.ProducerSeq > row.Reached && entry.ProducerSeq <= row.Reached + Batch
                           orderby row.Name, entry.ProducerSeq
                           select new { entry.Producer, entry.ProducerSeq, entry.RecordedAt }).Take(Batch).ToListAsync(cancellationToken);
        var (numbers, last) = (found.ToLookup(one => one.Producer, StringComparer.Ordinal), found.Count == Batch ? found[^1].Producer : null);
        var rows = new List<(string Name, NumberLine Line, long? Known)>();
        foreach (var row in behind.Where(row => last is null || string.CompareOrdinal(row.Name, last) <= 0))
        {
            var (line, near) = (row.Line(), numbers[row.Name].ToList());
            if (near.Count == 0)
            {
                // Longer than it looked; or, of an index that has lost rows, nothing.
                near = await entries.Where(entry => entry.Producer == row.Name && entry.ProducerSeq > row.Reached && entry.ProducerSeq <= Highest).OrderBy(entry => entry.ProducerSeq).Take(1)
                    .Select(entry => new { entry.Producer, entry.ProducerSeq, entry.RecordedAt }).ToListAsync(cancellationToken);
            }

            foreach (var one in near)
            {
                // A clock that was put back must not put off what is told.
                line.Take(one.ProducerSeq, Math.Min(one.RecordedAt.ToUnixTimeMilliseconds(), step.Now.ToUnixTimeMilliseconds()));
            }

            rows.Add((row.Name, line, near.Count == 0 ? null : row.Known));
        }

        await step.StoreAsync(rows, cancellationToken);
        return last is not null || behind.Count == Producers || rows.Exists(row => row.Known > row.Line.Reached);
    }

    private static async Task<bool> TellAsync(Step step, DateTimeOffset upTo, CancellationToken cancellationToken)
    {
        var due = await step.Db.Set<Producer>().AsNoTracking().Where(row => row.UntoldSince <= upTo).OrderBy(row => row.UntoldSince).Take(Tellers).ToListAsync(cancellationToken);
        await step.StoreAsync([.. due.Select(row => (row.Name, row.Line(), row.Known))], cancellationToken, upTo.ToUnixTimeMilliseconds());
        return due.Count == Tellers;
    }

    /// <summary>What one transaction has to say.</summary>
    private sealed class Step(ControlPlaneDbContext db, DateTimeOffset now)
    {
        public ControlPlaneDbContext Db => db;

        public DateTimeOffset Now => now;

        public List<Told> Entries { get; } = [];

        public List<(string Producer, Hole Hole)> Gaps { get; } = [];

        public void Fill(string producer, IEnumerable<long> numbers) => Entries.AddRange(NumberLine.Runs(numbers).Select(run => Entry(
            producer, "audit.gap-filled", run.First, run.First, run.Last, "success", "What was told to be missing of this producer has come.")));

        /// <summary>Stores lines, and tells what is due of them: what was there up to an instant, and what is too much to be remembered.</summary>
        public Task StoreAsync(List<(string Name, NumberLine Line, long? Known)> rows, CancellationToken cancellationToken, long upTo = long.MinValue)
        {
            foreach (var (name, line, _) in rows)
            {
                foreach (var hole in line.Tell(upTo))
                {
                    Gaps.Add((name, hole));
                    Entries.Add(Entry(
                        name, "audit.gap", hole.Last + 1, hole.First, hole.Last, "failed", "Numbers of this producer are missing: what it told under them is in no log, whosesoever it was.",
                        Change.Add("/since", DateTimeOffset.FromUnixTimeMilliseconds(hole.Since).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture))));
                }
            }

            return Producer.StoreAsync(db, rows, cancellationToken);
        }

        // Under an id, and a hash, that are the same whoever tells it and however often. It names a number that is there: it was given none.
        private Told Entry(string producer, string type, long number, long first, long last, string outcome, string reason, params AuditChange[] more)
        {
            var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{type} {first} {last} {producer}")));
            return new Told(
                new AuditEntryRecorded(
                    1, new Guid(hash.AsSpan(0, 16), bigEndian: true), producer, number, now, "fleet", null, null, type, outcome, new AuditActor("system", "audit", "local"), new AuditTarget("producer", producer),
                    [Change.Add("/first", first), Change.Add("/last", last), .. more], reason, null, null, "none", new Dictionary<string, string>()),
                hash) { IsNumbered = false };
        }
    }

    [LoggerMessage(6016, LogLevel.Error, "Numbers {First} to {Last} of {Producer} are missing in the audit logs: what it told was lost on its way, or waits somewhere")]
    private static partial void LogGap(ILogger logger, string producer, long first, long last);
}
