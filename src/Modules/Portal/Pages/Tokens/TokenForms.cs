using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Tokens;

/// <summary>Makes, rotates and revokes API tokens.</summary>
internal static class TokenForms
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/tokens", (Delegate)((HttpContext http) => PortalPage.ChangeAsync<TokenList>(http, async (page, form) =>
        {
            var request = new CreateTokenRequest(
                form["name"].ToString().Trim(), [.. form["scope"].OfType<string>()], Guid.TryParse(form["customerId"], out var customer) ? customer : null,
                int.TryParse(form["days"], CultureInfo.InvariantCulture, out var days) ? days : 30,
                form["networks"].ToString().Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
            var created = await page.Api.CreateTokenAsync(request, new Precondition(form["key"]), page.Aborted);

            // Shown in the answer to the form itself: to come again at an address of its own, the secret would have to be kept.
            return new PageResult<TokenList>(await PortalPage.ReaderAsync(http), new Dictionary<string, object?> { [nameof(TokenList.Created)] = created });
        })));
        pages.MapPost("/tokens/{token}/rotate", (string token, HttpContext http) => PortalPage.ChangeAsync<TokenList>(http, async (page, form) =>
        {
            var rotated = await page.Api.RotateTokenAsync(token, new RotateTokenRequest(), new Precondition(form["key"]), page.Aborted);
            return new PageResult<TokenList>(await PortalPage.ReaderAsync(http), new Dictionary<string, object?>
            {
                [nameof(TokenList.Created)] = new CreatedToken(rotated.Id, rotated.Token, rotated.ExpiresAt), [nameof(TokenList.InPlaceOf)] = rotated,
            });
        }));
        pages.MapPost("/tokens/{token}/revoke", (string token, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<TokenList>(http, async (page, _) =>
        {
            await page.Api.RevokeTokenAsync(token, page.Aborted);
            flashes.Leave(http, new Flash($"Revoked token {token}. Every role refuses it within five seconds.", $"/audit?target={token}&type=identity.token-revoked"));
            return Results.LocalRedirect("/tokens");
        }));
    }
}
