using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Views;

/// <summary>Saves, deletes and opens views of lists.</summary>
internal static class ViewForms
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/views", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ViewList>(http, async (page, form) =>
        {
            if (ListOfViews.Find(form["list"]) is not { } of)
            {
                return Results.NotFound();
            }

            var request = new SaveViewRequest(of.List, form["name"].ToString().Trim(), form["query"].ToString(), form["shared"] == "true", form["default"] == "true");
            var view = await page.Api.SaveViewAsync(request, new Precondition(form["key"]), page.Aborted);
            flashes.Leave(http, new Flash($"Saved the view {view.Name}.{(view.IsDefault ? $" {of.Name} opens with it." : "")}", Entry(view.Id, "saved")));
            return Results.LocalRedirect(of.Address(view.Query));
        }));
        pages.MapPost("/views/{id:guid}/delete", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ViewList>(http, async (page, form) =>
        {
            if (ListOfViews.Find(form["list"]) is not { } of)
            {
                return Results.NotFound();
            }

            var view = await page.Api.GetViewAsync(id, page.Aborted);
            await page.Api.DeleteViewAsync(id, page.Aborted);
            var undo = new Undo("/views", new Dictionary<string, string>
            {
                ["list"] = view.List, ["name"] = view.Name, ["query"] = view.Query, ["shared"] = view.Shared ? "true" : "", ["default"] = view.IsDefault ? "true" : "",
            });
            flashes.Leave(http, new Flash($"Deleted the view {view.Name}.", Entry(id, "deleted"), view.Owner == page.Reader!.Subject ? undo : null));
            return Results.LocalRedirect(Back(of, form));
        }));
        pages.MapPost("/views/{id:guid}/default", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ViewList>(http, async (page, form) =>
        {
            if (ListOfViews.Find(form["list"]) is not { } of)
            {
                return Results.NotFound();
            }

            var first = form["default"] == "true";
            var version = long.TryParse(form["version"], CultureInfo.InvariantCulture, out var read) ? read : 0;
            var view = await page.Api.ChangeViewAsync(id, new ChangeViewRequest(IsDefault: first), new Precondition(null, version), page.Aborted);
            flashes.Leave(http, new Flash(first ? $"{of.Name} opens with the view {view.Name}." : $"{of.Name} opens with the whole list.", Entry(id, "changed")));
            return Results.LocalRedirect(Back(of, form));
        }));
    }

    /// <summary>A list: opened without any query, it shows the reader's default view, by that view's own address.</summary>
    public static Task<IResult> OpenAsync<T>(HttpContext http, string list)
        where T : IComponent => http.Request.QueryString.HasValue || http.Request.Headers.ContainsKey("HX-Request")
            ? PortalPage.ShowAsync<T>(http)
            : PortalPage.WithReaderAsync(http, async reader => await DefaultAsync(http, reader, list) is { Query.Length: > 0 } view
                ? Results.LocalRedirect(ListOfViews.Find(list)!.Address(view.Query))
                : await PortalPage.ShowAsync<T>(http));

    private static async Task<ViewItem?> DefaultAsync(HttpContext http, TradedSession reader, string list)
    {
        try
        {
            var api = http.RequestServices.GetRequiredService<MissionControlClient>().As(reader.AccessToken);
            return (await api.ListViewsAsync($"?list={list}&default=true&limit=1", http.RequestAborted)).Items is [var view, ..] ? view : null;
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException && !http.RequestAborted.IsCancellationRequested)
        {
            // The whole list is better than none.
            return null;
        }
    }

    private static string Back(ListOfViews of, IFormCollection form) => LocalAddress.OrHome(of.Address(form["query"].ToString()));

    private static string Entry(Guid id, string what) => $"/audit?target={id}&type=identity.view-{what}";
}
