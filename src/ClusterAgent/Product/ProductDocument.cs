using System.Text.Json;
using System.Text.Json.Serialization;

namespace MissionControl.ClusterAgent.Product;

/// <summary>What the product says of itself, version 1; docs/agent.md describes every member. What is absent is unknown, never zero.</summary>
public sealed record ProductDocument
{
    /// <summary>Version of this form: 1.</summary>
    public required int V { get; set; }

    /// <summary>When it was true; absent: now.</summary>
    public DateTimeOffset? At { get; set; }

    /// <summary>Version of the product.</summary>
    public string Version { get; set; } = "";

    /// <summary>How many nodes there should be.</summary>
    public int? ExpectedNodes { get; set; }

    /// <summary>Voters that may still fail; negative: quorum lost.</summary>
    public int? QuorumSpare { get; set; }

    /// <summary>Somebody works on it.</summary>
    public bool? Maintenance { get; set; }

    /// <summary>When updates may be installed, in words.</summary>
    public string MaintenanceWindow { get; set; } = "";

    /// <summary>automatic or manual.</summary>
    public string UpdateMode { get; set; } = "";

    /// <summary>The customer allows support to ask for access.</summary>
    public bool? RemoteAccessAllowed { get; set; }

    /// <summary>At most 500.</summary>
    public IReadOnlyList<ProductNode> Nodes { get; set; } = [];

    /// <summary>The last backup.</summary>
    public ProductBackup? Backup { get; set; }

    /// <summary>How far copies are behind.</summary>
    public ProductReplication? Replication { get; set; }

    /// <summary>Gateways.</summary>
    public IReadOnlyList<ProductGateway> Gateways { get; set; } = [];

    /// <summary>Collectors, counted.</summary>
    public IReadOnlyList<ProductCollectors> Collectors { get; set; } = [];

    /// <summary>Environments.</summary>
    public IReadOnlyList<ProductEnvironment> Environments { get; set; } = [];

    /// <summary>Counters; absent: they cannot be read now.</summary>
    public IReadOnlyList<ProductCounter>? Usage { get; set; }

    /// <summary>What happened lately; an id counts once, however often it is listed.</summary>
    public IReadOnlyList<ProductEvent> Events { get; set; } = [];

    /// <summary>Reads a document and checks its bounds.</summary>
    /// <exception cref="ProductException">It cannot be understood; the message says where.</exception>
    public static ProductDocument Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return (JsonSerializer.Deserialize(json, ProductJson.Default.ProductDocument) ?? throw new ProductException("The document is null.")).Checked();
        }
        catch (JsonException exception)
        {
            throw new ProductException($"The document is not valid: {exception.Message}");
        }
    }

    /// <summary>The document itself, when it keeps its bounds.</summary>
    /// <exception cref="ProductException">It does not; the message says where.</exception>
    internal ProductDocument Checked() => ProductRules.Errors(this).FirstOrDefault() is { } error ? throw new ProductException(error) : this;
}

/// <summary>A node.</summary>
public sealed record ProductNode
{
    /// <summary>Stable within the cluster.</summary>
    public required string Id { get; set; }

    /// <summary>It is the machine the agent runs on: what is absent here, the agent measures.</summary>
    public bool Self { get; set; }

    /// <summary>server, gateway or db.</summary>
    public string Role { get; set; } = "server";

    /// <summary>running, starting, stopping, down or unknown.</summary>
    public required string State { get; set; }

    /// <summary>It leads.</summary>
    public bool? Master { get; set; }

    /// <summary>Version of the product on it.</summary>
    public string Version { get; set; } = "";

    /// <summary>Name and version.</summary>
    public string Os { get; set; } = "";

    /// <summary>When its process began.</summary>
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>Processors.</summary>
    public int? Cores { get; set; }

    /// <summary>0 to 100.</summary>
    public double? CpuPercent { get; set; }

    /// <summary>Bytes.</summary>
    public long? MemoryTotalBytes { get; set; }

    /// <summary>Bytes.</summary>
    public long? MemoryUsedBytes { get; set; }

    /// <summary>After garbage collection, 0 to 100.</summary>
    public double? HeapUsedPercent { get; set; }

    /// <summary>Share of time, 0 to 100.</summary>
    public double? GcPausePercent { get; set; }

    /// <summary>At most 64; absent: not known.</summary>
    public IReadOnlyList<ProductDisk>? Disks { get; set; }
}

/// <summary>A disk of a node.</summary>
public sealed record ProductDisk(string Mount, string Purpose = "data", long? TotalBytes = null, long? UsedBytes = null, double? InodesUsedPercent = null, bool? ReadOnly = null, bool? Encrypted = null);

/// <summary>The last backup; the location is a kind of store such as nfs or s3.</summary>
public sealed record ProductBackup(DateTimeOffset? LastSuccess = null, long? ScheduleSeconds = null, long? SizeBytes = null, string Location = "");

/// <summary>How far copies are behind.</summary>
public sealed record ProductReplication(double? LagSeconds = null);

/// <summary>A gateway.</summary>
public sealed record ProductGateway(string Id, string Kind = "", string Version = "", string State = "", string Os = "");

/// <summary>How many collectors have a version.</summary>
public sealed record ProductCollectors(string Version, string Os, long Count);

/// <summary>An environment.</summary>
public sealed record ProductEnvironment(string Id, string Name = "");

/// <summary>A counter: it only grows, until it starts anew from zero.</summary>
/// <param name="Meter">Key of the meter.</param>
/// <param name="Value">What was counted since <paramref name="StartedAt"/>, digits as text.</param>
/// <param name="StartedAt">When it was last zero.</param>
/// <param name="Version">Version of the meter.</param>
/// <param name="Dimensions">Dimensions, such as env.</param>
public sealed record ProductCounter(string Meter, string Value, DateTimeOffset StartedAt, int Version = 1, IReadOnlyDictionary<string, string>? Dimensions = null);

/// <summary>Something that happened.</summary>
public sealed record ProductEvent(string Id, string Kind, string Severity, string Text = "", string Node = "", DateTimeOffset? At = null);

/// <summary>A line of a dropped file: either a state or an event.</summary>
internal sealed record DropLine(ProductDocument? State = null, ProductEvent? Event = null);

/// <summary>The product could not be read.</summary>
public sealed class ProductException(string message) : Exception(message);

/// <summary>Reads the forms above: strict about what it knows, blind to members that a newer product adds.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, AllowDuplicateProperties = false, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true, NumberHandling = JsonNumberHandling.Strict, PropertyNameCaseInsensitive = false)]
[JsonSerializable(typeof(ProductDocument))]
[JsonSerializable(typeof(DropLine))]
internal sealed partial class ProductJson : JsonSerializerContext;
