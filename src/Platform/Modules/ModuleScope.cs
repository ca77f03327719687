namespace MissionControl.Platform.Modules;

/// <summary>
/// Which module the current unit of work belongs to, and so whose outbox takes its messages. Entered in exactly three
/// places: the route group, the message handler, the sweeper.
/// </summary>
public sealed class ModuleScope
{
    private string? current;

    /// <summary>The module's name.</summary>
    /// <exception cref="InvalidOperationException">The work runs outside of any module.</exception>
    public string Current => current ?? throw new InvalidOperationException("No module is entered: this work runs outside a route group, message handler or sweeper.");

    /// <summary>Enters a module for the rest of this service scope.</summary>
    public void Enter(string module) => current = module;
}
