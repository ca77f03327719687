using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Portal.Lists;
using MissionControl.Portal.Pages.Clusters;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Operation;

/// <summary>Retries parked messages, and gives the audit log as a file.</summary>
internal static class SystemForms
{
    /// <summary>The parameters of the audit list.</summary>
    public static readonly IReadOnlyCollection<string> AuditFilters = ["log", "customer", "cluster", "type", "actor", "target", "from", "to", "limit", "cursor"];

    private static readonly IReadOnlyList<Column<AuditEntryItem>> Columns =
    [
        new("id", one => one.Id), new("occurredAt", one => one.OccurredAt), new("recordedAt", one => one.RecordedAt), new("log", one => one.Log), new("type", one => one.Type), new("outcome", one => one.Outcome),
        new("actorKind", one => one.ActorKind), new("actorId", one => one.ActorId), new("targetType", one => one.TargetType), new("targetId", one => one.TargetId), new("customerId", one => one.CustomerId),
        new("clusterId", one => one.ClusterId), new("reason", one => one.Reason), new("producer", one => one.Producer), new("producerSeq", one => one.ProducerSeq),
    ];

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
        pages.MapGet("/audit.csv", (HttpContext http, TimeProvider time) => ClusterFiles.FileAsync(http, "audit:read", async api =>
        {
            var query = Addresses.ApiQuery(http.Request, [.. AuditFilters.Except(["limit", "cursor"])], ("limit", "500"));
            var first = await api.ListAuditEntriesAsync(query, http.RequestAborted);
            return Csv.File($"audit-{ClusterFiles.Stamp(time)}", Columns, Csv.RowsAsync(first, cursor => api.ListAuditEntriesAsync($"{query}&cursor={Uri.EscapeDataString(cursor)}", http.RequestAborted)));
        }));
    }

    private static string Short(string? error) => error is null ? "no reason is known." : error.Length > 300 ? error[..300] + "…" : error;
}
