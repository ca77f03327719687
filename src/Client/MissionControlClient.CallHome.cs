using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Platform;

namespace MissionControl.Client;

public sealed partial class MissionControlClient
{
    /// <summary>A cluster's identity, keys and epochs.</summary>
    public Task<ClusterIdentity> GetClusterIdentityAsync(Guid id, CancellationToken cancellationToken) => GetAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{id}", cancellationToken);

    /// <summary>Suspends, resumes or decommissions a cluster.</summary>
    /// <param name="id">The cluster.</param>
    /// <param name="verb">suspend, resume or decommission.</param>
    /// <param name="reason">For the audit log.</param>
    /// <param name="precondition">What the change is safe against.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task SwitchClusterAsync(Guid id, string verb, string reason, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"/api/v1/callhome/clusters/{id}/{verb}", new ReasonRequest(reason), precondition, cancellationToken);

    /// <summary>Asks a cluster to replace its key.</summary>
    public Task<KeyRotationAsked> AskKeyRotationAsync(Guid id, string reason, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<KeyRotationAsked>(HttpMethod.Post, $"/api/v1/callhome/clusters/{id}/rotate-key", new ReasonRequest(reason), precondition, cancellationToken);

    /// <summary>What suspending or resuming the clusters of a filter would do.</summary>
    public Task<SwitchPreview> PreviewSwitchAsync(string verb, ClusterFilter filter, CancellationToken cancellationToken) =>
        SendAsync<SwitchPreview>(HttpMethod.Post, $"/api/v1/callhome/clusters/{verb}/preview", new PreviewSwitchRequest(filter), null, cancellationToken);

    /// <summary>Suspends or resumes the clusters of a filter, as a task.</summary>
    public Task<TaskSummary> SwitchClustersAsync(string verb, SwitchClustersRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<TaskSummary>(HttpMethod.Post, $"/api/v1/callhome/clusters/{verb}", request, precondition, cancellationToken);

    /// <summary>Names the true sender after a suspected clone.</summary>
    public Task ConfirmEpochAsync(Guid id, long epoch, string reason, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"/api/v1/callhome/clusters/{id}/epochs/{epoch}/confirm", new ReasonRequest(reason), precondition, cancellationToken);

    /// <summary>Enrolment tokens, the newest first.</summary>
    public Task<Page<EnrollmentTokenItem>> ListEnrollmentTokensAsync(string query, CancellationToken cancellationToken) =>
        GetAsync<Page<EnrollmentTokenItem>>($"/api/v1/callhome/enrollment-tokens{query}", cancellationToken);

    /// <summary>Makes an enrolment token; its secret is in this answer and nowhere else.</summary>
    public Task<CreatedEnrollmentToken> CreateEnrollmentTokenAsync(CreateEnrollmentTokenRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<CreatedEnrollmentToken>(HttpMethod.Post, "/api/v1/callhome/enrollment-tokens", request, precondition, cancellationToken);

    /// <summary>Makes a token by which a machine takes over a cluster; its secret is in this answer and nowhere else.</summary>
    public Task<CreatedEnrollmentToken> CreateReadmissionTokenAsync(Guid id, ReadmitClusterRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<CreatedEnrollmentToken>(HttpMethod.Post, $"/api/v1/callhome/clusters/{id}/enrollment-tokens", request, precondition, cancellationToken);

    /// <summary>Makes an unused enrolment token worthless.</summary>
    public Task RevokeEnrollmentTokenAsync(string id, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"/api/v1/callhome/enrollment-tokens/{id}/revoke", null, precondition, cancellationToken);
}
