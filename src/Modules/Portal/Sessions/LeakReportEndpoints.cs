using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Platform.Security;
using MissionControl.Portal.Pages.Leaks;
using MissionControl.Portal.Shell;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Portal.Sessions;

/// <summary>Where anybody, signed in or not, reports a token that leaked. The token is posted, cut out of what stands around it, sent on, and never shown again.</summary>
internal static class LeakReportEndpoints
{
    private const string Address = "/leaks/report";

    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapGet(Address, (Delegate)(static (HttpContext http) => PageAsync(http, [])));
        pages.MapPost(Address, ReportAsync);
    }

    private static async Task<IResult> ReportAsync(HttpContext http, IAntiforgery forgery, MissionControlClient client, SignInLimit limit)
    {
        if (limit.IsReached(http))
        {
            http.Response.Headers.RetryAfter = "60";
            return await ProblemAsync(http, "Too many tries from this address. Wait a minute.", null, StatusCodes.Status429TooManyRequests);
        }

        if (!await forgery.IsRequestValidAsync(http))
        {
            return await ProblemAsync(http, "This page was open for too long. Paste the token once more.", null, StatusCodes.Status400BadRequest);
        }

        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var (pasted, place) = (form["token"].ToString(), form["url"].ToString().Trim());
        place = TokenText.Redact(place.Length > 2000 ? place[..2000] : place);
        if (!TokenScanner.TryFind(pasted, out var index, out var length))
        {
            limit.Count(http);
            return await ProblemAsync(http, "There is no whole token in what was pasted: it begins with mca_, mce_ or mcc_, and its last characters are a checksum over the rest.", place, StatusCodes.Status422UnprocessableEntity);
        }

        try
        {
            var reader = await ReaderAsync(http);
            var answer = await (reader is null ? client : client.As(reader.AccessToken)).ReportLeakAsync(new ReportLeakRequest(pasted.Substring(index, length), place.Length == 0 ? null : place), http.RequestAborted);
            if (answer.Verdict == "not-ours")
            {
                limit.Count(http);
            }

            return await PageAsync(http, new() { [nameof(LeakReport.Answer)] = answer });
        }
        catch (ApiException refusal) when ((int)refusal.Status is 400 or 422 or 429)
        {
            return await ProblemAsync(http, refusal.Message, place, (int)refusal.Status);
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException && !http.RequestAborted.IsCancellationRequested)
        {
            return await ProblemAsync(http, "Reports cannot be taken now. Try again in a moment, or tell the vendor.", place, StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static Task<IResult> ProblemAsync(HttpContext http, string words, string? place, int status) => PageAsync(http, new() { [nameof(LeakReport.Problem)] = words, [nameof(LeakReport.Place)] = place }, status);

    private static async Task<IResult> PageAsync(HttpContext http, Dictionary<string, object?> parameters, int status = StatusCodes.Status200OK) =>
        new PageResult<LeakReport>(await ReaderAsync(http), parameters, status: status);

    // The vendor's staff elsewhere than at work is nobody here, and may report as nobody may.
    private static async Task<TradedSession?> ReaderAsync(HttpContext http) =>
        await PortalPage.ReaderOrNobodyAsync(http) is { } reader && (reader.Principal.CustomerId is not null || http.RequestServices.GetRequiredService<StaffNetworks>().Admits(http.Connection.RemoteIpAddress)) ? reader : null;
}
