using System.CommandLine;
using System.Text.Json;
using MissionControl.Client;

namespace MissionControl.Cli.Server;

/// <summary>Runs a command and turns what goes wrong into a sentence and an exit code.</summary>
internal static class Guarded
{
    /// <param name="parsed">The command line.</param>
    /// <param name="act">The command.</param>
    /// <param name="cancellationToken">Cancelled by Ctrl-C.</param>
    /// <param name="refused">Tells a refusal; default: in words.</param>
    public static async Task<int> RunAsync(ParseResult parsed, Func<Task> act, CancellationToken cancellationToken, Action<ApiException>? refused = null)
    {
        var error = parsed.InvocationConfiguration.Error;
        try
        {
            await act();
            return McCommand.Done;
        }
        catch (ApiException refusal)
        {
            (refused ?? (told => Refusal.Tell(error, told.Status, told.Problem)))(refusal);
            return McCommand.Refused;
        }
        catch (CommandFailure failure)
        {
            error.WriteLine(failure.Message);
            return failure.ExitCode;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            error.WriteLine("Interrupted.");
            return McCommand.Interrupted;
        }
        catch (OperationCanceledException)
        {
            error.WriteLine("The server did not answer in time.");
        }
        catch (HttpRequestException failure)
        {
            error.WriteLine(Said(failure));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or NotSupportedException or FormatException)
        {
            // An answer that is no JSON, lacks what it must have or is written in no encoding that there is.
            error.WriteLine("The server's answer cannot be read. Is this the address of Mission Control?");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            error.WriteLine(Printable.Line(exception.Message));
        }

        return McCommand.WrongUse;
    }

    /// <summary>What hindered, from the innermost cause, which is the one that names it.</summary>
    public static string Said(HttpRequestException failure)
    {
        var reason = Printable.Line(failure.GetBaseException().Message);
        return failure.HttpRequestError switch
        {
            HttpRequestError.SecureConnectionError => $"The server cannot be trusted: {reason} If its CA is one of your own, name its certificate: mc sign-in --server … --ca-file FILE.",
            HttpRequestError.ConfigurationLimitExceeded => "The server's answer is longer than is read.",
            _ => $"The server cannot be reached: {reason}",
        };
    }
}
