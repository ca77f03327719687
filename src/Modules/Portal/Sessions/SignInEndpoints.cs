using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Look;
using MissionControl.Portal.Pages;
using MissionControl.Portal.Shell;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Portal.Sessions;

/// <summary>
/// Sign in with a passkey, or with mail address, password and code; until the first administrator has done so, also with a token: posted once, traded for a
/// session on the server. What was posted is in no cookie, address or log, and no page shows it again.
/// </summary>
internal static class SignInEndpoints
{
    /// <summary>Names the question that a passkey is to answer; no script reads it.</summary>
    private const string PasskeyCookie = "__Host-mc-passkey";

    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapGet("/signin", (HttpContext http, MissionControlClient client, string? returnUrl) => FormAsync(http, client, returnUrl, null, StatusCodes.Status200OK));
        pages.MapPost("/signin", SignInAsync);
        pages.MapPost("/signin/passkey/begin", BeginPasskeyAsync);
        pages.MapPost("/signin/passkey", SignInWithPasskeyAsync);
        pages.MapPost("/signout", SignOutAsync);
    }

    /// <summary>
    /// Puts the session into the browser, where no script and no other site reaches it, and with it how the person wants pages to look. One that the browser
    /// held before ends, whoever planted it there.
    /// </summary>
    public static async Task KeepAsync(HttpContext http, MissionControlClient client, string session, DateTimeOffset expiresAt)
    {
        http.Response.Cookies.Append(SignedIn.Cookie, session, new CookieOptions { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/", Expires = expiresAt });
        await Preferences.BringAsync(http, client, session);
        if (http.Request.Cookies[SignedIn.Cookie] is not { Length: > 0 and <= 200 } before)
        {
            return;
        }

        http.RequestServices.GetRequiredService<SignedIn>().Forget(before);
        try
        {
            await client.EndSessionAsync(before, http.RequestAborted);
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException)
        {
            // Then it ends by its limits: what somebody held before keeps nobody from signing in.
        }
    }

    /// <summary>What the browser calls itself, for the list of sessions.</summary>
    public static string? AgentOf(HttpContext http) => http.Request.Headers.UserAgent.ToString() is { Length: > 0 } agent ? agent[..Math.Min(agent.Length, 300)] : null;

    private static async Task<IResult> SignInAsync(HttpContext http, IAntiforgery forgery, MissionControlClient client, SignInLimit limit, CancellationToken cancellationToken)
    {
        if (limit.IsReached(http))
        {
            http.Response.Headers.RetryAfter = "60";
            return await FormAsync(http, client, null, "Too many tries from this address. Wait a minute.", StatusCodes.Status429TooManyRequests);
        }

        if (!await forgery.IsRequestValidAsync(http))
        {
            return await FormAsync(http, client, null, "This page was open for too long. Fill it in once more.", StatusCodes.Status400BadRequest);
        }

        var form = await http.Request.ReadFormAsync(cancellationToken);
        var token = form["token"].ToString().Trim();
        var isToken = token.Length > 0;
        if (isToken && (!TokenText.TryParse(token, out var kind, out _, out _) || kind != 'a'))
        {
            return await RefusedAsync(http, client, limit, form);
        }

        try
        {
            var session = isToken
                ? await client.As(token).CreateSessionAsync(cancellationToken)
                : await client.SignInAsync(new SignInRequest(form["email"].ToString().Trim(), form["password"], form["code"].ToString().Trim(), AgentOf(http)), cancellationToken);
            await KeepAsync(http, client, session.Session, session.ExpiresAt);
            return TypedResults.LocalRedirect(LocalAddress.OrHome(form["returnUrl"]));
        }
        catch (ApiException refusal) when ((int)refusal.Status is 400 or 401 or 409 or 422)
        {
            return await RefusedAsync(http, client, limit, form);
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return await FormAsync(http, client, form["returnUrl"], "Nobody can be signed in now. Try again in a moment.", StatusCodes.Status503ServiceUnavailable, form["email"]);
        }
    }

    // The question stands in a cookie of the browser that asked: an answer from elsewhere is none.
    private static Task<IResult> BeginPasskeyAsync(HttpContext http, IAntiforgery forgery, MissionControlClient client, SignInLimit limit, CancellationToken cancellationToken) =>
        AskPasskeyAsync(http, forgery, limit, () => client.BeginPasskeySignInAsync(cancellationToken));

    /// <summary>Asks for a passkey, for the script of a page before sign-in.</summary>
    public static async Task<IResult> AskPasskeyAsync(HttpContext http, IAntiforgery forgery, SignInLimit limit, Func<Task<PasskeyChallenge>> ask)
    {
        if (limit.IsReached(http))
        {
            return TypedResults.StatusCode(StatusCodes.Status429TooManyRequests);
        }

        if (!await forgery.IsRequestValidAsync(http))
        {
            return TypedResults.StatusCode(StatusCodes.Status400BadRequest);
        }

        try
        {
            var asked = await ask();
            http.Response.Cookies.Append(PasskeyCookie, asked.Challenge, new CookieOptions { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Strict, Path = "/", MaxAge = TimeSpan.FromMinutes(2) });
            return TypedResults.Text(asked.Options.ToJsonString(), "application/json");
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException && !http.RequestAborted.IsCancellationRequested)
        {
            return TypedResults.StatusCode(StatusCodes.Status503ServiceUnavailable);
        }
    }

    /// <summary>The question that a passkey answered, which is asked no second time; empty: none was asked in this browser.</summary>
    public static string TakeQuestion(HttpContext http)
    {
        http.Response.Cookies.Delete(PasskeyCookie, new CookieOptions { Secure = true, Path = "/" });
        return http.Request.Cookies[PasskeyCookie] ?? "";
    }

    private static async Task<IResult> SignInWithPasskeyAsync(HttpContext http, IAntiforgery forgery, MissionControlClient client, SignInLimit limit, CancellationToken cancellationToken)
    {
        if (limit.IsReached(http))
        {
            http.Response.Headers.RetryAfter = "60";
            return await FormAsync(http, client, null, "Too many tries from this address. Wait a minute.", StatusCodes.Status429TooManyRequests);
        }

        if (!await forgery.IsRequestValidAsync(http))
        {
            return await FormAsync(http, client, null, "This page was open for too long. Try once more.", StatusCodes.Status400BadRequest);
        }

        var form = await http.Request.ReadFormAsync(cancellationToken);
        try
        {
            var session = await client.SignInWithPasskeyAsync(new PasskeySignInRequest(TakeQuestion(http), form["credential"], AgentOf(http)), cancellationToken);
            await KeepAsync(http, client, session.Session, session.ExpiresAt);
            return TypedResults.LocalRedirect(LocalAddress.OrHome(form["returnUrl"]));
        }
        catch (ApiException refusal) when ((int)refusal.Status is 400 or 401 or 422)
        {
            limit.Count(http);
            return await FormAsync(http, client, form["returnUrl"], "This passkey is not known here, or it took too long. Try again, or sign in with your password.", StatusCodes.Status422UnprocessableEntity);
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return await FormAsync(http, client, form["returnUrl"], "Nobody can be signed in now. Try again in a moment.", StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static async Task<IResult> SignOutAsync(HttpContext http, IAntiforgery forgery, MissionControlClient client, SignedIn signedIn, CancellationToken cancellationToken)
    {
        // Whoever was shown the way in would take themselves to be signed out.
        if (!await forgery.IsRequestValidAsync(http))
        {
            return await PortalPage.WithReaderAsync(http, reader => Task.FromResult<IResult>(new PageResult<Failure>(reader, new Dictionary<string, object?> { [nameof(Failure.Why)] = Refusal.Expired() }, status: StatusCodes.Status400BadRequest)));
        }

        if (http.Request.Cookies[SignedIn.Cookie] is { } session)
        {
            await client.EndSessionAsync(session, cancellationToken);
            signedIn.Forget(session);
            http.Response.Cookies.Delete(SignedIn.Cookie, new CookieOptions { Secure = true, Path = "/" });
        }

        return TypedResults.LocalRedirect("/signin");
    }

    private static Task<IResult> RefusedAsync(HttpContext http, MissionControlClient client, SignInLimit limit, IFormCollection form)
    {
        limit.Count(http);
        return FormAsync(http, client, form["returnUrl"], form["token"].ToString().Length > 0
            ? "This token is not valid. It begins with mca_, has 66 characters, and must not be expired, revoked or bound to networks."
            : "Mail address, password or code is not right, or there were too many wrong tries: then wait a few minutes.", StatusCodes.Status422UnprocessableEntity, form["email"]);
    }

    private static async Task<IResult> FormAsync(HttpContext http, MissionControlClient client, string? returnUrl, string? problem, int status, string? email = null)
    {
        SignInOptions? options = null;
        try
        {
            options = await client.GetSignInOptionsAsync(http.RequestAborted);
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException && !http.RequestAborted.IsCancellationRequested)
        {
            // Nobody can sign in while identity is silent; the page says so when somebody tries.
        }

        return new PageResult<SignIn>(null, new Dictionary<string, object?>
        {
            [nameof(SignIn.ReturnUrl)] = LocalAddress.OrHome(returnUrl), [nameof(SignIn.Problem)] = problem, [nameof(SignIn.Tokens)] = options?.Tokens == true, [nameof(SignIn.Email)] = email,
            [nameof(SignIn.Providers)] = options?.Providers ?? [],
        }, status: status);
    }
}

/// <summary>Bounds how often one address may try; a cache of each replica's own.</summary>
internal sealed class SignInLimit : IDisposable
{
    /// <summary>Wrong tries per minute from one address.</summary>
    public const int TriesPerMinute = 20;

    private readonly PartitionedRateLimiter<string> limiter = PartitionedRateLimiter.Create<string, string>(address =>
        RateLimitPartition.GetFixedWindowLimiter(address, _ => new FixedWindowRateLimiterOptions { PermitLimit = TriesPerMinute, Window = TimeSpan.FromMinutes(1), QueueLimit = 0 }));

    /// <summary>Whether an address has used up its tries; looking uses none.</summary>
    public bool IsReached(HttpContext http)
    {
        using var lease = limiter.AttemptAcquire(AddressOf(http), 0);
        return !lease.IsAcquired;
    }

    /// <summary>Counts a try with a token that was none. Signing in rightly is no guessing: a house behind one address may do it at once.</summary>
    public void Count(HttpContext http) => limiter.AttemptAcquire(AddressOf(http)).Dispose();

    /// <inheritdoc />
    public void Dispose() => limiter.Dispose();

    private static string AddressOf(HttpContext http) => http.Connection.RemoteIpAddress?.ToString() ?? "unknown";
}
