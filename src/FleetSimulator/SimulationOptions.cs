namespace MissionControl.FleetSimulator;

/// <summary>What to simulate.</summary>
public sealed record SimulationOptions
{
    /// <summary>Address of the REST API.</summary>
    public required Uri Api { get; init; }

    /// <summary>Address of call-home.</summary>
    public required Uri CallHome { get; init; }

    /// <summary>PEM of the CA of both.</summary>
    public string? CaFile { get; init; }

    /// <summary>API token with licensing:write and callhome:write.</summary>
    public required string ApiToken { get; init; }

    /// <summary>How many clusters.</summary>
    public int Clusters { get; init; } = 25;

    /// <summary>Seed: the same seed gives the same fleet.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Where identities are kept, so that a restart goes on with the same clusters; null: nowhere.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>Hours of usage that a new cluster reports at once, as one does that was offline: so that there is something to see.</summary>
    public int HistoryHours { get; init; }

    /// <summary>Connections shared by all clusters, and how many of them speak at once.</summary>
    public int Connections { get; init; } = 256;

    /// <summary>Each cluster has a connection of its own, as real ones do; at most <see cref="MostOwnConnections"/> clusters.</summary>
    public bool OwnConnections { get; init; }

    /// <summary>What goes wrong.</summary>
    public Faults Faults { get; init; } = new();

    /// <summary>A process may open only so many files.</summary>
    public const int MostOwnConnections = 5_000;

    /// <summary>Every mistake, in words.</summary>
    public IReadOnlyList<string> Errors() =>
    [
        .. Faults.Errors(),
        .. OwnConnections && Clusters > MostOwnConnections ? [$"--own-connections is for at most {MostOwnConnections} clusters: a process may open only so many files."] : Array.Empty<string>(),
        .. Faults.Clones > 0 && StateDirectory is not null ? ["--clones and --state do not go together: a copy must not be kept."] : Array.Empty<string>(),
        .. Clusters < 1 || Connections < 1 ? ["--clusters and --connections are at least 1."] : Array.Empty<string>(),
    ];
}

/// <summary>What goes wrong between a simulated cluster and Mission Control; decided by the seed.</summary>
public sealed record Faults
{
    /// <summary>Share of requests that are lost, half of them on the way there and half on the way back.</summary>
    public double Loss { get; init; }

    /// <summary>Mean delay of a request in milliseconds.</summary>
    public int DelayMs { get; init; }

    /// <summary>Share of check-ins that arrive twice.</summary>
    public double Duplicates { get; init; }

    /// <summary>Share of check-ins of which a copy arrives once more after the next one.</summary>
    public double Reordering { get; init; }

    /// <summary>Clocks are wrong by up to so many seconds, either way.</summary>
    public int ClockSkewSeconds { get; init; }

    /// <summary>How many clusters have a copy that speaks as they do.</summary>
    public int Clones { get; init; }

    /// <summary>Share of steps after which an agent is restarted.</summary>
    public double Restarts { get; init; }

    /// <summary>Whether requests meet anything.</summary>
    public bool OnTheWay => Loss > 0 || DelayMs > 0 || Duplicates > 0 || Reordering > 0;

    /// <summary>Every mistake, in words.</summary>
    public IEnumerable<string> Errors() => new[] { ("--loss", Loss), ("--duplicates", Duplicates), ("--reordering", Reordering), ("--restarts", Restarts) }
        .Where(share => share.Item2 is < 0 or > 1).Select(share => $"{share.Item1} is a share between 0 and 1.");
}

/// <summary>The installation holds customers that are not of the demo.</summary>
public sealed class NotADemoException(string customer) : Exception($"The customer '{customer}' is not of the demo. The demo is refused beside real customers; start without --demo.");
