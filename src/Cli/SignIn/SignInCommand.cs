using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using MissionControl.Cli.Server;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Cli.SignIn;

/// <summary><c>mc sign-in</c>: the device flow (RFC 8628). The person permits it in a browser, which may be on another machine.</summary>
internal static class SignInCommand
{
    private const string Help = """
        Sign in: says where to go in a browser and what to type there, and waits.

        Keeps the session in mission-control/mc.json under $XDG_CONFIG_HOME, or ~/.config (on Windows %APPDATA%), which nobody else can read. A sign-in before ends.

        Exit codes: 0 signed in; 1 refused there, or not permitted in time; 2 wrong use, or the server cannot be reached or trusted; 130 interrupted.

        Examples:
          mc sign-in --server https://control.example.com
          mc sign-in --server https://control.example.com --ca-file ca.pem
        """;

    private const int MostNamed = 90;
    private const int MostBegins = 5;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    public static Command Create()
    {
        var server = new Option<Uri>("--server")
        {
            Description = "The address of Mission Control.", Required = true,
            CustomParser = result =>
            {
                if (result.Tokens.Count == 1 && ServerAddress.Parse(result.Tokens[0].Value) is { } address)
                {
                    return address;
                }

                result.AddError(ServerAddress.Rule);
                return null;
            },
        };
        var ca = new Option<string?>("--ca-file") { Description = "PEM of a further CA to trust: the one of Mission Control. It is read now, and kept with the sign-in." };
        var command = new Command("sign-in", Help) { server, ca };
        command.SetAction((parsed, cancellationToken) => Guarded.RunAsync(parsed, () => SignInAsync(parsed.GetValue(server)!, parsed.GetValue(ca), parsed.InvocationConfiguration.Error, cancellationToken), cancellationToken));
        return command;
    }

    private static async Task SignInAsync(Uri server, string? caFile, TextWriter error, CancellationToken cancellationToken)
    {
        KeptSignIn.Prepare();
        var before = KeptSignIn.Find();
        var ca = caFile is null ? null : CaCertificates.Read(caFile);
        using var connection = new Connection(server, ca);
        var client = new MissionControlClient(connection.Identity);
        var begun = await BeginAsync(connection, client, error, cancellationToken);
        if (begun is not { DeviceCode.Length: > 0, UserCode.Length: > 0, VerificationUri.Length: > 0 })
        {
            throw new FormatException();
        }

        error.WriteLine($"Open     {Printable.Line(begun.VerificationUri)}");
        error.WriteLine($"and type {Printable.Line(begun.UserCode)}");
        error.WriteLine("Waiting until you permit it there, ten minutes at most. Ctrl-C ends it.");
        var (session, expiresAt) = await WaitAsync(client, begun, cancellationToken);
        try
        {
            new KeptSignIn(ServerAddress.Said(server), ca, session, expiresAt, PortalOf(begun.VerificationUri)).Keep();
        }
        catch
        {
            // What cannot be kept must not stay open.
            await EndAsync(connection, session);
            throw;
        }

        if (before?.Address == server)
        {
            await EndAsync(connection, before.Session);
        }
        else if (before is not null)
        {
            await EndAsync(before);
        }

        error.WriteLine($"Signed in at {ServerAddress.Said(server)}{(expiresAt is { } end ? $", until {Instant(end)} at the latest" : "")}.");
    }

    private static async Task<DeviceSignIn> BeginAsync(Connection connection, MissionControlClient client, TextWriter error, CancellationToken cancellationToken)
    {
        // The server takes no other letters: the person reads this name in what they confirm.
        var name = string.Concat(Environment.MachineName.Take(MostNamed).Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_' ? letter : '-'));
        var request = new BeginDeviceSignInRequest($"mc on {name}");
        for (var tried = 1; ; tried++)
        {
            try
            {
                return await client.BeginDeviceSignInAsync(request, cancellationToken);
            }
            catch (ApiException busy) when (busy.Status == HttpStatusCode.TooManyRequests && tried < MostBegins)
            {
                var seconds = Math.Clamp(Math.Ceiling((connection.RetryAfter ?? TimeSpan.FromSeconds(5)).TotalSeconds), 1, 60);
                error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"The server is busy. Asking again in {seconds} s."));
                await Task.Delay(TimeSpan.FromSeconds(seconds), cancellationToken);
            }
        }
    }

    // Where it is not an address of a portal, the server's own is said.
    internal static string? PortalOf(string verificationUri) =>
        Uri.TryCreate(verificationUri, UriKind.Absolute, out var address) && ServerAddress.Parse(address.GetLeftPart(UriPartial.Authority)) is { } portal ? ServerAddress.Said(portal) : null;

    private static async Task<(string Session, DateTimeOffset? ExpiresAt)> WaitAsync(MissionControlClient client, DeviceSignIn begun, CancellationToken cancellationToken)
    {
        var patience = new Patience(absenceMayPass: false);
        var interval = TimeSpan.FromSeconds(Math.Clamp(begun.Interval, 1, 60));
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < Longest)
        {
            await Task.Delay(interval, cancellationToken);
            DeviceSignInAnswer? answer;
            try
            {
                answer = await patience.AskAsync(() => client.FinishDeviceSignInAsync(begun.DeviceCode, cancellationToken), cancellationToken);
            }
            catch (ApiException over) when (over.Status == HttpStatusCode.Unauthorized)
            {
                // A problem document of those who are to bring a token; here there is none to bring.
                throw new CommandFailure(Printable.Line(over.Problem?.Detail ?? "The sign-in is over. Begin again."), McCommand.Refused);
            }

            switch (answer?.State)
            {
                case DeviceStates.SignedIn:
                    return (KeptSignIn.IsSession(answer.Session) ? answer.Session : throw new FormatException(), answer.ExpiresAt);
                case DeviceStates.Denied:
                    throw new CommandFailure("It was refused in the portal.", McCommand.Refused);
                case DeviceStates.SlowDown:
                    interval += TimeSpan.FromSeconds(5);
                    break;
            }
        }

        throw new CommandFailure("Nobody permitted it in time.", McCommand.Refused);
    }

    /// <summary>Ends the session of a sign-in that is replaced, if its server can be reached; else it ends by its limits.</summary>
    private static async Task EndAsync(KeptSignIn before)
    {
        using var connection = before.Connect();
        await EndAsync(connection, before.Session);
    }

    private static async Task EndAsync(Connection connection, string session)
    {
        try
        {
            using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await new MissionControlClient(connection.Identity).EndSessionAsync(session, soon.Token);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or ApiException or System.Text.Json.JsonException)
        {
            // Best effort.
        }
    }

    /// <summary>An instant for people.</summary>
    public static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
