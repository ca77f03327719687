using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Sessions;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Me;

/// <summary>Changes one's own password, factors and sessions.</summary>
internal static class MeForms
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/me/password", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<MePage>(http, async (page, form) =>
        {
            await page.Api.ChangeMyPasswordAsync(new ChangePasswordRequest(form["current"], form["new"], form["code"].ToString().Trim()), page.Aborted);
            return Done(http, flashes, page, "Changed the password. All other browsers were signed out.");
        }));
        pages.MapPost("/me/recovery-codes", (Delegate)((HttpContext http) => PortalPage.ChangeAsync<MePage>(http, async (page, form) =>
            new PageResult<MePage>(await PortalPage.ReaderAsync(http), new Dictionary<string, object?> { [nameof(MePage.Codes)] = (await page.Api.RenewMyRecoveryCodesAsync(CodeOf(form), page.Aborted)).Codes }))));
        pages.MapPost("/me/authenticator", (Delegate)((HttpContext http) => PortalPage.ChangeAsync<MePage>(http, async (page, _) =>
            new PageResult<MePage>(await PortalPage.ReaderAsync(http), new Dictionary<string, object?> { [nameof(MePage.Begun)] = await page.Api.BeginMyAuthenticatorAsync(page.Aborted) }))));
        pages.MapPost("/me/authenticator/confirm", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<MePage>(http, async (page, form) =>
        {
            await page.Api.ConfirmMyAuthenticatorAsync(new ConfirmAuthenticatorRequest(CodeOf(form), form["newCode"].ToString().Trim(), form["password"].ToString() is { Length: > 0 } password ? password : null), page.Aborted);
            return Done(http, flashes, page, "The new authenticator is in place. All other browsers were signed out.");
        }));
        pages.MapPost("/me/authenticator/remove", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<MePage>(http, async (page, form) =>
        {
            await page.Api.RemoveMyAuthenticatorAsync(new RemoveFactorRequest(CodeOf(form)), page.Aborted);
            return Done(http, flashes, page, "You sign in with passkeys only. All other browsers were signed out.");
        }));
        pages.MapPost("/me/passkeys/begin", (Delegate)((HttpContext http) => PortalPage.ChangeAsync<MePage>(http, async (page, form) =>
            new PageResult<MePage>(await PortalPage.ReaderAsync(http), new Dictionary<string, object?> { [nameof(MePage.Asked)] = await page.Api.BeginMyPasskeyAsync(new BeginPasskeyRequest(form["name"], CodeOf(form)), page.Aborted) }))));
        pages.MapPost("/me/passkeys", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<MePage>(http, async (page, form) =>
        {
            var key = await page.Api.AddMyPasskeyAsync(new NewPasskeyRequest(form["challenge"], form["credential"]), page.Aborted);
            return Done(http, flashes, page, $"Added the passkey “{key.Name}”. It signs you in from now on.");
        }));
        pages.MapPost("/me/passkeys/{id:guid}/remove", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<MePage>(http, async (page, form) =>
        {
            await page.Api.RemoveMyPasskeyAsync(id, new RemoveFactorRequest(CodeOf(form)), page.Aborted);
            return Done(http, flashes, page, "Removed the passkey. All other browsers were signed out.");
        }));
        pages.MapPost("/me/sessions/end-others", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<MePage>(http, async (page, _) =>
        {
            await page.Api.EndMyOtherSessionsAsync(page.Aborted);
            return Done(http, flashes, page, "All other browsers are signed out.");
        }));
        pages.MapPost("/me/sessions/{id:guid}/end", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<MePage>(http, async (page, _) =>
        {
            await page.Api.EndMySessionAsync(id, page.Aborted);
            return Done(http, flashes, page, "That one is signed out.");
        }));
    }

    // Without one a passkey is to confirm it.
    private static string? CodeOf(IFormCollection form) => form["code"].ToString().Trim() is { Length: > 0 } code ? code : null;

    private static IResult Done(HttpContext http, Flashes flashes, PageContext page, string what)
    {
        // What was traded before is worth nothing any more.
        http.RequestServices.GetRequiredService<SignedIn>().Forget(http.Request.Cookies[SignedIn.Cookie]!);
        flashes.Leave(http, new Flash(what, page.Can("audit:read") ? $"/audit?actor={page.Reader!.Subject}" : null));
        return Results.LocalRedirect("/me");
    }
}
