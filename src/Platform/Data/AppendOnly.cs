using System.Data;
using System.Data.Common;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MissionControl.Platform.Data;

/// <summary>Tables whose rows are only ever inserted, as the database itself enforces.</summary>
public static class AppendOnly
{
    private const string Annotation = "MissionControl:AppendOnly";
    private const string Guarded = "MissionControl:GuardedInserts";
    private const string Owners = "MissionControl:OwnersInserts";

    /// <summary>Marks the entity's table; the migration chain creates the triggers, a start-up check proves that they are there.</summary>
    public static EntityTypeBuilder<T> IsAppendOnly<T>(this EntityTypeBuilder<T> entity)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(entity);
        return entity.HasAnnotation(Annotation, true);
    }

    /// <summary>Marks an append-only table into which not every row may come, either: the database asks what others say before it takes one.</summary>
    public static EntityTypeBuilder<T> HasGuardedInserts<T>(this EntityTypeBuilder<T> entity)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(entity);
        return entity.HasAnnotation(Guarded, true);
    }

    /// <summary>Marks an append-only table into which the owner's commands alone write: the role's own login may only read it.</summary>
    public static EntityTypeBuilder<T> IsWrittenByOwner<T>(this EntityTypeBuilder<T> entity)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(entity);
        return entity.HasAnnotation(Owners, true);
    }

    /// <summary>The tables of the model that the owner's commands alone write.</summary>
    public static IReadOnlyList<string> OwnersTables(IModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return [.. Entities(model).Where(entity => entity.FindAnnotation(Owners) is not null).Select(entity => entity.GetTableName()!)];
    }

    /// <summary>The append-only tables of the model.</summary>
    public static IReadOnlyList<string> Tables(IModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return [.. Entities(model).Select(entity => entity.GetTableName()!)];
    }

    /// <summary>
    /// Tries to change and to remove a row of every append-only table, by each way that is known, in transactions that are always
    /// rolled back, and looks whether the triggers are there.
    /// </summary>
    /// <returns>What would have succeeded, and what is missing, in words; nothing when the database refuses all of it.</returns>
    public static async Task<IReadOnlyList<string>> FaultsAsync(ControlPlaneDbContext db, string module, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(db);
        var faults = new List<string>();
        foreach (var entity in Entities(db.Model).Where(entity => entity.GetTableName()!.StartsWith($"{module}_", StringComparison.Ordinal)))
        {
            var table = entity.GetTableName()!;
            await using (await db.BeginWriteAsync(cancellationToken: cancellationToken))
            {
                faults.AddRange(await db.Dialect.AppendOnlyFaultsAsync(db, table, cancellationToken));
            }

            var (row, isGuarded) = (Row(entity), entity.FindAnnotation(Guarded) is not null);
            if (isGuarded || entity.FindAnnotation(Owners) is not null)
            {
                // Without a row nothing else can be tried here; the triggers were compared.
                var comes = await SucceedsAsync(db, row, null, cancellationToken);
                faults.AddRange(comes && isGuarded ? [$"{table}: nothing refuses a row that nothing supports"] : []);
                if (isGuarded || !comes)
                {
                    continue;
                }
            }

            foreach (var attack in db.Dialect.AppendOnlyAttacks(table, entity.GetProperties().First(property => !property.IsPrimaryKey()).GetColumnName()))
            {
                if (await SucceedsAsync(db, row, attack, cancellationToken))
                {
                    faults.Add($"{table}: nothing refuses: {attack}");
                }
            }
        }

        return faults;
    }

    // Each in a transaction of its own: some engines end one when a trigger refuses.
    private static async Task<bool> SucceedsAsync(ControlPlaneDbContext db, BulkRows row, string? attack, CancellationToken cancellationToken)
    {
        await using var rolledBack = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        try
        {
            await db.Dialect.InsertIfAbsentAsync(db, row, cancellationToken);
        }
        catch (DbException) when (attack is null && db.Database.GetDbConnection().State == ConnectionState.Open)
        {
            return false;
        }

        if (attack is null)
        {
            return true;
        }

        var transaction = db.RequireTransaction();
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // The dialect's own text.
        command.CommandText = attack;
#pragma warning restore CA2100
        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
            return true;
        }
        catch (DbException) when (db.Database.GetDbConnection().State == ConnectionState.Open)
        {
            return false;
        }
    }

    // Like no other one, and gone with its transaction.
    private static BulkRows Row(IEntityType entity)
    {
        var properties = entity.GetProperties().ToList();
        return new BulkRows(
            entity.GetTableName()!, [.. properties.Select(property => property.GetColumnName())], [.. entity.FindPrimaryKey()!.Properties.Select(property => property.GetColumnName())],
            [[.. properties.Select(property => Value(property))]]);
    }

    private static object? Value(IProperty property)
    {
        var type = Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType;
        var random = RandomNumberGenerator.GetHexString(16, lowercase: true);
        return type == typeof(Guid) ? Guid.CreateVersion7()
            : type == typeof(string) ? (property.GetMaxLength() is { } most && most < random.Length ? random[..most] : random)
            : type == typeof(byte[]) ? RandomNumberGenerator.GetBytes(16)
            : type == typeof(bool) ? false
            : type == typeof(int) ? 0
            : -(long)RandomNumberGenerator.GetInt32(1, int.MaxValue);
    }

    private static IEnumerable<IEntityType> Entities(IModel model) => model.GetEntityTypes().Where(entity => entity.FindAnnotation(Annotation) is not null);
}
