using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.People;

/// <summary>Sets by which provider a customer's users sign in, and tests that and staff's.</summary>
internal static class ProviderForms
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/people/providers", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ProviderList>(http, async (page, form) =>
        {
            var added = await page.Api.AddProviderAsync(await OfAsync(page, form), new Precondition(form["key"]), page.Aborted);
            flashes.Leave(http, new Flash("Added. Register the addresses below at the provider, then test the connection.", $"/audit?target={added.Id}"));
            return Results.LocalRedirect($"/people/providers/{added.Id}");
        }));
        pages.MapPost("/people/providers/{id:guid}", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ProviderPage>(http, async (page, form) =>
        {
            await page.Api.ChangeProviderAsync(id, await OfAsync(page, form), page.Aborted);
            flashes.Leave(http, new Flash("Saved. It counts from the next sign-in on.", $"/audit?target={id}"));
            return Results.LocalRedirect($"/people/providers/{id}");
        }));
        pages.MapPost("/people/providers/{id:guid}/test", (Guid id, HttpContext http) => PortalPage.ChangeAsync<ProviderPage>(http, async (page, _) =>
        {
            var test = await page.Api.TestProviderAsync(id, page.Aborted);
            return new PageResult<ProviderPage>(await PortalPage.ReaderAsync(http), new Dictionary<string, object?> { [nameof(ProviderPage.Id)] = id, [nameof(ProviderPage.Test)] = test });
        }));
        pages.MapPost("/people/providers/staff/{provider}/test", (string provider, HttpContext http) => PortalPage.ChangeAsync<StaffProviders>(http, async (page, form) =>
        {
            var name = Or(form["name"]);
            var test = await page.Api.TestStaffProviderAsync(provider, new TestStaffProviderRequest(name), page.Aborted);
            return new PageResult<StaffProviders>(await PortalPage.ReaderAsync(http), new Dictionary<string, object?> { [nameof(StaffProviders.Test)] = test, [nameof(StaffProviders.Tested)] = provider, [nameof(StaffProviders.LookedFor)] = name });
        }));
        pages.MapPost("/people/providers/{id:guid}/remove", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ProviderList>(http, async (page, _) =>
        {
            await page.Api.RemoveProviderAsync(id, page.Aborted);
            flashes.Leave(http, new Flash("Removed. Nobody signs in by it any more.", $"/audit?target={id}"));
            return Results.LocalRedirect("/people/providers");
        }));
    }

    private static async Task<SetProviderRequest> OfAsync(PageContext page, IFormCollection form)
    {
        if (form["kind"] != "saml")
        {
            return Of(form);
        }

        // What is pasted counts; without it the address is asked, each time that the form is saved: what it says is confirmed then.
        var (metadata, address) = (Or(form["metadata"]), Or(form["metadataAddress"]));
        if (metadata is null && address is not null)
        {
            metadata = (await page.Api.FetchSamlMetadataAsync(new FetchMetadataRequest(address), page.Aborted)).Metadata;
        }

        return Of(form) with { Issuer = null, ClientId = null, ClientSecret = null, Scopes = null, Saml = new SetSaml(metadata, address, Or(form["subjectAttribute"])) };
    }

    private static SetProviderRequest Of(IFormCollection form) => new(
        form["name"].ToString().Trim(), form["issuer"].ToString().Trim(), form["clientId"].ToString().Trim(), form["clientSecret"], RolesOf(form["roles"].ToString()), Or(form["scopes"]), Or(form["groupsClaim"]),
        form["requiredAcr"].ToString().Trim(), form["requiredAmr"].ToString().Trim(), Guid.TryParse(form["customerId"], out var customer) ? customer : null);

    // A group may hold an equals sign (LDAP names do), a role does not.
    private static List<GroupRole> RolesOf(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(line =>
    {
        var at = line.LastIndexOf('=');
        return at < 0 ? new GroupRole(line, "") : new GroupRole(line[..at].Trim(), line[(at + 1)..].Trim());
    })];

    private static string? Or(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
