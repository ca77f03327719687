using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Look;
using MissionControl.Portal.Pages.Federation;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Sessions;

/// <summary>
/// Sends browsers to providers and takes what they bring back to identity, which exchanges it; what a directory asks for is typed here. The browser's own secret is in a
/// cookie of its own; without it what comes back is worth nothing. Begun by a link, not by a form: the content policy lets no form lead
/// to another site, redirects included.
/// </summary>
internal static class FederationEndpoints
{
    /// <summary>Lax: it comes along when the provider sends the browser back.</summary>
    public const string Cookie = "__Host-mc-signin";

    /// <summary>
    /// For SAML, whose answer is a form that a page of the provider posts: no Lax cookie comes along with that. This one is read at the one address that takes
    /// the answer, and is worth nothing without the answer to the very request that it began; its name keeps other hosts of the domain from planting theirs.
    /// </summary>
    public const string FormCookie = "__Host-mc-saml";

    // A little more than 256 KiB as base64.
    private static readonly FormOptions Form = new() { ValueCountLimit = 10, KeyLengthLimit = 100, ValueLengthLimit = 360_000, BufferBodyLengthLimit = 400_000 };

    private const string NotHere = "This sign-in was begun in another browser, is finished already, or was begun more than ten minutes ago. Begin again.";

    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapGet("/signin/code", (HttpContext http, MissionControlClient client) => PendingAsync(http, client));
        pages.MapPost("/signin/code", ProveAsync);
        pages.MapPost("/signin/code/passkey", (HttpContext http, IAntiforgery forgery, MissionControlClient client, SignInLimit limit) =>
            SignInEndpoints.AskPasskeyAsync(http, forgery, limit, () => client.BeginFederatedPasskeyAsync(http.Request.Cookies[Cookie] ?? "", http.RequestAborted)));
        pages.MapGet("/signin/{provider}", (string provider, string? returnUrl, HttpContext http, MissionControlClient client) => ShowAsync(http, client, provider, returnUrl, null, StatusCodes.Status200OK));
        pages.MapPost("/signin/{provider}", DirectoryAsync);
        pages.MapGet("/signin/{provider}/begin", BeginAsync);
        pages.MapGet("/signin/{provider}/callback", CallbackAsync);
        pages.MapPost("/signin/{provider}/acs", TakeAsync);
    }

    private static Task<IResult> BeginAsync(string provider, string? returnUrl, HttpContext http, MissionControlClient client, SignInLimit limit) => GuardedAsync(http, client, provider, returnUrl, limit, async () =>
    {
        // Another site's page can lead anybody here: by a provider of its own it would sign them in as somebody it chose. Then they are asked first.
        if (http.Request.Headers["Sec-Fetch-Site"].ToString() is "cross-site" or "same-site")
        {
            return await ShowAsync(http, client, provider, returnUrl, null, StatusCodes.Status200OK);
        }

        var begun = await client.BeginFederatedSignInAsync(provider, new BeginFederatedSignInRequest(LocalAddress.OrHome(returnUrl)), http.RequestAborted);
        if (begun.ComesAsForm)
        {
            http.Response.Cookies.Append(FormCookie, begun.Browser, FormOptionsOf(begun.ExpiresAt));
        }
        else
        {
            http.Response.Cookies.Append(Cookie, begun.Browser, Options(begun.ExpiresAt));
        }

        return TypedResults.Redirect(begun.Address);
    }, counts: false);

    private static Task<IResult> CallbackAsync(string provider, string? state, string? code, string? iss, string? error, HttpContext http, MissionControlClient client, SignInLimit limit) => GuardedAsync(http, client, provider, null, limit, async () =>
    {
        if (http.Request.Cookies[Cookie] is not { Length: > 0 } browser)
        {
            return await ShowAsync(http, client, provider, null, NotHere, StatusCodes.Status422UnprocessableEntity);
        }

        var signIn = await client.FinishFederatedSignInAsync(provider, new FinishFederatedSignInRequest(browser, state, code, iss, error, SignInEndpoints.AgentOf(http)), http.RequestAborted);
        return signIn.Session is { } session ? await OpenedAsync(http, client, session, signIn) : TypedResults.LocalRedirect("/signin/code");
    });

    // Name and password of a directory. What was typed is in no cookie, address or log, and the password in no page.
    private static async Task<IResult> DirectoryAsync(string provider, HttpContext http, IAntiforgery forgery, MissionControlClient client, SignInLimit limit)
    {
        if (!await forgery.IsRequestValidAsync(http))
        {
            return await ShowAsync(http, client, provider, null, "This page was open for too long. Fill it in once more.", StatusCodes.Status400BadRequest);
        }

        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        return await GuardedAsync(http, client, provider, form["returnUrl"], limit, async () =>
        {
            var begun = await client.SignInByDirectoryAsync(provider, new DirectorySignInRequest(form["name"], form["password"], LocalAddress.OrHome(form["returnUrl"])), http.RequestAborted);
            http.Response.Cookies.Append(Cookie, begun.Browser, Options(begun.ExpiresAt));
            return TypedResults.LocalRedirect("/signin/code");
        }, form["name"]);
    }

    // No token against forgery: it is the provider's page that posts. What stands in its place is the request's id, which only this browser's secret gives.
    private static Task<IResult> TakeAsync(string provider, HttpContext http, MissionControlClient client, SignInLimit limit) => GuardedAsync(http, client, provider, null, limit, async () =>
    {
        if (http.Request.Cookies[FormCookie] is not { Length: > 0 } browser)
        {
            return await ShowAsync(http, client, provider, null, NotHere, StatusCodes.Status422UnprocessableEntity);
        }

        string state, response;
        try
        {
            var form = http.Request.HasFormContentType ? await http.Request.ReadFormAsync(Form, http.RequestAborted) : FormCollection.Empty;
            (state, response) = (form["RelayState"].ToString(), form["SAMLResponse"].ToString());
        }
        catch (Exception unreadable) when (unreadable is InvalidDataException or BadHttpRequestException)
        {
            (state, response) = ("", "");
        }

        if (state.Length is 0 or > 100 || response.Length == 0)
        {
            limit.Count(http);
            return await ShowAsync(http, client, provider, null, "What the provider sent is no answer, or too large. Begin again.", StatusCodes.Status422UnprocessableEntity);
        }

        var signIn = await client.FinishFederatedSignInAsync(provider, new FinishFederatedSignInRequest(browser, state, null, Agent: SignInEndpoints.AgentOf(http), SamlResponse: response), http.RequestAborted);
        http.Response.Cookies.Delete(FormCookie, FormOptionsOf(null));
        if (signIn.Session is { } session)
        {
            return await OpenedAsync(http, client, session, signIn);
        }

        http.Response.Cookies.Append(Cookie, browser, Options(signIn.ExpiresAt));
        return TypedResults.LocalRedirect("/signin/code");
    });

    private static async Task<IResult> PendingAsync(HttpContext http, MissionControlClient client, Action<PageContext>? enter = null, int status = StatusCodes.Status200OK)
    {
        try
        {
            return http.Request.Cookies[Cookie] is { Length: > 0 } browser
                ? new PageResult<SecondFactor>(null, new Dictionary<string, object?> { [nameof(SecondFactor.SignIn)] = await client.GetPendingSignInAsync(browser, http.RequestAborted) }, enter, status)
                : Over(NotHere, status == StatusCodes.Status200OK ? StatusCodes.Status422UnprocessableEntity : status);
        }
        catch (ApiException refusal) when ((int)refusal.Status is 400 or 401 or 422)
        {
            return Over(refusal.Message);
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException && !http.RequestAborted.IsCancellationRequested)
        {
            return Over("Nobody can be signed in now. Try again in a moment.", StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static async Task<IResult> ProveAsync(HttpContext http, IAntiforgery forgery, MissionControlClient client, SignInLimit limit)
    {
        if (limit.IsReached(http))
        {
            http.Response.Headers.RetryAfter = "60";
            return Over("Too many tries from this address. Wait a minute, and begin again.", StatusCodes.Status429TooManyRequests);
        }

        if (!await forgery.IsRequestValidAsync(http))
        {
            return await PendingAsync(http, client, page => page.Refused = Refusal.Expired(), StatusCodes.Status400BadRequest);
        }

        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        try
        {
            var signIn = await client.ProveFederatedSignInAsync(form["credential"].ToString() is { Length: > 0 } credential
                ? new ProveFederatedSignInRequest(http.Request.Cookies[Cookie], null, SignInEndpoints.AgentOf(http), SignInEndpoints.TakeQuestion(http), credential)
                : new ProveFederatedSignInRequest(http.Request.Cookies[Cookie], form["code"].ToString().Trim(), SignInEndpoints.AgentOf(http)), http.RequestAborted);
            var opened = await OpenedAsync(http, client, signIn.Session!, signIn);
            return signIn.RecoveryCodes is null ? opened : new PageResult<SecondFactor>(null, new Dictionary<string, object?> { [nameof(SecondFactor.Codes)] = signIn.RecoveryCodes });
        }
        catch (ApiException refusal) when ((int)refusal.Status is 422 or 429)
        {
            limit.Count(http);
            return await PendingAsync(http, client, page => page.Refused = Refusal.Of("identity", refusal), StatusCodes.Status422UnprocessableEntity);
        }
        catch (ApiException refusal) when ((int)refusal.Status is 400 or 401)
        {
            return Over(refusal.Message);
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException && !http.RequestAborted.IsCancellationRequested)
        {
            return Over("Nobody can be signed in now. Try again in a moment.", StatusCodes.Status503ServiceUnavailable);
        }
    }

    // A session that the browser had before is not carried on: what it holds from now on was made for this sign-in.
    private static async Task<IResult> OpenedAsync(HttpContext http, MissionControlClient client, string session, FederatedSignIn signIn)
    {
        await SignInEndpoints.KeepAsync(http, client, session, signIn.ExpiresAt);
        http.Response.Cookies.Delete(Cookie, Options(null));
        return TypedResults.LocalRedirect(LocalAddress.OrHome(signIn.ReturnUrl));
    }

    private static async Task<IResult> GuardedAsync(HttpContext http, MissionControlClient client, string provider, string? returnUrl, SignInLimit limit, Func<Task<IResult>> then, string? name = null, bool counts = true)
    {
        if (limit.IsReached(http))
        {
            http.Response.Headers.RetryAfter = "60";
            return await ShowAsync(http, client, provider, returnUrl, "Too many tries from this address. Wait a minute.", StatusCodes.Status429TooManyRequests);
        }

        try
        {
            return await then();
        }
        catch (ApiException refusal) when ((int)refusal.Status is 400 or 401 or 404 or 409 or 422)
        {
            // Nothing is guessed by beginning, and any page's pictures could begin for whoever looks at it.
            if (counts)
            {
                limit.Count(http);
            }

            return await ShowAsync(http, client, provider, returnUrl, refusal.Problem?.Errors is [var mistake, ..] ? mistake.Detail : refusal.Message, StatusCodes.Status422UnprocessableEntity, name);
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException && !http.RequestAborted.IsCancellationRequested)
        {
            return await ShowAsync(http, client, provider, returnUrl, "Nobody can be signed in now. Try again in a moment.", StatusCodes.Status503ServiceUnavailable, name);
        }
    }

    private static async Task<IResult> ShowAsync(HttpContext http, MissionControlClient client, string provider, string? returnUrl, string? problem, int status, string? name = null)
    {
        SignInProvider? found = null;
        try
        {
            found = await client.GetSignInProviderAsync(provider, http.RequestAborted);
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException && !http.RequestAborted.IsCancellationRequested)
        {
            (problem, status) = silence is ApiException { Status: System.Net.HttpStatusCode.NotFound }
                ? ("There is no sign-in at this address. Ask your administrator for the right one.", StatusCodes.Status404NotFound)
                : ("Nobody can be signed in now. Try again in a moment.", StatusCodes.Status503ServiceUnavailable);
        }

        return new PageResult<ProviderSignIn>(null, new Dictionary<string, object?>
        {
            [nameof(ProviderSignIn.Provider)] = found, [nameof(ProviderSignIn.Problem)] = problem, [nameof(ProviderSignIn.ReturnUrl)] = LocalAddress.OrHome(returnUrl), [nameof(ProviderSignIn.TypedName)] = name,
        }, status: status);
    }

    private static PageResult<ProviderSignIn> Over(string why, int status = StatusCodes.Status422UnprocessableEntity) => new(null, new Dictionary<string, object?> { [nameof(ProviderSignIn.Problem)] = why }, status: status);

    private static CookieOptions FormOptionsOf(DateTimeOffset? expires) => new() { HttpOnly = true, Secure = true, SameSite = SameSiteMode.None, Path = "/", Expires = expires };

    private static CookieOptions Options(DateTimeOffset? expires) => new() { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/", Expires = expires };
}
