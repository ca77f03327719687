using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Client;

public sealed partial class MissionControlClient
{
    /// <summary>Reports a token that leaked; it is worth nothing from then on. Anybody may, signed in or not.</summary>
    public Task<ReportedLeak> ReportLeakAsync(ReportLeakRequest request, CancellationToken cancellationToken) => SendAsync<ReportedLeak>(HttpMethod.Post, $"{Identity}/leaks/report", request, null, cancellationToken);

    /// <summary>Tokens that leaked, the last first.</summary>
    public Task<Page<LeakItem>> ListLeaksAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<LeakItem>>($"{Identity}/leaks{query}", cancellationToken);

    /// <summary>A token that leaked, and all that is known of it.</summary>
    public Task<LeakDetail> GetLeakAsync(Guid id, CancellationToken cancellationToken) => GetAsync<LeakDetail>($"{Identity}/leaks/{id}", cancellationToken);

    /// <summary>Says that everything about a leaked token is done.</summary>
    public Task CloseLeakAsync(Guid id, CloseLeakRequest request, Precondition precondition, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{Identity}/leaks/{id}/close", request, precondition, cancellationToken);

    /// <summary>What is loose about who may sign in and call.</summary>
    public Task<PostureReport> GetPostureAsync(string query, CancellationToken cancellationToken) => GetAsync<PostureReport>($"{Identity}/posture{query}", cancellationToken);
}
