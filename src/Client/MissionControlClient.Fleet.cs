using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;

namespace MissionControl.Client;

public sealed partial class MissionControlClient
{
    /// <summary>The fleet at a glance.</summary>
    public Task<FleetSummary> GetFleetSummaryAsync(CancellationToken cancellationToken) => GetAsync<FleetSummary>("/api/v1/fleet/summary", cancellationToken);

    /// <summary>A page of clusters, worst first.</summary>
    /// <param name="query">Query string with the API's own parameter names, beginning with a question mark, or empty.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<Page<ClusterSummary>> ListClustersAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<ClusterSummary>>($"/api/v1/fleet/clusters{query}", cancellationToken);

    /// <summary>One cluster.</summary>
    public Task<ClusterSummary> GetClusterAsync(Guid id, CancellationToken cancellationToken) => GetAsync<ClusterSummary>($"/api/v1/fleet/clusters/{id}", cancellationToken);

    /// <summary>Every health rule of a cluster.</summary>
    public Task<HealthDocument> GetHealthAsync(Guid id, CancellationToken cancellationToken) => GetAsync<HealthDocument>($"/api/v1/fleet/clusters/{id}/health", cancellationToken);

    /// <summary>Nodes of a cluster.</summary>
    public Task<Page<NodeItem>> ListNodesAsync(Guid id, CancellationToken cancellationToken) => GetAsync<Page<NodeItem>>($"/api/v1/fleet/clusters/{id}/nodes", cancellationToken);

    /// <summary>What a cluster last said it is made of.</summary>
    public Task<InventoryDocument> GetInventoryAsync(Guid id, CancellationToken cancellationToken) => GetAsync<InventoryDocument>($"/api/v1/fleet/clusters/{id}/inventory", cancellationToken);

    /// <summary>What is here of what a cluster sent.</summary>
    /// <param name="id">The cluster.</param>
    /// <param name="query">Query string: class.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<SentDocument> GetSentAsync(Guid id, string query, CancellationToken cancellationToken) => GetAsync<SentDocument>($"/api/v1/fleet/clusters/{id}/sent{query}", cancellationToken);

    /// <summary>Asks a cluster for its inventory out of turn.</summary>
    public Task<InventoryAsked> RequestInventoryAsync(Guid id, string reason, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<InventoryAsked>(HttpMethod.Post, $"/api/v1/fleet/clusters/{id}/inventory-request", new InventoryRequest(reason), precondition, cancellationToken);

    /// <summary>Metrics of a cluster over time.</summary>
    /// <param name="id">The cluster.</param>
    /// <param name="query">Query string: from, to, step, metric.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<HistoryDocument> GetHistoryAsync(Guid id, string query, CancellationToken cancellationToken) => GetAsync<HistoryDocument>($"/api/v1/fleet/clusters/{id}/history{query}", cancellationToken);

    /// <summary>When which rule of a cluster turned, the newest first.</summary>
    /// <param name="id">The cluster.</param>
    /// <param name="query">Query string, beginning with a question mark, or empty.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<Page<RuleChangeItem>> ListHealthChangesAsync(Guid id, string query, CancellationToken cancellationToken) =>
        GetAsync<Page<RuleChangeItem>>($"/api/v1/fleet/clusters/{id}/health/changes{query}", cancellationToken);

    /// <summary>Incidents of our own side, the newest first.</summary>
    public Task<Page<IncidentItem>> ListIncidentsAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<IncidentItem>>($"/api/v1/fleet/incidents{query}", cancellationToken);

    /// <summary>Which versions run in the fleet.</summary>
    public Task<FleetVersions> GetFleetVersionsAsync(CancellationToken cancellationToken) => GetAsync<FleetVersions>("/api/v1/fleet/versions", cancellationToken);

    /// <summary>Events of a cluster, the newest first.</summary>
    /// <param name="id">The cluster.</param>
    /// <param name="query">Query string, beginning with a question mark, or empty.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<Page<EventItem>> ListEventsAsync(Guid id, string query, CancellationToken cancellationToken) => GetAsync<Page<EventItem>>($"/api/v1/fleet/clusters/{id}/events{query}", cancellationToken);
}
