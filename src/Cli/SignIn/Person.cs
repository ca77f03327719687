using System.Diagnostics;
using System.Net;
using MissionControl.Cli.Api;
using MissionControl.Cli.Server;
using MissionControl.Client;
using MissionControl.Contracts.Api;

namespace MissionControl.Cli.SignIn;

/// <summary>
/// Whoever is signed in here, at the server: trades the session for a user token, which lives five minutes, and again when a command
/// takes longer, or when the token is good no more although the session is.
/// </summary>
/// <param name="kept">The sign-in.</param>
internal sealed class Person(KeptSignIn kept) : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(4);

    private string? token;
    private long traded;

    /// <summary>The way to the server.</summary>
    public Connection Connection { get; } = kept.Connect();

    /// <summary>The server.</summary>
    public Uri Server => kept.Address;

    /// <summary>Where the person confirms.</summary>
    public Uri Portal => kept.PortalAddress;

    /// <summary>The session's end at the latest (UTC).</summary>
    public DateTimeOffset? ExpiresAt => kept.ExpiresAt;

    /// <summary>Whoever signed in.</summary>
    /// <exception cref="CommandFailure">Nobody did.</exception>
    public static Person SignedIn() => new(KeptSignIn.Find() ?? throw new CommandFailure("Nobody is signed in here. Sign in: mc sign-in --server https://control.example.com"));

    /// <summary>Calls the API as this person.</summary>
    public async Task<T> AskAsync<T>(Func<MissionControlClient, Task<T>> ask, CancellationToken cancellationToken)
    {
        var anonymous = new MissionControlClient(Connection.Identity);
        var (bearer, wasKept) = await TokenAsync(cancellationToken);
        try
        {
            return await ask(anonymous.As(bearer));
        }
        catch (ApiException refusal) when (wasKept && IsOfToken(refusal.Status, refusal.Problem?.StepUp))
        {
            token = null;
            return await ask(anonymous.As((await TokenAsync(cancellationToken)).Token));
        }
    }

    /// <summary>The same for any call.</summary>
    /// <param name="send">Sends it with this token.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<ApiAnswer> SendAsync(Func<string, Task<ApiAnswer>> send, CancellationToken cancellationToken)
    {
        var (bearer, wasKept) = await TokenAsync(cancellationToken);
        var answer = await send(bearer);
        if (!wasKept || !IsOfToken(answer.Status, answer.Problem?.StepUp))
        {
            return answer;
        }

        token = null;
        return await send((await TokenAsync(cancellationToken)).Token);
    }

    /// <inheritdoc />
    public void Dispose() => Connection.Dispose();

    // Whatever changes the person, such as the end of another session, ends its tokens; the session lives and is worth a new one. By such
    // a refusal nothing was done. One that asks for a proof took the token.
    private static bool IsOfToken(HttpStatusCode status, StepUpDemand? demand) => status == HttpStatusCode.Unauthorized && demand is null;

    private async Task<(string Token, bool WasKept)> TokenAsync(CancellationToken cancellationToken)
    {
        // Several ask at once where a log is read.
        if (token is { } good && Stopwatch.GetElapsedTime(traded) < Fresh)
        {
            return (good, true);
        }

        traded = Stopwatch.GetTimestamp();
        try
        {
            // A person typed the command, or wrote what runs it, and the session is kept going by that.
            var fresh = (await new MissionControlClient(Connection.Identity).TradeSessionAsync(kept.Session, isActive: true, cancellationToken)).AccessToken ?? throw new FormatException();
            token = fresh;
            return (fresh, false);
        }
        catch (ApiException refusal) when (refusal.Status is HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity)
        {
            throw new CommandFailure($"The session has ended. Sign in again: mc sign-in --server {ServerAddress.Said(Server)}");
        }
    }
}
