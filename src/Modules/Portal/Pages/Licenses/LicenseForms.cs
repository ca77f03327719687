using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Client;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Portal.Shell;
using MissionControl.Protocol.Licenses;

namespace MissionControl.Portal.Pages.Licenses;

/// <summary>Changes licences, and gives their leases out.</summary>
internal static class LicenseForms
{
    /// <summary>The parameters of the list.</summary>
    public static readonly IReadOnlyCollection<string> Filters = ["q", "state", "kind", "customer", "cluster", "sort", "limit", "cursor"];

    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapPost("/licences/{id:guid}", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<LicenseDetail>(http, async (page, form) =>
        {
            var version = long.TryParse(form["version"], CultureInfo.InvariantCulture, out var read) ? read : 0;
            var precondition = new Precondition(form["key"], version);
            var reason = form["reason"].ToString().Trim() is { Length: > 0 } words ? words : null;
            var act = form["act"].ToString() is "suspend" or "resume" or "revoke" ? form["act"].ToString() : "renew";

            // A date is the last day: the licence ends with it.
            DateTimeOffset? until = DateOnly.TryParseExact(form["until"], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero).AddDays(1) : null;
            var changed = act == "renew"
                ? await page.Api.RenewLicenseAsync(id, new RenewLicenseRequest(until, Reason: reason), precondition, page.Aborted)
                : await page.Api.ChangeLicenseAsync(id, act, new LicenseReasonRequest(reason), precondition, page.Aborted);
            var past = act switch { "suspend" => "suspended", "resume" => "resumed", "revoke" => "revoked", _ => "renewed" };
            flashes.Leave(http, new Flash($"{char.ToUpperInvariant(past[0])}{past[1..]} {changed.Plan}. Its clusters hold it with their next check-in.", $"/audit?target={id}&type=licensing.license-{past}"));
            return Results.LocalRedirect($"/licences/{id}");
        }));
        pages.MapGet("/licences/{id:guid}.license.json", (HttpContext http, Guid id) => PortalPage.WithReaderAsync(http, async reader =>
        {
            var page = http.RequestServices.GetRequiredService<PageContext>();
            page.Enter(http, reader);
            var lease = await page.AskAsync("licensing:read", (api, end) => api.GetLicenseLeaseAsync(id, end));
            return lease.Refusal is { } refusal
                ? new PageResult<Failure>(reader, new Dictionary<string, object?> { [nameof(Failure.Why)] = refusal }, status: refusal.Status)
                : TypedResults.Bytes(lease.Value!, "application/json", $"{id}.license.json");
        }));
    }
}

/// <summary>Licences in words.</summary>
internal static class LicenseWords
{
    /// <summary>What a code of a check means.</summary>
    public static string Of(string code) => code switch
    {
        "VALID" => "It is in force.",
        "EXPIRING" => "It is in force, and ends soon.",
        "REPORT_OVERDUE" => "It is in force; no usage has come for half a day or more.",
        "OVERAGE" => "More is used than a limit says, as its policy permits.",
        "OVERAGE_ENDED" => "More is used than a limit says, and nothing beyond it is taken now: there was no contact for too long, or it is only bridged over.",
        "LIMIT_EXCEEDED" => "More is used than a limit and its policy permit.",
        "LEASE_LAPSED" => "No newer lease was signed in time; what it permits goes on.",
        "GRACE" => "It has ended, and is bridged over for 30 days: what it permits goes on.",
        "NOT_YET_VALID" => "It has not begun.",
        "EXPIRED" => "It has ended, and so has its grace.",
        "SUSPENDED" => "It was suspended.",
        "REVOKED" => "It was revoked, for good.",
        _ => "It does not permit what was asked for.",
    };

    /// <summary>What becomes of new work.</summary>
    public static string Decision(string decision) => decision switch
    {
        "allow" => "taken",
        "allow_overage" => "taken, also beyond the limits",
        "degrade" => "taken less",
        _ => "not taken",
    };

    /// <summary>How a bar of a limit looks.</summary>
    public static string Kind(LimitStanding limit) => limit.Percent switch
    {
        > 100 => limit.Policy == "deny" ? "bad" : "warn",
        >= 80 => "warn",
        _ => "accent",
    };
}
