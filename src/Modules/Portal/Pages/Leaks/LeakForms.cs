using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Pages.Clusters;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Leaks;

/// <summary>Closes incidents.</summary>
internal static class LeakForms
{
    /// <summary>The parameters of the list.</summary>
    public static readonly IReadOnlyCollection<string> Filters = ["state", "customer", "q", "sort", "limit", "cursor"];

    public static void Map(IEndpointRouteBuilder pages) => pages.MapPost("/leaks/{id:guid}/close", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<LeakPage>(http, async (page, form) =>
    {
        await page.Api.CloseLeakAsync(id, new CloseLeakRequest(form["because"], form["reason"].ToString().Trim()), ClusterActions.Precondition(form), page.Aborted);
        flashes.Leave(http, new Flash("Closed the incident.", $"/audit?target={id}"));
        return Results.LocalRedirect($"/leaks/{id}");
    }));
}
