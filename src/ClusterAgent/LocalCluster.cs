using System.Globalization;
using System.Runtime.InteropServices;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Privacy;
using MissionControl.ClusterAgent.Product;
using MissionControl.ClusterAgent.Usage;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent;

/// <summary>The cluster as seen from here: this machine, its certificates, and the product where there is a way to it; masked.</summary>
public sealed class LocalCluster(string name, LinuxMachine machine, CertificateFiles certificates, IProduct? product, Masking masking, TimeProvider time) : IClusterSource, IUsageSource, IDisposable
{
    private const int MostKnownEvents = 10_000;
    private const int MostPending = 1_000;
    private readonly HashSet<string> known = [];
    private readonly Queue<string> knownOrder = new();
    private readonly List<Happened> pending = [];
    private ProductReading? reading;
    private long readAt;

    /// <summary>Why the product cannot be read; null when it can, or when there is no way to it.</summary>
    public string? ProductProblem { get; private set; }

    /// <summary>Whether there is a way to the product.</summary>
    public bool HasProduct => product is not null;

    /// <inheritdoc />
    public string ProductVersion => reading?.State.Version ?? "";

    /// <inheritdoc />
    public IReadOnlyList<Happened> Events => pending;

    /// <inheritdoc />
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        if (product is null)
        {
            return;
        }

        product.Tell ??= Tell;
        var before = ProductProblem;
        try
        {
            reading = await product.ReadAsync(cancellationToken);
            readAt = time.GetTimestamp();
            ProductProblem = null;
            foreach (var happened in reading.Events.Where(happened => Remember(happened.Id)))
            {
                Add(happened.At, new Event { Id = happened.Id, Kind = happened.Kind, Severity = happened.Severity, Text = happened.Text, Node = happened.Node });
            }
        }
        catch (ProductException exception)
        {
            ProductProblem = exception.Message;
        }

