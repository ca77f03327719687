using System.Reflection;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Portal.Pages;
using MissionControl.Portal.Sessions;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Portal;

/// <summary>The pages: each asks the API with the signed-in user's rights and draws what came.</summary>
internal static class PortalPages
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private static readonly byte[] Css = ReadCss();

    public static void Map(IEndpointRouteBuilder root)
    {
        var pages = root.MapGroup("").OnSurface(Surface.Portal).OpenToAll("pages check their own session and ask the API with its rights").ExcludeFromDescription().AddEndpointFilter(SecureAsync);
        pages.MapGet("/assets/portal.css", static () => TypedResults.Bytes(Css, "text/css; charset=utf-8"));
        pages.MapGet("/signin", static (HttpContext http, IAntiforgery forgery, string? returnUrl) => SignInPage(http, forgery, returnUrl, null));
        pages.MapPost("/signin", SignInAsync);
        pages.MapPost("/signout", SignOutAsync);
        pages.MapGet("/", (HttpContext http, MissionControlClient client, CancellationToken cancellationToken) => WithUserAsync(http, async user =>
        {
            var summary = client.GetFleetSummaryAsync(user.AccessToken, cancellationToken);
            var worst = client.ListClustersAsync("?limit=10", user.AccessToken, cancellationToken);
            return Component<Today>(http, user, new()
            {
                [nameof(Today.Summary)] = await summary,
                [nameof(Today.Worst)] = (await worst).Items.Where(cluster => cluster.Health is "red" or "yellow" || cluster.Stale || cluster.Liveness is not "online").ToList(),
            });
        }));
        pages.MapGet("/clusters", (HttpContext http, MissionControlClient client, TimeProvider time, string? q, string? health, string? liveness, CancellationToken cancellationToken) => WithUserAsync(http, async user =>
        {
            var list = await client.ListClustersAsync(ApiQuery(http.Request).Add("count", "exact").Add("facets", "health,liveness").Value!, user.AccessToken, cancellationToken);
            var next = list.Next is null ? null : "/clusters" + list.Next[list.Next.IndexOf('?', StringComparison.Ordinal)..];
            return Component<Clusters>(http, user, new()
            {
                [nameof(Clusters.List)] = list,
                [nameof(Clusters.Now)] = time.GetUtcNow(),
                [nameof(Clusters.Q)] = q,
                [nameof(Clusters.HealthFilter)] = health,
                [nameof(Clusters.LivenessFilter)] = liveness,
                [nameof(Clusters.Query)] = ApiQuery(http.Request).Value ?? "",
                [nameof(Clusters.Next)] = next,
            });
        }));
        pages.MapGet("/clusters.json", (HttpContext http, MissionControlClient client, CancellationToken cancellationToken) =>
            WithUserAsync(http, async user => TypedResults.Json(await client.ListClustersAsync(ApiQuery(http.Request).Add("count", "exact").Value!, user.AccessToken, cancellationToken))));
        pages.MapGet("/clusters/{id:guid}", (Guid id, HttpContext http, MissionControlClient client, TimeProvider time, CancellationToken cancellationToken) => WithUserAsync(http, async user =>
        {
            // One round of parallel calls, whatever the page shows.
            var item = client.GetClusterAsync(id, user.AccessToken, cancellationToken);
            var health = client.GetHealthAsync(id, user.AccessToken, cancellationToken);
            var nodes = client.ListNodesAsync(id, user.AccessToken, cancellationToken);
            var events = client.ListEventsAsync(id, user.AccessToken, cancellationToken);
            await Task.WhenAll(item, health, nodes, events);
            return Component<Cluster>(http, user, new()
            {
                [nameof(Cluster.Item)] = await item,
                [nameof(Cluster.Health)] = await health,
                [nameof(Cluster.Nodes)] = (await nodes).Items,
                [nameof(Cluster.Events)] = (await events).Items,
                [nameof(Cluster.Now)] = time.GetUtcNow(),
            });
        }));
    }

    private static async Task<IResult> SignInAsync(HttpContext http, IAntiforgery forgery, MissionControlClient client, CancellationToken cancellationToken)
    {
        if (!await forgery.IsRequestValidAsync(http))
        {
            return SignInPage(http, forgery, null, "This page was open for too long. Paste the token once more.");
        }

        var form = await http.Request.ReadFormAsync(cancellationToken);
        var token = form["token"].ToString().Trim();
        if (!TokenText.TryParse(token, out _, out _, out _))
        {
            return NoToken();
        }

        try
        {
            var session = await client.CreateSessionAsync(token, cancellationToken);
            http.Response.Cookies.Append(SignedIn.Cookie, session.Session, new CookieOptions { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/", Expires = session.ExpiresAt });
            return TypedResults.LocalRedirect(LocalOrHome(form["returnUrl"]));
        }
        catch (ApiException)
        {
            return NoToken();
        }

        IResult NoToken()
        {
            http.Response.StatusCode = StatusCodes.Status422UnprocessableEntity;
            return SignInPage(http, forgery, form["returnUrl"], "This token is not valid. It begins with mca_, has 66 characters, and must not be expired or revoked.");
        }
    }

    private static async Task<IResult> SignOutAsync(HttpContext http, IAntiforgery forgery, MissionControlClient client, SignedIn signedIn, CancellationToken cancellationToken)
    {
        if (await forgery.IsRequestValidAsync(http) && http.Request.Cookies[SignedIn.Cookie] is { } session)
        {
            await client.EndSessionAsync(session, cancellationToken);
            signedIn.Forget(session);
            http.Response.Cookies.Delete(SignedIn.Cookie, new CookieOptions { Secure = true, Path = "/" });
        }

        return TypedResults.LocalRedirect("/signin");
    }

    private static async Task<IResult> WithUserAsync(HttpContext http, Func<TradedSession, Task<IResult>> page)
    {
        var signedIn = http.RequestServices.GetRequiredService<SignedIn>();
        TradedSession? user = null;
        try
        {
            user = http.Request.Cookies[SignedIn.Cookie] is { } session ? await signedIn.FindAsync(session, http.RequestAborted) : null;
            return user is null ? TypedResults.LocalRedirect("/signin" + QueryString.Create("returnUrl", http.Request.Path + http.Request.QueryString)) : await page(user);
        }
        catch (ApiException refusal)
        {
            http.Response.StatusCode = (int)refusal.Status;
            return Component<Failure>(http, user, new()
            {
                [nameof(Failure.Heading)] = refusal.Problem?.Title ?? "The API refused",
                [nameof(Failure.Detail)] = refusal.Message,
                [nameof(Failure.TraceId)] = refusal.Problem?.TraceId,
            });
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !http.RequestAborted.IsCancellationRequested)
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return Component<Failure>(http, user, new() { [nameof(Failure.Heading)] = "A role did not answer", [nameof(Failure.Detail)] = "Nothing was changed. Try again in a moment." });
        }
    }

    private static IResult SignInPage(HttpContext http, IAntiforgery forgery, string? returnUrl, string? problem) => new RazorComponentResult<SignIn>(new Dictionary<string, object?>
    {
        [nameof(SignIn.Forgery)] = forgery.GetAndStoreTokens(http),
        [nameof(SignIn.ReturnUrl)] = LocalOrHome(returnUrl),
        [nameof(SignIn.Problem)] = problem,
    });

    private static IResult Component<T>(HttpContext http, TradedSession? user, Dictionary<string, object?> parameters)
        where T : IComponent
    {
        parameters["User"] = user?.Principal.Name;
        parameters["Forgery"] = http.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(http);
        return new RazorComponentResult<T>(parameters);
    }

    // The API's own parameter names, those that a filter form leaves empty left out.
    private static QueryString ApiQuery(HttpRequest request) => QueryString.Create(
        request.Query.Where(parameter => parameter.Key is "q" or "health" or "liveness" or "customer" or "version" or "state" or "limit" or "cursor" && parameter.Value.ToString().Length > 0));

    // Browsers drop tabs and line ends and turn a backslash around; what a header cannot carry as it is was not written by us either.
    private static string LocalOrHome(string? url) =>
        url is { Length: > 0 } && url[0] == '/' && RedirectHttpResult.IsLocalUrl(url) && !url.AsSpan().ContainsAnyExceptInRange('!', '~') && !url.Contains('\\', StringComparison.Ordinal) ? url : "/";

    private static ValueTask<object?> SecureAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var headers = context.HttpContext.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.CacheControl = "no-cache, no-store";
        headers.Pragma = "no-cache";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        return next(context);
    }

    private static byte[] ReadCss()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("portal.css")!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
