using Microsoft.AspNetCore.Components;

namespace MissionControl.Portal.Shell;

/// <summary>A page: asks the API in one round, then is drawn once.</summary>
public abstract class PageBase : ComponentBase
{
    [Inject]
    internal PageContext Page { get; set; } = null!;

    /// <summary>Everything is there before the first drawing: no page is ever seen half filled.</summary>
    public override async Task SetParametersAsync(ParameterView parameters)
    {
        parameters.SetParameterProperties(this);
        await LoadAsync();
        await base.SetParametersAsync(ParameterView.Empty);
    }

    /// <summary>Asks what the page shows.</summary>
    protected virtual Task LoadAsync() => Task.CompletedTask;
}
