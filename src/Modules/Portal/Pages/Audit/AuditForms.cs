using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Audit;

/// <summary>Signs the review of who looked at whom.</summary>
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
    }

    private static DateTimeOffset? InstantOf(string? text) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;
}
