using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.Fleet.Health;

/// <summary>
/// The newest health of a cluster with all that judging and history need for the next: one row, read and written in bulk. The hot
/// path touches no other table but the last contact.
/// </summary>
internal sealed class StoredHealth : ICustomerOwned
{
    private static readonly BulkRows Table = new(
        "fleet_last_health",
        ["cluster_id", "customer_id", "version", "rank", "at", "received_at", "status", "status_since", "worst_reason", "product_version", "nodes_up", "nodes_all", "broken", "rejudge_at", "usage_from", "rules", "samples_from", "samples", "body"],
        ["cluster_id"], []);

    public required Guid ClusterId { get; init; }

    public required Guid CustomerId { get; init; }

    /// <summary>Rises with every write: what two replicas write at once is not lost but read again.</summary>
    public required long Version { get; set; }

    /// <summary>Epoch and sequence: an older message never overwrites a newer one.</summary>
    public required long Rank { get; set; }

    /// <summary>When the cluster measured, by its own clock, never later than a little after it arrived.</summary>
    public required DateTimeOffset At { get; set; }

    public required DateTimeOffset ReceivedAt { get; set; }

    public required string Status { get; set; }

    public required DateTimeOffset StatusSince { get; set; }

    public string? WorstReason { get; set; }

    public required string ProductVersion { get; set; }

    public required int NodesUp { get; set; }

    public required int NodesAll { get; set; }

    /// <summary>See <see cref="BrokenRules"/>.</summary>
    public required string Broken { get; set; }

    /// <summary>When time alone changes the judgement; null when it does not.</summary>
    public DateTimeOffset? RejudgeAt { get; set; }

    /// <summary>From when missing usage counts, as last judged; null when none ever came.</summary>
    public DateTimeOffset? UsageFrom { get; set; }

    /// <summary>See <see cref="RuleStates"/>.</summary>
    public required byte[] Rules { get; set; }

    /// <summary>The span of history that <see cref="Samples"/> belongs to.</summary>
    public required DateTimeOffset SamplesFrom { get; set; }

    /// <summary>The latest samples, not yet in the history; see <see cref="History.SampleBlock"/>.</summary>
    public required byte[] Samples { get; set; }

    /// <summary>The message as received.</summary>
    public required byte[] Body { get; set; }

    /// <summary>A cluster of which nothing is stored.</summary>
    public static StoredHealth New(Guid cluster, Guid customer) => new()
    {
        ClusterId = cluster,
        CustomerId = customer,
        Version = 0,
        Rank = -1,
        At = DateTimeOffset.UnixEpoch,
        ReceivedAt = DateTimeOffset.UnixEpoch,
        Status = "unknown",
        StatusSince = DateTimeOffset.UnixEpoch,
        ProductVersion = "",
        NodesUp = 0,
        NodesAll = 0,
        Broken = BrokenRules.None,
        Rules = [],
        SamplesFrom = DateTimeOffset.UnixEpoch,
        Samples = [],
        Body = [],
    };

    /// <summary>Reads the rows of many clusters in one statement; null where there is none.</summary>
    public static async Task<StoredHealth?[]> ReadAsync(ControlPlaneDbContext db, IReadOnlyList<(Guid Cluster, Guid Customer)> clusters, CancellationToken cancellationToken)
    {
        var rows = await db.Dialect.ReadByKeyAsync(db, Table.Table, Table.Key, [.. clusters.Select(cluster => new object?[] { cluster.Cluster })], [.. Table.Columns.Skip(2)], cancellationToken);
        var found = new StoredHealth?[rows.Count];
        for (var i = 0; i < found.Length; i++)
        {
            found[i] = rows[i] is not { } row ? null : new StoredHealth
            {
                ClusterId = clusters[i].Cluster,
                CustomerId = clusters[i].Customer,
                Version = (long)row[0]!,
                Rank = (long)row[1]!,
                At = Instant(row[2]),
                ReceivedAt = Instant(row[3]),
                Status = (string)row[4]!,
                StatusSince = Instant(row[5]),
                WorstReason = (string?)row[6],
                ProductVersion = (string)row[7]!,
                NodesUp = (int)(long)row[8]!,
                NodesAll = (int)(long)row[9]!,
                Broken = (string)row[10]!,
                RejudgeAt = row[11] is null ? null : Instant(row[11]),
                UsageFrom = row[12] is null ? null : Instant(row[12]),
                Rules = (byte[])row[13]!,
                SamplesFrom = Instant(row[14]),
                Samples = (byte[])row[15]!,
                Body = (byte[])row[16]!,
            };
        }

        return found;
    }

