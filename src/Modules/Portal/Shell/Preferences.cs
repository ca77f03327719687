using Microsoft.AspNetCore.Http;
using MissionControl.Portal.Look;

namespace MissionControl.Portal.Shell;

/// <summary>How a person wants pages to look: theme, density, zone of the times. In cookies that the server reads, so that nothing flashes.</summary>
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

    /// <summary>With it the script asks for parts of a page: they are drawn in the zone of the page that they go into, whatever was chosen since.</summary>
    public const string ZoneHeader = "MC-Zone";

    /// <summary>Keeps what the form says, leaves what it does not speak of, and goes back to where it was chosen.</summary>
    public static async Task<IResult> KeepAsync(HttpContext http)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        Keep(http, form, "theme", Theme, value => value is "light" or "dark" ? value : null);
        Keep(http, form, "density", Density, value => value is "compact" ? value : null);
        Keep(http, form, "zone", ChosenZone, value => Zone.Find(value)?.Id);
        Keep(http, form, "times", InUtc, value => value is "utc" ? "1" : null);
        return TypedResults.LocalRedirect(LocalAddress.OrHome(form["returnUrl"]));
    }

    private static void Keep(HttpContext http, IFormCollection form, string field, string cookie, Func<string, string?> known)
    {
        if (!form.ContainsKey(field))
        {
            return;
        }

        var options = new CookieOptions { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/", MaxAge = TimeSpan.FromDays(365) };
        if (known(form[field].ToString()) is { } value)
        {
            http.Response.Cookies.Append(cookie, value, options);
        }
        else
        {
            http.Response.Cookies.Delete(cookie, options);
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
