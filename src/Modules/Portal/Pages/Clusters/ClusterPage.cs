using Microsoft.AspNetCore.Components;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Clusters;

/// <summary>A page about one cluster: its head comes from fleet, what can be done to it from callhome, both in the same round as what the page shows.</summary>
public abstract class ClusterPage : PageBase
{
    /// <summary>The cluster.</summary>
    [Parameter, EditorRequired]
    public Guid Id { get; set; }

    internal Answer<ClusterSummary> Item { get; private set; } = null!;

    internal Answer<ClusterIdentity> Identity { get; private set; } = null!;

    /// <summary>What the reader may do to it now, as callhome says; nothing when it says nothing.</summary>
    internal IReadOnlyList<AllowedAction> Actions => Identity.Value?.Actions ?? [];

    /// <summary>What to call it.</summary>
    protected string Name => Item.Value?.Name ?? Look.Words.Short(Id);

    /// <inheritdoc />
    protected override async Task LoadAsync()
    {
        var item = Page.AskAsync("fleet:read", (api, end) => api.GetClusterAsync(Id, end));
        var identity = Page.AskAsync("callhome:read", (api, end) => api.GetClusterIdentityAsync(Id, end));
        await LoadTabAsync();
        (Item, Identity) = (await item, await identity);

        // Not there or not the reader's: then nothing else on the page is either. Silence of fleet leaves the rest standing.
        if (Item.Refusal is { Status: 404 })
        {
            Item.Required();
        }
    }

    /// <summary>Asks what the page shows besides the head.</summary>
    protected virtual Task LoadTabAsync() => Task.CompletedTask;
}
