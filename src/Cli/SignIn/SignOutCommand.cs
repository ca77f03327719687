using System.CommandLine;
using MissionControl.Cli.Server;
using MissionControl.Client;

namespace MissionControl.Cli.SignIn;

/// <summary><c>mc sign-out</c>.</summary>
internal static class SignOutCommand
{
    private const string Help = """
        Sign out: ends the session at the server, and forgets it here.

        Exit codes: 0 signed out; 1 forgotten here, and the server refused to end it; 2 nobody was signed in, or it is forgotten here and the server could not be reached; 130 interrupted.

        Example:
          mc sign-out
        """;

    public static Command Create()
    {
        var command = new Command("sign-out", Help);
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, () => SignOutAsync(parsed.InvocationConfiguration.Error, cancellationToken), cancellationToken));
        return command;
    }

    private static async Task SignOutAsync(TextWriter error, CancellationToken cancellationToken)
    {
        var kept = KeptSignIn.Find() ?? throw new CommandFailure("Nobody is signed in here.");
        try
        {
            using var connection = kept.Connect();
            await new MissionControlClient(connection.Identity).EndSessionAsync(kept.Session, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            KeptSignIn.Forget();
            error.WriteLine($"It is forgotten here, and the session itself was not ended: it ends by its limits, or in the portal of {ServerAddress.Said(kept.Address)} under Your account.");
            throw;
        }

        KeptSignIn.Forget();
        error.WriteLine("Signed out.");
    }
}
