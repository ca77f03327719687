using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Pages.Clusters;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.People;

/// <summary>Makes groups, and says what each gives and to whom.</summary>
internal static class GroupForms
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        // It is made empty: which people and roles there are to choose from depends on whose it is.
        pages.MapPost("/people/groups", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<GroupList>(http, async (page, form) =>
        {
            var request = new SetGroupRequest(form["name"].ToString().Trim(), [], [], form["description"].ToString().Trim(), Guid.TryParse(form["customerId"], out var customer) ? customer : null);
            var made = await page.Api.CreateGroupAsync(request, new Precondition(form["key"]), page.Aborted);
            flashes.Leave(http, new Flash("Made. It gives nobody anything yet: choose its roles and people below.", $"/audit?target={made.Id}"));
            return Results.LocalRedirect($"/people/groups/{made.Id}");
        }));
        pages.MapPost("/people/groups/{id:guid}", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<GroupPage>(http, async (page, form) =>
        {
            var request = new SetGroupRequest(form["name"].ToString().Trim(), [.. form["role"].OfType<string>()], [.. form["member"].Select(member => Guid.TryParse(member, out var one) ? one : Guid.Empty)], form["description"].ToString().Trim(), Reason: Or(form["reason"]));
            await page.Api.ChangeGroupAsync(id, request, ClusterActions.Precondition(form), page.Aborted);
            flashes.Leave(http, new Flash("Saved. Every role knows within five seconds.", $"/audit?target={id}"));
            return Results.LocalRedirect($"/people/groups/{id}");
        }));
        pages.MapPost("/people/groups/{id:guid}/remove", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<GroupPage>(http, async (page, form) =>
        {
            await page.Api.RemoveGroupAsync(id, new GroupActionRequest(Or(form["reason"])), ClusterActions.Precondition(form), page.Aborted);
            flashes.Leave(http, new Flash("Removed. What its people held through it alone has ended.", $"/audit?target={id}"));
            return Results.LocalRedirect("/people/groups");
        }));
    }

    private static string? Or(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
