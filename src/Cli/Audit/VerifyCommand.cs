using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace MissionControl.Cli.Audit;

/// <summary><c>mc audit verify</c>.</summary>
internal static class VerifyCommand
{
    private const string Help = $"""
        Read a whole log and verify it: every entry and every tile is what the log has signed, and what it had signed before is still there.

        --state keeps what was verified last, as the log signed it. Without it, a log that was rewritten whole and signed again passes.

        {AuditCommand.ExitCodes}

        Examples:
          mc audit verify https://log.example.com --policy audit.policy --state audit.state
          mc audit verify audit-log --policy audit.policy --state audit.state --max-age 3d --output json
        """;

    public static Command Create()
    {
        var (source, policy, caFile, output) = (AuditCommand.Source(), AuditCommand.Policy(), AuditCommand.CaFile(), AuditCommand.Output());
        var state = new Option<string?>("--state") { Description = "File with the checkpoint that was verified last; made when there is none, and replaced when all is good." };
        var maxAge = new Option<TimeSpan?>("--max-age") { Description = "How long ago the last witness may have seen the checkpoint: 90s, 15m, 36h or 3d.", CustomParser = Duration };
        var evidence = new Option<string?>("--evidence") { Description = "File for what proves an inconsistency; default: that of the state with .evidence.json, or mc-audit-evidence.json. None is overwritten." };
        var command = new Command("verify", Help) { source, policy, state, maxAge, evidence, caFile, output };
        command.SetAction((parsed, cancellationToken) =>
        {
            var (said, error, kept) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, parsed.GetValue(state));
            return AuditCommand.RunAsync(parsed, VerifyAsync, report => Tell(report, parsed.GetValue(output) == "json", said, kept), cancellationToken);

            async Task<AuditReport> VerifyAsync()
            {
                using var read = AuditCommand.ReadPolicy(parsed.GetValue(policy)!);
                using var log = LogSource.At(parsed.GetValue(source)!, parsed.GetValue(caFile));
                var report = await LogAudit.RunAsync(log, read, kept is null ? null : SeenNote.Kept(kept, read), parsed.GetValue(maxAge), cancellationToken);
                if (report.Verdict == Verdict.Good && kept is not null)
                {
                    report.Now!.Keep(kept, read);
                }

                return await Evidence.AddAsync(report, parsed.GetValue(evidence) ?? (kept is null ? "mc-audit-evidence.json" : $"{kept}.evidence.json"), log, parsed.GetValue(source)!, error, cancellationToken);
            }
        });
        return command;
    }

    private static void Tell(AuditReport report, bool asJson, TextWriter said, string? kept)
    {
        if (asJson)
        {
            report.TellAsJson(said);
            return;
        }

        report.Tell(said, kept is null ? "Nothing was kept of it: with --state FILE, the next time also shows whether anything before was changed."
            : report.Before is null ? $"{kept} keeps it. This was the first time: whether anything was changed before, nobody can see from here."
            : $"{kept} keeps it.");
    }

    private static TimeSpan? Duration(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        var unit = text.Length > 0 ? text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86_400, _ => 0 } : 0;
        if (unit > 0 && int.TryParse(text.AsSpan(..^1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 100_000)
        {
            return TimeSpan.FromSeconds((long)number * unit);
        }

        result.AddError("An age is written 90s, 15m, 36h or 3d.");
        return null;
    }
}
