using MissionControl.Contracts.Api.Fleet;
using MissionControl.Portal.Look;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Clusters;

/// <summary>The cluster that another is compared with, or why there is none: one list or one cluster is asked for, and one history.</summary>
/// <param name="Other">The other cluster.</param>
/// <param name="History">Its metrics over the same time.</param>
/// <param name="Mistake">What is wrong with how it was named.</param>
/// <param name="Choices">The clusters that may be meant.</param>
/// <param name="Refusal">Why a role gave no answer.</param>
internal sealed record Comparison(ClusterSummary? Other, HistoryDocument? History, string? Mistake, IReadOnlyList<ClusterSummary> Choices, Refusal? Refusal)
{
    private const int MaxChoices = 8;
    private const int MaxLength = 200;

    private static readonly Comparison Nothing = new(null, null, null, [], null);

    /// <summary>Finds the cluster that is named by its id, its short id or its name, in whole or in part, and its metrics.</summary>
    /// <param name="page">Whose rights count.</param>
    /// <param name="own">The cluster that it is compared with.</param>
    /// <param name="wanted">As the address names the other.</param>
    /// <param name="query">The history's query, the same for both.</param>
    public static async Task<Comparison> FindAsync(PageContext page, Guid own, string wanted, string query)
    {
        var named = wanted.Trim().TrimStart('…');
        if (named.Length is 0 or > MaxLength)
        {
            return Nothing with { Mistake = $"A name has 1 to {MaxLength} characters." };
        }

        if (Guid.TryParse(named, out var id))
        {
            return id == own ? Itself : await OfAsync(page, id, query, page.AskAsync("fleet:read", (api, end) => api.GetClusterAsync(id, end)), named);
        }

        var list = await page.AskAsync("fleet:read", (api, end) => api.ListClustersAsync($"?q={Uri.EscapeDataString(named)}&sort=name&limit=100", end));
        if (list.Value is not { } found)
        {
            return Nothing with { Refusal = list.Refusal };
        }

        var others = found.Items.Where(cluster => cluster.Id != own).ToList();
        var exact = others.FindAll(cluster => cluster.Name.Equals(named, StringComparison.OrdinalIgnoreCase) || Words.Short(cluster.Id).TrimStart('…').Equals(named, StringComparison.OrdinalIgnoreCase));
        return (exact.Count, others.Count) switch
        {
            (1, _) => await OfAsync(page, exact[0].Id, query, Task.FromResult(new Answer<ClusterSummary>(exact[0], null)), named),
            (0, 1) => await OfAsync(page, others[0].Id, query, Task.FromResult(new Answer<ClusterSummary>(others[0], null)), named),
            (0, 0) => found.Items.Count > 0 ? Itself : Unknown(named),
            _ => Nothing with { Mistake = Several(exact.Count > 0 ? exact : others, named, found.Next is not null), Choices = [.. (exact.Count > 0 ? exact : others).Take(MaxChoices)] },
        };
    }

    private static Comparison Itself => Nothing with { Mistake = "That is this cluster itself. Name another one." };

    private static Comparison Unknown(string named) => Nothing with { Mistake = $"There is no cluster “{named}”, or it is not yours to see." };

    private static string Several(List<ClusterSummary> found, string named, bool more) =>
        $"{Words.Count(found.Count)}{(more ? " or more" : "")} clusters fit “{named}”. {(found.Count > MaxChoices ? $"Type more of the name, or choose one of the first {MaxChoices}:" : "Choose one:")}";

    private static async Task<Comparison> OfAsync(PageContext page, Guid id, string query, Task<Answer<ClusterSummary>> asked, string named)
    {
        var history = page.AskAsync("fleet:read", (api, end) => api.GetHistoryAsync(id, query, end));
        var (cluster, measured) = (await asked, await history);
        return (cluster.Refusal ?? measured.Refusal) switch
        {
            null => Nothing with { Other = cluster.Value, History = measured.Value },
            { Status: 404 } => Unknown(named),
            var refusal => Nothing with { Refusal = refusal },
        };
    }
}
