using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Enrolment;

/// <summary>Makes and revokes enrolment tokens.</summary>
internal static class EnrolmentForms
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/clusters/enrol", (HttpContext http, CancellationToken _) => PortalPage.ChangeAsync<EnrolmentTokens>(http, async (page, form) =>
        {
            var request = new CreateEnrollmentTokenRequest(
                Guid.TryParse(form["customerId"], out var customer) ? customer : null,
                form["clusterName"].ToString().Trim() is { Length: > 0 } name ? name : null,
                int.TryParse(form["expiresInHours"], CultureInfo.InvariantCulture, out var hours) ? hours : 24,
                form["networks"].ToString().Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
            var created = await page.Api.CreateEnrollmentTokenAsync(request, new Precondition(form["key"]), page.Aborted);

            // Shown in the answer to the form itself: to come again at an address of its own, the secret would have to be kept.
            return new PageResult<EnrolmentTokens>(await PortalPage.ReaderAsync(http), new Dictionary<string, object?> { [nameof(EnrolmentTokens.Created)] = created });
        }));
        pages.MapPost("/clusters/enrol/{token}/revoke", (string token, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<EnrolmentTokens>(http, async (page, form) =>
        {
            await page.Api.RevokeEnrollmentTokenAsync(token, new Precondition(form["key"]), page.Aborted);
            flashes.Leave(http, new Flash($"Revoked enrolment token {token}. It enrols nothing any more.", $"/audit?target={token}&type=callhome.enrollment-token-revoked"));
            return Results.LocalRedirect("/clusters/enrol");
        }));
    }
}
