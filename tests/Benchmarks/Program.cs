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
if (Environment.GetEnvironmentVariable(Inline) is null)
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

return await root.Parse(args.Length == 0 ? ["--help"] : args).InvokeAsync();
