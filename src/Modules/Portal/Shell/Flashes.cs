using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;

namespace MissionControl.Portal.Shell;

/// <summary>What a form did, in words, and where its audit entry is.</summary>
/// <param name="Text">The sentence.</param>
/// <param name="AuditLink">Address of the entry within the portal.</param>
/// <param name="Undo">What takes it back; null: nothing does.</param>
/// <param name="IsBad">Whether it says what was not done.</param>
internal sealed record Flash(string Text, string? AuditLink, Undo? Undo = null, bool IsBad = false);

/// <summary>The form that takes back what another one did.</summary>
/// <param name="Action">Its address.</param>
/// <param name="Fields">What it sends.</param>
internal sealed record Undo(string Action, IReadOnlyDictionary<string, string> Fields);

/// <summary>
/// Carries the word of what a form did to the page that comes after it, in a sealed cookie of a minute: no replica must remember it,
/// and no link can make a page claim what did not happen.
/// </summary>
internal sealed class Flashes(IDataProtectionProvider protection)
{
    private const string Cookie = "__Host-mc-done";
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(1);
    private readonly ITimeLimitedDataProtector protector = protection.CreateProtector("portal.done").ToTimeLimitedDataProtector();

    /// <summary>Leaves a word for the next page.</summary>
    public void Leave(HttpContext http, Flash flash) => http.Response.Cookies.Append(
        Cookie, protector.Protect(JsonSerializer.Serialize(flash), Life), new CookieOptions { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/", MaxAge = Life });

    /// <summary>Takes the word that was left, once.</summary>
    public Flash? Take(HttpContext http)
    {
        if (http.Request.Cookies[Cookie] is not { } sealedText)
        {
            return null;
        }

        http.Response.Cookies.Delete(Cookie, new CookieOptions { Secure = true, Path = "/" });
        try
        {
            return JsonSerializer.Deserialize<Flash>(protector.Unprotect(sealedText));
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
