using System.CommandLine;
using System.Diagnostics;
using MissionControl.Benchmarks;
using MissionControl.Benchmarks.Subject;

if (args is [FloorHost.Command, var data, var portal, var callHome, var operations, var plain])
{
    return await FloorHost.RunAsync(data, portal, callHome, operations, plain);
}

// The load generator wants its callbacks on the one thread that waits for the sockets; the runtime reads this at its start only.
const string Inline = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
// Where the host runs in this process they would put all its work on that thread.
if (Environment.GetEnvironmentVariable(Inline) is null && args is not ["ledger" or "messages" or "outbox" or "anchor" or "witness" or "receipt" or "audit" or "lease" or "focus" or "billing", ..])
{
    var again = new ProcessStartInfo(Environment.ProcessPath!, args);
    again.Environment[Inline] = "1";
    again.Environment["DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT"] = "1";
    using var process = Process.Start(again)!;
    await process.WaitForExitAsync();
    return process.ExitCode;
}

var root = new RootCommand("Benchmarks of Mission Control: each prints its figure, the floor measured in the same run, and the ratio. Exit code 1: a budget was missed.");

var clusters = new Option<int>("--clusters") { Description = "How many clusters take turns.", DefaultValueFactory = _ => 2000 };
var rounds = new Option<int>("--rounds") { Description = "Rounds of floor and check-ins.", DefaultValueFactory = _ => 5 };
var seconds = new Option<int>("--seconds") { Description = "Length of each half of a round.", DefaultValueFactory = _ => 3 };
var connections = new Option<int[]>("--connections") { Description = "Connections in use at once.", DefaultValueFactory = _ => [256, 32], AllowMultipleArgumentsPerToken = true };
var onlyPeak = new Option<bool>("--only-peak") { Description = "Leave out half load and overload." };
var checkIn = new Command("checkin", "Check-ins with 30 signals, durable before the answer.") { clusters, rounds, seconds, connections, onlyPeak };
checkIn.SetAction(async parsed => await CheckInBenchmark.RunAsync(parsed.GetValue(clusters), parsed.GetValue(rounds), TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(connections)!, parsed.GetValue(onlyPeak)) ? 0 : 1);
root.Add(checkIn);

var fleet = new Option<int>("--clusters") { Description = "How many clusters are stored.", DefaultValueFactory = _ => 10_000 };
var minute = new Option<int>("--seconds") { Description = "How long.", DefaultValueFactory = _ => 60 };
var times = new Option<int>("--rounds") { Description = "How often.", DefaultValueFactory = _ => 3 };
Add("start", "From start to ready with a fleet stored.", [fleet, times], parsed => StartBenchmark.StartAsync(parsed.GetValue(fleet), parsed.GetValue(times)));
Add("memory", "Resident memory with a fleet at its default cadence.", [fleet, minute], parsed => StartBenchmark.MemoryAsync(parsed.GetValue(fleet), TimeSpan.FromSeconds(parsed.GetValue(minute))));
Add("tls", "A TLS connection for every cluster.", [fleet, minute], parsed => TlsBenchmark.RunAsync(parsed.GetValue(fleet), TimeSpan.FromSeconds(parsed.GetValue(minute))));
var requests = new Option<int>("--requests") { Description = "Requests of each page.", DefaultValueFactory = _ => 50 };
Add("pages", "Pages of the portal over a large fleet.", [fleet, requests], parsed => PageBenchmark.RunAsync(parsed.GetValue(fleet), parsed.GetValue(requests)));
var shared = new Option<int>("--connections") { Description = "Connections that the fleet shares.", DefaultValueFactory = _ => 512 };
Add("fleet", "A fleet at its default cadence; then everything is looked for.", [fleet, shared, minute], parsed => FleetBenchmark.RunAsync(parsed.GetValue(fleet), parsed.GetValue(shared), TimeSpan.FromSeconds(parsed.GetValue(minute))));
var small = new Option<int>("--clusters") { Description = "How many clusters.", DefaultValueFactory = _ => 1000 };
Add("delay", "From sending to stored.", [small, minute], parsed => DelayBenchmark.RunAsync(parsed.GetValue(small), TimeSpan.FromSeconds(parsed.GetValue(minute))));
var events = new Option<int>("--events") { Description = "Events in a round.", DefaultValueFactory = _ => 3000 };
Add("outbox", "Single events from outbox to consumers, embedded.", [events, times], parsed => MessageBenchmarks.OutboxAsync(parsed.GetValue(events), parsed.GetValue(times)));
var windows = new Option<int>("--windows") { Description = "Usage windows in a round.", DefaultValueFactory = _ => 4000 };
var postgres = new Option<bool>("--postgres") { Description = "On PostgreSQL and over RabbitMQ, started by the benchmark." };
Add("ledger", "Signed usage windows into the ledger.", [windows, times, postgres], parsed => MessageBenchmarks.LedgerAsync(parsed.GetValue(windows), parsed.GetValue(times), parsed.GetValue(postgres)));
var millions = new Option<int>("--millions") { Description = "Millions of cells of the year that is asked for.", DefaultValueFactory = _ => 1 };
Add("billing", "A contract's month previewed and closed, and a year of usage by day.", [times, millions, requests, postgres], parsed => BillingBenchmark.RunAsync(parsed.GetValue(times), parsed.GetValue(millions), parsed.GetValue(requests), parsed.GetValue(postgres)));
Add("messages", "Single events and batches from outbox over RabbitMQ to a consumer.", [events, times], parsed => MessageBenchmarks.BrokerAsync(parsed.GetValue(events), parsed.GetValue(times)));
var logs = new Option<int>("--logs") { Description = "How many audit logs.", DefaultValueFactory = _ => 10_000 };
Add("anchor", "An epoch over many audit logs.", [logs, times], parsed => AnchorBenchmark.RunAsync(parsed.GetValue(logs), parsed.GetValue(times)));
var witnesses = new Option<int>("--clusters") { Description = "How many clusters, each of a customer of its own; 40 at most.", DefaultValueFactory = _ => 25 };
Add("witness", "Clusters asked to see audit logs, and their answers taken.", [witnesses, times], parsed => WitnessBenchmark.RunAsync(parsed.GetValue(witnesses), parsed.GetValue(times)));
var receipts = new Option<int>("--receipts") { Description = "How many, one after the other, of each log.", DefaultValueFactory = _ => 300 };
Add("receipt", "From asking for a receipt of the audit log to having it.", [receipts], parsed => ReceiptBenchmark.RunAsync(parsed.GetValue(receipts)));
var parts = new Option<string[]>("--part") { Description = "Which of its parts; all of them if it is not said. append: entries a second into one log and into many, and what one weighs in the database. delay: from IEvents to the checkpoint. verify: a whole log by mc, offline. tiles: full tiles over HTTP.", DefaultValueFactory = _ => [AuditBenchmark.Append, AuditBenchmark.Delay, AuditBenchmark.Verify, AuditBenchmark.Tiles], AllowMultipleArgumentsPerToken = true };
parts.AcceptOnlyFromAmong(AuditBenchmark.Append, AuditBenchmark.Delay, AuditBenchmark.Verify, AuditBenchmark.Tiles);
var each = new Option<int>("--seconds") { Description = "How long each rate is measured, after a quarter of that to warm up.", DefaultValueFactory = _ => 20 };
var writers = new Option<int>("--writers") { Description = "Events under way at once; 256 are as many as the outbox has.", DefaultValueFactory = _ => 256 };
var spread = new Option<int>("--logs") { Description = "How many logs where there are many.", DefaultValueFactory = _ => 1000 };
var entries = new Option<int>("--entries") { Description = "Entries of the log that is verified.", DefaultValueFactory = _ => 200_000 };
Add(
    "audit", "Audit logs: appending, the delay to the checkpoint, what an entry weighs, verifying offline, serving tiles. Run it when nothing else runs: infra/dev bench audit; again with --postgres --part append delay; the ten minutes of the budget with --part append --seconds 600.",
    [parts, each, writers, spread, entries, postgres],
    parsed => AuditBenchmark.RunAsync(parsed.GetValue(parts)!, TimeSpan.FromSeconds(parsed.GetValue(each)), parsed.GetValue(writers), parsed.GetValue(spread), parsed.GetValue(entries), parsed.GetValue(postgres)));
