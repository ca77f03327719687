using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Messages;

/// <summary>Adds and removes contacts and endpoints, and sends again what failed.</summary>
internal static class MessageForms
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/messages/{id:guid}/redeliver", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<DeliveryList>(http, async (page, _) =>
        {
            await page.Api.RedeliverAsync(id, page.Aborted);
            flashes.Leave(http, new Flash("It is sent again, for a day if need be.", $"/audit?target={id}"));
            return Results.LocalRedirect("/messages");
        }));
        pages.MapPost("/messages/contacts", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ContactList>(http, async (page, form) =>
        {
            var request = new AddContactRequest(Guid.TryParse(form["customerId"], out var customer) ? customer : null, form["kind"], form["name"].ToString().Trim(), form["email"].ToString().Trim());
            var contact = await page.Api.AddContactAsync(request, new Precondition(form["key"]), page.Aborted);
            flashes.Leave(http, new Flash($"Added {contact.Name}. A mail to {contact.Email} says so.", $"/audit?target={contact.Id}"));
            return Results.LocalRedirect("/messages/contacts");
        }));
        pages.MapPost("/messages/contacts/{id:guid}/remove", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ContactList>(http, async (page, _) =>
        {
            await page.Api.RemoveContactAsync(id, page.Aborted);
            flashes.Leave(http, new Flash("Removed the contact. It is told nothing more.", $"/audit?target={id}"));
            return Results.LocalRedirect("/messages/contacts");
        }));
        pages.MapPost("/messages/endpoints", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<EndpointList>(http, async (page, form) =>
        {
            var request = new AddEndpointRequest(Guid.TryParse(form["customerId"], out var customer) ? customer : null, form["kind"], form["name"].ToString().Trim(), form["address"].ToString().Trim());
            return await ShowOnceAsync(http, flashes, await page.Api.AddEndpointAsync(request, new Precondition(form["key"]), page.Aborted));
        }));
        pages.MapPost("/messages/endpoints/{id:guid}/{act:regex(^(test|rotate-secret|disable|enable|remove)$)}", (Guid id, string act, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<EndpointList>(http, async (page, form) =>
        {
            if (act == "rotate-secret")
            {
                return await ShowOnceAsync(http, flashes, await page.Api.RotateEndpointSecretAsync(id, new Precondition(form["key"]), page.Aborted));
            }

            await (act == "remove" ? page.Api.RemoveEndpointAsync(id, page.Aborted) : page.Api.ActOnEndpointAsync(id, act, act == "test" ? new Precondition(form["key"]) : null, page.Aborted));
            flashes.Leave(http, new Flash(act switch
            {
                "test" => "A test is on its way; what became of it stands under Messages.",
                "disable" => "Disabled. Nothing is delivered to it until it is enabled again.",
                "enable" => "Enabled. What failed meanwhile is sent again by hand.",
                _ => "Removed, with its secrets.",
            }, $"/audit?target={id}"));
            return Results.LocalRedirect("/messages/endpoints");
        }));
    }

    // A secret is shown in the answer to the form itself: to come again at an address of its own, it would have to be kept.
    private static async Task<IResult> ShowOnceAsync(HttpContext http, Flashes flashes, EndpointSecret made)
    {
        if (made.Secret is not null)
        {
            return new PageResult<EndpointList>(await PortalPage.ReaderAsync(http), new Dictionary<string, object?> { [nameof(EndpointList.Created)] = made });
        }

        flashes.Leave(http, new Flash("Added. Deliver a test to see whether it answers.", $"/audit?target={made.Id}"));
        return Results.LocalRedirect("/messages/endpoints");
    }
}
