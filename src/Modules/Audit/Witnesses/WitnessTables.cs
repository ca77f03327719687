using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Audit.Anchor;
using MissionControl.Platform.Data;

namespace MissionControl.Audit.Witnesses;

/// <summary>A cluster whose agent cosigns: the log of its customer, and the anchor when it has a seat there.</summary>
internal sealed class WitnessRow : ICustomerOwned
{
    public const string Table = "audit_witness";
    private static readonly string[] Columns =
    [
        "cluster_id", "customer_id", "cluster_version", "public_key", "is_active", "is_enlisted", "may_be_asked", "has_seat", "asked_at", "due_at", "answered_at", "item_rank", "retries",
        "anchor_asked", "anchor_size", "anchor_refusal", "customer_size", "customer_refusal", "version",
    ];

    public required Guid ClusterId { get; init; }

    public required Guid CustomerId { get; init; }

    /// <summary>Version of what callhome has said of the cluster.</summary>
    public long ClusterVersion { get; set; }

    /// <summary>The Ed25519 key that it proved at its enrolment to have; null: it has none, or nobody told yet.</summary>
    public byte[]? PublicKey { get; set; }

    public bool IsActive { get; set; }

    /// <summary>Its agent has said that it is a witness. Others are not asked: they would not answer.</summary>
    public bool IsEnlisted { get; set; }

    /// <summary>Whether there is anything to ask it for: active, enlisted, and with a key. One that cosigns no more is asked for its own log.</summary>
    public bool MayBeAsked { get; set; }

    /// <summary>It is one of those that cosign the anchor.</summary>
    public bool HasSeat { get; set; }

    /// <summary>When it was asked last, and the version of the section by which it was: it rises.</summary>
    public DateTimeOffset AskedAt { get; set; } = DateTimeOffset.UnixEpoch;

    /// <summary>When it is to be asked again; the beginning of time: at once.</summary>
    public DateTimeOffset DueAt { get; set; } = DateTimeOffset.UnixEpoch;

    /// <summary>When it has last cosigned something.</summary>
    public DateTimeOffset? AnsweredAt { get; set; }

    /// <summary>Epoch and number of the newest item that was taken of it: an older one never takes its word back.</summary>
    public long ItemRank { get; set; }

    /// <summary>How often it was asked again at once since it cosigned: once, so that nobody is kept busy by it.</summary>
    public int Retries { get; set; }

    /// <summary>Size of the anchor that it was asked to see last.</summary>
    public long AnchorAsked { get; set; }

    /// <summary>Size of the anchor that it has, as it says.</summary>
    public long AnchorSize { get; set; }

    /// <summary>Why it cosigns the anchor no more.</summary>
    public string? AnchorRefusal { get; set; }

    /// <summary>Size of its customer's log that it has, as it says.</summary>
    public long CustomerSize { get; set; }

    /// <summary>Why it cosigns its customer's log no more.</summary>
    public string? CustomerRefusal { get; set; }

    public long Version { get; set; }

    /// <summary>The rows, changed by one version each.</summary>
    public static BulkRows Rows(IEnumerable<WitnessRow> rows) => new(Table, Columns, ["cluster_id"], [.. rows.Select(row => row.Next())]);

    /// <summary>Keeps some to this transaction, and reads them.</summary>
    public static async Task<Dictionary<Guid, WitnessRow>> LockAsync(ControlPlaneDbContext db, IReadOnlyCollection<Guid> clusters, CancellationToken cancellationToken)
    {
        await db.Dialect.LockRowsAsync(db, Table, ["cluster_id"], [.. clusters.Order().Select(cluster => new object?[] { cluster })], cancellationToken);
        return await db.Set<WitnessRow>().AsNoTracking().Where(row => clusters.Contains(row.ClusterId)).ToDictionaryAsync(row => row.ClusterId, cancellationToken);
    }

