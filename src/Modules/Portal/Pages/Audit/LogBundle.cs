using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Audit;

/// <summary>The bundle of a log, handed on as it comes: it is never whole in memory here.</summary>
internal static class LogBundle
{
    public static void Map(IEndpointRouteBuilder pages) => pages.MapGet("/audit/logs/{id:guid}/bundle.zip", (HttpContext http, Guid id) => PortalPage.WithReaderAsync(http, async reader =>
    {
        var page = http.RequestServices.GetRequiredService<PageContext>();
        page.Enter(http, reader);
        var bundle = await page.AskAsync("audit:read", (api, end) => api.GetAuditLogBundleAsync(id, http.Request.QueryString.Value ?? "", end));
        if (bundle.Refusal is { } refusal)
        {
            return new PageResult<Failure>(reader, new Dictionary<string, object?> { [nameof(Failure.Why)] = refusal }, status: refusal.Status);
        }

        http.Response.RegisterForDispose(bundle.Value!);
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Stream(await bundle.Value!.Content.ReadAsStreamAsync(http.RequestAborted), "application/zip", $"audit-log-{id:N}.zip");
    }));
}
