using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Client;

/// <summary>A refusal of the API.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="problem">The problem document, when there was one.</param>
public sealed class ApiException(HttpStatusCode status, ProblemDocument? problem) : Exception(problem?.Detail ?? problem?.Title ?? $"The API answered {(int)status}.")
{
    /// <summary>HTTP status.</summary>
    public HttpStatusCode Status => status;

    /// <summary>The problem document, when there was one.</summary>
    public ProblemDocument? Problem => problem;
}

/// <summary>Typed client of the public REST API; every call carries the caller's own bearer.</summary>
/// <param name="http">Has the API's address as its base.</param>
public sealed class MissionControlClient(HttpClient http)
{
    /// <summary>Trades an API token for a session.</summary>
    /// <exception cref="ApiException">The token is not valid.</exception>
    public Task<CreatedSession> CreateSessionAsync(string apiToken, CancellationToken cancellationToken) => SendAsync<CreatedSession>(HttpMethod.Post, "/api/v1/identity/sessions", apiToken, null, cancellationToken);

    /// <summary>Trades a session for a five-minute user token.</summary>
    /// <exception cref="ApiException">The session has ended.</exception>
    public Task<TradedSession> TradeSessionAsync(string session, CancellationToken cancellationToken) => SendAsync<TradedSession>(HttpMethod.Post, "/api/v1/identity/sessions/trade", null, new TradeSessionRequest(session), cancellationToken);

    /// <summary>Ends a session; not an error when it has ended already.</summary>
    public async Task EndSessionAsync(string session, CancellationToken cancellationToken)
    {
        using var response = await http.PostAsJsonAsync("/api/v1/identity/sessions/end", new TradeSessionRequest(session), cancellationToken);
    }

    /// <summary>The fleet at a glance.</summary>
    public Task<FleetSummary> GetFleetSummaryAsync(string bearer, CancellationToken cancellationToken) => GetAsync<FleetSummary>("/api/v1/fleet/summary", bearer, cancellationToken);

    /// <summary>A page of clusters, worst first.</summary>
    /// <param name="query">Query string with the API's own parameter names, beginning with a question mark, or empty.</param>
    /// <param name="bearer">The caller's token.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<Page<ClusterSummary>> ListClustersAsync(string query, string bearer, CancellationToken cancellationToken) => GetAsync<Page<ClusterSummary>>($"/api/v1/fleet/clusters{query}", bearer, cancellationToken);

    /// <summary>One cluster.</summary>
    public Task<ClusterSummary> GetClusterAsync(Guid id, string bearer, CancellationToken cancellationToken) => GetAsync<ClusterSummary>($"/api/v1/fleet/clusters/{id}", bearer, cancellationToken);

    /// <summary>Every health rule of a cluster.</summary>
    public Task<HealthDocument> GetHealthAsync(Guid id, string bearer, CancellationToken cancellationToken) => GetAsync<HealthDocument>($"/api/v1/fleet/clusters/{id}/health", bearer, cancellationToken);

    /// <summary>Nodes of a cluster.</summary>
    public Task<Page<NodeItem>> ListNodesAsync(Guid id, string bearer, CancellationToken cancellationToken) => GetAsync<Page<NodeItem>>($"/api/v1/fleet/clusters/{id}/nodes", bearer, cancellationToken);

    /// <summary>The newest events of a cluster.</summary>
    public Task<Page<EventItem>> ListEventsAsync(Guid id, string bearer, CancellationToken cancellationToken) => GetAsync<Page<EventItem>>($"/api/v1/fleet/clusters/{id}/events?limit=20", bearer, cancellationToken);

    private Task<T> GetAsync<T>(string path, string bearer, CancellationToken cancellationToken) => SendAsync<T>(HttpMethod.Get, path, bearer, null, cancellationToken);

    private async Task<T> SendAsync<T>(HttpMethod method, string path, string? bearer, object? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (bearer is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        }

        if (body is not null)
        {
            request.Content = JsonContent.Create(body, body.GetType());
        }

        using var response = await http.SendAsync(request, cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return (await response.Content.ReadFromJsonAsync<T>(cancellationToken))!;
        }

        var problem = response.Content.Headers.ContentType?.MediaType == "application/problem+json" ? await response.Content.ReadFromJsonAsync<ProblemDocument>(cancellationToken) : null;
        throw new ApiException(response.StatusCode, problem);
    }
}
