using MissionControl.Contracts.Events.Audit;

namespace MissionControl.Platform.Security;

/// <summary>Who the current request comes from; empty in message handlers and sweepers.</summary>
public sealed class CurrentPrincipal
{
    /// <summary>The actor for the audit log; null when no request is being served.</summary>
    public AuditActor? Actor { get; private set; }

    /// <summary>The caller's address; personal data, so it goes to the erasable part of an audit entry only.</summary>
    public string? RemoteAddress { get; private set; }

    /// <summary>Set once by authentication.</summary>
    public void Set(AuditActor? actor, string? remoteAddress)
    {
        Actor = actor;
        RemoteAddress = remoteAddress;
    }
}
