using MissionControl.Contracts.Api.Fleet;

namespace MissionControl.Portal.Look;

/// <summary>The one vocabulary of states: every state has a word, a kind that gives it shape and colour, and a sentence of what it means.</summary>
public static class States
{
    /// <summary>The word for people.</summary>
    public static string Word(string value) => value switch
    {
        "green" => "Healthy",
        "yellow" => "Warning",
        "red" => "Bad",
        "" => "Unknown",
        "never" => "Never heard of",
        "given-up" => "Given up",
        _ => char.ToUpperInvariant(value[0]) + value[1..],
    };

    /// <summary>ok, warn, bad, info or mute.</summary>
    public static string Kind(string value) => value switch
    {
        "closing" => "warn",
        "green" or "online" or "active" or "running" or "used" or "received" or "success" or "completed" or "succeeded" or "sent" or "passed" or "published" => "ok",
        "yellow" or "late" or "warning" or "suspended" or "starting" or "stopping" or "retrying" or "incomplete" or "started" or "interrupted" or "refused" or "expiring" or "grace" => "warn",
        "red" or "missing" or "lost" or "severe" or "down" or "parked" or "disputed" or "denied" or "failed" or "conflict" or "rejected" or "silent" or "expired" or "revoked" => "bad",
        "info" or "open" or "new" or "trial" or "superseded" or "accepted" or "in progress" or "draft" => "info",
        _ => "mute",
    };

    /// <summary>What it means, for a tooltip.</summary>
    public static string Meaning(string value) => value switch
    {
        "green" => "Every rule that can be judged is well.",
        "yellow" => "A rule is past its warning threshold.",
        "red" => "A rule is past its critical threshold.",
        "unknown" => "Nothing is known; that is not the same as well.",
        "online" => "Heard of within its interval.",
        "late" => "One interval has passed without a word.",
        "missing" => "Several intervals have passed without a word.",
        "lost" => "Silent for long.",
        "dormant" => "Silent for so long that it no longer counts as part of the fleet.",
        "never" => "Enrolled, and not heard of since.",
        "suspended" => "Somebody set it aside until it is resumed.",
        "incomplete" => "It ended, and some of it is not done or has not come.",
        "refused" => "Its state did not allow it, so it was not tried.",
        "silent" => "It said nothing for 45 s, and nobody told it to stop.",
        "stopped" => "It was told to stop, and did.",
        "retrying" => "It failed, and is tried again by itself.",
        "parked" => "It failed too often, and waits for somebody.",
        "closing" => "Its month is over, and it waits to be closed.",
        "given-up" => "Somebody decided that it is not applied. Nothing tries it again by itself.",
        "decommissioned" => "Ended for good; its usage is kept.",
        "new" => "It has not begun.",
        "trial" => "In force, to try the product.",
        "expiring" => "In force, and near its end.",
        "grace" => "Bridged over: what it permits goes on, and nothing beyond.",
        "expired" => "Its end and its grace have passed.",
        "revoked" => "Ended for good.",
        _ => "",
    };

    /// <summary>Health from the worst to the best.</summary>
    public static readonly IReadOnlyList<string> Health = ["red", "yellow", "unknown", "green"];

    /// <summary>Liveness from the worst to the best.</summary>
    public static readonly IReadOnlyList<string> Liveness = ["missing", "lost", "late", "never", "dormant", "online"];

    /// <summary>A cluster that somebody should look at: a rule is broken, or it is not heard of.</summary>
    public static bool NeedsAttention(ClusterSummary cluster) => cluster.Health is "red" or "yellow" || cluster.Stale || cluster.Liveness is not "online";
}
