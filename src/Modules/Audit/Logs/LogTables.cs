using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Logs;

/// <summary>A log: one for each customer, one of the fleet, one of those who operate Mission Control, and the anchor, which binds them all. Rows are only ever inserted.</summary>
internal sealed class Log
{
    public const string Table = "audit_log";

    /// <summary>What it is the log of: <c>customer/{id}</c>, <c>fleet</c>, <c>operator</c> or <c>anchor</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Its id in addresses.</summary>
    public required Guid Id { get; init; }

    /// <summary>By what its checkpoints call it, for ever (C2SP tlog-checkpoint). It names nobody.</summary>
    public required string Origin { get; init; }

    /// <summary>customer, fleet, operator or anchor.</summary>
    public required string Kind { get; init; }

    public Guid? CustomerId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Name of the log that an event belongs to.</summary>
    /// <exception cref="ArgumentException">No event belongs to that one: into the anchor come epochs alone.</exception>
    public static string NameOf(string kind, Guid? customer) => kind switch
    {
        "customer" => $"customer/{customer:N}",
        "fleet" or "operator" => kind,
        _ => throw new ArgumentException($"No event belongs to the log {kind}.", nameof(kind)),
    };

    /// <summary>Id of a log by its name, so that nobody has to be asked for it. It is no secret.</summary>
    public static Guid IdOf(string name) => new(SHA256.HashData(Encoding.UTF8.GetBytes($"mission-control/log/{name}")).AsSpan(0, 16), bigEndian: true);

    internal sealed class Configuration : IEntityTypeConfiguration<Log>
    {
        public void Configure(EntityTypeBuilder<Log> builder)
        {
            builder.ToTable(Table).HasKey(row => row.Name);
            builder.IsAppendOnly();
            builder.Property(row => row.Name).HasMaxLength(60);
            builder.Property(row => row.Origin).HasMaxLength(200);
            builder.Property(row => row.Kind).HasMaxLength(20);
            builder.HasIndex(row => row.Id).IsUnique();
            builder.HasIndex(row => row.Origin).IsUnique();
            builder.HasIndex(row => row.CustomerId);
        }
    }
}

/// <summary>How far a log has come: the one row of it that changes, and only from the size that was read to the next.</summary>
internal sealed class LogHead
{
    public const string Table = "audit_log_head";

    public required Guid LogId { get; init; }

    public required long Size { get; init; }

    public required byte[] Root { get; init; }

    /// <summary>The compact range of the tree, from which it goes on.</summary>
    public required byte[] Range { get; init; }

    /// <summary>When the last entry was appended. It never goes back.</summary>
    public required DateTimeOffset RecordedAt { get; init; }

    public required long Version { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<LogHead>
    {
        public void Configure(EntityTypeBuilder<LogHead> builder)
        {
            builder.ToTable(Table).HasKey(row => row.LogId);
            builder.Property(row => row.Root).HasMaxLength(32);
            builder.Property(row => row.Range).HasMaxLength(63 * 32);
        }
    }
}

/// <summary>An entry of a log: the very bytes that were hashed. Rows are only ever inserted.</summary>
internal sealed class LogLeaf
{
    public const string Table = "audit_log_leaf";

    public required Guid LogId { get; init; }

    /// <summary>Where it stands, from 0 on, without a hole.</summary>
    public required long Position { get; init; }

    public required byte[] Hash { get; init; }

    /// <summary>The event that it tells of: the same one again is the same entry.</summary>
    public required Guid EventId { get; init; }

    /// <summary>SHA-256 of the event as it came: another event under the same id is seen by it.</summary>
    public required byte[] EventHash { get; init; }

    public required byte[] Content { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<LogLeaf>
    {
        public void Configure(EntityTypeBuilder<LogLeaf> builder)
        {
            builder.ToTable(Table).HasKey(row => new { row.LogId, row.Position });
            builder.IsAppendOnly();
            builder.Property(row => row.Hash).HasMaxLength(32);
            builder.Property(row => row.EventHash).HasMaxLength(32);
            builder.HasIndex(row => new { row.LogId, row.EventId }).IsUnique();
        }
    }
}

/// <summary>A full tile of hashes; what is not full yet is made of the rows below it. Rows are only ever inserted.</summary>
internal sealed class LogTile
{
    public const string Table = "audit_log_tile";

    public required Guid LogId { get; init; }

    public required int Level { get; init; }

    public required long Position { get; init; }

    /// <summary>256 hashes.</summary>
    public required byte[] Hashes { get; init; }

    /// <summary>Root of the tree over them: a hash of the tile above.</summary>
    public required byte[] Root { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<LogTile>
    {
        public void Configure(EntityTypeBuilder<LogTile> builder)
        {
            builder.ToTable(Table).HasKey(row => new { row.LogId, row.Level, row.Position });
            builder.IsAppendOnly();
            builder.Property(row => row.Root).HasMaxLength(32);
        }
    }
}

/// <summary>Every note that was ever signed: one for a size, so that there are never two roots. Rows are only ever inserted.</summary>
internal sealed class LogCheckpoint
{
    public const string Table = "audit_log_checkpoint";

    public required Guid LogId { get; init; }

    public required long Size { get; init; }

    public required DateTimeOffset SignedAt { get; init; }

    public required string Note { get; init; }

    /// <summary>How many signed entries a log has. A note of more than there is, as after a restore, counts for what there is.</summary>
    public static async Task<long> SignedAsync(ControlPlaneDbContext db, Guid log, CancellationToken cancellationToken) => Math.Min(
        await db.Set<LogCheckpoint>().Where(row => row.LogId == log).MaxAsync(row => (long?)row.Size, cancellationToken) ?? 0, await db.Set<LogHead>().Where(row => row.LogId == log).MaxAsync(row => (long?)row.Size, cancellationToken) ?? 0);

    /// <summary>What a note says; null: nothing that can be read.</summary>
    public static Checkpoint? Read(string note)
    {
        try
        {
            return Checkpoint.Parse(SignedNote.Parse(Encoding.UTF8.GetBytes(note)).Text);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    internal sealed class Configuration : IEntityTypeConfiguration<LogCheckpoint>
    {
        public void Configure(EntityTypeBuilder<LogCheckpoint> builder)
        {
            builder.ToTable(Table).HasKey(row => new { row.LogId, row.Size });
            builder.IsAppendOnly();
            builder.Property(row => row.Note).IsText();
        }
    }
}

/// <summary>A name or an address that an entry is committed to, with the salt by which that can be shown. An ordinary row: it can be erased.</summary>
internal sealed class PersonalValue
{
    public const string Table = "audit_log_personal";

    public required Guid LogId { get; init; }

    public required long Position { get; init; }

    public required string Field { get; init; }

    public required byte[] Salt { get; init; }

    public required string Value { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<PersonalValue>
    {
        public void Configure(EntityTypeBuilder<PersonalValue> builder)
        {
            builder.ToTable(Table).HasKey(row => new { row.LogId, row.Position, row.Field });
            builder.Property(row => row.Field).HasMaxLength(100);
            builder.Property(row => row.Salt).HasMaxLength(32);
            builder.Property(row => row.Value).IsText();
        }
    }
}
