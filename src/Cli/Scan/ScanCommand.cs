using System.CommandLine;

namespace MissionControl.Cli.Scan;

/// <summary><c>mc scan</c>.</summary>
internal static class ScanCommand
{
    private const int Clean = 0;
    private const int Found = 1;

    private const string Help = """
        Find tokens of Mission Control where none belong, by form and checksum. Of what is found its loggable id is said, never the secret.

        In a git repository: what git has or would add. A line that holds "mc-scan:allow" is allowed, and counted.

        Exit codes: 0 no token; 1 tokens found; 2 wrong use, or something could not be looked at; 130 interrupted.

        Examples:
          mc scan
          mc scan deploy/values.yaml logs
          mc scan --staged                   in a pre-commit hook
          mc scan --history --output json    once, and in CI
          mc scan --rules gitleaks
        """;

    public static Command Create()
    {
        var paths = new Argument<string[]>("paths") { Description = "Files and directories; default: the working directory.", Arity = ArgumentArity.ZeroOrMore };
        var staged = new Option<bool>("--staged") { Description = "What the next commit would add or change, as it is staged." };
        var history = new Option<bool>("--history") { Description = "Every version of every file that any branch, tag or other reference leads to, and the messages of commits and tags." };
        var rules = new Option<string?>("--rules") { Description = "Scan nothing; write rules for another scanner." };
        var output = new Option<string>("--output") { Description = "How to say what was found.", DefaultValueFactory = _ => "text" };
        rules.AcceptOnlyFromAmong([.. LeakRules.Formats.Keys]);
        output.AcceptOnlyFromAmong("text", "json");

        var command = new Command("scan", Help) { paths, staged, history, rules, output };
        command.Validators.Add(result =>
        {
            if (new[] { result.GetResult(paths)?.Tokens.Count > 0, result.GetResult(staged) is { Implicit: false }, result.GetResult(history) is { Implicit: false }, result.GetResult(rules) is { Implicit: false } }.Count(given => given) > 1)
            {
                result.AddError("Give one of: paths, --staged, --history, --rules. --staged and --history look at the repository of the working directory.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (said, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            if (parsed.GetValue(rules) is { } format)
            {
                said.Write(LeakRules.Formats[format]());
                return Clean;
            }

            var report = new ScanReport(said, error, parsed.GetValue(output) == "json");
            var scanner = new TextScanner(report);
            try
            {
                await (parsed.GetValue(staged) ? Staged.ScanAsync(scanner, cancellationToken)
                    : parsed.GetValue(history) ? History.ScanAsync(scanner, report, cancellationToken)
                    : WorkingFiles.ScanAsync(parsed.GetValue(paths) is { Length: > 0 } given ? given : ["."], scanner, cancellationToken));
            }
            catch (ScanFailure failure)
            {
                error.WriteLine($"{failure.Message} The scan is not complete.");
                return McCommand.WrongUse;
            }
            catch (OperationCanceledException)
            {
                error.WriteLine("Interrupted. The scan is not complete.");
                return McCommand.Interrupted;
            }

            report.End();
            return report.HasFindings ? Found : Clean;
        });
        return command;
    }
}