var focus = new Option<int>("--rows") { Description = "How many rows.", DefaultValueFactory = _ => 1_000_000 };
Add("focus", "Statements as rows of FOCUS.", [focus], parsed => FocusBenchmark.RunAsync(parsed.GetValue(focus)));
var tokens = new Option<int>("--tokens") { Description = "Tokens in one report.", DefaultValueFactory = _ => 1000 };
Add("leaks", "A report of many leaked tokens, revoked before the answer.", [tokens, times], parsed => LeakBenchmark.RunAsync(parsed.GetValue(tokens), parsed.GetValue(times)));
var looks = new Option<int>("--checks") { Description = "Looks at a token.", DefaultValueFactory = _ => 200_000 };
var signIns = new Option<int>("--sign-ins") { Description = "Sign-ins with a passkey.", DefaultValueFactory = _ => 200 };
var revocations = new Option<int>("--revocations") { Description = "Tokens that are revoked.", DefaultValueFactory = _ => 200 };
var replicas = new Option<bool>("--replicas") { Description = "Only revoking, with two of each role on PostgreSQL and over RabbitMQ, started by the benchmark." };
Add("identity", "Looking at a token, signing in, revoking.", [looks, signIns, revocations, replicas], parsed => parsed.GetValue(replicas) ? IdentityBenchmark.ReplicasAsync(parsed.GetValue(revocations)) : IdentityBenchmark.RunAsync(parsed.GetValue(looks), parsed.GetValue(signIns), parsed.GetValue(revocations)));
var minutes = new Option<int>("--minutes") { Description = "How long.", DefaultValueFactory = _ => 60 };
Add("agent", "Memory and processor of the agent with every adapter on.", [minutes], parsed => AgentBenchmark.RunAsync(TimeSpan.FromMinutes(parsed.GetValue(minutes))));
var asking = new Option<int>("--seconds") { Description = "Length of a round.", DefaultValueFactory = _ => 5 };
Add("lease", "Checks of a licence over the agent's loopback listener.", [asking, times], parsed => LeaseBenchmark.RunAsync(TimeSpan.FromSeconds(parsed.GetValue(asking)), parsed.GetValue(times)));
var killing = new Option<int>("--seconds") { Description = "How long.", DefaultValueFactory = _ => 600 };
Add("kill", "kill -9 under load, then a count of everything.", [killing], parsed => KillBenchmark.RunAsync(TimeSpan.FromSeconds(parsed.GetValue(killing))));

return await root.Parse(args.Length == 0 ? ["--help"] : args).InvokeAsync();

void Add(string name, string description, Option[] options, Func<ParseResult, Task<bool>> run)
{
    var command = new Command(name, description);
    foreach (var option in options)
    {
        command.Add(option);
    }

    command.SetAction(async parsed => await run(parsed) ? 0 : 1);
    root.Add(command);
}
