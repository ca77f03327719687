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
            new PageResult<MePage>(await PortalPage.ReaderAsync(http), new Dictionary<string, object?> { [nameof(MePage.Codes)] = (await page.Api.RenewMyRecoveryCodesAsync(form["code"].ToString().Trim(), page.Aborted)).Codes }))));
        pages.MapPost("/me/authenticator", (Delegate)((HttpContext http) => PortalPage.ChangeAsync<MePage>(http, async (page, _) =>
            new PageResult<MePage>(await PortalPage.ReaderAsync(http), new Dictionary<string, object?> { [nameof(MePage.Begun)] = await page.Api.BeginMyAuthenticatorAsync(page.Aborted) }))));
        pages.MapPost("/me/authenticator/confirm", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<MePage>(http, async (page, form) =>
        {
            await page.Api.ConfirmMyAuthenticatorAsync(new ConfirmAuthenticatorRequest(form["code"].ToString().Trim(), form["newCode"].ToString().Trim()), page.Aborted);
            return Done(http, flashes, page, "The new authenticator is in place. All other browsers were signed out.");
        }));
        pages.MapPost("/me/sessions/end-others", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<MePage>(http, async (page, _) =>
        {
            await page.Api.EndMyOtherSessionsAsync(page.Aborted);
            return Done(http, flashes, page, "All other browsers are signed out.");
        }));
        pages.MapPost("/me/sessions/{id:guid}/end", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<MePage>(http, async (page, _) =>
        {
            await page.Api.EndMySessionAsync(id, page.Aborted);
            return Done(http, flashes, page, "That browser is signed out.");
        }));
    }

    private static IResult Done(HttpContext http, Flashes flashes, PageContext page, string what)
    {
        // What was traded before is worth nothing any more.
        http.RequestServices.GetRequiredService<SignedIn>().Forget(http.Request.Cookies[SignedIn.Cookie]!);
        flashes.Leave(http, new Flash(what, page.Can("audit:read") ? $"/audit?actor={page.Reader!.Subject}" : null));
        return Results.LocalRedirect("/me");
    }
}
