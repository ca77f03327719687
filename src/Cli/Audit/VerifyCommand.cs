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

        A bundle that was downloaded is verified offline, with what binds it; a part of a log proves that part.

        A log of Mission Control is bound to the anchor with all others, once in every epoch: that is verified, too. Its state is kept beside the other, in FILE.anchor and FILE.fleet.

        {AuditCommand.ExitCodes}

        Examples:
          mc audit verify https://log.example.com --policy audit.policy --state audit.state
          mc audit verify audit-log --policy audit.policy --state audit.state --max-age 3d --output json
          mc audit verify bundle.zip --policy audit.policy
        """;

    public static Command Create()
    {
        var (source, policy, caFile, output) = (AuditCommand.Source(), AuditCommand.Policy(), AuditCommand.CaFile(), AuditCommand.Output());
        var state = new Option<string?>("--state") { Description = "File with the checkpoint that was verified last; made when there is none, and replaced when the log is good." };
        var maxAge = new Option<TimeSpan?>("--max-age") { Description = "How long ago the last witness may have seen the checkpoint: 90s, 15m, 36h or 3d.", CustomParser = Duration };
        var evidence = new Option<string?>("--evidence") { Description = "File for what proves an inconsistency; default: that of the state with .evidence.json, or mc-audit-evidence.json. None is overwritten." };
        var noAnchor = new Option<bool>("--no-anchor") { Description = "Do not look at the anchor: whether others are shown the same log is not asked. Of a directory, and of logs that are not Mission Control's, it is not asked anyway." };
        var epoch = new Option<TimeSpan?>("--epoch") { Description = "How long an epoch of the anchor is; the newest may be three of them old. Default: 60s; of a bundle any age will do.", CustomParser = Duration };
        var command = new Command("verify", Help) { source, policy, state, maxAge, noAnchor, epoch, evidence, caFile, output };
        command.SetAction((parsed, cancellationToken) =>
        {
            var (said, error, kept) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, parsed.GetValue(state));
            return AuditCommand.RunAsync(parsed, VerifyAsync, report => Tell(report, parsed.GetValue(output) == "json", said, kept), cancellationToken);

            async Task<AuditReport> VerifyAsync()
            {
                using var read = AuditCommand.ReadPolicy(parsed.GetValue(policy)!);
                using var log = LogSource.At(parsed.GetValue(source)!, parsed.GetValue(caFile));
                var bundle = log as BundleLog;
                var beside = parsed.GetValue(noAnchor) ? null : bundle?.Beside() ?? LogSource.Beside(parsed.GetValue(source)!, parsed.GetValue(caFile));
                using var anchor = beside?.Anchor;
                using var fleet = beside?.Fleet;

                // A bundle is of its time: what binds it is held against nothing that was seen since, and may be as old as it is.
                var (keptBeside, length) = (bundle is null ? kept : null, parsed.GetValue(epoch) ?? (bundle is null ? TimeSpan.FromMinutes(1) : null));
                var audit = beside is null ? null : new AnchorAudit((log, anchor!, fleet!), read, keptBeside);
                await (audit?.BeginAsync(cancellationToken) ?? Task.CompletedTask);
                var before = kept is null ? null : SeenNote.Kept(kept, read);
                var own = await LogAudit.RunAsync(log, read, before, parsed.GetValue(maxAge), cancellationToken);
                var report = audit is null || own.Verdict is not (Verdict.Good or Verdict.Stale) ? own
                    : With(own, await audit.RunAsync(own.Now!, before, own.Pruned, length, cancellationToken));

                // What was found good is kept, also when the other could not be looked at: or whoever withholds one would be free of both.
                if (kept is not null && own.Verdict == Verdict.Good && report.Verdict != Verdict.Inconsistent)
                {
                    own.Now!.Keep(kept, read);
                }

                if (keptBeside is not null && report.Anchor is { Verdict: Verdict.Good or Verdict.Stale })
                {
                    audit!.Keep();
                }

                return await Evidence.AddAsync(report, parsed.GetValue(evidence) ?? (kept is null ? "mc-audit-evidence.json" : $"{kept}.evidence.json"), log, parsed.GetValue(source)!, error, cancellationToken);
            }
        });
        return command;
    }

    // Whatever is worse: an old word of a witness says less than an anchor that does not fit.
    private static AuditReport With(AuditReport report, AnchorFinding anchor) =>
        anchor.Verdict is Verdict.Inconsistent or Verdict.Incomplete || report.Verdict == Verdict.Good
            ? report with { Anchor = anchor, Verdict = anchor.Verdict, Problem = anchor.Problem }
            : report with { Anchor = anchor };

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
