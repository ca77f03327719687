using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Platform;

namespace MissionControl.Client;

public sealed partial class MissionControlClient
{
    /// <summary>Who of the vendor read or changed something of which customer.</summary>
    public Task<AccessReview> ReviewAccessAsync(string query, CancellationToken cancellationToken) => GetAsync<AccessReview>($"/api/v1/audit/access{query}", cancellationToken);

    /// <summary>Says that the accesses of a period were reviewed.</summary>
    public Task SignAccessReviewAsync(SignAccessReviewRequest request, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, "/api/v1/audit/access/reviews", request, null, cancellationToken);

    /// <summary>Audit entries, the newest first.</summary>
    public Task<Page<AuditEntryItem>> ListAuditEntriesAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries{query}", cancellationToken);

    /// <summary>The audit logs that one may verify.</summary>
    public Task<Page<AuditLogItem>> ListAuditLogsAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<AuditLogItem>>($"/api/v1/audit/logs{query}", cancellationToken);

    /// <summary>Logs that are sent to systems.</summary>
    public Task<Page<AuditExportItem>> ListAuditExportsAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<AuditExportItem>>($"/api/v1/audit/exports{query}", cancellationToken);

    /// <summary>Has a log sent to a system.</summary>
    public Task<AuditExportItem> CreateAuditExportAsync(CreateAuditExportRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<AuditExportItem>(HttpMethod.Post, "/api/v1/audit/exports", request, precondition, cancellationToken);

    /// <summary>Sends on what stopped.</summary>
    public Task ResumeAuditExportAsync(Guid id, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"/api/v1/audit/exports/{id}/resume", null, null, cancellationToken);

    /// <summary>Sends nothing more.</summary>
    public Task RemoveAuditExportAsync(Guid id, CancellationToken cancellationToken) => SendAsync(HttpMethod.Delete, $"/api/v1/audit/exports/{id}", null, null, cancellationToken);

    /// <summary>An audit log, with its keys.</summary>
    public Task<AuditLogItem> GetAuditLogAsync(Guid id, CancellationToken cancellationToken) => GetAsync<AuditLogItem>($"/api/v1/audit/logs/{id}", cancellationToken);

    /// <summary>The receipt of an entry (C2SP tlog-proof), as it came.</summary>
    public async Task<string> GetAuditLogProofAsync(Guid log, Guid entry, CancellationToken cancellationToken)
    {
        using var response = await RespondAsync(HttpMethod.Get, $"/api/v1/audit/logs/{log}/proofs/{entry}", null, null, cancellationToken);
        return await response.Content.ReadAsStringAsync(cancellationToken);
    }

    /// <summary>A log, or a part of it, in one file that proves itself (ZIP), to be read as it comes; the caller disposes of the answer.</summary>
    public Task<HttpResponseMessage> GetAuditLogBundleAsync(Guid log, string query, CancellationToken cancellationToken) =>
        RespondAsync(HttpMethod.Get, $"/api/v1/audit/logs/{log}/bundle{query}", null, null, cancellationToken, HttpCompletionOption.ResponseHeadersRead);

    /// <summary>Erases what is kept of a person, or beside an entry, of a customer's audit log.</summary>
    public Task<ErasedValues> ErasePersonalValuesAsync(ErasePersonalRequest request, CancellationToken cancellationToken) => SendAsync<ErasedValues>(HttpMethod.Post, "/api/v1/audit/erasures", request, null, cancellationToken);

    /// <summary>Whether a role is itself well.</summary>
    public Task<RoleStatus> GetStatusAsync(string role, CancellationToken cancellationToken) => GetAsync<RoleStatus>($"/api/v1/{role}/status", cancellationToken);

    /// <summary>Messages that a role could not apply yet, the oldest first.</summary>
    public Task<Page<ParkedMessageItem>> ListParkedMessagesAsync(string role, string query, CancellationToken cancellationToken) =>
        GetAsync<Page<ParkedMessageItem>>($"/api/v1/{role}/parked-messages{query}", cancellationToken);

    /// <summary>A parked message, and what is known of it.</summary>
    public Task<ParkedMessageDetail> GetParkedMessageAsync(string role, Guid id, CancellationToken cancellationToken) => GetAsync<ParkedMessageDetail>($"/api/v1/{role}/parked-messages/{id}", cancellationToken);

    /// <summary>Decides that a message is not applied.</summary>
    public Task GiveUpParkedMessageAsync(string role, Guid id, string? reason, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"/api/v1/{role}/parked-messages/{id}/give-up", new GiveUpRequest(reason), precondition, cancellationToken);

    /// <summary>What a role does by the clock, and how it went last.</summary>
    public Task<Page<JobItem>> ListJobsAsync(string role, CancellationToken cancellationToken) => GetAsync<Page<JobItem>>($"/api/v1/{role}/jobs", cancellationToken);

    /// <summary>Runs of a role's jobs, the newest first.</summary>
    public Task<Page<JobRunItem>> ListJobRunsAsync(string role, string query, CancellationToken cancellationToken) => GetAsync<Page<JobRunItem>>($"/api/v1/{role}/job-runs{query}", cancellationToken);

    /// <summary>Runs a job now, besides its schedule.</summary>
    public Task<JobRunItem> RunJobAsync(string role, string name, string? reason, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<JobRunItem>(HttpMethod.Post, $"/api/v1/{role}/jobs/{Uri.EscapeDataString(name)}/run", new RunJobRequest(reason), precondition, cancellationToken);

    /// <summary>Tries a message again now.</summary>
    public Task<RetryResult> RetryParkedMessageAsync(string role, Guid id, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<RetryResult>(HttpMethod.Post, $"/api/v1/{role}/parked-messages/{id}/retry", null, precondition, cancellationToken);

    /// <summary>Tries all parked messages of a consumer again, as a task.</summary>
    public Task<TaskSummary> RetryParkedMessagesAsync(string role, RetryParkedMessagesRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<TaskSummary>(HttpMethod.Post, $"/api/v1/{role}/parked-messages/retry", request, precondition, cancellationToken);

    /// <summary>Long tasks of a role, the newest first.</summary>
    public Task<Page<TaskSummary>> ListTasksAsync(string role, string query, CancellationToken cancellationToken) => GetAsync<Page<TaskSummary>>($"/api/v1/{role}/tasks{query}", cancellationToken);

    /// <summary>How far a task is.</summary>
    public Task<TaskSummary> GetTaskAsync(string role, Guid id, CancellationToken cancellationToken) => GetAsync<TaskSummary>($"/api/v1/{role}/tasks/{id}", cancellationToken);

    /// <summary>What became of each thing of a task.</summary>
    public Task<Page<TaskResult>> ListTaskItemsAsync(string role, Guid id, string query, CancellationToken cancellationToken) =>
        GetAsync<Page<TaskResult>>($"/api/v1/{role}/tasks/{id}/items{query}", cancellationToken);

    /// <summary>Ends a task; what was done by then stays done.</summary>
    public Task<TaskSummary> CancelTaskAsync(string role, Guid id, CancellationToken cancellationToken) =>
        SendAsync<TaskSummary>(HttpMethod.Post, $"/api/v1/{role}/tasks/{id}/cancel", null, null, cancellationToken);

    /// <summary>Tries what failed in a task again, as a task of its own.</summary>
    public Task<TaskSummary> RetryTaskAsync(string role, Guid id, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<TaskSummary>(HttpMethod.Post, $"/api/v1/{role}/tasks/{id}/retry-failed", null, precondition, cancellationToken);
}
