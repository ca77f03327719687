using Microsoft.AspNetCore.Http;

namespace MissionControl.Portal.Pages.Clusters;

/// <summary>The columns of a list of clusters that can be chosen, under the API's own names: <c>?cols=version&amp;cols=region</c>.</summary>
internal static class ClusterColumns
{
    /// <summary>What is shown when nothing is chosen; state and name are always there.</summary>
    public static readonly IReadOnlyList<string> Usual = ["worstReason", "customerName", "version", "nodesUp", "worstDiskPercent", "lastContact"];

    /// <summary>All of them, in their order.</summary>
    public static readonly IReadOnlyList<string> All = [.. Usual, "lastBackup", "certificateUntil", "region", "agentVersion", "healthSince", "enrolledAt"];

    /// <summary>What this address chooses.</summary>
    public static IReadOnlyList<string> Of(HttpRequest request) => request.Query["cols"] is { Count: > 0 } chosen && All.Where(column => chosen.Contains(column)).ToList() is { Count: > 0 } known ? known : Usual;

    /// <summary>What this address chooses and there is not.</summary>
    public static IReadOnlyList<string> Unknown(HttpRequest request) => [.. request.Query["cols"].OfType<string>().Except(All)];

    /// <summary>The word over a column.</summary>
    public static string Word(string column) => column switch
    {
        "worstReason" => "Worst reason",
        "customerName" => "Customer",
        "version" => "Version",
        "nodesUp" => "Nodes up",
        "lastContact" => "Last contact",
        "worstDiskPercent" => "Fullest disk",
        "lastBackup" => "Last backup",
        "certificateUntil" => "Certificate",
        "region" => "Region",
        "agentVersion" => "Agent",
        "healthSince" => "Health since",
        _ => "Enrolled",
    };
}
