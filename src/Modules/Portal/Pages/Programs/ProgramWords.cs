using MissionControl.Contracts;

namespace MissionControl.Portal.Pages.Programs;

/// <summary>What pages say of programs.</summary>
internal static class ProgramWords
{
    /// <summary>Rights that are given when an account is made.</summary>
    public static readonly IReadOnlyList<string> Ordinary = [.. ApiScopes.Ordinary.Order(StringComparer.Ordinal)];

    /// <summary>Every right that can be asked for.</summary>
    public static readonly IReadOnlyList<string> All = [.. ApiScopes.Ordinary.Concat(ApiScopes.Sensitive).Order(StringComparer.Ordinal)];

    /// <summary>How long something lasts, to choose from.</summary>
    public static readonly IReadOnlyList<(string Days, string Words)> Lives = [("30", "30 days"), ("90", "90 days"), ("180", "180 days"), ("366", "a year")];
}
