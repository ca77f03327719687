using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.Audit.Entries;

/// <summary>How far something has come that goes over all rows of a table once. It moves in the transaction of what was done.</summary>
internal sealed class Progress
{
    private const string Table = "audit_progress";
    private static readonly string[] Columns = ["name", "place", "id", "done"];

    public required string Name { get; init; }

    /// <summary>The last row that was dealt with: what the table goes by first.</summary>
    public required long Place { get; init; }

    /// <summary>The last row that was dealt with: its id, or its log's.</summary>
    public required Guid Id { get; init; }

    public required bool Done { get; init; }

    /// <summary>Takes what it is about for this transaction: of two replicas one goes first, and the other goes on from where that came to.</summary>
    public static async Task<Progress> TakeAsync(ControlPlaneDbContext db, string name, long first, CancellationToken cancellationToken)
    {
        await db.Dialect.InsertIfAbsentAsync(db, new BulkRows(Table, Columns, ["name"], [[name, first, Guid.Empty, false]]), cancellationToken);
        await db.Dialect.LockRowsAsync(db, Table, ["name"], [[name]], cancellationToken);
        return await db.Set<Progress>().AsNoTracking().SingleAsync(row => row.Name == name, cancellationToken);
    }

    /// <summary>Moves it.</summary>
    public static Task MoveAsync(ControlPlaneDbContext db, string name, long place, Guid id, bool done, CancellationToken cancellationToken) =>
        db.Dialect.UpsertAsync(db, new BulkRows(Table, Columns, ["name"], [[name, place, id, done]]), null, cancellationToken);

    internal sealed class Configuration : IEntityTypeConfiguration<Progress>
    {
        public void Configure(EntityTypeBuilder<Progress> builder)
        {
            builder.ToTable(Table).HasKey(row => row.Name);
            builder.Property(row => row.Name).HasMaxLength(40);
        }
    }
}
