using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Client;

public sealed partial class MissionControlClient
{
    /// <summary>Trades the API token that this client speaks with for a session.</summary>
    /// <exception cref="ApiException">The token is not valid.</exception>
    public Task<CreatedSession> CreateSessionAsync(CancellationToken cancellationToken) => SendAsync<CreatedSession>(HttpMethod.Post, "/api/v1/identity/sessions", null, null, cancellationToken);

    /// <summary>Trades a session for a five-minute user token.</summary>
    /// <exception cref="ApiException">The session has ended.</exception>
    public Task<TradedSession> TradeSessionAsync(string session, CancellationToken cancellationToken) =>
        SendAsync<TradedSession>(HttpMethod.Post, "/api/v1/identity/sessions/trade", new TradeSessionRequest(session), null, cancellationToken);

    /// <summary>Ends a session; not an error when it has ended already.</summary>
    public Task EndSessionAsync(string session, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, "/api/v1/identity/sessions/end", new TradeSessionRequest(session), null, cancellationToken);
}
