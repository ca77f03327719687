using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Portal.Pages.Security;

/// <summary>How what is loose is said, and where each thing is mended.</summary>
internal static class PostureWords
{
    /// <summary>What it is, in words.</summary>
    public static string Kind(PostureThing thing) => thing.Kind switch
    {
        "service-account" => "program",
        "leak" => "leaked token",
        _ => thing.Kind,
    };

    /// <summary>The page on which something is done about it; null: that is no page's business.</summary>
    public static string? Address(PostureThing thing) => thing.Kind switch
    {
        "person" => $"/people/{thing.Id}",
        "service-account" => $"/programs/{thing.Id}",
        "token" or "key" when thing.AccountId is { } account => $"/programs/{account}",
        "token" => $"/tokens?q={Uri.EscapeDataString(thing.Label)}",
        "leak" => $"/leaks/{thing.Id}",
        "invitation" => "/people",
        "provider" when Guid.TryParse(thing.Id, out _) => $"/people/providers/{thing.Id}",
        _ => null,
    };

    /// <summary>The list that holds all that a check found; null: there is none.</summary>
    public static string? List(PostureCheck check) => check.Link is { } link && check.Code == "leaks-open" ? $"/leaks{link[link.IndexOf('?', StringComparison.Ordinal)..]}" : null;

    /// <summary>Something is known to be in wrong hands, may be, or would leave nobody in charge; the rest is untidy.</summary>
    public static string Shape(PostureCheck check) => check.Count == 0 ? "ok" : check.Code is "bootstrap-token" or "leaks-open" or "few-administrators" ? "bad" : "warn";
}
