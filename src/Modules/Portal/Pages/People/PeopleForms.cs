using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.People;

/// <summary>Invites people and changes what they may do.</summary>
internal static class PeopleForms
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/people", (Delegate)((HttpContext http) => PortalPage.ChangeAsync<PersonList>(http, async (page, form) =>
        {
            var request = new InviteRequest(form["email"].ToString().Trim(), form["name"].ToString().Trim(), [form["role"].ToString()], Guid.TryParse(form["customerId"], out var customer) ? customer : null);
            return Once<PersonList>(await PortalPage.ReaderAsync(http), await page.Api.InviteAsync(request, page.Aborted));
        })));
        pages.MapPost("/people/invitations/{id:guid}/revoke", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<PersonList>(http, async (page, _) =>
        {
            await page.Api.RevokeInvitationAsync(id, page.Aborted);
            flashes.Leave(http, new Flash("Revoked the invitation. Its code is worth nothing any more.", $"/audit?target={id}"));
            return Results.LocalRedirect("/people");
        }));
        pages.MapPost("/people/{id:guid}/roles", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<PersonPage>(http, async (page, form) =>
        {
            await page.Api.ChangePersonRolesAsync(id, new ChangeRolesRequest([.. form["role"].OfType<string>()], Or(form["reason"])), page.Aborted);
            flashes.Leave(http, new Flash("Changed the roles. They hold within five seconds.", $"/audit?target={id}"));
            return Results.LocalRedirect($"/people/{id}");
        }));
        pages.MapPost("/people/{id:guid}/recover", (Guid id, HttpContext http) => PortalPage.ChangeAsync<PersonPage>(http, async (page, form) =>
            Once<PersonPage>(await PortalPage.ReaderAsync(http), await page.Api.RecoverPersonAsync(id, new PersonActionRequest(Or(form["reason"])), page.Aborted), id)));
        pages.MapPost("/people/{id:guid}/sessions/{session:guid}/end", (Guid id, Guid session, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<PersonPage>(http, async (page, _) =>
        {
            await page.Api.EndPersonSessionAsync(id, session, new PersonActionRequest(), page.Aborted);
            flashes.Leave(http, new Flash("That browser is signed out, within five seconds everywhere.", $"/audit?target={id}"));
            return Results.LocalRedirect($"/people/{id}");
        }));
        pages.MapPost("/people/{id:guid}/{act:regex(^(end-sessions|disable|enable|forget-authenticator)$)}", (Guid id, string act, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<PersonPage>(http, async (page, form) =>
        {
            await page.Api.ActOnPersonAsync(id, act, new PersonActionRequest(Or(form["reason"])), page.Aborted);
            flashes.Leave(http, new Flash(act switch
            {
                "end-sessions" => "Signed out everywhere.",
                "forget-authenticator" => "Forgotten. The next sign-in by the provider sets up another authenticator.",
                "disable" => "Disabled. Nobody signs in with this account any more.",
                _ => "Enabled. The person may sign in again.",
            }, $"/audit?target={id}"));
            return Results.LocalRedirect($"/people/{id}");
        }));
    }

    // A code is shown in the answer to the form itself: to come again at an address of its own, it would have to be kept.
    private static PageResult<T> Once<T>(TradedSession? reader, CreatedInvitation made, Guid? id = null)
        where T : Microsoft.AspNetCore.Components.IComponent
    {
        var parameters = new Dictionary<string, object?> { [nameof(PersonList.Created)] = made };
        if (id is not null)
        {
            parameters[nameof(PersonPage.Id)] = id;
        }

        return new PageResult<T>(reader, parameters);
    }

    private static string? Or(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
