using System.Diagnostics;
using Google.Protobuf;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using MissionControl.Trust.Envelopes;
using IMessage = MissionControl.Contracts.IMessage;

namespace MissionControl.Benchmarks;

/// <summary>What goes from outbox to consumers, in the real host within this process, embedded or over servers of its own.</summary>
internal static class MessageBenchmarks
{
    private const int CellsPerWindow = 50;
    private const int WindowsPerGroup = 100;
    private const int Clusters = 20;
    private static readonly string[] Meters = ["host_unit_seconds", "gib_hours", "data_points", "log_bytes", "sessions"];

    public static async Task<bool> OutboxAsync(int events, int rounds)
    {
        var verdict = Verdict.Begin("outbox",
            "one event from the outbox through the mediator to two consumers (callhome, fleet), each with inbox row and one row written in a transaction of its own; done when the outbox is empty",
            "SQLite, WAL, synchronous=FULL; floor: one raw insert in a transaction of its own");
        await using var host = await ControlPlane.StartAsync();
        await DeliverAsync(host, "licensing", Customers(events));
        var figures = new List<double>();
        for (var round = 1; round <= rounds; round++)
        {
            var floor = RawSqlite.RowsPerSecond(2000, 1);
            var took = await DeliverAsync(host, "licensing", Customers(events));
            figures.Add(events / took.TotalSeconds);
            Verdict.Note($"round {round}: {figures[^1]:0} events/s; floor {floor:0} commits/s; ratio {figures[^1] / floor:0.000}");
        }

        verdict.AtLeast("events, median", figures.Order().ElementAt(figures.Count / 2), 500, "/s");
        verdict.Holds("nothing was parked", await CountAsync(host, "SELECT (SELECT count(*) FROM callhome_parked_message) + (SELECT count(*) FROM fleet_parked_message)") == 0);
        return verdict.Passed;
    }

    public static async Task<bool> BrokerAsync(int events, int rounds)
    {
        var verdict = Verdict.Begin("messages",
            "one event from the outbox over RabbitMQ to one consumer with inbox row and one row written; done when the consumer's row is committed. Single: intake's watermark, a transaction for each. In batches: an audit entry, a transaction for what waits, 100 at most",
            "PostgreSQL 15, fsync; quorum queues, confirms awaited; floor: RabbitMQ's own client, 512 bytes, 32 confirms awaited at once");
        await using var servers = await Servers.StartAsync();
        var host = servers.Host;
        var (single, batched) = (new List<double>(), new List<double>());
        for (var round = 0; round <= rounds; round++)
        {
            var floor = await servers.ConfirmedPerSecondAsync(8000, 32);
            var one = events / (await DeliverAsync(host, "callhome", Watermarks(events), "SELECT count(*) FROM fleet_inbox WHERE consumer = 'fleet.keep-watermark'", events)).TotalSeconds;
            var several = events / (await DeliverAsync(host, "licensing", Entries(events), "SELECT count(*) FROM audit_inbox WHERE consumer = 'audit.append-entry'", events)).TotalSeconds;

            // The first round only warms.
            if (round > 0)
            {
                single.Add(one);
                batched.Add(several);
                Verdict.Note($"round {round}: single {one:0}/s, ratio {one / floor:0.000}; in batches {several:0}/s, ratio {several / floor:0.000}; floor {floor:0}/s");
            }
        }

        verdict.AtLeast("single events, median", single.Order().ElementAt(single.Count / 2), 1000, "/s");
        verdict.AtLeast("events in batches, median", batched.Order().ElementAt(batched.Count / 2), 2000, "/s");
        verdict.Holds("nothing was parked", await CountAsync(host, "SELECT (SELECT count(*) FROM audit_parked_message) + (SELECT count(*) FROM fleet_parked_message)") == 0);
        return verdict.Passed;
    }

