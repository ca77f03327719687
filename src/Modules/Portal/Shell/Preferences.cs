using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Look;
using MissionControl.Portal.Sessions;

namespace MissionControl.Portal.Shell;

/// <summary>
/// How a person wants pages to look: theme, density, zone of the times, short cuts. Pages read it from cookies, so that nothing flashes and no page asks
/// for it; identity keeps it with the person, and a browser gets it at sign-in.
/// </summary>
internal static class Preferences
{
    public const string Theme = "__Host-mc-theme";

    public const string Density = "__Host-mc-density";

    /// <summary>The zone of the browser, written by the script: a first guess that follows the machine.</summary>
    public const string GuessedZone = "__Host-mc-zone";

    /// <summary>The zone that was chosen instead.</summary>
    public const string ChosenZone = "__Host-mc-zone-chosen";

    /// <summary>Set while everything is shown in UTC; the person's zone stays known for the way back.</summary>
    public const string InUtc = "__Host-mc-utc";

    /// <summary>Set while the short cuts on the keyboard are off.</summary>
    public const string KeysOff = "__Host-mc-keys-off";

    /// <summary>With it the script asks for parts of a page: they are drawn in the zone of the page that they go into, whatever was chosen since.</summary>
    public const string ZoneHeader = "MC-Zone";

    /// <summary>What this browser holds.</summary>
    public static SetPreferencesRequest Of(IRequestCookieCollection cookies) => new(ThemeOf(cookies[Theme]), DensityOf(cookies[Density]), ZoneOf(cookies[ChosenZone]), cookies[InUtc] == "1", cookies[KeysOff] == "1");

    /// <summary>Keeps what the form says, here and with the person, leaves what it does not speak of, and goes back to where it was chosen.</summary>
    public static async Task<IResult> KeepAsync(HttpContext http, Flashes flashes, MissionControlClient client)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var before = Of(http.Request.Cookies);
        var chosen = new SetPreferencesRequest(
            form.ContainsKey("theme") ? ThemeOf(form["theme"]) : before.Theme,
            form.ContainsKey("density") ? DensityOf(form["density"]) : before.Density,
            form.ContainsKey("zone") ? ZoneOf(form["zone"]) : before.Zone,
            form.ContainsKey("times") ? form["times"] == "utc" : before.InUtc,
            form.ContainsKey("keys") ? form["keys"] == "off" : before.KeysOff);
        Write(http, chosen);
        if (await StoreAsync(http, client, chosen) is { } why)
        {
            flashes.Leave(http, new Flash($"{why.Title}. The choice holds in this browser, and other browsers do not learn of it until you choose something once more.", null, IsBad: true));
        }

        return TypedResults.LocalRedirect(LocalAddress.OrHome(form["returnUrl"]));
    }

    /// <summary>Brings what a person chose elsewhere into the browser that signs in. Who never chose anything keeps what the browser had.</summary>
    public static async Task BringAsync(HttpContext http, MissionControlClient client, string session)
    {
        try
        {
            if (await http.RequestServices.GetRequiredService<SignedIn>().FindAsync(session, isActive: true, http.RequestAborted) is { } reader && IsPersonHere(http, reader)
                && await client.As(reader.AccessToken).GetMyPreferencesAsync(http.RequestAborted) is { ChangedAt: not null } kept)
            {
                Write(http, new SetPreferencesRequest(ThemeOf(kept.Theme), DensityOf(kept.Density), ZoneOf(kept.Zone), kept.InUtc, kept.KeysOff));
            }
        }
        catch (Exception silence) when (silence is ApiException or HttpRequestException or OperationCanceledException)
        {
            // Then pages look as they did in this browser: that keeps nobody from signing in.
        }
    }

    private static async Task<Refusal?> StoreAsync(HttpContext http, MissionControlClient client, SetPreferencesRequest chosen)
    {
        try
        {
            if (await PortalPage.ReaderAsync(http) is { } reader && IsPersonHere(http, reader))
            {
                await client.As(reader.AccessToken).SetMyPreferencesAsync(chosen, http.RequestAborted);
            }

            return null;
        }
        catch (ApiException refusal)
        {
            return Refusal.Of("identity", refusal);
        }
        catch (Exception silence) when (silence is HttpRequestException or OperationCanceledException && !http.RequestAborted.IsCancellationRequested)
        {
            return Refusal.Silent("identity");
        }
    }

    // A token is nobody: what is chosen with it is the browser's.
    private static bool IsPersonHere(HttpContext http, TradedSession reader) => reader.Principal.TokenId is null && PortalPage.IsAdmitted(http, reader);

    private static string? ThemeOf(string? value) => value is "light" or "dark" ? value : null;

    private static string? DensityOf(string? value) => value is "compact" ? value : null;

    private static string? ZoneOf(string? value) => Zone.Find(value)?.Id;

    private static void Write(HttpContext http, SetPreferencesRequest chosen)
    {
        var options = new CookieOptions { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/", MaxAge = TimeSpan.FromDays(365) };
        foreach (var (cookie, value) in new[] { (Theme, chosen.Theme), (Density, chosen.Density), (ChosenZone, chosen.Zone), (InUtc, chosen.InUtc ? "1" : null), (KeysOff, chosen.KeysOff ? "1" : null) })
        {
            if (value is not null)
            {
                http.Response.Cookies.Append(cookie, value, options);
            }
            else
            {
                http.Response.Cookies.Delete(cookie, options);
            }
        }
    }
}

/// <summary>Addresses to go back to: of this site only.</summary>
internal static class LocalAddress
{
    // Browsers drop tabs and line ends and turn a backslash around; what a header cannot carry as it is was not written by us either.
    public static string OrHome(string? url) => url is { Length: > 0 and < 2000 } && url[0] == '/' && !url.StartsWith("//", StringComparison.Ordinal) && !url.StartsWith("/\\", StringComparison.Ordinal)
        && !url.AsSpan().ContainsAnyExceptInRange('!', '~') && !url.Contains('\\', StringComparison.Ordinal) ? url : "/";
}
