using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Portal.Pages;
using MissionControl.Portal.Shell;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Portal.Sessions;

/// <summary>
/// Sign in with a token until people have accounts: posted once, traded for a session on the server. The token is in no cookie, address
/// or log, and no page shows it again.
/// </summary>
internal static class SignInEndpoints
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapGet("/signin", static IResult (HttpContext http, string? returnUrl) => Form(returnUrl, null, StatusCodes.Status200OK));
        pages.MapPost("/signin", SignInAsync);
        pages.MapPost("/signout", SignOutAsync);
    }

    private static async Task<IResult> SignInAsync(HttpContext http, IAntiforgery forgery, MissionControlClient client, SignInLimit limit, CancellationToken cancellationToken)
    {
        if (limit.IsReached(http))
        {
            http.Response.Headers.RetryAfter = "60";
            return Form(null, "Too many tries from this address. Wait a minute.", StatusCodes.Status429TooManyRequests);
        }

        if (!await forgery.IsRequestValidAsync(http))
        {
            return Form(null, "This page was open for too long. Paste the token once more.", StatusCodes.Status400BadRequest);
        }

        var form = await http.Request.ReadFormAsync(cancellationToken);
        var token = form["token"].ToString().Trim();
        if (!TokenText.TryParse(token, out var kind, out _, out _) || kind != 'a')
        {
            return Refused(http, limit, form["returnUrl"]);
        }

        try
        {
            var session = await client.As(token).CreateSessionAsync(cancellationToken);
            http.Response.Cookies.Append(SignedIn.Cookie, session.Session, new CookieOptions { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/", Expires = session.ExpiresAt });
            return TypedResults.LocalRedirect(LocalAddress.OrHome(form["returnUrl"]));
        }
        catch (ApiException refusal) when (refusal.Status is System.Net.HttpStatusCode.Unauthorized or System.Net.HttpStatusCode.Conflict)
        {
            return Refused(http, limit, form["returnUrl"]);
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return Form(form["returnUrl"], "Tokens cannot be checked now. Try again in a moment.", StatusCodes.Status503ServiceUnavailable);
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

    private static PageResult<SignIn> Refused(HttpContext http, SignInLimit limit, string? returnUrl)
    {
        limit.Count(http);
        return Form(returnUrl, "This token is not valid. It begins with mca_, has 66 characters, and must not be expired, revoked or bound to networks.", StatusCodes.Status422UnprocessableEntity);
    }

    private static PageResult<SignIn> Form(string? returnUrl, string? problem, int status) => new(
        null, new Dictionary<string, object?> { [nameof(SignIn.ReturnUrl)] = LocalAddress.OrHome(returnUrl), [nameof(SignIn.Problem)] = problem }, status: status);
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
