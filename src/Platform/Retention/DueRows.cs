using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using MissionControl.Platform.Data;

namespace MissionControl.Platform.Retention;

/// <summary>The rows of one class that are due, as queries.</summary>
internal sealed class DueRows<T>(Func<ControlPlaneDbContext, IQueryable<T>> rows, Expression<Func<T, DateTimeOffset?>> instant, Expression<Func<T, bool>>? when)
    where T : class
{
    private const string Customer = "CustomerId";
    private static readonly Type? CustomerType = typeof(T).GetProperty(Customer)?.PropertyType;

    public static bool IsOfCustomers => CustomerType is not null;

    public Task<bool> AnyAsync(ControlPlaneDbContext db, PurgeLimit limit, CancellationToken cancellationToken) => Of(db, limit).AnyAsync(cancellationToken);

    /// <summary>
    /// One batch, found by the instant at which it ends: a range of an index on every engine, where a list of keys would be a
    /// subquery per row. Rows of that one instant go together, so a batch may be a little larger than its size.
    /// </summary>
    public async Task<int> DeleteBatchAsync(ControlPlaneDbContext db, PurgeLimit limit, CancellationToken cancellationToken)
    {
        var due = Of(db, limit);
        var end = await due.OrderBy(instant).Select(instant).Skip(RetentionTable.BatchSize - 1).FirstOrDefaultAsync(cancellationToken);
        return await (end is null ? due : due.Where(Compared(Expression.LessThanOrEqual, end))).ExecuteDeleteAsync(cancellationToken);
    }

    private IQueryable<T> Of(ControlPlaneDbContext db, PurgeLimit limit)
    {
        var due = rows(db).Where(Compared(Expression.LessThan, limit.Before));
        due = when is null ? due : due.Where(when);
        var held = limit.Held;
        return held.Count == 0 || CustomerType is null
            ? due
            : CustomerType == typeof(Guid)
                ? due.Where(row => !held.Contains(EF.Property<Guid>(row, Customer)))
                : due.Where(row => EF.Property<Guid?>(row, Customer) == null || !held.Contains(EF.Property<Guid?>(row, Customer)!.Value));
    }

    private Expression<Func<T, bool>> Compared(Func<Expression, Expression, BinaryExpression> compare, DateTimeOffset? with)
    {
        // A member of a constant object becomes a parameter; a constant would be a new statement every time.
        var parameter = Expression.Property(Expression.Constant(new Instant(with)), nameof(Instant.Value));
        return Expression.Lambda<Func<T, bool>>(compare(instant.Body, parameter), instant.Parameters);
    }

    private sealed record Instant(DateTimeOffset? Value);
}
