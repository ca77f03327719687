using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent;

/// <summary>An event and when it happened.</summary>
/// <param name="AtMs">Unix milliseconds by the machine's clock.</param>
/// <param name="Event">Masked.</param>
public sealed record Happened(long AtMs, Event Event);

/// <summary>What is known of a cluster beside its usage: the machine and the product here, or a simulated cluster. All of it is masked.</summary>
public interface IClusterSource
{
    /// <summary>Reads the product anew; what cannot be read shows in what follows, never as an exception.</summary>
    Task RefreshAsync(CancellationToken cancellationToken);

    /// <summary>The state now.</summary>
    /// <param name="intervalSeconds">The interval the agent works by.</param>
    /// <param name="clockOffset">The server's clock less this machine's; null when it is not known yet.</param>
    Health Health(int intervalSeconds, TimeSpan? clockOffset);

    /// <summary>What there is; null while it cannot be told.</summary>
    Inventory? Inventory();

    /// <summary>What happened and was not handed over yet.</summary>
    IReadOnlyList<Happened> Events { get; }

    /// <summary>Adds an event of the agent's own.</summary>
    void Tell(string kind, string severity, string text);

    /// <summary>The events are in the spool.</summary>
    void EventsKept();

    /// <summary>What is told at enrolment.</summary>
    Facts Facts();
}
