using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using MissionControl.Client;
using MissionControl.Portal.Look;
using MissionControl.Portal.Pages;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Lists;

/// <summary>
/// A list of the portal as the API has it. Its address with <c>.csv</c> is every row of the filter, with <c>.json</c> the API's own
/// answer for the page that is shown.
/// </summary>
/// <param name="Route">The address of its page.</param>
/// <param name="Scope">The right it needs; null: none of its own.</param>
/// <param name="Api">The API's path; <c>{id}</c>, <c>{line}</c> and <c>{role}</c> come from the address.</param>
/// <param name="Name">What its files are called.</param>
/// <param name="Takes">The parameters that page and API have in common.</param>
/// <param name="Csv">Asks for every row of an address of the API, and writes them.</param>
internal sealed record ListFile(string Route, string? Scope, string Api, string Name, IReadOnlyCollection<string> Takes, Func<MissionControlClient, string, string, CancellationToken, Task<IResult>> Csv)
{
    private static readonly string[] OfAPage = ["limit", "cursor"];

    /// <summary>Parameters of the page alone.</summary>
    public IReadOnlyCollection<string> Own { get; init; } = [];

    /// <summary>The API's parameters that follow from those, as a query of their own.</summary>
    public Func<HttpContext, DateTimeOffset, string> Meaning { get; init; } = (_, _) => "";

    /// <summary>Takes out of an item of the API's answer what must not be in a file.</summary>
    public Action<JsonObject> Trim { get; init; } = _ => { };

    /// <summary>Whether it comes page by page.</summary>
    public bool HasPages => Takes.Contains("cursor");

    /// <summary>What the page's address asks of the API, from the first row on; null when it names no role, and each keeps its own list.</summary>
    public string? Call(HttpContext http, DateTimeOffset now) => Call(http, now, Takes.Except(["cursor"]));

    public void Map(IEndpointRouteBuilder pages)
    {
        pages.MapGet(Route + ".csv", (HttpContext http, CancellationToken aborted) => AnswerAsync(http, [.. Takes.Except(OfAPage)], (api, call) => Csv(api, HasPages ? Addresses.Joined(call, "?limit=500") : call, FileName(http), aborted)));
        pages.MapGet(Route + ".json", (HttpContext http, TimeProvider time) => AnswerAsync(http, Takes, async (api, call) =>
        {
            var answer = await api.GetJsonAsync(call, http.RequestAborted);
            foreach (var item in (answer["items"] as JsonArray ?? []).OfType<JsonObject>())
            {
                Trim(item);
            }

            if (answer is JsonObject page && page["next"] is JsonValue next)
            {
                // The API's own link takes a token; this one goes on with the session that the file was fetched with.
                page["next"] = Addresses.With(http.Request, ("cursor", Addresses.CursorOf(next.GetValue<string>())));
            }

            var name = string.Create(CultureInfo.InvariantCulture, $"{FileName(http)}-{time.GetUtcNow():yyyyMMdd'T'HHmmss'Z'}.json");
            http.Response.Headers.ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileName = name }.ToString();
            return TypedResults.Text(answer.ToJsonString(), "application/json");
        }));
    }

    private string? Call(HttpContext http, DateTimeOffset now, IEnumerable<string> taken) => Filled(Api, http) is { } path
        ? Addresses.Joined(path + Addresses.ApiQuery(http.Request, [.. taken]), Meaning(http, now)) : null;

    private Task<IResult> AnswerAsync(HttpContext http, IReadOnlyCollection<string> taken, Func<MissionControlClient, string, Task<IResult>> answer) => PortalPage.WithReaderAsync(http, async reader =>
    {
        var page = http.RequestServices.GetRequiredService<PageContext>();
        page.Enter(http, reader);
        var call = Call(http, page.Now, taken);
        var refusal = Scope is not null && !page.Can(Scope) ? Refusal.Lacks(Scope)
            : Addresses.Unknown(http.Request, [.. Takes, .. Own]) is { Count: > 0 } unknown ? Refusal.NoFilter(unknown)
            : call is null ? Refusal.NoRole() : null;
        var answered = refusal is null ? await page.AskAnywayAsync(call!.Split('/')[3], (api, _) => answer(api, call)) : new Answer<IResult>(null, refusal);
        return answered.Value ?? new PageResult<Failure>(reader, new Dictionary<string, object?> { [nameof(Failure.Why)] = answered.Refusal }, status: answered.Refusal!.Status);
    });

    private string FileName(HttpContext http) => Filled(Name, http)!;

    private static string? Filled(string text, HttpContext http)
    {
        var role = http.Request.RouteValues["role"]?.ToString() ?? http.Request.Query["role"].ToString();
        return text.Contains("{role}", StringComparison.Ordinal) && !Roles.All.Contains(role) ? null
            : text.Replace("{role}", role, StringComparison.Ordinal).Replace("{id}", http.Request.RouteValues["id"]?.ToString(), StringComparison.Ordinal).Replace("{line}", http.Request.RouteValues["line"]?.ToString(), StringComparison.Ordinal);
    }
}
