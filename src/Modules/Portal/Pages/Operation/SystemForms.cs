using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Portal.Look;
using MissionControl.Portal.Pages.Clusters;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Operation;

/// <summary>Retries parked messages, one or all of a consumer, gives one up, and runs a job.</summary>
internal static class SystemForms
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/system/parked/{role}/{id:guid}/retry", (string role, Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ParkedMessages>(http, async (page, form) =>
        {
            if (!Roles.All.Contains(role))
            {
                return Results.NotFound();
            }

            var result = await page.Api.RetryParkedMessageAsync(role, id, new Precondition(form["key"]), page.Aborted);
            flashes.Leave(http, new Flash(result.Applied ? "Applied the message; it is gone from the list." : $"Tried the message again, and it failed again: {Short(result.LastError)}", $"/audit?target={id}&type={role}.parked-message-retried"));

            // A failure is best read beside the first one.
            return Results.LocalRedirect(result.Applied ? "/system/parked" : $"/system/parked/{role}/{id}");
        }));
        pages.MapPost("/system/parked/{role}/{id:guid}/give-up", (string role, Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<GiveUpParked>(http, async (page, form) =>
        {
            if (!Roles.All.Contains(role))
            {
                return Results.NotFound();
            }

            await page.Api.GiveUpParkedMessageAsync(role, id, form["reason"].ToString().Trim(), ClusterActions.Precondition(form), page.Aborted);
            flashes.Leave(http, new Flash("Gave the message up. Nothing tries it again by itself; Retry now takes it back.", $"/audit?target={id}&type={role}.parked-message-given-up"));
            return Results.LocalRedirect($"/system/parked/{role}/{id}");
        }));
        pages.MapPost("/system/parked/{role}/retry", (string role, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<RetryParked>(http, async (page, form) =>
        {
            if (!Roles.All.Contains(role))
            {
                return Results.NotFound();
            }

            var request = new RetryParkedMessagesRequest(
                form["consumer"], long.TryParse(form["expected"], CultureInfo.InvariantCulture, out var expected) ? expected : null, null, form["reason"].ToString().Trim() is { Length: > 0 } reason ? reason : null);
            var task = await page.Api.RetryParkedMessagesAsync(role, request, new Precondition(form["key"]), page.Aborted);
            flashes.Leave(http, new Flash($"Began to retry {Words.Count(task.Total, "message", "messages")}.", $"/audit?target={task.Id}&type={role}.task-started"));
            return Results.LocalRedirect($"/tasks/{role}/{task.Id}");
        }));
        pages.MapPost("/system/jobs/{role}/{name}/run", (string role, string name, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<RunJob>(http, async (page, form) =>
        {
            if (!Roles.All.Contains(role))
            {
                return Results.NotFound();
            }

            var run = await page.Api.RunJobAsync(role, name, form["reason"].ToString().Trim(), new Precondition(form["key"]), page.Aborted);
            flashes.Leave(http, new Flash($"Began to run {run.Job}. How it ends stands among its runs.", $"/audit?target={run.Job}&type={role}.job-started"));
            return Results.LocalRedirect($"/system/jobs/{role}/{run.Job}");
        }));
    }

    private static string Short(string? error) => error is null ? "no reason is known." : error.Length > 300 ? error[..300] + "…" : error;
}