        if ((before is null) != (ProductProblem is null))
        {
            Tell(ProductProblem is null ? "product-readable" : "product-unreadable", ProductProblem is null ? "info" : "warning", ProductProblem ?? "The product can be read again.");
        }
    }

    /// <inheritdoc />
    public void Tell(string kind, string severity, string text) =>
        Add(null, new Event { Id = $"agent-{Guid.CreateVersion7(time.GetUtcNow()):N}", Kind = kind, Severity = severity, Text = text });

    /// <inheritdoc />
    public void EventsKept()
    {
        pending.Clear();
        product?.Kept();
    }

    /// <inheritdoc />
    public Health Health(int intervalSeconds, TimeSpan? clockOffset)
    {
        var own = machine.Read(clockOffset);
        var health = new Health { IntervalS = intervalSeconds, Certificates = { certificates.Read() } };
        if (reading?.State is not { } state)
        {
            // Without a way to the product the machine is the cluster; with one that was never open, how many nodes there are is unknown.
            if (product is null)
            {
                health.ExpectedNodes = 1;
            }

            health.Nodes.Add(own);
        }
        else
        {
            Describe(health, state, own, readable: ProductProblem is null);
        }

        masking.Apply(health);
        return health;
    }

    /// <inheritdoc />
    public Inventory? Inventory()
    {
        if (product is not null && (reading is null || ProductProblem is not null))
        {
            return null;
        }

        var inventory = new Inventory { AgentVersion = LinuxMachine.Version, TimeZone = TimeZoneInfo.Local.Id };
        var own = machine.Read(null);
        if (reading?.State is { } state)
        {
            inventory.ProductVersion = state.Version;
            inventory.MaintenanceWindow = state.MaintenanceWindow;
            inventory.UpdateMode = state.UpdateMode;
            if (state.RemoteAccessAllowed is { } allowed)
            {
                inventory.RemoteAccessAllowed = allowed;
            }

            inventory.Nodes.AddRange(state.Nodes.Select(node => NodeOf(ProductMapping.Node(node, node.Self ? own : null, readable: true))));
            inventory.Gateways.AddRange(state.Gateways.Select(gateway => new Gateway { Id = gateway.Id, Kind = gateway.Kind, Version = gateway.Version, State = gateway.State, Os = gateway.Os }));
            inventory.Collectors.AddRange(state.Collectors.Select(collectors => new CollectorCount { Version = collectors.Version, Os = collectors.Os, Count = collectors.Count }));
            inventory.Environments.AddRange(state.Environments.Select(environment => new Protocol.CallHome.Environment { Id = environment.Id, Name = environment.Name }));
        }
        else
        {
            inventory.Nodes.Add(NodeOf(own));
        }

        masking.Apply(inventory);
        return inventory;
    }

    /// <inheritdoc />
    public UsageReading? Read(DateTimeOffset now)
    {
        if (ProductProblem is not null || reading?.State.Usage is not { } counters)
        {
            return null;
        }

        return new UsageReading(
            now - reading.Age - time.GetElapsedTime(readAt),
            [.. counters.Select(counter => new UsageCounter(
                counter.Meter, counter.Version,
                (counter.Dimensions ?? new Dictionary<string, string>()).Select(dimension => masking.Dimension(dimension.Key, dimension.Value)).ToDictionary(),
                decimal.Parse(counter.Value, CultureInfo.InvariantCulture), counter.StartedAt))]);
    }

    /// <inheritdoc />
    public Facts Facts() => new()
    {
        Name = name,
        AgentVersion = LinuxMachine.Version,
        ProductVersion = ProductVersion,
        TimeZone = TimeZoneInfo.Local.Id,
        Os = RuntimeInformation.OSDescription,
        Capabilities = { "health", "usage", "event", "inventory", "receipts", "credentials", "witness" },
        InstallFingerprint = LinuxMachine.Fingerprint(),
    };

    /// <inheritdoc />
    public void Dispose() => product?.Dispose();

    private static void Describe(Health health, ProductDocument state, NodeHealth own, bool readable)
    {
        health.Nodes.AddRange(state.Nodes.Select(node => ProductMapping.Node(node, node.Self ? own : null, readable)));
        if (state.ExpectedNodes is { } expected)
        {
            health.ExpectedNodes = expected;
        }

        if (state.Backup is { } backup)
        {
            health.Backup = ProductMapping.Backup(backup);
        }

        if (!readable)
        {
            return;
        }

        if (state.QuorumSpare is { } spare)
        {
            health.QuorumSpare = spare;
        }

        if (state.Maintenance is { } maintenance)
        {
            health.Maintenance = maintenance;
        }

        if (state.Replication?.LagSeconds is { } lag)
        {
            health.Replication = new Replication { LagS = lag };
        }
    }

    private static Node NodeOf(NodeHealth health)
    {
        var node = new Node { Id = health.Id, Role = health.Role, Version = health.Version, Os = health.Os };
        if (health.HasCores)
        {
            node.Cores = health.Cores;
        }

        if (health.HasMemoryTotalBytes)
        {
            node.MemoryTotalBytes = health.MemoryTotalBytes;
        }

        // A node is as encrypted as its worst disk; one that is not known makes the node unknown.
        if (health.Disks.Count > 0 && health.Disks.All(disk => disk.HasEncrypted))
        {
            node.DiskEncrypted = health.Disks.All(disk => disk.Encrypted);
        }

        return node;
    }

    private void Add(DateTimeOffset? at, Event happened)
    {
        if (masking.IsWithheld("event"))
        {
            return;
        }

        masking.Apply(happened);
        if (pending.Count == MostPending)
        {
            // The spool has not taken any for long: the disk is full.
            pending.RemoveAt(0);
        }

        pending.Add(new Happened((at ?? time.GetUtcNow()).ToUnixTimeMilliseconds(), happened));
    }

    private bool Remember(string id)
    {
        if (!known.Add(id))
        {
            return false;
        }

        knownOrder.Enqueue(id);
        if (knownOrder.Count > MostKnownEvents)
        {
            known.Remove(knownOrder.Dequeue());
        }

        return true;
    }
}
