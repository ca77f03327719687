using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Portal.Look;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Tasks;

/// <summary>Ends tasks and tries their failures again; the part of the top bar that counts them.</summary>
internal static class TaskForms
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapGet("/_f/tasks", (Delegate)PortalPage.ShowAsync<TaskDrawer>);
        pages.MapPost("/tasks/{role}/{id:guid}/cancel", (string role, Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<TaskDetail>(http, async (page, _) =>
        {
            if (!Roles.All.Contains(role))
            {
                return Results.NotFound();
            }

            var task = await page.Api.CancelTaskAsync(role, id, page.Aborted);
            flashes.Leave(http, new Flash($"Cancelled the task. {Words.Count(task.Succeeded)} were done and stay so; {Words.Count(task.Waiting)} were left alone.", $"/audit?target={id}&type={role}.task-cancelled"));
            return Results.LocalRedirect($"/tasks/{role}/{id}");
        }));
        pages.MapPost("/tasks/{role}/{id:guid}/retry-failed", (string role, Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<TaskDetail>(http, async (page, form) =>
        {
            if (!Roles.All.Contains(role))
            {
                return Results.NotFound();
            }

            var task = await page.Api.RetryTaskAsync(role, id, new Precondition(form["key"]), page.Aborted);
            flashes.Leave(http, new Flash($"Began to try {Words.Count(task.Total)} again.", $"/audit?target={task.Id}&type={role}.task-started"));
            return Results.LocalRedirect($"/tasks/{role}/{task.Id}");
        }));
    }
}
