using System.CommandLine;
using System.Globalization;
using System.Text;
using MissionControl.ClusterAgent.Log;
using MissionControl.Protocol.Documents;

namespace MissionControl.ClusterAgent.Commands;

/// <summary><c>mc-agent log</c>: the cluster's own log, and whether its customer's audit log says the same. Everything is only read, and no server is asked.</summary>
internal static class LogCommand
{
    public static Command Create()
    {
        var verify = new Option<string?>("--verify") { Description = "Compare with the customer's audit log: a file of mc audit export (jsonl), a bundle, or the directory of mc audit mirror. Take it out whole and just now; that it is what it was, mc audit verify says." };
        var asOf = new Option<DateTimeOffset?>("--as-of") { Description = "When that was taken out, 2026-03-01T14:00:00Z. Default: now." };
        var command = new Command("log", "Say what this cluster has noted of what Mission Control did to it. Example: mc-agent log --verify customer.jsonl") { verify, asOf };
        command.SetAction(parsed => Shared.GuardedAsync(parsed, async () =>
        {
            var data = Shared.DataOf(parsed);
            var enrollment = Shared.EnrollmentOf(data);
            var logs = Logs(data, enrollment.ClusterId);
            var file = parsed.GetValue(verify);
            var compared = Compared.Of(logs, file is null ? null : CustomerLogFile.Read(file, enrollment.ClusterId), parsed.GetValue(asOf) ?? TimeProvider.System.GetUtcNow());
            await Shared.TellAsync(parsed, Words(compared, file), new
            {
                enrollment.ClusterId,
                logs = logs.Select(log => new { log.Origin, size = log.Entries.Count }),
                entries = compared.Entries.Select(one => new { one.Log, one.Index, one.Entry.At, one.Entry.Type, one.Entry.What, one.Entry.Reference, one.State }),
                compared.MissingHere,
                matched = file is null ? (bool?)null : compared.IsMatched,
            });
            return compared.IsMatched ? 0 : AgentCommand.Unmatched;
        }));
        return command;
    }

    /// <exception cref="InvalidDataException">One is not what was signed.</exception>
    private static List<(string Origin, IReadOnlyList<ClusterLogEntry> Entries)> Logs(string data, Guid cluster)
    {
        var logs = new List<(long Epoch, string Origin, IReadOnlyList<ClusterLogEntry> Entries)>();
        foreach (var directory in Directory.Exists(Path.Combine(data, "log")) ? Directory.EnumerateDirectories(Path.Combine(data, "log"), $"{cluster:N}-*") : [])
        {
            if (long.TryParse(Path.GetFileName(directory)[33..], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) && LogFiles.Read(directory) is { } log)
            {
                logs.Add((epoch, log.Checkpoint.Origin, [.. log.Entries.Select(entry => ClusterLogEntry.Parse(entry))]));
            }
        }

        return [.. logs.OrderBy(log => log.Epoch).Select(log => (log.Origin, log.Entries))];
    }

    private static string Words(Compared compared, string? file)
    {
        var text = new StringBuilder();
        foreach (var (log, entries) in compared.Entries.GroupBy(entry => entry.Log).Select(group => (group.Key, group)))
        {
            text.AppendLine(log);
            foreach (var one in entries)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"  {one.Index,5} {one.Entry.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z {one.Entry.Type,-16} {one.State ?? "",-9} {one.Entry.What}{(one.Entry.Reference is null ? "" : $" [{one.Entry.Reference}]")}");
            }
        }

        if (compared.Entries.Count == 0)
        {
            text.AppendLine("This agent keeps no log of its own yet; it begins one when it runs next.");
        }

        foreach (var told in compared.MissingHere)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"Missing here: the customer's log says that this cluster took {told.Reference} (event {told.EventId}, {told.RecordedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z), and the cluster knows nothing of it.");
        }

        var missing = compared.Entries.Count(entry => entry.State == "unmatched");
        return text.Append(
            file is null ? "Compare it with the customer's audit log: mc-agent log --verify FILE."
            : compared.IsMatched ? "Both say the same."
            : missing == 0 ? "Both do not say the same."
            : $"Missing in {file}: {missing}. If it was taken out before they were noted, take it out anew or say when with --as-of; else they were done to this cluster and are not on the record. Keep both.").ToString();
    }
}