    public static async Task<bool> LedgerAsync(int windows, int rounds, bool postgres)
    {
        var verdict = Verdict.Begin("ledger",
            $"one cell of a signed usage window of {CellsPerWindow}, from intake's outbox row ({WindowsPerGroup} windows in a group) {(postgres ? "over RabbitMQ, " : "")}through signature check and judgement into the ledger",
            $"{(postgres ? "PostgreSQL 15, fsync; quorum queues, confirms awaited" : "SQLite, WAL, synchronous=FULL")}; floor: raw inserts of the same columns into SQLite, 5,000 in a transaction");
        await using var servers = postgres ? await Servers.StartAsync() : null;
        await using var embedded = postgres ? null : await ControlPlane.StartAsync();
        var host = servers?.Host ?? embedded!;
        var customer = await host.CreateCustomerAsync();
        var clusters = new List<TestCluster>();
        for (var i = 0; i < Clusters; i++)
        {
            clusters.Add(await TestCluster.EnrollAsync(host, customer.Id));
        }

        await Eventually.TrueAsync(async () => await CountAsync(host, "SELECT count(*) FROM licensing_cluster") == Clusters, "licensing knows the clusters");
        var hour = UsageWindow.HourOf(TimeProvider.System.GetUtcNow()) - 1;
        var (fresh, again) = (new List<double>(), new List<double>());
        long seq = 0;
        for (var round = 0; round <= rounds; round++)
        {
            var count = windows;
            var items = new List<ReceivedItem>(count);
            for (var i = 0; i < count; i++)
            {
                items.Add(Window(clusters[i % Clusters], customer.Id, hour - (i / Clusters), ++seq));
            }

            hour -= (count / Clusters) + 1;
            var floor = RawSqlite.RowsPerSecond(50_000, 5000);
            var before = await CountAsync(host, "SELECT count(*) FROM licensing_cell");
            var took = await DeliverAsync(host, "callhome", Groups(items), Applied, items.Count / WindowsPerGroup);
            var stored = await CountAsync(host, "SELECT count(*) FROM licensing_cell") - before;
            var tookAgain = await DeliverAsync(host, "callhome", Groups(items), Applied, items.Count / WindowsPerGroup);
            if (stored != count * CellsPerWindow || await CountAsync(host, "SELECT count(*) FROM licensing_cell") != before + stored)
            {
                throw new InvalidOperationException($"{count * CellsPerWindow} cells were sent and {stored} stored.");
            }

            // The first round only warms.
            if (round > 0)
            {
                fresh.Add(stored / took.TotalSeconds);
                again.Add(stored / tookAgain.TotalSeconds);
                Verdict.Note($"round {round}: {fresh[^1]:0} cells/s; as duplicates {again[^1]:0} cells/s; floor {floor:0} rows/s; ratio {fresh[^1] / floor:0.00}");
            }
        }

        verdict.AtLeast("cells, median", fresh.Order().ElementAt(fresh.Count / 2), 50_000, "/s");
        verdict.AtLeast("duplicates refused, median", again.Order().ElementAt(again.Count / 2), fresh.Order().ElementAt(fresh.Count / 2), "/s");
        verdict.Holds("nothing was parked", await CountAsync(host, "SELECT count(*) FROM licensing_parked_message") == 0);
        clusters.ForEach(cluster => cluster.Dispose());
        return verdict.Passed;
    }

    private const string Applied = "SELECT count(*) FROM licensing_inbox WHERE consumer = 'licensing.record-usage'";

    private static List<IMessage> Watermarks(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new IntakeWatermark($"replica-{Guid.CreateVersion7():N}", TimeProvider.System.GetUtcNow(), i + 1))];

    private static List<IMessage> Entries(int count)
    {
        var producer = $"benchmark/{Guid.CreateVersion7():N}";
        return [.. Enumerable.Range(0, count).Select(i => new AuditEntryRecorded(1, Guid.CreateVersion7(), producer, i + 1, TimeProvider.System.GetUtcNow(), "operator", null, null, "benchmark.thing-done", "success",
            new AuditActor("system", "benchmark", "local"), new AuditTarget("thing", $"{i}"), [], null, null, null, "none", new Dictionary<string, string>()))];
    }

    private static List<IMessage> Customers(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new CustomerChanged(Guid.CreateVersion7(), $"Customer {i}", "eu", "active", 1))];

    private static List<IMessage> Groups(List<ReceivedItem> items) =>
        [.. items.Chunk(WindowsPerGroup).Select(group => new ItemsReceived(Guid.CreateVersion7(), "usage", TimeProvider.System.GetUtcNow()) { Attachment = ItemsReceived.Deflate(new ReceivedItems { Items = { group } }) })];

    private static ReceivedItem Window(TestCluster cluster, Guid customer, int hour, long seq)
    {
        var cells = Enumerable.Range(0, CellsPerWindow)
            .Select(i => new UsageCell(Meters[i % Meters.Length], 1, new Dictionary<string, string> { ["env"] = $"environment-{i / Meters.Length}" }, (3600L * (i + 1)).ToString(System.Globalization.CultureInfo.InvariantCulture))).ToList();
        var window = cluster.Window(hour) with { Meters = cells };
        using var signer = EcdsaSigner.From(cluster.Key);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        return new ReceivedItem
        {
            ClusterId = ByteString.CopyFrom(Guid.Parse(cluster.Id).ToByteArray(bigEndian: true)),
            CustomerId = ByteString.CopyFrom(customer.ToByteArray(bigEndian: true)),
            Epoch = 1,
            Seq = seq,
            AtMs = now,
            ReceivedAtMs = now,
            NextS = 60,
            Body = ByteString.CopyFrom(Dsse.Sign(UsageWindow.PayloadType, window.ToBytes(), signer)),
        };
    }

    /// <summary>Publishes from a module and waits until every consumer has finished: the outbox is empty, and where the broker comes between, the inbox holds so many more.</summary>
    private static async Task<TimeSpan> DeliverAsync(ControlPlane host, string module, List<IMessage> messages, string? inbox = null, int more = 0)
    {
        var before = inbox is null ? 0 : await CountAsync(host, inbox);
        await using var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(module);
        var events = scope.ServiceProvider.GetRequiredService<IEvents>();
        messages.ForEach(events.Publish);
        var clock = Stopwatch.StartNew();
        await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync();
        while (await CountAsync(host, $"SELECT count(*) FROM {module}_outbox") > 0 || (inbox is not null && await CountAsync(host, inbox) < before + more))
        {
            if (clock.Elapsed > TimeSpan.FromMinutes(2))
            {
                throw new TimeoutException("Not everything was delivered within 2 minutes.");
            }

            await Task.Delay(10);
        }

        return clock.Elapsed;
    }

    private static async Task<long> CountAsync(ControlPlane host, string sql)
    {
        await using var scope = host.Services.CreateAsyncScope();
        return (await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Database.SqlQueryRaw<long>(sql).ToListAsync()).Single();
    }
}
