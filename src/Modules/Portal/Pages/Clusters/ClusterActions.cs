using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Clusters;

/// <summary>The switches over a cluster: each has a page that says what happens, and a form that does it.</summary>
internal static class ClusterActions
{
    /// <summary>The switches: names of actions of the API, and of pages here.</summary>
    public static readonly IReadOnlyList<string> Verbs = ["suspend", "resume", "decommission"];

    /// <summary>The address of asking for an inventory.</summary>
    public const string AskInventory = "inventory-request";

    /// <summary>The action of asking for a new key, and its address.</summary>
    public const string RotateKey = "rotate-key";

    /// <summary>The action of giving the cluster to another machine, and its address.</summary>
    public const string EnrolAnew = "enrol-anew";

    public static void Map(IEndpointRouteBuilder pages)
    {
        foreach (var verb in Verbs)
        {
            pages.MapPost($"/clusters/{{id:guid}}/{verb}", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ClusterSwitch>(http, async (page, form) =>
            {
                await page.Api.SwitchClusterAsync(id, verb, form["reason"].ToString().Trim(), Precondition(form), page.Aborted);
                flashes.Leave(http, new Flash($"{Done(verb)} the cluster. {Effect(verb)}", Entry(id, $"callhome.cluster-{Past(verb)}")));
                return Results.LocalRedirect($"/clusters/{id}");
            }));
        }

        pages.MapPost($"/clusters/{{id:guid}}/{AskInventory}", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ClusterSwitch>(http, async (page, form) =>
        {
            var asked = await page.Api.RequestInventoryAsync(id, form["reason"].ToString().Trim(), new Precondition(form["key"]), page.Aborted);
            flashes.Leave(http, new Flash($"Asked the cluster for its inventory. {asked.Detail ?? Effect(AskInventory)}", Entry(id, "fleet.inventory-requested")));
            return Results.LocalRedirect($"/clusters/{id}");
        }));

        pages.MapPost($"/clusters/{{id:guid}}/{RotateKey}", (Guid id, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ClusterSwitch>(http, async (page, form) =>
        {
            var asked = await page.Api.AskKeyRotationAsync(id, form["reason"].ToString().Trim(), Precondition(form), page.Aborted);
            flashes.Leave(http, new Flash($"Asked the cluster to replace its key. {asked.Detail ?? Effect(RotateKey)}", Entry(id, "callhome.key-rotation-requested")));
            return Results.LocalRedirect($"/clusters/{id}/credentials");
        }));

        pages.MapPost($"/clusters/{{id:guid}}/{EnrolAnew}", (Guid id, HttpContext http, CancellationToken _) => PortalPage.ChangeAsync<ClusterSwitch>(http, async (page, form) =>
        {
            var created = await page.Api.CreateReadmissionTokenAsync(id, new ReadmitClusterRequest(form["reason"].ToString().Trim()), new Precondition(form["key"]), page.Aborted);

            // Shown in the answer to the form itself, as every secret that is shown once.
            return new PageResult<ClusterCredentials>(await PortalPage.ReaderAsync(http), new Dictionary<string, object?> { [nameof(ClusterCredentials.Id)] = id, [nameof(ClusterCredentials.Created)] = created });
        }));

        pages.MapPost("/clusters/{id:guid}/epochs/{epoch:long}/confirm", (Guid id, long epoch, HttpContext http, Flashes flashes) => PortalPage.ChangeAsync<ClusterConfirmEpoch>(http, async (page, form) =>
        {
            await page.Api.ConfirmEpochAsync(id, epoch, form["reason"].ToString().Trim(), Precondition(form), page.Aborted);
            flashes.Leave(http, new Flash(string.Create(CultureInfo.InvariantCulture, $"Confirmed epoch {epoch}. Its usage counts from now on."), Entry(id, "callhome.epoch-confirmed")));
            return Results.LocalRedirect($"/clusters/{id}/credentials");
        }));
    }

    /// <summary>The word on the button.</summary>
    public static string Button(string verb) => verb switch
    {
        AskInventory => "Ask for inventory",
        RotateKey => "Replace key",
        EnrolAnew => "Enrol anew",
        _ => char.ToUpperInvariant(verb[0]) + verb[1..],
    };

    /// <summary>What the page asks.</summary>
    public static string Question(string verb, string name) => verb switch
    {
        AskInventory => $"Ask {name} for its inventory?",
        RotateKey => $"Ask {name} to replace its key?",
        EnrolAnew => $"Enrol {name} anew?",
        _ => $"{Button(verb)} {name}?",
    };

    /// <summary>The word on the way out.</summary>
    public static string Leave(string verb) => verb switch
    {
        "resume" => "Leave it suspended",
        AskInventory => "Wait for it",
        _ => "Keep it as it is",
    };

    /// <summary>Where it is asked from.</summary>
    public static string Back(string verb, Guid id) => verb is RotateKey or EnrolAnew ? $"/clusters/{id}/credentials" : $"/clusters/{id}";

    /// <summary>Whether the button warns.</summary>
    public static bool Harms(string verb) => verb is "suspend" or "decommission" or EnrolAnew;

    /// <summary>What happens, and when.</summary>
    public static string Effect(string verb) => verb switch
    {
        "suspend" => "Mission Control stops listening to it within 5 s, on every replica. Its agent keeps everything and sends it later.",
        "resume" => "Mission Control listens to it again within 5 s. What its agent kept arrives with the next check-ins.",
        RotateKey => "Its agent hears of it with its next check-in, makes a new key and goes on with that one; the old one ends with the first use of the new. Check-ins and usage are not interrupted.",
        EnrolAnew => "Makes a token that is good for one hour and for one machine. Whoever enrols with it becomes this cluster: with its name, its history and a new epoch, and with new keys. The keys of now and all access by them end in that moment.",
        AskInventory => "Its agent hears of it with its next check-in and tells its inventory with the one after, though nothing may have changed.",
        _ => "It is never heard again, and its identity cannot come back: enrol it anew instead. Its usage, events and audit entries are kept.",
    };

    /// <summary>How to take it back.</summary>
    public static string Reverse(string verb) => verb switch { "suspend" => "Resume takes it back.", "resume" => "Suspend takes it back.", EnrolAnew => "Until the token is used, nothing changes, and it can be revoked under Enrolment. After that nothing takes it back: should the old machine still be there, it is refused, and the cluster is marked as a suspected copy.", RotateKey => "Nothing takes it back, and nothing needs to: the old key is no loss. If the old key may be in the wrong hands, whoever holds it can answer as well: suspend the cluster instead.", AskInventory => "It is told on every change and once a day in any case. After a day the asking lapses.", _ => "Nothing takes it back." };

    /// <summary>What happens to many, and when.</summary>
    public static string EffectOnMany(string verb, int seconds) => verb switch
    {
        "suspend" => $"One after the other, as a task that shows how far it is and can be cancelled. Mission Control stops listening to each within {seconds} s of its turn, on every replica. Their agents keep everything and send it later.",
        _ => $"One after the other, as a task that shows how far it is and can be cancelled. Mission Control listens to each again within {seconds} s of its turn, on every replica. A suspended agent asks once an hour: what it kept arrives then.",
    };

    /// <summary>How to take it back.</summary>
    public static string ReverseOfMany(string verb) => verb switch { "suspend" => "Resume takes it back, for one cluster or for many.", _ => "Suspend takes it back, for one cluster or for many." };

    /// <summary>What the form was drawn from, and its key.</summary>
    public static Precondition Precondition(IFormCollection form) =>
        new(form["key"], long.TryParse(form["version"], CultureInfo.InvariantCulture, out var version) ? version : null);

    private static string Done(string verb) => verb switch { "suspend" => "Suspended", "resume" => "Resumed", _ => "Decommissioned" };

    private static string Past(string verb) => Done(verb).ToLowerInvariant();

    private static string Entry(Guid id, string type) => $"/audit?target={id}&type={type}";
}
