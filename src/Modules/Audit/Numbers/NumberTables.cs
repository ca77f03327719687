using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.Audit.Numbers;

/// <summary>How far the numbers of a producer were looked at, and which are missing. An ordinary row: it is made of the index, and can be made of it again.</summary>
internal sealed class Producer
{
    private const string Table = "audit_producer";
    private static readonly string[] Columns = ["name", "reached", "known", "untold_since", "holes"];

    /// <summary>Role and process, as it calls itself.</summary>
    public required string Name { get; init; }

    /// <summary>The highest number that was looked at.</summary>
    public required long Reached { get; init; }

    /// <summary>The highest number that is known to be there, where that was not looked at yet; null: nothing is left to look at.</summary>
    public long? Known { get; init; }

    /// <summary>Since when the oldest hole is there that nobody was told of; null: there is none.</summary>
    public DateTimeOffset? UntoldSince { get; init; }

    /// <summary>What is missing up to there, as JSON.</summary>
    public required string Holes { get; init; }

    /// <summary>Its numbers.</summary>
    public NumberLine Line() => new(Reached, JsonSerializer.Deserialize<Hole[]>(Holes)!);

    /// <summary>Stores them.</summary>
    public static Task StoreAsync(ControlPlaneDbContext db, IEnumerable<(string Name, NumberLine Line, long? Known)> rows, CancellationToken cancellationToken) => db.Dialect.UpsertAsync(
        db, new BulkRows(Table, Columns, ["name"], [.. rows.Select(row => new object?[]
        {
            row.Name, row.Line.Reached, row.Known > row.Line.Reached ? row.Known : null, row.Line.Holes.Where(hole => !hole.IsTold).Min(hole => (long?)hole.Since), JsonSerializer.Serialize(row.Line.Holes),
        })]), null, cancellationToken);

    internal sealed class Configuration : IEntityTypeConfiguration<Producer>
    {
        public void Configure(EntityTypeBuilder<Producer> builder)
        {
            builder.ToTable(Table).HasKey(row => row.Name);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.Holes).IsText();
            builder.HasIndex(row => row.Known);
            builder.HasIndex(row => row.UntoldSince);
        }
    }
}

/// <summary>Up to which entry of a log the numbers were read: entries of a log have an order, so none is passed over, and none read every time.</summary>
internal sealed class NumbersRead
{
    private const string Table = "audit_numbers_read";

    public required Guid LogId { get; init; }

    /// <summary>The next entry to read.</summary>
    public required long Position { get; init; }

    /// <summary>Moves it.</summary>
    public static Task MoveAsync(ControlPlaneDbContext db, IEnumerable<(Guid Log, long Position)> rows, CancellationToken cancellationToken) =>
        db.Dialect.UpsertAsync(db, new BulkRows(Table, ["log_id", "position"], ["log_id"], [.. rows.Select(row => new object?[] { row.Log, row.Position })]), null, cancellationToken);

    internal sealed class Configuration : IEntityTypeConfiguration<NumbersRead>
    {
        public void Configure(EntityTypeBuilder<NumbersRead> builder) => builder.ToTable(Table).HasKey(row => row.LogId);
    }
}
