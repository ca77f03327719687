using System.CommandLine;
using System.Globalization;
using System.Text;
using MissionControl.ClusterAgent.Witnesses;

namespace MissionControl.ClusterAgent.Commands;

/// <summary><c>mc-agent witness</c>: what this agent has seen of the audit logs, the evidence where one is not what it was, and a new beginning.</summary>
internal static class WitnessCommand
{
    private const string All = "all";

    public static Command Create()
    {
        var reset = new Option<string?>("--reset") { Description = "Forget what was seen of a log (anchor, customer or all), and witness it anew from what is shown next. Stop the agent first. Keep the evidence before: it is gone afterwards." };
        reset.AcceptOnlyFromAmong("anchor", "customer", All);
        var evidence = new Option<string?>("--evidence") { Description = "Directory for the checkpoints as they came: LOG.held, and LOG.shown where a log was refused. mc audit verify takes LOG.held as --state." };
        var command = new Command("witness", "Say what this agent has seen of the audit logs and cosigned. Example: mc-agent witness --evidence /tmp/evidence") { reset, evidence };
        command.SetAction(parsed => Shared.GuardedAsync(parsed, async () =>
        {
            var data = Shared.DataOf(parsed);
            _ = Shared.EnrollmentOf(data);
            var book = new WitnessBook(data);
            if (parsed.GetValue(reset) is { } log)
            {
                using var alone = Setup.Alone(data);
                book.Write(log == All ? Seen.Nothing : book.Read().Without(log));
            }

            var seen = book.Read();
            if (parsed.GetValue(evidence) is { } directory)
            {
                Export(seen, Directory.CreateDirectory(directory).FullName);
            }

            await Shared.TellAsync(parsed, Words(seen), new
            {
                keys = seen.Keys,
                logs = seen.Logs.Select(one => new { log = one.Key, one.Value.Checkpoint.Origin, one.Value.Checkpoint.Size, root = one.Value.Checkpoint.Root.ToString(), one.Value.SeenAt, one.Value.Note, one.Value.Refusal }),
            });
            return 0;
        }));
        return command;
    }

    private static void Export(Seen seen, string directory)
    {
        foreach (var (name, log) in seen.Logs)
        {
            File.WriteAllText(Path.Combine(directory, $"{name}.held"), log.Note);
            if (log.Refusal is { } refusal)
            {
                File.WriteAllText(Path.Combine(directory, $"{name}.shown"), refusal.Note);
            }
        }
    }

    private static string Words(Seen seen)
    {
        var text = new StringBuilder("Keys of the logs that are believed: ").Append(seen.Keys.Count == 0 ? "none yet" : string.Join(", ", seen.Keys.Select(Convert.ToBase64String))).Append('.');
        foreach (var (name, log) in seen.Logs)
        {
            text.AppendLine().Append(CultureInfo.InvariantCulture, $"{name}: {log.Checkpoint.Origin}, {log.Checkpoint.Size} entries, seen {log.SeenAt.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z.");
            if (log.Refusal is { } refusal)
            {
                text.AppendLine().Append(CultureInfo.InvariantCulture, $"  Refused for good at {refusal.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z, {refusal.Reason}. Held:").AppendLine().Append(log.Note).AppendLine().Append("  Shown:").AppendLine().Append(refusal.Note);
            }
        }

        return text.ToString();
    }
}
