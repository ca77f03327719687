using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Audit;

/// <summary>Signs the review of who looked at whom, and has logs sent to systems.</summary>
internal static class AuditForms
{
    /// <summary>The parameters of the list of entries.</summary>
    public static readonly IReadOnlyCollection<string> Filters = ["q", "log", "customer", "cluster", "type", "kind", "actor", "target", "from", "to", "sort", "limit", "cursor"];

    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/audit/access", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<AccessReviewPage>(http, async (page, form) =>
        {
            var customer = Guid.TryParse(page.Query("customer"), out var id) ? id : (Guid?)null;
            await page.Api.SignAccessReviewAsync(new SignAccessReviewRequest(InstantOf(form["from"]), InstantOf(form["to"]), customer, form["reason"].ToString().Trim()), page.Aborted);
            flashes.Leave(http, new Flash("Signed the review.", "/audit?type=audit.access-reviewed"));
            return Results.LocalRedirect($"/audit/access{http.Request.QueryString}");
        }));
        pages.MapPost("/audit/exports", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<AuditExports>(http, async (page, form) =>
        {
            // Whose endpoint it is, is whose export it is.
            Guid? endpoint = Guid.TryParse(form["endpointId"], out var chosen) ? chosen : null;
            var owner = (await page.Api.ListEndpointsAsync("?limit=500", page.Aborted)).Items.FirstOrDefault(one => one.Id == endpoint)?.CustomerId;
            var request = new CreateAuditExportRequest(Guid.TryParse(form["logId"], out var log) ? log : null, endpoint, owner, form["format"], long.TryParse(form["from"], NumberStyles.None, CultureInfo.InvariantCulture, out var first) ? first : null);
            var export = await page.Api.CreateAuditExportAsync(request, new Precondition(form["key"]), page.Aborted);
            flashes.Leave(http, new Flash("Begun. The first entries are on their way.", $"/audit?target={export.Id}"));
            return Results.LocalRedirect("/audit/exports");
        }));
        pages.MapPost("/audit/exports/{id:guid}/{act:regex(^(resume|remove)$)}", (Guid id, string act, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<AuditExports>(http, async (page, _) =>
        {
            await (act == "remove" ? page.Api.RemoveAuditExportAsync(id, page.Aborted) : page.Api.ResumeAuditExportAsync(id, page.Aborted));
            flashes.Leave(http, new Flash(act == "remove" ? "Removed. No further batch is made; one that is on its way is still tried for a day." : "Resumed, from the first entry that was not taken.", $"/audit?target={id}"));
            return Results.LocalRedirect("/audit/exports");
        }));
    }

    private static DateTimeOffset? InstantOf(string? text) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;
}
