using System.Globalization;
using Google.Protobuf;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;
using MissionControl.Contracts.Commands.CallHome;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using MissionControl.Trust;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Benchmarks;

/// <summary>What it costs the role to ask a cluster to see its customer's log, and to take the answer.</summary>
internal static class WitnessBenchmark
{
    private const int Entries = 2_000;
    private const int Held = 900;

    public static async Task<bool> RunAsync(int logs, int rounds)
    {
        logs = Math.Min(logs, 40);
        var verdict = Verdict.Begin("witness", $"one exchange: the newest checkpoint of a log of {Entries} entries with the proof from {Held}, asked of a cluster, and its cosignature verified and stored; {logs} clusters of as many customers in a round", "SQLite, WAL, synchronous=FULL, one commit for all questions and one for each group of answers; floor: one raw insert in a transaction of its own");
        await using var host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Audit:Epoch"] = "01:00:00" });
        var customers = Enumerable.Range(0, logs).Select(_ => Guid.CreateVersion7()).ToList();
        await TellAsync(host, customers);
        await Eventually.TrueAsync(async () => await CountAsync(host, $"SELECT count(DISTINCT log_id) AS \"Value\" FROM audit_log_checkpoint WHERE size = {Entries.ToString(CultureInfo.InvariantCulture)}") >= logs, "all logs are signed", TimeSpan.FromMinutes(10));

        // From here on nothing runs but what is measured.
        await host.StopAsync();
        using var witness = Ed25519Key.FromSeed(Ed25519Key.NewSeed());
        var now = DateTimeOffset.UtcNow;
        foreach (var customer in customers)
        {
            await ApplyAsync(host, "audit.keep-witness", new ClusterChanged(customer, customer, "Oslo", "active", false, 1, now, [], now, false, now, 1, witness.ToSpki()));
        }

        var (figures, bytes) = (new List<double>(), 0);
        for (var round = 1; round <= rounds; round++)
        {
            var floor = RawSqlite.RowsPerSecond(200, 1);
            await ApplyAsync(host, "audit.record-answers", Group(customers.Select(customer => (customer, new WitnessAnswer { Log = "customer", Outcome = "held", Size = Held })), (2 * round) - 1));
            var used = System.Environment.CpuUsage.TotalTime;
            await SweepAsync(host);
            var asked = System.Environment.CpuUsage.TotalTime - used;
            var questions = await QuestionsAsync(host);
            var answers = questions.ConvertAll(one => (Question: one, Answer: Answer(witness, one.Wanted)));
            bytes = answers.Max(one => one.Question.Wanted.CalculateSize() + one.Answer.CalculateSize());
            used = System.Environment.CpuUsage.TotalTime;
            await ApplyAsync(host, "audit.record-answers", Group(answers.Select(one => (one.Question.Cluster, one.Answer)), 2 * round));
            var taken = System.Environment.CpuUsage.TotalTime - used;
            figures.Add((asked + taken).TotalMilliseconds / answers.Count);
            Verdict.Note(string.Create(CultureInfo.InvariantCulture, $"round {round}: {answers.Count} exchanges, {asked.TotalMilliseconds / answers.Count:0.00} ms of a processor to ask and {taken.TotalMilliseconds / answers.Count:0.00} ms to take the answer; floor {floor:0} commits/s"));
        }

        verdict.Holds("every cosignature is stored", await CountAsync(host, "SELECT count(*) AS \"Value\" FROM audit_cosignature") == logs);
        verdict.AtMost("processor time of an exchange, median", figures.Order().ElementAt(figures.Count / 2), 5, " ms");
        verdict.AtMost("question and answer, largest", bytes, 4_096, " bytes");
        return verdict.Passed;
    }

    private static WitnessAnswer Answer(Ed25519Key witness, WitnessWanted wanted)
    {
        var note = AddCheckpoint.Parse(wanted.Asks.Single(ask => ask.Log == "customer").Request.Span).Note;
        var head = Checkpoint.Parse(note.Text);
        return new WitnessAnswer { Log = "customer", Outcome = "cosigned", Origin = head.Origin, Size = head.Size, Cosignature = WitnessRules.Cosign(witness.PublicKey.Span, witness.Sign, note.Text, DateTimeOffset.UtcNow.ToUnixTimeSeconds()).ToString() };
    }

    private static ItemsReceived Group(IEnumerable<(Guid Cluster, WitnessAnswer Answer)> answers, long seq) => new(Guid.CreateVersion7(), "witness", DateTimeOffset.UtcNow)
    {
        Attachment = ItemsReceived.Deflate(new ReceivedItems
        {
            Items =
            {
                answers.Select(one => new ReceivedItem
                {
                    ClusterId = ByteString.CopyFrom(one.Cluster.ToByteArray(bigEndian: true)), CustomerId = ByteString.CopyFrom(one.Cluster.ToByteArray(bigEndian: true)), Epoch = 1, Seq = seq, ReceivedAtMs = 1, Body = new WitnessAnswers { Answers = { one.Answer } }.ToByteString(),
                }),
            },
        }),
    };

    // What the sweeper has told callhome since the last round.
    private static async Task<List<(Guid Cluster, WitnessWanted Wanted)>> QuestionsAsync(ControlPlane host)
    {
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var payloads = await db.Database.SqlQueryRaw<byte[]>("SELECT payload AS \"Value\" FROM audit_outbox WHERE type = 'callhome.set-desired-state'").ToListAsync();
        await using var transaction = await db.BeginWriteAsync();
        await db.Database.ExecuteSqlRawAsync("DELETE FROM audit_outbox");
        await transaction.CommitAsync();
        return payloads.ConvertAll(payload =>
        {
            var command = (SetDesiredState)MessageJson.Read("callhome.set-desired-state", payload, null);
            return (command.ClusterId, WitnessWanted.Parser.ParseFrom(command.Body));
        });
    }

    private static async Task SweepAsync(ControlPlane host)
    {
        var sweeper = host.Services.GetServices<Sweeper>().Single(one => one.Name == "audit.ask-witnesses");
        await using var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(sweeper.Module);
        await sweeper.RunAsync(scope.ServiceProvider, CancellationToken.None);
    }

    private static Task TellAsync(ControlPlane host, List<Guid> customers) => Parallel.ForEachAsync(Enumerable.Range(0, customers.Count * Entries), new ParallelOptions { MaxDegreeOfParallelism = 256 }, async (i, _) =>
    {
        var customer = customers[i % customers.Count];
        await ApplyAsync(host, "audit.append-entry", new AuditEntryRecorded(
            1, Guid.CreateVersion7(), "licensing/benchmark", i + 1, DateTimeOffset.UtcNow, "customer", customer, null, "licensing.customer-created", "success", new AuditActor("system", "licensing", "local"),
            new AuditTarget("customer", customer.ToString()), [], null, null, null, "none", new Dictionary<string, string>()));
    });

    private static Task ApplyAsync(ControlPlane host, string handler, Contracts.IMessage message) => host.Services.GetRequiredService<HandlerRunner>().ApplyAsync(
        host.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(one => one.Name == handler), message, new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow), CancellationToken.None);

    private static async Task<long> CountAsync(ControlPlane host, string sql)
    {
        await using var scope = host.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Database.SqlQueryRaw<long>(sql).SingleAsync();
    }
}
