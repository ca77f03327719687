using System.Diagnostics;
using System.Net;
using MissionControl.Cli.Server;
using MissionControl.Client;

namespace MissionControl.Cli.SignIn;

/// <summary>Whoever is signed in here, at the server: trades the session for a user token, which lives five minutes, and again when a command takes longer.</summary>
internal sealed class Person : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(4);

    private readonly KeptSignIn kept;
    private readonly MissionControlClient anonymous;
    private string? token;
    private long traded;

    private Person(KeptSignIn kept)
    {
        this.kept = kept;
        Connection = new Connection(kept.Address, kept.CaFile);
        anonymous = new MissionControlClient(Connection.Identity);
    }

    /// <summary>The way to the server.</summary>
    public Connection Connection { get; }

    /// <summary>The server.</summary>
    public Uri Server => kept.Address;

    /// <summary>The session's end at the latest (UTC).</summary>
    public DateTimeOffset? ExpiresAt => kept.ExpiresAt;

    /// <summary>Whoever signed in.</summary>
    /// <exception cref="CommandFailure">Nobody did.</exception>
    public static Person SignedIn() => new(KeptSignIn.Find() ?? throw new CommandFailure("Nobody is signed in here. Sign in: mc sign-in --server https://control.example.com"));

    /// <summary>The API as this person.</summary>
    public async Task<MissionControlClient> ClientAsync(CancellationToken cancellationToken) => anonymous.As(await TokenAsync(cancellationToken));

    /// <summary>What the person's requests carry.</summary>
    /// <exception cref="CommandFailure">The session has ended.</exception>
    public async Task<string> TokenAsync(CancellationToken cancellationToken)
    {
        if (token is not null && Stopwatch.GetElapsedTime(traded) < Fresh)
        {
            return token;
        }

        traded = Stopwatch.GetTimestamp();
        try
        {
            // A person typed the command, or wrote what runs it, and the session is kept going by that.
            token = (await anonymous.TradeSessionAsync(kept.Session, isActive: true, cancellationToken)).AccessToken ?? throw new FormatException();
            return token;
        }
        catch (ApiException refusal) when (refusal.Status is HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity)
        {
            throw new CommandFailure($"The session has ended. Sign in again: mc sign-in --server {ServerAddress.Said(Server)}");
        }
    }

    /// <inheritdoc />
    public void Dispose() => Connection.Dispose();
}
