using Microsoft.AspNetCore.Http;
using MissionControl.Contracts.Api.Platform;

namespace MissionControl.Portal.Look;

/// <summary>How tasks are told.</summary>
public static class TaskWords
{
    /// <summary>The states, as the API names them.</summary>
    public static readonly IReadOnlyList<string> States = ["running", "completed", "incomplete", "cancelled"];

    /// <summary>The state on a badge: a task that runs is under way, not well.</summary>
    public static string Badge(string state) => state == "running" ? "in progress" : state;

    /// <summary>What of a task's things can be looked at: as the address says it, in words, and as the API is asked for it.</summary>
    internal static readonly IReadOnlyList<(string Show, string Word, string Query)> Choices =
    [
        ("failures", "not done", "?state=failed&state=refused"), ("done", "done", "?state=succeeded"), ("waiting", "waiting", "?state=waiting&state=cancelled"), ("all", "all", ""),
    ];

    /// <summary>What a request wants to see of them: what was not done, when it says nothing.</summary>
    internal static (string Show, string Word, string Query) Choice(HttpRequest request) => Choices.FirstOrDefault(choice => choice.Show == request.Query["show"], Choices[0]);

    /// <summary>How long the rest takes, in words; null when that is not known.</summary>
    public static string? Left(TaskSummary task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task.SecondsLeft is { } seconds ? $"about {Words.Span(TimeSpan.FromSeconds(seconds < 60 ? Math.Ceiling(seconds / 10.0) * 10 : seconds + 30))}" : null;
    }
}
