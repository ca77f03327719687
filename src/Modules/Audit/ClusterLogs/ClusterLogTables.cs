using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.ClusterLogs;

/// <summary>How far a cluster's own log is held here: the one row of it that changes, by compare and swap.</summary>
internal sealed class ClusterLog : ICustomerOwned
{
    private const string Table = "audit_cluster_log";
    private static readonly string[] Columns = ["cluster_id", "customer_id", "epoch", "origin", "size", "root", "range", "note", "begun_at", "confirmed_at", "matched", "due_at", "refusal", "version"];

    public required Guid ClusterId { get; init; }

    public required Guid CustomerId { get; init; }

    /// <summary>The epoch under which it was begun: of two the later one counts.</summary>
    public long Epoch { get; set; }

    public string Origin { get; set; } = "";

    public long Size { get; set; }

    public byte[] Root { get; set; } = TreeHash.Empty.Span.ToArray();

    /// <summary>The compact range of the tree, from which it goes on.</summary>
    public byte[] Range { get; set; } = [];

    /// <summary>The checkpoint of that size, as the cluster signed it.</summary>
    public string Note { get; set; } = "";

    /// <summary>When the first of it was taken. What was before is not looked for in it.</summary>
    public DateTimeOffset BegunAt { get; set; }

    /// <summary>When its cluster has last said that this is all of it.</summary>
    public DateTimeOffset ConfirmedAt { get; set; }

    /// <summary>Its first entries that were looked for in the customer's log, and found or told to be missing.</summary>
    public long Matched { get; set; }

    /// <summary>When it is to be reconciled; null: not before more of it comes.</summary>
    public DateTimeOffset? DueAt { get; set; }

    /// <summary>Why nothing more of it is taken: rollback or fork.</summary>
    public string? Refusal { get; set; }

    public long Version { get; set; }

    /// <summary>Stores them.</summary>
    /// <returns>For each whether it was still what was read.</returns>
    public static Task<bool[]> StoreAsync(ControlPlaneDbContext db, IEnumerable<ClusterLog> rows, CancellationToken cancellationToken) => db.Dialect.CompareAndSwapAsync(
        db, new BulkRows(Table, Columns, ["cluster_id"], [.. rows.Select(row => new object?[]
        {
            row.ClusterId, row.CustomerId, row.Epoch, row.Origin, row.Size, row.Root, row.Range, row.Note, row.BegunAt.ToUnixTimeMilliseconds(), row.ConfirmedAt.ToUnixTimeMilliseconds(), row.Matched, row.DueAt?.ToUnixTimeMilliseconds(), row.Refusal, row.Version + 1,
        })]), "version", cancellationToken);

    /// <summary>Keeps some to this transaction, and reads them.</summary>
    public static async Task<Dictionary<Guid, ClusterLog>> LockAsync(ControlPlaneDbContext db, IReadOnlyCollection<Guid> clusters, CancellationToken cancellationToken)
    {
        await db.Dialect.LockRowsAsync(db, Table, ["cluster_id"], [.. clusters.Order().Select(cluster => new object?[] { cluster })], cancellationToken);
        return await db.Set<ClusterLog>().AsNoTracking().Where(row => clusters.Contains(row.ClusterId)).ToDictionaryAsync(row => row.ClusterId, cancellationToken);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<ClusterLog>
    {
        public void Configure(EntityTypeBuilder<ClusterLog> builder)
        {
            builder.ToTable(Table).HasKey(row => row.ClusterId);
            builder.Property(row => row.Origin).HasMaxLength(100);
            builder.Property(row => row.Root).HasMaxLength(TreeHash.Size);
            builder.Property(row => row.Range).HasMaxLength(63 * TreeHash.Size);
            builder.Property(row => row.Note).IsText();
            builder.Property(row => row.Refusal).HasMaxLength(20);
            builder.HasIndex(row => row.CustomerId);
            builder.HasIndex(row => row.DueAt);
        }
    }
}

/// <summary>An entry of a cluster's own log: the very bytes that it signed. Rows are only ever inserted.</summary>
internal sealed class ClusterLogLine
{
    public const string Table = "audit_cluster_log_entry";

    public required Guid ClusterId { get; init; }

    public required long Epoch { get; init; }

    public required long Position { get; init; }

    /// <summary>When it came.</summary>
    public required DateTimeOffset TakenAt { get; init; }

    public required byte[] Content { get; init; }

    /// <summary>Inserts some.</summary>
    public static Task AddAsync(ControlPlaneDbContext db, IEnumerable<ClusterLogLine> rows, CancellationToken cancellationToken) => db.Dialect.InsertIfAbsentAsync(
        db, new BulkRows(Table, ["cluster_id", "epoch", "position", "taken_at", "content"], ["cluster_id", "epoch", "position"], [.. rows.Select(row => new object?[] { row.ClusterId, row.Epoch, row.Position, row.TakenAt.ToUnixTimeMilliseconds(), row.Content })]), cancellationToken);

    internal sealed class Configuration : IEntityTypeConfiguration<ClusterLogLine>
    {
        public void Configure(EntityTypeBuilder<ClusterLogLine> builder)
        {
            builder.ToTable(Table).HasKey(row => new { row.ClusterId, row.Epoch, row.Position });
            builder.IsAppendOnly();
        }
    }
}

/// <summary>Something that stands on one side alone, or that came to the other after all. Each is told once. Rows are only ever inserted.</summary>
internal sealed class Unmatched : ICustomerOwned
{
    /// <summary>The customer's log lacks it.</summary>
    public const string Vendor = "vendor";

    /// <summary>The cluster's log lacks it.</summary>
    public const string Cluster = "cluster";

    private const string Table = "audit_unmatched";

    public required Guid ClusterId { get; init; }

    public required long Epoch { get; init; }

    public required string Side { get; init; }

    /// <summary>By what both sides are joined.</summary>
    public required string Reference { get; init; }

    /// <summary>It has come after all: a row of its own, beside the one that says it is missing.</summary>
    public required bool Found { get; init; }

    public required Guid CustomerId { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Inserts one.</summary>
    /// <returns>Whether it was not there yet.</returns>
    public async Task<bool> AddAsync(ControlPlaneDbContext db, CancellationToken cancellationToken) => await db.Dialect.InsertIfAbsentAsync(
        db, new BulkRows(Table, ["cluster_id", "epoch", "side", "reference", "found", "customer_id", "at"], ["cluster_id", "epoch", "side", "reference", "found"], [[ClusterId, Epoch, Side, Reference, Found, CustomerId, At.ToUnixTimeMilliseconds()]]), cancellationToken) > 0;

    internal sealed class Configuration : IEntityTypeConfiguration<Unmatched>
    {
        public void Configure(EntityTypeBuilder<Unmatched> builder)
        {
            builder.ToTable(Table).HasKey(row => new { row.ClusterId, row.Epoch, row.Side, row.Reference, row.Found });
            builder.IsAppendOnly();
            builder.Property(row => row.Side).HasMaxLength(10);
            builder.Property(row => row.Reference).HasMaxLength(150);
            builder.HasIndex(row => row.CustomerId);
        }
    }
}
