using System.CommandLine;
using System.Text.Json;
using MissionControl.ClusterAgent.Machine;

namespace MissionControl.ClusterAgent.Commands;

/// <summary>How a running agent fares, written after each check-in for <c>mc-agent status</c>.</summary>
/// <param name="At">When it was written.</param>
/// <param name="AgentVersion">Of the agent that runs.</param>
/// <param name="LastTaken">The last check-in that Mission Control took; null before the first of this run.</param>
/// <param name="Problem">Why the last one failed; null when it did not.</param>
/// <param name="NextInSeconds">When the next one is due.</param>
/// <param name="ClockOffsetMs">Mission Control's clock less this machine's.</param>
/// <param name="Storage">What could not be written to disk.</param>
/// <param name="Product">Why the product cannot be read.</param>
/// <param name="Receipt">Why the last receipt, a newer anchor document, or an answer that was carried here, was not believed.</param>
/// <param name="Certificates">Certificates that cannot be read.</param>
/// <param name="Key">Why the cluster's key could not be replaced, though Mission Control asks for it.</param>
/// <param name="Witness">Why audit logs are not cosigned as they should be.</param>
/// <param name="License">Why a licence was not believed.</param>
internal sealed record RunState(
    DateTimeOffset At, string AgentVersion, DateTimeOffset? LastTaken, string? Problem, double NextInSeconds, double? ClockOffsetMs, string? Storage, string? Product, string? Receipt, IReadOnlyList<string> Certificates, string? Key = null, string? Witness = null, string? License = null)
{
    /// <summary>The state of the agent that runs over a directory, or ran last.</summary>
    public static RunState? Read(string data)
    {
        try
        {
            return File.Exists(PathIn(data)) ? JsonSerializer.Deserialize<RunState>(File.ReadAllBytes(PathIn(data))) : null;
        }
        catch (Exception exception) when (exception is JsonException or IOException)
        {
            return null;
        }
    }

    /// <summary>Writes it; a full disk is no reason to fail, for status looks at the disk itself.</summary>
    public void Write(string data)
    {
        try
        {
            File.WriteAllBytes(PathIn(data) + ".tmp", JsonSerializer.SerializeToUtf8Bytes(this));
            File.Move(PathIn(data) + ".tmp", PathIn(data), overwrite: true);
        }
        catch (IOException full) when (DiskReserve.IsDiskFull(full))
        {
            File.Delete(PathIn(data) + ".tmp");
        }
    }

    private static string PathIn(string data) => Path.Combine(data, "run-state.json");
}

/// <summary><c>mc-agent run</c>: calls home until it is stopped.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var command = new Command("run", "Call home until stopped; one line of JSON for each check-in. Example: mc-agent run --config /etc/mc-agent/agent.json");
        command.SetAction((parsed, cancellationToken) => Shared.GuardedAsync(parsed, async () =>
        {
            var data = Shared.DataOf(parsed);
            var settings = Shared.SettingsOf(parsed);
            using var setup = Setup.Enrolled(data, settings);
            using var endpoint = setup.Tell(settings);
            var stopped = false;
            DateTimeOffset? lastTaken = null;
            setup.Cluster.Tell("agent-started", "info", $"Agent {LinuxMachine.Version} was started.");
            try
            {
                await setup.Agent.RunAsync(
                    result =>
                    {
                        stopped = result.Stopped;
                        var at = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
                        lastTaken = result.Succeeded ? at : lastTaken;
                        var state = new RunState(
                            at, LinuxMachine.Version, lastTaken, result.Problem, Math.Round(result.Next.TotalSeconds), setup.Client.ClockOffset?.TotalMilliseconds,
                            setup.Agent.StorageProblem, setup.Cluster.ProductProblem, setup.Agent.ReceiptProblem ?? setup.Agent.AnchorsProblem ?? setup.Agent.AnswerProblem, setup.Certificates.Problems, setup.Agent.KeyProblem, setup.Agent.WitnessProblem, setup.Agent.LicenseProblem);
                        state.Write(data);
                        Console.WriteLine(JsonSerializer.Serialize(new { at, taken = result.Succeeded, problem = result.Problem, storage = state.Storage, product = state.Product, witness = state.Witness, nextInSeconds = state.NextInSeconds, waiting = setup.Agent.Waiting }));
                    },
                    cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // Stopped by a signal; what was not acknowledged waits in the spool.
            }

            return stopped ? AgentCommand.Refused : 0;
        }));
        return command;
    }
}
