using System.CommandLine;

namespace MissionControl.Cli.Audit;

/// <summary><c>mc audit mirror</c>.</summary>
internal static class MirrorCommand
{
    private const string Help = $"""
        Keep a copy of a log, verified whole: what the copy had stays what the log has signed, and what is wrong does not come in.

        What is there already is not fetched again, and is verified all the same. Any server of files can serve the directory, and mc audit verify reads it.

        {AuditCommand.ExitCodes}

        Example:
          mc audit mirror https://log.example.com audit-log --policy audit.policy
        """;

    public static Command Create()
    {
        var (source, policy, caFile, output) = (AuditCommand.Source(), AuditCommand.Policy(), AuditCommand.CaFile(), AuditCommand.Output());
        var directory = new Argument<string>("DIRECTORY") { Description = "Where the copy is; made when there is none. Its checkpoint is the state." };
        var command = new Command("mirror", Help) { source, directory, policy, caFile, output };
        command.SetAction((parsed, cancellationToken) =>
        {
            var (said, error, place) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, parsed.GetValue(directory)!);
            return AuditCommand.RunAsync(parsed, MirrorAsync, report => Tell(report, parsed.GetValue(output) == "json", said, place), cancellationToken);

            async Task<AuditReport> MirrorAsync()
            {
                using var read = AuditCommand.ReadPolicy(parsed.GetValue(policy)!);
                using var log = LogSource.At(parsed.GetValue(source)!, parsed.GetValue(caFile));
                using var mirror = new Mirror(log, place);
                var report = await LogAudit.RunAsync(mirror, read, SeenNote.Kept(mirror.Checkpoint, read), null, cancellationToken);
                return await Evidence.AddAsync(mirror.Take(report, read), $"{mirror.Checkpoint}.evidence.json", log, parsed.GetValue(source)!, error, cancellationToken);
            }
        });
        return command;
    }

    private static void Tell(AuditReport report, bool asJson, TextWriter said, string place)
    {
        if (asJson)
        {
            report.TellAsJson(said);
            return;
        }

        report.Tell(said, $"{place} holds all of it.");
    }
}
