using System.CommandLine;
using System.Globalization;
using System.Text;
using MissionControl.ClusterAgent.Product;
using MissionControl.ClusterAgent.Spool;
using MissionControl.ClusterAgent.Usage;

namespace MissionControl.ClusterAgent.Commands;

/// <summary><c>mc-agent status</c>: what this agent is, how it fares, what waits. Everything is only read, so that it can be asked beside a running agent.</summary>
internal static class StatusCommand
{
    private const long LittleRoom = 1024 * 1024;

    public static Command Create()
    {
        var command = new Command("status", "Say what this agent is, how it fares and what waits to be sent. Example: mc-agent status --output json");
        command.SetAction(parsed => Shared.GuardedAsync(parsed, async () =>
        {
            var data = Shared.DataOf(parsed);
            var enrollment = Shared.EnrollmentOf(data);
            var waiting = DiskSpool.CountIn(Path.Combine(data, "spool"));
            var usageDirectory = Path.Combine(data, "usage");
            var usage = Directory.Exists(usageDirectory) ? new DiskUsageStore(usageDirectory).Summary() : null;
            var quarantined = new Quarantine(Path.Combine(data, "quarantine")).Read();
            var run = RunState.Read(data);
            var drop = DropDirectoryOf(parsed);
            var rejected = drop is null ? [] : DropDirectory.RejectedIn(drop);
            var diskFull = DiskReserve.IsSpentIn(data) || new DriveInfo(Path.GetFullPath(data)).AvailableFreeSpace < LittleRoom;

            var text = new StringBuilder()
                .Append(CultureInfo.InvariantCulture, $"Cluster {enrollment.ClusterId}, epoch {enrollment.Epoch}, calling {enrollment.Server} every {enrollment.CheckInSeconds} s.");
            Line(text, run is null ? "It has not called home yet." : $"Last taken: {Instant(run.LastTaken)}. Next due {run.NextInSeconds:0} s after {Instant(run.At)}.");
            Line(text, $"Waiting to be acknowledged: {waiting}.");
            var answers = Setup.Answers(data).Waiting().Count;
            if (answers > 0)
            {
                Line(text, $"Answers that were carried here and wait to be taken: {answers}; a running agent takes them within a minute.");
            }

            if (usage is not null)
            {
                Line(text, $"Usage windows: {usage.Waiting} without a receipt, {usage.Settled} with one, {usage.Refused.Count} refused and kept; they are offered again after an upgrade of either side.");
                foreach (var refused in usage.Refused)
                {
                    Line(text, $"  refused {refused.Name}: {refused.Problem}");
                }
            }

            if (quarantined.Count > 0)
            {
                Line(text, $"Refused for good and set aside: {quarantined.Count}, the newest a {quarantined[^1].Type}: {quarantined[^1].Code}.");
            }

            string[] findings = [.. Findings(enrollment, run, diskFull), .. rejected.Count == 0 ? Array.Empty<string>() : [$"files of the product that could not be read: {rejected.Count}, the last {rejected[^1].Reason} They lie in {Path.Combine(drop!, "rejected")} until they are removed."]];
            foreach (var finding in findings)
            {
                Line(text, $"Finding: {finding}");
            }

            await Shared.TellAsync(parsed, text.ToString(), new
            {
                enrollment.ClusterId, enrollment.Epoch, enrollment.Server, enrollment.TrustedFirstContact, enrollment.AnchorsSha256, waiting, answers, usage, diskFull,
                quarantined = quarantined.Select(item => new { item.Type, item.At, item.Code, item.Detail }), run, rejected = rejected.Select(file => new { file.Name, file.Reason }), findings,
            });
            return 0;
        }));
        return command;
    }

    // A configuration that is wrong is another command's finding: this one says what it can.
    private static string? DropDirectoryOf(ParseResult parsed)
    {
        try
        {
            return Shared.SettingsOf(parsed).Product?.DropDirectory;
        }
        catch (SettingsException)
        {
            return null;
        }
    }

    private static IEnumerable<string> Findings(Enrollment enrollment, RunState? run, bool diskFull)
    {
        if (enrollment.TrustedFirstContact)
        {
            yield return $"enrolled without checking the anchors' digest; compare {enrollment.AnchorsSha256} with what Mission Control shows.";
        }

        if (diskFull)
        {
            yield return "the disk of the agent's directory is full. Usage is not lost; health is not kept. Make room: at least 8 MiB.";
        }

        foreach (var problem in new[] { run?.Problem, run?.Storage, run?.Product, run?.Receipt, run?.Key, run?.Witness, run?.License }.OfType<string>().Concat(run?.Certificates ?? []))
        {
            yield return problem;
        }
    }

    private static void Line(StringBuilder text, string line) => text.AppendLine().Append(line);

    private static string Instant(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "never in this run";
}
