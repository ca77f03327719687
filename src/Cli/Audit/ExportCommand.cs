using System.CommandLine;
using System.Globalization;
using MissionControl.Cli.Server;

namespace MissionControl.Cli.Audit;

/// <summary><c>mc audit export</c>.</summary>
internal static class ExportCommand
{
    private const int Incomplete = 3;

    private const string Help = """
        Append the entries of a log of Mission Control to a file, one line each, for what collects logs: those that are signed and not in the file yet.

        It ends when it has come to the end of the log; have it run again, every minute or every hour: as whoever is signed in, for as long as that is so, or by a token of its own (--token-file). Entries come once and in their order, also when it was interrupted, and the file may be rotated away in between.

        Exit codes: 0 the file has all that is signed; 2 the log is another one than before, and nothing was appended; 3 the server could not be asked, and what is in the file is good; 64 wrong use, or a file here cannot be read or written; 130 interrupted.

        Example:
          mc audit export https://control.example.com/api/v1/audit/logs/ID --format ocsf --output audit.ocsf --state audit.export
          mc audit export https://control.example.com/api/v1/audit/logs/ID --token-file siem.token --output audit.jsonl --state audit.state
        """;

    public static Command Create()
    {
        var source = new Argument<string>("SERVER") { Description = "The https:// address of the log: https://control.example.com/api/v1/audit/logs/ID." };
        source.Validators.Add(result =>
        {
            if (!result.Tokens[0].Value.Contains("://", StringComparison.Ordinal) || !LogSource.IsOne(result.Tokens[0].Value))
            {
                result.AddError("SERVER is the https:// address of a log (http:// to this machine itself), without credentials, ? and #.");
            }
        });
        var format = new Option<string>("--format") { Description = "What lines are.", DefaultValueFactory = _ => "jsonl" };
        format.AcceptOnlyFromAmong("jsonl", "ocsf", "cef");
        var from = new Option<long>("--from") { Description = "The first entry, where there is no state yet; 0 is the first of all." };
        from.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<long>() < 0)
            {
                result.AddError("--from is 0 or more.");
            }
        });
        var output = new Option<string>("--output") { Description = "File that lines are appended to; made when there is none, for its owner alone.", Required = true };
        var state = new Option<string>("--state") { Description = "File that says how far it has come.", Required = true };
        var tokenFile = new Option<string>("--token-file") { Description = "File, readable by its owner alone, with an API token (audit:read) to ask by; without it whoever is signed in asks." };
        var caFile = AuditCommand.CaFile();
        var command = new Command("export", Help) { source, format, from, output, state, tokenFile, caFile };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (said, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            try
            {
                using var log = LogSource.At(parsed.GetValue(source)!, parsed.GetValue(caFile), parsed.GetValue(tokenFile) is { } path ? TokenFile.Read(path) : null);
                using var file = new ExportFile(parsed.GetValue(state)!, new ExportState(parsed.GetValue(source)!.TrimEnd('/'), parsed.GetValue(format)!, Path.GetFullPath(parsed.GetValue(output)!), parsed.GetValue(from), 0));
                var first = file.Next;
                await file.FillAsync(log, cancellationToken);
                said.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{file.Next - first} entries; the next one is {file.Next}."));
                return 0;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                error.WriteLine("Interrupted. The next time it goes on from where it was.");
                return McCommand.Interrupted;
            }
            catch (SourceFailure failure)
            {
                error.WriteLine(Printable.Line(failure.Message));
                return Incomplete;
            }
            catch (OtherLog other)
            {
                error.WriteLine(Printable.Line(other.Message));
                return (int)Verdict.Inconsistent;
            }
            catch (Exception exception) when (exception is CommandFailure or IOException or UnauthorizedAccessException or ArgumentException)
            {
                error.WriteLine(Printable.Line(exception.Message));
                return AuditCommand.WrongUse;
            }
        });
        return command;
    }
}
