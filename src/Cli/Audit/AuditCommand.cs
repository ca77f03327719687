using System.CommandLine;
using System.Net;
using System.Text.Json;
using MissionControl.Cli.Api;
using MissionControl.Cli.Server;
using MissionControl.Cli.SignIn;
using MissionControl.Client;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Cli.Audit;

/// <summary><c>mc audit</c>: logs that nobody has to be believed about.</summary>
internal static class AuditCommand
{
    /// <summary>How it is called.</summary>
    public const string Name = "audit";

    /// <summary>Wrong use, or a file of one's own cannot be read or written (<c>EX_USAGE</c> of sysexits.h): 2 says something of the log.</summary>
    public const int WrongUse = 64;

    /// <summary>What the exit codes are, for help.</summary>
    public const string ExitCodes = """
        Exit codes: 0 good; 2 inconsistent: the log is not what it has signed, now or before; 3 incomplete: something could not be had, or too few witnesses have signed; 4 stale: neither witness nor anchor has seen it lately; 64 wrong use, or a file here cannot be read or written; 130 interrupted.
        """;

    private const string Help = """
        Verify logs, or keep a copy of one, without believing whoever keeps them; export one to what collects logs, or have it sent there; or have the server look at its own.

        Any log in the C2SP tlog-tiles format will do. Those of Mission Control are read as whoever is signed in; for others nobody has to be.
        """;

    public static Command Create() => new(Name, Help) { VerifyCommand.Create(), MirrorCommand.Create(), ExportCommand.Create(), ExportsCommand.Create(), FsckCommand.Create() };

    public static Argument<string> Source()
    {
        var source = new Argument<string>("SOURCE") { Description = "A directory that holds a log, a bundle (ZIP) of one, or the https:// address below which it is served." };
        source.Validators.Add(result =>
        {
            if (!LogSource.IsOne(result.Tokens[0].Value))
            {
                result.AddError(LogSource.Rule);
            }
        });
        return source;
    }

    public static Option<string> Policy() => new("--policy") { Description = "File that says whose signatures count (C2SP tlog-policy): keys of the log and of witnesses, and how many of them are wanted.", Required = true };

    public static Option<string?> CaFile() => new("--ca-file") { Description = "Certificates (PEM) of a CA of your own, which adds to those that the system trusts." };

    public static Option<string> Output()
    {
        var output = new Option<string>("--output") { Description = "How to say it.", DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json");
        return output;
    }

    /// <summary>Runs a command that the server is asked to carry out as whoever is signed in: what it refuses is 3, what it cannot make sense of 64.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="act">Says what was done, and how it ended.</param>
    /// <param name="interrupted">What is said when somebody ends it.</param>
    /// <param name="unknown">What is said when a change may have been done although no answer came; null: nothing is changed.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<int> AskAsync(ParseResult parsed, Func<Person, Task<Verdict>> act, string interrupted, string? unknown, CancellationToken cancellationToken)
    {
        var error = parsed.InvocationConfiguration.Error;
        string why;
        try
        {
            using var person = Person.SignedIn();
            return (int)await act(person);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            error.WriteLine(interrupted);
            return McCommand.Interrupted;
        }
        catch (ApiException refusal)
        {
            Refusal.Tell(error, refusal.Status, refusal.Problem);
            return refusal.Status is HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest ? WrongUse : (int)Verdict.Incomplete;
        }
        catch (Exception exception) when (exception is CommandFailure or JsonException or IOException or FormatException or OperationCanceledException or HttpRequestException)
        {
            why = exception switch { OperationCanceledException => "The server did not answer in time.", HttpRequestException failure => Guarded.Said(failure), _ => Printable.Line(exception.Message) };
            if (unknown is not null && ApiCommand.MayHaveBeenDone(exception))
            {
                why = $"{why}\n{unknown}";
            }
        }

        error.WriteLine(why);
        return (int)Verdict.Incomplete;
    }

    /// <summary>Reads a policy.</summary>
    /// <exception cref="CommandFailure">It is none.</exception>
    public static LogPolicy ReadPolicy(string file)
    {
        try
        {
            return LogPolicy.Parse(File.ReadAllText(file));
        }
        catch (FormatException exception)
        {
            throw new CommandFailure($"{Printable.Line(file)} is no policy. {Printable.Line(exception.Message)}");
        }
    }

    /// <summary>Runs one of the commands: a verdict is its exit code, and whatever else hinders is no verdict.</summary>
    public static async Task<int> RunAsync(ParseResult parsed, Func<Task<AuditReport>> act, Action<AuditReport> tell, CancellationToken cancellationToken)
    {
        var error = parsed.InvocationConfiguration.Error;
        try
        {
            var report = await act();
            tell(report);
            return (int)report.Verdict;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            error.WriteLine("Interrupted. Nothing is said of the log.");
            return McCommand.Interrupted;
        }
        catch (Exception exception) when (exception is CommandFailure or IOException or UnauthorizedAccessException or ArgumentException)
        {
            error.WriteLine(Printable.Line(exception.Message));
            return WrongUse;
        }
    }
}