    private object?[] Next() =>
    [
        ClusterId, CustomerId, ClusterVersion, PublicKey, IsActive, IsEnlisted, IsActive && IsEnlisted && PublicKey is not null, HasSeat,
        AskedAt.ToUnixTimeMilliseconds(), DueAt.ToUnixTimeMilliseconds(), AnsweredAt?.ToUnixTimeMilliseconds(), ItemRank, Retries, AnchorAsked, AnchorSize, AnchorRefusal, CustomerSize, CustomerRefusal, Version + 1,
    ];

    internal sealed class Configuration : IEntityTypeConfiguration<WitnessRow>
    {
        public void Configure(EntityTypeBuilder<WitnessRow> builder)
        {
            builder.ToTable(Table).HasKey(row => row.ClusterId);
            builder.Property(row => row.PublicKey).HasMaxLength(32);
            builder.Property(row => row.AnchorRefusal).HasMaxLength(20);
            builder.Property(row => row.CustomerRefusal).HasMaxLength(20);
            builder.HasIndex(row => row.CustomerId);
            builder.HasIndex(row => new { row.MayBeAsked, row.DueAt });
            builder.HasIndex(row => new { row.HasSeat, row.MayBeAsked, row.AnsweredAt });
        }
    }
}

/// <summary>A witness's word on a checkpoint. An ordinary row: when the log has grown and enough of them have seen that, the older ones go.</summary>
internal sealed class Cosignature
{
    public const string Table = "audit_cosignature";

    /// <summary>As many checkpoints of a log each witness's words are kept for, while too few others have seen them.</summary>
    public const int KeptOfOne = 8;

    public required Guid LogId { get; init; }

    public required long Size { get; init; }

    /// <summary>The cluster; of a witness from outside <see cref="OutsideWitness.Id"/>.</summary>
    public required Guid ClusterId { get; init; }

    /// <summary>The line under the note.</summary>
    public required string Line { get; init; }

    /// <summary>Stores some, in the open write transaction, and takes away what enough witnesses have seen a newer one of.</summary>
    public static async Task StoreAsync(ControlPlaneDbContext db, IReadOnlyCollection<Cosignature> good, AuditOptions options, CancellationToken cancellationToken)
    {
        await db.Dialect.InsertIfAbsentAsync(db, new BulkRows(Table, ["log_id", "size", "cluster_id", "line"], ["log_id", "size", "cluster_id"], [.. good.DistinctBy(row => (row.LogId, row.Size, row.ClusterId)).Select(row => new object?[] { row.LogId, row.Size, row.ClusterId, row.Line })]), cancellationToken);
        var logs = good.Select(row => row.LogId).Distinct().ToList();
        if (logs.Remove(AnchorLog.Id))
        {
            var seen = await Witnessed.SizeAsync(db, AnchorLog.Id, await Witnessed.QuorumAsync(db, AnchorLog.Id, options, cancellationToken), cancellationToken);
            await db.Set<Cosignature>().Where(row => row.LogId == AnchorLog.Id && row.Size < seen).ExecuteDeleteAsync(cancellationToken);
            await db.Set<Cosignature>().Where(row => row.LogId == AnchorLog.Id && db.Set<Cosignature>().Count(newer => newer.LogId == row.LogId && newer.ClusterId == row.ClusterId && newer.Size > row.Size) >= KeptOfOne).ExecuteDeleteAsync(cancellationToken);
        }

        // Of any other log one is enough, so that nothing but the newest is kept.
        if (logs.Count > 0)
        {
            await db.Set<Cosignature>().Where(row => logs.Contains(row.LogId) && db.Set<Cosignature>().Any(newer => newer.LogId == row.LogId && newer.Size > row.Size)).ExecuteDeleteAsync(cancellationToken);
        }
    }

    internal sealed class Configuration : IEntityTypeConfiguration<Cosignature>
    {
        public void Configure(EntityTypeBuilder<Cosignature> builder)
        {
            builder.ToTable(Table).HasKey(row => new { row.LogId, row.Size, row.ClusterId });
            builder.Property(row => row.Line).HasMaxLength(300);
            builder.HasIndex(row => new { row.LogId, row.ClusterId, row.Size });
        }
    }
}