    /// <summary>Writes the rows, each one version further; false where another replica was faster.</summary>
    public static Task<bool[]> WriteAsync(ControlPlaneDbContext db, IReadOnlyList<StoredHealth> rows, CancellationToken cancellationToken) => db.Dialect.CompareAndSwapAsync(
        db, Table with { Rows = [.. rows.Select(row => row.Values())] }, "version", cancellationToken);

    private object?[] Values() =>
    [
        ClusterId, CustomerId, ++Version, Rank, At.ToUnixTimeMilliseconds(), ReceivedAt.ToUnixTimeMilliseconds(), Status, StatusSince.ToUnixTimeMilliseconds(), WorstReason, ProductVersion, NodesUp, NodesAll, Broken,
        RejudgeAt?.ToUnixTimeMilliseconds(), UsageFrom?.ToUnixTimeMilliseconds(), Rules, SamplesFrom.ToUnixTimeMilliseconds(), Samples, Body,
    ];

    private static DateTimeOffset Instant(object? stored) => DateTimeOffset.FromUnixTimeMilliseconds((long)stored!);

    internal sealed class Configuration : IEntityTypeConfiguration<StoredHealth>
    {
        public void Configure(EntityTypeBuilder<StoredHealth> builder)
        {
            builder.ToTable("fleet_last_health").HasKey(row => row.ClusterId);
            builder.Property(row => row.Status).HasMaxLength(10);
            builder.Property(row => row.WorstReason).HasMaxLength(300);
            builder.Property(row => row.ProductVersion).HasMaxLength(100);
            builder.Property(row => row.Broken).HasMaxLength(BrokenRules.MaxLength);
        }
    }
}

/// <summary>When time alone changes a cluster's judgement: what the sweeper looks for, apart from the rows that every check-in writes.</summary>
internal sealed class HealthDeadline : ICustomerOwned
{
    private static readonly BulkRows Table = new("fleet_health_deadline", ["cluster_id", "customer_id", "at"], ["cluster_id"], []);

    public required Guid ClusterId { get; init; }

    public required Guid CustomerId { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>From now on it is then.</summary>
    public static Task SetAsync(ControlPlaneDbContext db, IReadOnlyList<(Guid Cluster, Guid Customer, DateTimeOffset At)> deadlines, CancellationToken cancellationToken) =>
        db.Dialect.UpsertAsync(db, Table with { Rows = Rows(deadlines) }, null, cancellationToken);

    /// <summary>It is then, unless there is one.</summary>
    public static Task AddAsync(ControlPlaneDbContext db, IReadOnlyList<(Guid Cluster, Guid Customer, DateTimeOffset At)> deadlines, CancellationToken cancellationToken) =>
        db.Dialect.InsertIfAbsentAsync(db, Table with { Rows = Rows(deadlines) }, cancellationToken);

    private static List<object?[]> Rows(IReadOnlyList<(Guid Cluster, Guid Customer, DateTimeOffset At)> deadlines) =>
        [.. deadlines.Select(deadline => new object?[] { deadline.Cluster, deadline.Customer, deadline.At.ToUnixTimeMilliseconds() })];

    internal sealed class Configuration : IEntityTypeConfiguration<HealthDeadline>
    {
        public void Configure(EntityTypeBuilder<HealthDeadline> builder)
        {
            builder.ToTable("fleet_health_deadline").HasKey(row => row.ClusterId);
            builder.HasIndex(row => row.At);
        }
    }
}

/// <summary>When a cluster's last usage arrived; whether every hour did is licensing's to say.</summary>
internal sealed class LastUsage : ICustomerOwned
{
    public required Guid ClusterId { get; init; }

    public required Guid CustomerId { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<LastUsage>
    {
        public void Configure(EntityTypeBuilder<LastUsage> builder) => builder.ToTable("fleet_last_usage").HasKey(row => row.ClusterId);
    }
}
