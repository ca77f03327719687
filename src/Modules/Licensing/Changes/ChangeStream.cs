using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.Licensing.Changes;

/// <summary>
/// The one order in which licensing comes to know things (ADR 0032). A number is taken by updating the stream's one row, whose lock lasts
/// until the commit: numbers become visible in their own order, and none is missing below one that can be read.
/// </summary>
internal sealed class ChangeStream
{
    private const int Only = 1;

    public required int Id { get; init; }

    /// <summary>The newest number; all at or below it is committed for whoever can read it.</summary>
    public required long Last { get; init; }

    /// <summary>When that was (UTC); never earlier than the one before.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>
    /// Takes numbers in the open write transaction. The last lock of a transaction and taken late: until it ends nobody else gets a number.
    /// </summary>
    /// <param name="db">The context with an open write transaction.</param>
    /// <param name="now">The clock.</param>
    /// <param name="count">How many.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The first of them, and the instant that all bear.</returns>
    public static async Task<Position> TakeAsync(ControlPlaneDbContext db, DateTimeOffset now, int count, CancellationToken cancellationToken)
    {
        db.RequireTransaction();
        await db.Set<ChangeStream>().Where(row => row.Id == Only).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.Last, row => row.Last + count).SetProperty(row => row.At, row => row.At > now ? row.At : now), cancellationToken);
        var (last, at) = await ReadAsync(db, cancellationToken);
        return new Position(last - count + 1, at);
    }

    /// <summary>The newest number that was committed: a watermark below which nothing will come any more.</summary>
    public static async Task<Position> ReadAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var row = await db.Set<ChangeStream>().AsNoTracking().SingleAsync(row => row.Id == Only, cancellationToken);
        return new Position(row.Last, row.At);
    }

    /// <summary>
    /// The watermark of an instant: the newest number that was taken at or before it, always the same one. An instant that no number lies
    /// behind yet is passed first, so that whoever has taken one and not committed it is waited for, and whoever comes later, by whatever
    /// clock, comes after it.
    /// </summary>
    public static async Task<long> AtAsync(ControlPlaneDbContext db, DateTimeOffset instant, CancellationToken cancellationToken)
    {
        if ((await ReadAsync(db, cancellationToken)).At <= instant)
        {
            var behind = instant.AddMilliseconds(1);
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            await db.Set<ChangeStream>().Where(row => row.Id == Only && row.At < behind).ExecuteUpdateAsync(set => set.SetProperty(row => row.At, behind), cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return await db.Set<RecordedChange>().AsNoTracking().Where(row => row.At <= instant).MaxAsync(row => (long?)row.Seq, cancellationToken) ?? 0;
    }

    /// <summary>The instant of a number; of one that was taken before all that is known, the earliest.</summary>
    public static async Task<DateTimeOffset> InstantAsync(ControlPlaneDbContext db, long seq, CancellationToken cancellationToken) =>
        await db.Set<RecordedChange>().AsNoTracking().Where(row => row.Seq <= seq).OrderByDescending(row => row.Seq).Select(row => (DateTimeOffset?)row.At).FirstOrDefaultAsync(cancellationToken) ?? DateTimeOffset.UnixEpoch;

    /// <summary>Saves what is tracked, and these changes with it, in one transaction.</summary>
    public static async Task SaveAsync(ControlPlaneDbContext db, TimeProvider time, IReadOnlyList<Noted> changes, CancellationToken cancellationToken)
    {
        await using var transaction = await db.JoinWriteAsync(cancellationToken);
        if (changes.Count > 0)
        {
            var (seq, at) = await TakeAsync(db, time.GetUtcNow(), changes.Count, cancellationToken);
            db.AddRange(changes.Select((change, i) => change.ToRow(seq + i, at)));
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>A place in the stream.</summary>
    /// <param name="Seq">The number.</param>
    /// <param name="At">Its instant (UTC).</param>
    internal sealed record Position(long Seq, DateTimeOffset At);

    internal sealed class Configuration : IEntityTypeConfiguration<ChangeStream>
    {
        public void Configure(EntityTypeBuilder<ChangeStream> builder)
        {
            builder.ToTable("licensing_stream").HasKey(row => row.Id);
            builder.Property(row => row.Id).ValueGeneratedNever();
            builder.HasData(new ChangeStream { Id = Only, Last = 0, At = DateTimeOffset.UnixEpoch });
        }
    }
}

/// <summary>Something that licensing came to know, before it has a number.</summary>
/// <param name="Kind">One of <see cref="Kinds"/>.</param>
/// <param name="CustomerId">Whose; <see cref="Guid.Empty"/> for what is everybody's, which only the vendor's staff reads.</param>
/// <param name="Subject">What was changed: the id, or key, of a contract, a period…</param>
/// <param name="ClusterId">The cluster, of usage and licences.</param>
/// <param name="Hours">First and last hour that usage changed in, both included.</param>
/// <param name="Version">The subject's version; 0 where it has none.</param>
internal sealed record Noted(string Kind, Guid CustomerId, string Subject, Guid? ClusterId = null, (int First, int Last)? Hours = null, long Version = 0)
{
    public RecordedChange ToRow(long seq, DateTimeOffset at) => new()
    {
        Seq = seq, At = at, Kind = Kind, CustomerId = CustomerId, Subject = Subject, ClusterId = ClusterId, FirstHour = Hours?.First, LastHour = Hours?.Last, Version = Version,
    };

    /// <summary>The row for a bulk insert, in the order of the table's columns.</summary>
    public object?[] ToBulk(long seq, DateTimeOffset at) => [seq, at.ToUnixTimeMilliseconds(), Kind, CustomerId, Subject, ClusterId, Hours?.First, Hours?.Last, Version];
}

/// <summary>What changes are called in the feed; open: whoever reads it passes over what it does not know.</summary>
internal static class Kinds
{
    /// <summary>Windows of one cluster were judged, or cells count since their meter was defined.</summary>
    public const string Usage = "usage.changed";

    /// <summary>A revision lowered an hour that had come by more than a tenth.</summary>
    public const string UsageLowered = "usage.lowered";

    /// <summary>A dispute of an hour was opened or decided.</summary>
    public const string UsageDisputed = "usage.disputed";

    public const string Meter = "meter.defined";

    public const string Account = "billing-account.changed";

    public const string Contract = "contract.changed";

    public const string PriceBook = "price-book.changed";

    public const string Plan = "plan.changed";

    public const string License = "license.changed";

    public const string Period = "period.closed";

    /// <summary>A bill, or what a closed period comes to by now.</summary>
    public const string Statement = "statement.created";

    /// <summary>An amount was decided, or booked.</summary>
    public const string Adjustment = "adjustment.changed";
}

/// <summary>One change, as the feed tells it. Rows only come.</summary>
internal sealed class RecordedChange : ICustomerOwned
{
    public required long Seq { get; init; }

    public required DateTimeOffset At { get; init; }

    public required string Kind { get; init; }

    public required Guid CustomerId { get; init; }

    public required string Subject { get; init; }

    public Guid? ClusterId { get; init; }

    public int? FirstHour { get; init; }

    public int? LastHour { get; init; }

    public required long Version { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<RecordedChange>
    {
        public void Configure(EntityTypeBuilder<RecordedChange> builder)
        {
            builder.ToTable("licensing_change").HasKey(row => row.Seq);
            builder.Property(row => row.Seq).ValueGeneratedNever();
            builder.Property(row => row.Kind).HasMaxLength(40);
            builder.Property(row => row.Subject).HasMaxLength(100);
            builder.HasIndex(row => new { row.CustomerId, row.Seq });
            builder.HasIndex(row => row.At);
        }
    }
}
