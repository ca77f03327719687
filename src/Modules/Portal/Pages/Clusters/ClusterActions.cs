using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Clusters;

/// <summary>The switches over a cluster: each has a page that says what happens, and a form that does it.</summary>
internal static class ClusterActions
{
    public static void Map(IEndpointRouteBuilder pages)
    {
        foreach (var verb in new[] { "suspend", "resume", "decommission" })
        {
            pages.MapPost($"/clusters/{{id:guid}}/{verb}", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ClusterSwitch>(http, async (page, form) =>
            {
                await page.Api.SwitchClusterAsync(id, verb, form["reason"].ToString().Trim(), Precondition(form), page.Aborted);
                flashes.Leave(http, new Flash($"{Done(verb)} the cluster. {Effect(verb)}", Entry(id, $"callhome.cluster-{Past(verb)}")));
                return Results.LocalRedirect($"/clusters/{id}");
            }));
        }

        pages.MapPost("/clusters/{id:guid}/epochs/{epoch:long}/confirm", (Guid id, long epoch, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ClusterConfirmEpoch>(http, async (page, form) =>
        {
            await page.Api.ConfirmEpochAsync(id, epoch, form["reason"].ToString().Trim(), Precondition(form), page.Aborted);
            flashes.Leave(http, new Flash(string.Create(CultureInfo.InvariantCulture, $"Confirmed epoch {epoch}. Its usage counts from now on."), Entry(id, "callhome.epoch-confirmed")));
            return Results.LocalRedirect($"/clusters/{id}/credentials");
        }));
    }

    /// <summary>The word on the button.</summary>
    public static string Button(string verb) => char.ToUpperInvariant(verb[0]) + verb[1..];

    /// <summary>What happens, and when.</summary>
    public static string Effect(string verb) => verb switch
    {
        "suspend" => "Mission Control stops listening to it within 5 s, on every replica. Its agent keeps everything and sends it later.",
        "resume" => "Mission Control listens to it again within 5 s. What its agent kept arrives with the next check-ins.",
        _ => "It is never heard again, and its identity cannot come back: enrol it anew instead. Its usage, events and audit entries are kept.",
    };

    /// <summary>How to take it back.</summary>
    public static string Reverse(string verb) => verb switch { "suspend" => "Resume takes it back.", "resume" => "Suspend takes it back.", _ => "Nothing takes it back." };

    /// <summary>What happens to many, and when.</summary>
    public static string EffectOnMany(string verb, int seconds) => verb switch
    {
        "suspend" => $"One after the other, as a task that shows how far it is and can be cancelled. Mission Control stops listening to each within {seconds} s of its turn, on every replica. Their agents keep everything and send it later.",
        _ => $"One after the other, as a task that shows how far it is and can be cancelled. Mission Control listens to each again within {seconds} s of its turn, on every replica. A suspended agent asks once an hour: what it kept arrives then.",
    };

    /// <summary>How to take it back.</summary>
    public static string ReverseOfMany(string verb) => verb switch { "suspend" => "Resume takes it back, for one cluster or for many.", _ => "Suspend takes it back, for one cluster or for many." };

    private static Precondition Precondition(IFormCollection form) =>
        new(form["key"], long.TryParse(form["version"], CultureInfo.InvariantCulture, out var version) ? version : null);

    private static string Done(string verb) => verb switch { "suspend" => "Suspended", "resume" => "Resumed", _ => "Decommissioned" };

    private static string Past(string verb) => Done(verb).ToLowerInvariant();

    private static string Entry(Guid id, string type) => $"/audit?target={id}&type={type}";
}
