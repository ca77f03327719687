using Microsoft.AspNetCore.Http;

namespace MissionControl.Portal.Shell;

/// <summary>Light, dark, or as the system says; in a cookie that the server reads, so that nothing flashes.</summary>
internal static class Themes
{
    public const string Cookie = "__Host-mc-theme";

    /// <summary>Keeps the choice and goes back to where it was made.</summary>
    public static async Task<IResult> ChooseAsync(HttpContext http)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var options = new CookieOptions { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/", MaxAge = TimeSpan.FromDays(365) };
        if (form["theme"].ToString() is "light" or "dark")
        {
            http.Response.Cookies.Append(Cookie, form["theme"].ToString(), options);
        }
        else
        {
            http.Response.Cookies.Delete(Cookie, options);
        }

        return TypedResults.LocalRedirect(LocalAddress.OrHome(form["returnUrl"]));
    }
}

/// <summary>Addresses to go back to: of this site only.</summary>
internal static class LocalAddress
{
    // Browsers drop tabs and line ends and turn a backslash around; what a header cannot carry as it is was not written by us either.
    public static string OrHome(string? url) => url is { Length: > 0 and < 2000 } && url[0] == '/' && !url.StartsWith("//", StringComparison.Ordinal) && !url.StartsWith("/\\", StringComparison.Ordinal)
        && !url.AsSpan().ContainsAnyExceptInRange('!', '~') && !url.Contains('\\', StringComparison.Ordinal) ? url : "/";
}
