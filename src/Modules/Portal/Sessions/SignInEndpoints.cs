using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Client;
using MissionControl.Portal.Pages;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Sessions;

/// <summary>
/// Sign in with a token until people have accounts: posted once, traded for a session on the server. The token is in no cookie, address
/// or log, and no page shows it again.
/// </summary>
internal static class SignInEndpoints
{
    /// <summary>Tries per minute from one address.</summary>
    public const int TriesPerMinute = 20;

    private const string Limit = "portal.signin";

    /// <summary>Registers the limit of tries.</summary>
    public static void AddLimit(IServiceCollection services) => services.PostConfigure<RateLimiterOptions>(limits => limits.AddPolicy(Limit, http =>
        RateLimitPartition.GetFixedWindowLimiter(http.Connection.RemoteIpAddress?.ToString() ?? "unknown", _ => new FixedWindowRateLimiterOptions { PermitLimit = TriesPerMinute, Window = TimeSpan.FromMinutes(1), QueueLimit = 0 })));

    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapGet("/signin", static (HttpContext http, string? returnUrl) => Form(returnUrl, null, StatusCodes.Status200OK));
        pages.MapPost("/signin", SignInAsync).RequireRateLimiting(Limit);
        pages.MapPost("/signout", SignOutAsync);
    }

    private static async Task<IResult> SignInAsync(HttpContext http, IAntiforgery forgery, MissionControlClient client, CancellationToken cancellationToken)
    {
        if (!await forgery.IsRequestValidAsync(http))
        {
            return Form(null, "This page was open for too long. Paste the token once more.", StatusCodes.Status400BadRequest);
        }

        var form = await http.Request.ReadFormAsync(cancellationToken);
        try
        {
            var session = await client.As(form["token"].ToString().Trim()).CreateSessionAsync(cancellationToken);
            http.Response.Cookies.Append(SignedIn.Cookie, session.Session, new CookieOptions { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/", Expires = session.ExpiresAt });
            return TypedResults.LocalRedirect(LocalAddress.OrHome(form["returnUrl"]));
        }
        catch (Exception refusal) when (refusal is FormatException or ApiException { Status: System.Net.HttpStatusCode.Unauthorized or System.Net.HttpStatusCode.Conflict })
        {
            return Form(form["returnUrl"], "This token is not valid. It begins with mca_, has 66 characters, and must not be expired or revoked.", StatusCodes.Status422UnprocessableEntity);
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

    private static PageResult<SignIn> Form(string? returnUrl, string? problem, int status) => new(
        null, new Dictionary<string, object?> { [nameof(SignIn.ReturnUrl)] = LocalAddress.OrHome(returnUrl), [nameof(SignIn.Problem)] = problem }, status: status);
}
