using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;

namespace MissionControl.Audit.Prune;

/// <summary>
/// From which entry on a log is kept (C2SP tlog-tiles, "minimum index"). The database takes a row only when a signed entry
/// <c>audit.log-pruned</c> of that log says it, and lets entries go only below one. Rows are only ever inserted.
/// </summary>
internal sealed class LogMinimum
{
    public const string Table = "audit_log_minimum";

    public required Guid LogId { get; init; }

    /// <summary>The first entry that stays, a multiple of 256.</summary>
    public required long Minimum { get; init; }

    /// <summary>Where the entry stands that says so.</summary>
    public required long Position { get; init; }

    public required Guid EventId { get; init; }

    public required DateTimeOffset PublishedAt { get; init; }

    /// <summary>The minimum of a log; 0: all of it is kept.</summary>
    public static async Task<long> OfAsync(ControlPlaneDbContext db, Guid log, CancellationToken cancellationToken) =>
        await db.Set<LogMinimum>().Where(row => row.LogId == log).MaxAsync(row => (long?)row.Minimum, cancellationToken) ?? 0;

    internal sealed class Configuration : IEntityTypeConfiguration<LogMinimum>
    {
        public void Configure(EntityTypeBuilder<LogMinimum> builder)
        {
            builder.ToTable(Table).HasKey(row => new { row.LogId, row.Minimum });
            builder.IsAppendOnly();
            builder.HasGuardedInserts();
            builder.IsWrittenByOwner();
        }
    }
}

/// <summary>
/// What is kept of a pruned entry, so that its event, told once more, is not appended a second time: a message may come again after any
/// time, of a queue that was put aside or a database that was restored. Rows are only ever inserted.
/// </summary>
internal sealed class PrunedEvent
{
    public const string Table = "audit_log_pruned";

    public required Guid LogId { get; init; }

    public required Guid EventId { get; init; }

    /// <summary>Where its entry stood.</summary>
    public required long Position { get; init; }

    /// <summary>As the entry had it: another event under the same id is seen by it.</summary>
    public required byte[] EventHash { get; init; }

    /// <summary>Place and hash of events, of those in the log and of those that were pruned from it; null where neither has one.</summary>
    public static async Task<IReadOnlyList<object?[]?>> StandingAsync(ControlPlaneDbContext db, IReadOnlyList<object?[]> keys, CancellationToken cancellationToken)
    {
        var standing = (await db.Dialect.ReadByKeyAsync(db, LogLeaf.Table, ["log_id", "event_id"], keys, ["position", "event_hash"], cancellationToken)).ToArray();
        var rest = Enumerable.Range(0, keys.Count).Where(i => standing[i] is null).ToList();
        var pruned = await db.Dialect.ReadByKeyAsync(db, Table, ["log_id", "event_id"], [.. rest.Select(i => keys[i])], ["position", "event_hash"], cancellationToken);
        for (var i = 0; i < rest.Count; i++)
        {
            standing[rest[i]] = pruned[i];
        }

        return standing;
    }

    internal sealed class Configuration : IEntityTypeConfiguration<PrunedEvent>
    {
        public void Configure(EntityTypeBuilder<PrunedEvent> builder)
        {
            builder.ToTable(Table).HasKey(row => new { row.LogId, row.EventId });
            builder.IsAppendOnly();
            builder.IsWrittenByOwner();
            builder.Property(row => row.EventHash).HasMaxLength(32);
        }
    }
}
