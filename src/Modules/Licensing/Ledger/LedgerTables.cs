using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.Licensing.Ledger;

// The ledger's tables. An hour is an integer everywhere: whole hours since 1970-01-01T00:00Z, so that days and months are arithmetic
// on every engine. All are written in bulk by Ledger alone.

/// <summary>A signed window as it was judged: payload and signature as received, so that anybody can verify it again.</summary>
internal sealed class StoredWindow : ICustomerOwned
{
    public required Guid ClusterId { get; init; }

    public required int Hour { get; init; }

    public required long Epoch { get; init; }

    public required long Revision { get; init; }

    public required Guid CustomerId { get; init; }

    /// <summary><c>sha256:</c> of the payload.</summary>
    public required string Sha256 { get; init; }

    /// <summary>accepted, parked or superseded, as it was first judged.</summary>
    public required string Verdict { get; init; }

    public required bool Complete { get; init; }

    public required int Cells { get; init; }

    public required DateTimeOffset CollectedAt { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>The key that signed it.</summary>
    public required string Kid { get; init; }

    public required byte[] Signature { get; init; }

    /// <summary>The signed bytes, raw-deflated.</summary>
    public required byte[] Payload { get; init; }

    /// <summary>When licensing came to know it: its number in the stream of changes; 0 for what came before there was one.</summary>
    public required long Seq { get; init; }

    /// <summary>By how many thousandths it lowered the meter of its hour that it lowered most; 0: by none.</summary>
    public required int LoweredBy { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<StoredWindow>
    {
        public void Configure(EntityTypeBuilder<StoredWindow> builder)
        {
            builder.ToTable("licensing_window").HasKey(row => new { row.ClusterId, row.Hour, row.Epoch, row.Revision });
            builder.Property(row => row.Sha256).HasMaxLength(71);
            builder.Property(row => row.Verdict).HasMaxLength(20);
            builder.Property(row => row.Kid).HasMaxLength(64);

            // All that says which window of an hour counted when: no payload is read for it.
            builder.HasIndex(row => new { row.CustomerId, row.Hour, row.ClusterId, row.Seq, row.Epoch, row.Revision, row.Complete }).HasDatabaseName("IX_licensing_window_known");
        }
    }
}

/// <summary>The document that counts for an hour: the highest (epoch, revision), whatever the order of arrival.</summary>
internal sealed class WindowHead : ICustomerOwned
{
    public required Guid ClusterId { get; init; }

    public required int Hour { get; init; }

    public required Guid CustomerId { get; init; }

    /// <summary>Epoch above, revision below, in one number that orders.</summary>
    public required long Rank { get; init; }

    public required long Epoch { get; init; }

    public required long Revision { get; init; }

    public required string Sha256 { get; init; }

    public required bool Complete { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    public static long RankOf(long epoch, long revision) => (epoch << 31) | revision;

    internal sealed class Configuration : IEntityTypeConfiguration<WindowHead>
    {
        public void Configure(EntityTypeBuilder<WindowHead> builder)
        {
            builder.ToTable("licensing_window_head").HasKey(row => new { row.ClusterId, row.Hour });
            builder.Property(row => row.Sha256).HasMaxLength(71);
            builder.HasIndex(row => new { row.CustomerId, row.Hour });
        }
    }
}

/// <summary>One quantity of one window; effective only while its window is the head of its hour.</summary>
internal sealed class LedgerCell : ICustomerOwned
{
    public required Guid ClusterId { get; init; }

    public required int Hour { get; init; }

    public required long Epoch { get; init; }

    public required long Revision { get; init; }

    public required string Meter { get; init; }

    public required long DimensionHash { get; init; }

    public required Guid CustomerId { get; init; }

    public required int MeterVersion { get; init; }

    public required string Environment { get; init; }

    public required string Dimensions { get; init; }

    /// <summary>value × 10^scale of the meter's version.</summary>
    public required long Quantity { get; init; }

    /// <summary>Since which number of the stream it counts, if that is not its window's: its meter was defined later. Else 0.</summary>
    public required long Since { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<LedgerCell>
    {
        public void Configure(EntityTypeBuilder<LedgerCell> builder)
        {
            builder.ToTable("licensing_cell").HasKey(row => new { row.ClusterId, row.Hour, row.Epoch, row.Revision, row.Meter, row.DimensionHash });
            builder.Property(row => row.Meter).HasMaxLength(63);
            builder.Property(row => row.Environment).HasMaxLength(100);
            builder.Property(row => row.Dimensions).IsText();
        }
    }
}

/// <summary>A cell of a meter that is not defined yet: kept as written, counted from the day the meter is defined.</summary>
internal sealed class ParkedCell : ICustomerOwned
{
    public required Guid ClusterId { get; init; }

    public required int Hour { get; init; }

    public required long Epoch { get; init; }

    public required long Revision { get; init; }

    public required string Meter { get; init; }

    public required long DimensionHash { get; init; }

    public required Guid CustomerId { get; init; }

    public required int MeterVersion { get; init; }

    public required string Environment { get; init; }

    public required string Dimensions { get; init; }

    public required string Quantity { get; init; }

    /// <summary>Why it cannot count though its meter is known by now; null while it only waits.</summary>
    public string? Problem { get; set; }

    internal sealed class Configuration : IEntityTypeConfiguration<ParkedCell>
    {
        public void Configure(EntityTypeBuilder<ParkedCell> builder)
        {
            builder.ToTable("licensing_parked_cell").HasKey(row => new { row.ClusterId, row.Hour, row.Epoch, row.Revision, row.Meter, row.DimensionHash });
            builder.Property(row => row.Meter).HasMaxLength(63);
            builder.Property(row => row.Environment).HasMaxLength(100);
            builder.Property(row => row.Dimensions).IsText();
            builder.Property(row => row.Quantity).HasMaxLength(30);
            builder.Property(row => row.Problem).HasMaxLength(60);
            builder.HasIndex(row => new { row.Meter, row.MeterVersion });
        }
    }
}

/// <summary>A document that does not count: a conflict, or one that was rejected. Kept until a person decided, and 90 days longer.</summary>
internal sealed class QuarantinedWindow : ICustomerOwned
{
    /// <summary>The problem that disputes an hour: one revision with two contents.</summary>
    public const string RevisionConflict = "revision-conflict";

    public required Guid ClusterId { get; init; }

    /// <summary><c>sha256:</c> of the payload, or of the item's bytes when no payload could be read.</summary>
    public required string Sha256 { get; init; }

    public required Guid CustomerId { get; init; }

    public required int Hour { get; init; }

    public required long Epoch { get; init; }

    public required long Revision { get; init; }

    /// <summary>Problem code: revision-conflict, stale-epoch, signature-invalid…</summary>
    public required string Problem { get; init; }

    public required string Detail { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>The item's bytes as received.</summary>
    public required byte[] Body { get; init; }

    /// <summary>When a person said that it does not count.</summary>
    public DateTimeOffset? DecidedAt { get; set; }

    internal sealed class Configuration : IEntityTypeConfiguration<QuarantinedWindow>
    {
        public void Configure(EntityTypeBuilder<QuarantinedWindow> builder)
        {
            builder.ToTable("licensing_quarantined_window").HasKey(row => new { row.ClusterId, row.Sha256 });
            builder.Property(row => row.Sha256).HasMaxLength(71);
            builder.Property(row => row.Problem).HasMaxLength(60);
            builder.Property(row => row.Detail).HasMaxLength(500);
            builder.HasIndex(row => new { row.CustomerId, row.Hour });
            builder.HasIndex(row => row.DecidedAt);
        }
    }
}

/// <summary>Which hours of a cluster have arrived, and what its receipt says.</summary>
internal sealed class ClusterLedger : ICustomerOwned
{
    public required Guid ClusterId { get; init; }

    public required Guid CustomerId { get; init; }

    public required byte[] Coverage { get; init; }

    /// <summary>The newest results as JSON, oldest first.</summary>
    public required string Results { get; init; }

    /// <summary>When its newest window came in; null before the first.</summary>
    public DateTimeOffset? ReceivedAt { get; init; }

    /// <summary>Rises by one with every group that touches it; compare-and-swap between replicas, and the receipt's version.</summary>
    public required long Version { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<ClusterLedger>
    {
        public void Configure(EntityTypeBuilder<ClusterLedger> builder)
        {
            builder.ToTable("licensing_cluster_ledger").HasKey(row => row.ClusterId);
            builder.Property(row => row.Results).IsText();
        }
    }
}

/// <summary>A receipt that must be signed; written with what it is about, deleted with the message that carries it.</summary>
internal sealed class DueReceipt
{
    public required Guid Id { get; init; }

    public required Guid ClusterId { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<DueReceipt>
    {
        public void Configure(EntityTypeBuilder<DueReceipt> builder) => builder.ToTable("licensing_due_receipt").HasKey(row => row.Id);
    }
}
