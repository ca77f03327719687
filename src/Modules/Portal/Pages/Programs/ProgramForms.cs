using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Programs;

/// <summary>Makes service accounts, and changes what they may and prove themselves with.</summary>
internal static class ProgramForms
{
    private const int UsualDays = 90;

    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/programs", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ProgramList>(http, async (page, form) =>
        {
            var made = await page.Api.CreateServiceAccountAsync(
                new CreateServiceAccountRequest(form["name"].ToString().Trim(), [.. form["scope"].OfType<string>()], Guid.TryParse(form["customerId"], out var customer) ? customer : null, Networks: NetworksOf(form)), new Precondition(form["key"]), page.Aborted);
            return Done(http, flashes, made.Id, "Made. Give it something to prove itself with, below.");
        }));
        Change(pages, "ask", "Asked. Somebody else grants it within a week.", (api, id, form, end) => api.AskServiceAccountScopeAsync(id, new AskScopeRequest(form["scope"], form["reason"]), new Precondition(form["key"]), end));
        Change(pages, "take", "Taken. Every role knows within five seconds.", (api, id, form, end) => api.TakeServiceAccountScopeAsync(id, new TakeScopeRequest(form["scope"]), end));
        Change(pages, "owner", "Changed. Both were told, and what was asked for it is withdrawn.", (api, id, form, end) =>
            api.ChangeServiceAccountOwnerAsync(id, new ChangeOwnerRequest(Guid.TryParse(form["ownerId"], out var owner) ? owner : null, form["ownerReason"].ToString().Trim()), null, end));
        Change(pages, "grant", "Granted. The program may do it within seconds.", (api, id, form, end) => api.GrantServiceAccountScopeAsync(id, RequestOf(form), end));
        Change(pages, "refuse", "Refused.", (api, id, form, end) => api.RefuseServiceAccountScopeAsync(id, RequestOf(form), new ServiceAccountActionRequest(), end));
        Change(pages, "withdraw", "Withdrawn.", (api, id, form, end) => api.WithdrawServiceAccountScopeAsync(id, RequestOf(form), end));
        Change(pages, "disable", "Disabled. Every role refuses it within five seconds.", (api, id, _, end) => api.DisableServiceAccountAsync(id, new ServiceAccountActionRequest(), null, end));
        Change(pages, "enable", "Enabled. What it holds opens again what it did.", (api, id, _, end) => api.EnableServiceAccountAsync(id, new ServiceAccountActionRequest(), null, end));
        Change(pages, "key", "Registered. Configure the program with the id that stands beside the key.", (api, id, form, end) =>
            api.AddClientKeyAsync(id, new AddClientKeyRequest(form["name"].ToString().Trim(), form["publicKey"], form["algorithm"].ToString() is { Length: > 0 } algorithm ? algorithm : null, DaysOf(form)), new Precondition(form["key"]), end));
        Change(pages, "revoke-key", "Revoked. No assertion of it counts any more.", (api, id, form, end) => api.RevokeClientKeyAsync(id, RequestOf(form), end));
        Change(pages, "revoke", "Revoked. Nothing takes it any more within five seconds.", (api, _, form, end) => api.RevokeTokenAsync(form["token"].ToString(), end));
        Once(pages, "secret", (api, id, form, end) => api.CreateClientSecretAsync(id, new CreateClientSecretRequest(DaysOf(form)), new Precondition(form["key"]), end));
        Once(pages, "token", (api, id, form, end) => api.CreateServiceAccountTokenAsync(
            id, new CreateAccountTokenRequest(form["name"].ToString().Trim(), form["scope"].Count == 0 ? null : [.. form["scope"].OfType<string>()], DaysOf(form), NetworksOf(form)), new Precondition(form["key"]), end));
    }

    private static void Change(IEndpointRouteBuilder pages, string what, string done, Func<MissionControlClient, Guid, IFormCollection, CancellationToken, Task> change) =>
        pages.MapPost($"/programs/{{id:guid}}/{what}", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ProgramPage>(http, async (page, form) =>
        {
            await change(page.Api, id, form, page.Aborted);
            return Done(http, flashes, id, done);
        }));

    // Shown in the answer to the form itself: to come again at an address of its own, the secret would have to be kept.
    private static void Once(IEndpointRouteBuilder pages, string what, Func<MissionControlClient, Guid, IFormCollection, CancellationToken, Task<CreatedToken>> make) =>
        pages.MapPost($"/programs/{{id:guid}}/{what}", (Guid id, HttpContext http) => PortalPage.ChangeAsync<ProgramPage>(http, async (page, form) =>
            new PageResult<ProgramPage>(await PortalPage.ReaderAsync(http), new Dictionary<string, object?> { [nameof(ProgramPage.Id)] = id, [nameof(ProgramPage.Created)] = await make(page.Api, id, form, page.Aborted), [nameof(ProgramPage.What)] = what })));

    private static IResult Done(HttpContext http, Flashes flashes, Guid id, string words)
    {
        flashes.Leave(http, new Flash(words, $"/audit?target={id}"));
        return Results.LocalRedirect($"/programs/{id}");
    }

    private static Guid RequestOf(IFormCollection form) => Guid.TryParse(form["which"], out var id) ? id : Guid.Empty;

    private static int DaysOf(IFormCollection form) => int.TryParse(form["days"], CultureInfo.InvariantCulture, out var days) ? days : UsualDays;

    private static string[] NetworksOf(IFormCollection form) => form["networks"].ToString().Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
