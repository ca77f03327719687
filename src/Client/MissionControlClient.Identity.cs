using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Client;

public sealed partial class MissionControlClient
{
    /// <summary>Trades the API token that this client speaks with for a session.</summary>
    /// <exception cref="ApiException">The token is not valid.</exception>
    public Task<CreatedSession> CreateSessionAsync(CancellationToken cancellationToken) => SendAsync<CreatedSession>(HttpMethod.Post, "/api/v1/identity/sessions", null, null, cancellationToken);

    /// <summary>Trades a session for a five-minute user token.</summary>
    /// <param name="session">The session's secret.</param>
    /// <param name="isActive">Whether a person did something.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ApiException">The session has ended.</exception>
    public Task<TradedSession> TradeSessionAsync(string session, bool isActive, CancellationToken cancellationToken) =>
        SendAsync<TradedSession>(HttpMethod.Post, "/api/v1/identity/sessions/trade", new TradeSessionRequest(session, isActive), null, cancellationToken);

    /// <summary>Ends a session; not an error when it has ended already.</summary>
    public Task EndSessionAsync(string session, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, "/api/v1/identity/sessions/end", new TradeSessionRequest(session), null, cancellationToken);

    /// <summary>API tokens, newest first.</summary>
    public Task<Page<TokenItem>> ListTokensAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<TokenItem>>($"/api/v1/identity/tokens{query}", cancellationToken);

    /// <summary>Makes an API token.</summary>
    public Task<CreatedToken> CreateTokenAsync(CreateTokenRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<CreatedToken>(HttpMethod.Post, "/api/v1/identity/tokens", request, precondition, cancellationToken);

    /// <summary>One API token.</summary>
    public Task<TokenItem> GetTokenAsync(string id, CancellationToken cancellationToken) => GetAsync<TokenItem>($"/api/v1/identity/tokens/{id}", cancellationToken);

    /// <summary>Puts another token in the place of one.</summary>
    public Task<RotatedToken> RotateTokenAsync(string id, RotateTokenRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<RotatedToken>(HttpMethod.Post, $"/api/v1/identity/tokens/{id}/rotate", request, precondition, cancellationToken);

    /// <summary>Puts another token in the place of the one that this client speaks with.</summary>
    public Task<RotatedToken> RotateMyTokenAsync(RotateTokenRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<RotatedToken>(HttpMethod.Post, "/api/v1/identity/me/token/rotate", request, precondition, cancellationToken);

    /// <summary>Ends an API token and its sessions.</summary>
    public Task RevokeTokenAsync(string id, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"/api/v1/identity/tokens/{id}/revoke", null, null, cancellationToken);

    /// <summary>Saved views, by name.</summary>
    public Task<Page<ViewItem>> ListViewsAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<ViewItem>>($"/api/v1/identity/views{query}", cancellationToken);

    /// <summary>One saved view.</summary>
    public Task<ViewItem> GetViewAsync(Guid id, CancellationToken cancellationToken) => GetAsync<ViewItem>($"/api/v1/identity/views/{id}", cancellationToken);

    /// <summary>Saves a view of a list.</summary>
    public Task<ViewItem> SaveViewAsync(SaveViewRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<ViewItem>(HttpMethod.Post, "/api/v1/identity/views", request, precondition, cancellationToken);

    /// <summary>Changes a view.</summary>
    public Task<ViewItem> ChangeViewAsync(Guid id, ChangeViewRequest request, Precondition precondition, CancellationToken cancellationToken) =>
        SendAsync<ViewItem>(HttpMethod.Patch, $"/api/v1/identity/views/{id}", request, precondition, cancellationToken);

    /// <summary>Deletes a view.</summary>
    public Task DeleteViewAsync(Guid id, CancellationToken cancellationToken) => SendAsync(HttpMethod.Delete, $"/api/v1/identity/views/{id}", null, null, cancellationToken);
}
