using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Devices;

/// <summary>Signs programs without a browser in, and confirms what they ask.</summary>
internal static class DeviceForms
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/device", (Delegate)((HttpContext http) => PortalPage.ChangeAsync<DevicePage>(http, async (page, form) =>
            new PageResult<DevicePage>(await PortalPage.ReaderAsync(http), new Dictionary<string, object?> { [nameof(DevicePage.Found)] = await page.Api.FindDeviceAsync(form["userCode"].ToString(), page.Aborted) }))));
        pages.MapPost("/device/{id:guid}/approve", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<DevicePage>(http, async (page, form) =>
        {
            await page.Api.ApproveDeviceAsync(id, form["code"].ToString().Trim() is { Length: > 0 } code ? code : null, page.Aborted);
            return Done(http, flashes, "The program is signed in as you, and goes on by itself.");
        }));
        pages.MapPost("/device/{id:guid}/deny", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<DevicePage>(http, async (page, _) =>
        {
            await page.Api.DenyDeviceAsync(id, page.Aborted);
            return Done(http, flashes, "The program was refused. Whoever started it got nothing.");
        }));
        pages.MapPost("/confirm/{id:guid}", (Guid id, HttpContext http) =>
        {
            var confirmed = false;
            return PortalPage.ChangeAsync<AskedConfirmationPage>(
                http,
                async (page, _) => confirmed ? Results.LocalRedirect($"/confirm/{id}") : throw Confirmation.Demanded((await page.Api.GetConfirmationAsync(id, page.Aborted)).Demand),
                async (page, answer) =>
                {
                    await page.Api.AnswerConfirmationAsync(id, answer, page.Aborted);
                    confirmed = true;
                });
        });
        pages.MapPost("/confirm/{id:guid}/refuse", (Guid id, HttpContext http) => PortalPage.ChangeAsync<AskedConfirmationPage>(http, async (page, _) =>
        {
            await page.Api.RefuseConfirmationAsync(id, page.Aborted);
            return Results.LocalRedirect($"/confirm/{id}");
        }));
    }

    private static IResult Done(HttpContext http, Flashes flashes, string what)
    {
        flashes.Leave(http, new Flash(what, null));
        return Results.LocalRedirect("/me");
    }
}
