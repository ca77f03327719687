using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Portal.Pages.Leaks;

/// <summary>How leaks are said.</summary>
internal static class LeakWords
{
    public static readonly IReadOnlyList<string> Reasons = ["contained", "test", "accepted"];

    public static string Kind(LeakItem leak) => leak.Kind switch { "api" => "API token", "clusterAccess" => "Access token of a cluster", _ => "Enrolment token" };

    public static string Finder(string source) => source switch
    {
        "github" => "GitHub",
        "gitlab" => "GitLab",
        "person" => "somebody signed in",
        _ => "somebody not signed in",
    };

    public static string Outcome(LeakItem leak) => leak.Outcome switch
    {
        "revoked" => "revoked at once",
        "was-used" => "had been used up",
        "was-revoked" => "had been revoked",
        "was-expired" => "had expired",
        _ => "its owner is asked",
    };

    public static string Because(string because) => because switch
    {
        "contained" => "it is replaced and understood",
        "test" => "it was meant to be found",
        _ => "nothing more can be known",
    };

    public static string StepKind(string what) => what switch
    {
        "dead" or "closed" => "ok",
        "used-since" => "bad",
        "reported" or "found-again" => "warn",
        _ => "info",
    };

    public static (string Title, string Kind, string Text) Verdict(string verdict) => verdict switch
    {
        "leaked" => ("It is dead now", "ok", "was a token of this installation. Every part of it refuses the token within two seconds."),
        "passed-on" => ("Passed on", "info", "is an enrolment token, or a cluster's access. Whether it is real only the part that gives them out can tell: if it is, it is worth nothing within seconds."),
        _ => ("Not a token of ours", "mute", "is none that this installation gave out, or not with this secret. Nothing was done."),
    };
}
