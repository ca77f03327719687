using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Look;
using MissionControl.Portal.Pages;
using MissionControl.Portal.Pages.People;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Sessions;

/// <summary>Where an invitation becomes an account. The code is posted; the link carries it behind the #, where no server and no log sees it.</summary>
internal static class InvitationEndpoints
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapGet("/invitation", static IResult () => Page([]));
        pages.MapPost("/invitation", (HttpContext http, IAntiforgery forgery, MissionControlClient client, SignInLimit limit) => WithCodeAsync(http, forgery, limit, (_, code) => ShowAsync(http, client, code, null)));
        pages.MapPost("/invitation/accept", (HttpContext http, IAntiforgery forgery, MissionControlClient client, SignInLimit limit) => WithCodeAsync(http, forgery, limit, (form, code) => AcceptAsync(http, client, form, code)));
    }

    private static async Task<IResult> ShowAsync(HttpContext http, MissionControlClient client, string code, string? secret, Action<PageContext>? enter = null, int status = StatusCodes.Status200OK) => Page(
        new() { [nameof(InvitationPage.Code)] = code, [nameof(InvitationPage.Opened)] = await client.OpenInvitationAsync(new OpenInvitationRequest(code, secret), http.RequestAborted) }, enter, status);

    private static async Task<IResult> AcceptAsync(HttpContext http, MissionControlClient client, IFormCollection form, string code)
    {
        try
        {
            var passkey = Or(form["credential"]) is { } credential ? new NewPasskeyRequest(form["challenge"], credential, PersonWords.Browser(SignInEndpoints.AgentOf(http))) : null;
            var accepted = await client.AcceptInvitationAsync(
                new AcceptInvitationRequest(code, passkey is null ? form["password"].ToString() : null, passkey is null ? form["totp"].ToString().Trim() : null, Or(form["email"]), Or(form["name"]), SignInEndpoints.AgentOf(http), passkey), http.RequestAborted);
            await SignInEndpoints.KeepAsync(http, client, accepted.Session, accepted.ExpiresAt);
            return accepted.RecoveryCodes.Count == 0 ? TypedResults.LocalRedirect("/") : Page(new() { [nameof(InvitationPage.Codes)] = accepted.RecoveryCodes });
        }
        catch (ApiException refusal) when ((int)refusal.Status is 422 or 400 or 409 or 429)
        {
            // With the secret that the reader has scanned already: another one would be worth nothing on their telephone.
            return await ShowAsync(http, client, code, Or(form["secret"]), page =>
            {
                page.Refused = Refusal.Of("identity", refusal);
                page.Typed = form;
            }, StatusCodes.Status422UnprocessableEntity);
        }

        static string? Or(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
    }

    private static async Task<IResult> WithCodeAsync(HttpContext http, IAntiforgery forgery, SignInLimit limit, Func<IFormCollection, string, Task<IResult>> then)
    {
        if (limit.IsReached(http))
        {
            http.Response.Headers.RetryAfter = "60";
            return Problem("Too many tries from this address. Wait a minute.", StatusCodes.Status429TooManyRequests);
        }

        if (!await forgery.IsRequestValidAsync(http))
        {
            return Problem("This page was open for too long. Type the code once more.", StatusCodes.Status400BadRequest);
        }

        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        try
        {
            return await then(form, form["invitation"].ToString().Trim());
        }
        catch (ApiException refusal) when ((int)refusal.Status is 401 or 400 or 422)
        {
            limit.Count(http);
            return Problem("This code is not good: it was used, revoked or is older than seven days, or it was not typed as it was sent. Ask for a new invitation.", StatusCodes.Status422UnprocessableEntity);
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException && !http.RequestAborted.IsCancellationRequested)
        {
            return Problem("Invitations cannot be checked now. Try again in a moment.", StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static PageResult<InvitationPage> Problem(string words, int status) => Page(new() { [nameof(InvitationPage.Problem)] = words }, status: status);

    private static PageResult<InvitationPage> Page(Dictionary<string, object?> parameters, Action<PageContext>? enter = null, int status = StatusCodes.Status200OK) => new(null, parameters, enter, status);
}
