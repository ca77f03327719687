using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Portal.Lists;
using MissionControl.Portal.Look;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Clusters;

/// <summary>Suspends or resumes the clusters of the list's filter; the page before it says how many, and what happens.</summary>
internal static class ManyClusters
{
    /// <summary>The switches that can be thrown for many.</summary>
    public static readonly IReadOnlyList<string> Verbs = ["suspend", "resume"];

    /// <summary>Clusters that callhome takes by their ids.</summary>
    private const int MaxIds = 1000;

    /// <summary>The parameters of the list that choose clusters; the others order and show them.</summary>
    private static readonly string[] Choosing = [.. ClusterFilters.Clusters.Except(["sort", "limit", "cursor"])];

    /// <summary>What fleet alone knows of a cluster.</summary>
    private static readonly string[] OfFleet = ["health", "liveness", "rule", "silentFor", "version", "region"];

    public static void Map(IEndpointRouteBuilder pages)
    {
        foreach (var verb in Verbs)
        {
            pages.MapPost($"/clusters/{verb}", (HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ClusterSwitchMany>(http, async (page, form) =>
            {
                var filter = FilterOf(form);
                var expected = long.TryParse(form["expected"], CultureInfo.InvariantCulture, out var count) ? count : (long?)null;
                var task = await page.Api.SwitchClustersAsync(verb, new SwitchClustersRequest(filter, form["reason"].ToString().Trim(), expected), new Precondition(form["key"]), page.Aborted);
                flashes.Leave(http, new Flash($"Began to {verb} {Words.Count(task.Total, "cluster", "clusters")}.", $"/audit?target={task.Id}&type=callhome.task-started"));
                return Results.LocalRedirect($"/tasks/callhome/{task.Id}");
            }));
        }
    }

    /// <summary>Whether the address chooses clusters: nobody means the whole fleet unawares.</summary>
    public static bool IsChosen(HttpRequest request) => Choosing.Any(name => !string.IsNullOrWhiteSpace(request.Query[name]));

    /// <summary>The query of the list that leads here, and back.</summary>
    public static string Query(HttpRequest request) => Addresses.ApiQuery(request, Choosing);

    /// <summary>
    /// The clusters of the address as callhome can be asked for them: by its own filter where that says the same, else by the ids that
    /// fleet finds, which then are exactly those that were seen.
    /// </summary>
    public static async Task<Answer<ClusterFilter>> FilterAsync(PageContext page)
    {
        var request = page.Http.Request;
        if (Addresses.Unknown(request, [.. ClusterFilters.Clusters, "cols"]) is { Count: > 0 } unknown)
        {
            return new Answer<ClusterFilter>(null, new Refusal("portal", 422, "Not every filter is known", $"There is none called {string.Join(" or ", unknown)}; without it more clusters would be meant than you chose.", null, []));
        }

        var customer = Guid.TryParse(page.Query("customer"), out var id) ? id : (Guid?)null;
        if (!Choosing.Any(name => OfFleet.Contains(name) && page.Query(name) is not null) && Choosing.All(name => request.Query[name].Count(value => !string.IsNullOrEmpty(value)) <= 1)
            && (customer is not null || page.Query("customer") is null) && !IsShortId(page.Query("q")?.Trim()))
        {
            return new Answer<ClusterFilter>(new ClusterFilter(customer, page.Query("state"), page.Query("q")), null);
        }

        var query = Addresses.ApiQuery(request, Choosing, ("limit", "500"), ("sort", "name"), ("count", "exact"));
        var first = await page.AskAsync("fleet:read", (api, end) => api.ListClustersAsync(query, end));
        if (first.Value is not { } found)
        {
            return new Answer<ClusterFilter>(null, first.Refusal);
        }

        if (found.Total > MaxIds)
        {
            return new Answer<ClusterFilter>(null, new Refusal("portal", 422, "Too many at once", $"{Words.Count(found.Total.Value, "cluster matches", "clusters match")}; by health, liveness, a broken rule, silence, version or region at most {Words.Count(MaxIds)} are switched at once. Narrow the filter, or choose by customer, state or name alone.", null, []));
        }

        return await page.AskAsync("fleet:read", async (api, end) => new ClusterFilter(
            Ids: await EveryPage.OfAsync(found, next => api.GetAsync<Page<ClusterSummary>>(next, end)).Select(cluster => cluster.Id).Take(MaxIds).ToListAsync(end)));
    }

    /// <summary>The ids of a filter in one field.</summary>
    public static string Field(IReadOnlyList<Guid> ids) => string.Join(' ', ids.Select(id => id.ToString("N")));

    // What was previewed is done, whatever fleet says of the same filter by now.
    private static ClusterFilter FilterOf(IFormCollection form) => form["ids"].ToString() is { Length: > 0 } ids
        ? new ClusterFilter(Ids: [.. ids.Split(' ').Select(id => Guid.TryParse(id, out var one) ? one : Guid.Empty)])
        : new ClusterFilter(Guid.TryParse(form["customer"], out var customer) ? customer : null, Text(form, "state"), Text(form, "q"));

    private static string? Text(IFormCollection form, string name) => form[name].ToString() is { Length: > 0 } text ? text : null;

    private static bool IsShortId(string? text) => text is { Length: 8 } && text.All(char.IsAsciiHexDigit);
}
