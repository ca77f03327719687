using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Platform.Http;
using MissionControl.Portal.Lists;
using MissionControl.Portal.Look;
using MissionControl.Portal.Pages.Clusters;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Operation;

/// <summary>Retries parked messages, one or all of a consumer, and gives the audit log as a file.</summary>
internal static class SystemForms
{
    /// <summary>The parameters of the audit list.</summary>
    public static readonly IReadOnlyCollection<string> AuditFilters = ["q", "log", "customer", "cluster", "type", "actor", "target", "from", "to", "sort", "limit", "cursor"];

    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/system/parked/{role}/{id:guid}/retry", (string role, Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ParkedMessages>(http, async (page, form) =>
        {
            if (!Roles.All.Contains(role))
            {
                return Results.NotFound();
            }

            var result = await page.Api.RetryParkedMessageAsync(role, id, new Precondition(form["key"]), page.Aborted);
            flashes.Leave(http, new Flash(result.Applied ? "Applied the message; it is gone from the list." : $"Tried the message again, and it failed again: {Short(result.LastError)}", $"/audit?target={id}&type={role}.parked-message-retried"));
            return Results.LocalRedirect("/system/parked");
        }));
        pages.MapPost("/system/parked/{role}/retry", (string role, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<RetryParked>(http, async (page, form) =>
        {
            if (!Roles.All.Contains(role))
            {
                return Results.NotFound();
            }

            var request = new RetryParkedMessagesRequest(
                form["consumer"], long.TryParse(form["expected"], CultureInfo.InvariantCulture, out var expected) ? expected : null, null, form["reason"].ToString().Trim() is { Length: > 0 } reason ? reason : null);
            var task = await page.Api.RetryParkedMessagesAsync(role, request, new Precondition(form["key"]), page.Aborted);
            flashes.Leave(http, new Flash($"Began to retry {Words.Count(task.Total, "message", "messages")}.", $"/audit?target={task.Id}&type={role}.task-started"));
            return Results.LocalRedirect($"/tasks/{role}/{task.Id}");
        }));
        pages.MapGet("/audit.csv", (HttpContext http, CancellationToken aborted) => ClusterFiles.FileAsync(http, "audit:read", async api =>
        {
            var query = Addresses.ApiQuery(http.Request, [.. AuditFilters.Except(["limit", "cursor"])], ("limit", "500"));
            var first = await api.ListAuditEntriesAsync(query, aborted);
            return Csv.File("audit", EveryPage.OfAsync(first, cursor => api.ListAuditEntriesAsync($"{query}&cursor={Uri.EscapeDataString(cursor)}", aborted)).Select(AuditRow.Of));
        }));
    }

    private static string Short(string? error) => error is null ? "no reason is known." : error.Length > 300 ? error[..300] + "…" : error;

    /// <summary>An entry without names and addresses: those must stay erasable, and a file is not.</summary>
    private sealed record AuditRow(
        Guid Id, DateTimeOffset OccurredAt, DateTimeOffset RecordedAt, string Log, string Type, string Outcome, string ActorKind, string ActorId, string TargetType, string TargetId, Guid? CustomerId, Guid? ClusterId,
        string? Reason, string Producer, long ProducerSeq)
    {
        public static AuditRow Of(AuditEntryItem entry) => new(
            entry.Id, entry.OccurredAt, entry.RecordedAt, entry.Log, entry.Type, entry.Outcome, entry.ActorKind, entry.ActorId, entry.TargetType, entry.TargetId, entry.CustomerId, entry.ClusterId,
            entry.Reason, entry.Producer, entry.ProducerSeq);
    }
}
