using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Customers;

/// <summary>Creates and changes customers.</summary>
internal static class CustomerForms
{
    /// <summary>The parameters of the list.</summary>
    public static readonly IReadOnlyCollection<string> Filters = ["q", "state", "sort", "limit", "cursor"];

    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/customers/new", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<CustomerNew>(http, async (page, form) =>
        {
            var created = await page.Api.CreateCustomerAsync(new CreateCustomerRequest(form["name"].ToString().Trim(), form["region"].ToString().Trim()), new Precondition(form["key"]), page.Aborted);
            flashes.Leave(http, new Flash($"Created {created.Name}.", $"/audit?target={created.Id}&type=licensing.customer-created"));
            return Results.LocalRedirect($"/customers/{created.Id}");
        }));
        pages.MapPost("/customers/{id:guid}", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<CustomerDetail>(http, async (page, form) =>
        {
            var state = form["act"].ToString() switch { "close" => "closed", "reopen" => "active", _ => null };
            var request = state is null ? new ChangeCustomerRequest(form["name"].ToString().Trim(), form["region"].ToString().Trim()) : new ChangeCustomerRequest(State: state);
            var version = long.TryParse(form["version"], CultureInfo.InvariantCulture, out var read) ? read : 0;
            var changed = await page.Api.ChangeCustomerAsync(id, request, new Precondition(form["key"], version), page.Aborted);
            var words = state switch { "closed" => $"Closed {changed.Name}. Nothing new can be enrolled for it.", "active" => $"Opened {changed.Name} again.", _ => changed.Version == version ? $"Nothing was different; {changed.Name} stays as it is." : $"Changed {changed.Name}." };
            flashes.Leave(http, new Flash(words, changed.Version == version ? null : $"/audit?target={id}&type=licensing.customer-changed"));
            return Results.LocalRedirect($"/customers/{id}");
        }));
    }
}
