using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Platform;

namespace MissionControl.Client;

public sealed partial class MissionControlClient
{
    /// <summary>Audit entries, the newest first.</summary>
    public Task<Page<AuditEntryItem>> ListAuditEntriesAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries{query}", cancellationToken);

    /// <summary>Messages that a role could not apply yet, the oldest first.</summary>
    public Task<Page<ParkedMessageItem>> ListParkedMessagesAsync(string role, string query, CancellationToken cancellationToken) =>
        GetAsync<Page<ParkedMessageItem>>($"/api/v1/{role}/parked-messages{query}", cancellationToken);

    /// <summary>What a role does by the clock, and how it went last.</summary>
    public Task<Page<JobItem>> ListJobsAsync(string role, CancellationToken cancellationToken) => GetAsync<Page<JobItem>>($"/api/v1/{role}/jobs", cancellationToken);

    /// <summary>Tries a message again now.</summary>
    public Task<RetryResult> RetryParkedMessageAsync(string role, Guid id, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<RetryResult>(HttpMethod.Post, $"/api/v1/{role}/parked-messages/{id}/retry", null, precondition, cancellationToken);
}
