using System.Globalization;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;

namespace MissionControl.Platform.Http;

/// <summary>Tells of the orders of a list.</summary>
public static class ListOrders
{
    /// <summary>Says in which orders this endpoint's list can be had: <c>sort</c> is checked and documented by it.</summary>
    public static RouteHandlerBuilder SortedBy<T>(this RouteHandlerBuilder endpoint, ListOrders<T> orders)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(orders);
        return endpoint.WithMetadata(orders.Names);
    }
}

/// <summary>
/// The orders of a list, each under a name, and its pages. An order is a sequence of columns whose last one tells rows apart that
/// are otherwise equal; the cursor holds their values of the last row of a page, so that a page is found by an index and not by
/// counting, and no row is lost or shown twice where keys are equal. Only what an index serves, or a small table, belongs here.
/// </summary>
/// <param name="usual">The order without <c>sort</c>.</param>
public sealed class ListOrders<T>(string usual)
    where T : class
{
    private readonly Dictionary<string, Column[]> orders = new(StringComparer.Ordinal);

    /// <summary>The names of the orders.</summary>
    public SortNames Names => new(usual, [.. orders.Keys]);

    /// <summary>An order and, by a leading minus, its exact reverse. What is absent counts as greater than all there is.</summary>
    public ListOrders<T> By(string name, params Expression<Func<T, object?>>[] columns)
    {
        orders.Add(name, [.. columns.SelectMany(column => Column.Of(column, descending: false))]);
        orders.Add("-" + name, [.. columns.SelectMany(column => Column.Of(column, descending: true))]);
        return this;
    }

    /// <summary>An order whose reverse nobody wants.</summary>
    public ListOrders<T> Only(string name, params Expression<Func<T, object?>>[] columns)
    {
        orders.Add(name, [.. columns.SelectMany(column => Column.Of(column, descending: false))]);
        return this;
    }

    /// <summary>All the rows in the order that is asked for.</summary>
    public IQueryable<T> Apply(IQueryable<T> rows, ListQuery list)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var ordered = rows.Expression;
        foreach (var column in Asked(list))
        {
            var method = (ordered == rows.Expression ? "OrderBy" : "ThenBy") + (column.Descending ? "Descending" : "");
            ordered = Expression.Call(typeof(Queryable), method, [typeof(T), column.Key.Type], ordered, Expression.Quote(Expression.Lambda(column.Key, Column.Row)));
        }

        return rows.Provider.CreateQuery<T>(ordered);
    }

    /// <summary>The page that is asked for.</summary>
    public Task<IResult> PageAsync<TItem>(
        ListQuery list, IQueryable<T> rows, Func<T, TItem> item, CancellationToken cancellationToken,
        long? total = null, IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>>? facets = null) =>
        PageAsync<TItem>(list, rows, page => Task.FromResult<IReadOnlyList<TItem>>([.. page.Select(item)]), cancellationToken, total, facets);

    /// <summary>The page that is asked for, where its rows need more than themselves to be told.</summary>
    public async Task<IResult> PageAsync<TItem>(
        ListQuery list, IQueryable<T> rows, Func<IReadOnlyList<T>, Task<IReadOnlyList<TItem>>> items, CancellationToken cancellationToken,
        long? total = null, IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>>? facets = null)
    {
        ArgumentNullException.ThrowIfNull(list);
        ArgumentNullException.ThrowIfNull(items);
        var columns = Asked(list);
        if (list.Cursor is not null)
        {
            if (Behind(list, columns) is not { } behind)
            {
                return Problems.Of(ProblemCodes.Malformed, "The cursor is not one of ours, or of another order; begin again without it.");
            }

            rows = rows.Where(behind);
        }

        var page = await Apply(rows, list).Take(list.Take + 1).ToListAsync(cancellationToken);
        string? next = null;
        if (page.Count > list.Take)
        {
            page.RemoveAt(list.Take);
            next = list.LinkBehind([list.Sort ?? usual, .. columns.Select(column => column.Write(page[^1]))]);
        }

        return TypedResults.Ok(new Page<TItem>(await items(page), next, total, facets));
    }

    private Column[] Asked(ListQuery list) => orders[list.Sort ?? usual];

    private Expression<Func<T, bool>>? Behind(ListQuery list, Column[] columns)
    {
        if (!Cursors.TryDecode(list.Cursor!, out var parts) || parts.Length != columns.Length + 1 || parts[0] != (list.Sort ?? usual))
        {
            return null;
        }

        Expression? behind = null;
        for (var i = columns.Length - 1; i >= 0; i--)
        {
            if (columns[i].Read(parts[i + 1]) is not { } last)
            {
                return null;
            }

            var beyond = columns[i].Compare(last, orSame: false);
            behind = behind is null ? beyond : Expression.OrElse(beyond, Expression.AndAlso(Expression.Equal(columns[i].Key, last), behind));
            if (i == 0 && columns.Length > 1)
            {
                // It follows from the rest; said by itself it is a range of an index on every engine.
                behind = Expression.AndAlso(columns[i].Compare(last, orSame: true), behind);
            }
        }

        return Expression.Lambda<Func<T, bool>>(behind!, Column.Row);
    }

    private sealed record Column(Expression Key, bool Descending)
    {
        public static readonly ParameterExpression Row = Expression.Parameter(typeof(T), "row");

        private Func<T, object>? compiled;

        /// <summary>The column, and before it whether it is there at all, if it may be absent: engines disagree about where those stand.</summary>
        public static IEnumerable<Column> Of(Expression<Func<T, object?>> column, bool descending)
        {
            var key = new Rebind(column.Parameters[0]).Visit(column.Body is UnaryExpression { NodeType: ExpressionType.Convert } boxed ? boxed.Operand : column.Body);
            if (Nullable.GetUnderlyingType(key.Type) is { } type)
            {
                yield return new Column(Expression.Condition(Expression.Equal(key, Expression.Constant(null, key.Type)), Expression.Constant(1), Expression.Constant(0)), descending);
                key = Expression.Coalesce(key, Expression.Constant(type == typeof(DateTimeOffset) ? DateTimeOffset.UnixEpoch : Activator.CreateInstance(type), type));
            }

            yield return new Column(key, descending);
        }

        public Expression Compare(Expression last, bool orSame)
        {
            // Texts have no operators of order in an expression; a comparison with 0 says the same.
            var (left, right) = Key.Type == typeof(string)
                ? (Expression.Call(typeof(string), nameof(string.Compare), null, Key, last), Expression.Constant(0))
                : (Key, last);
            return Descending
                ? orSame ? Expression.LessThanOrEqual(left, right) : Expression.LessThan(left, right)
                : orSame ? Expression.GreaterThanOrEqual(left, right) : Expression.GreaterThan(left, right);
        }

        public string Write(T row)
        {
            compiled ??= Expression.Lambda<Func<T, object>>(Expression.Convert(Key, typeof(object)), Row).Compile();
            return compiled(row) switch
            {
                DateTimeOffset instant => instant.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
                var value => Convert.ToString(value, CultureInfo.InvariantCulture)!,
            };
        }

        /// <summary>The value of a position as a parameter of the statement; null when it is none.</summary>
        public Expression? Read(string text)
        {
            object? value = Key.Type switch
            {
                var type when type == typeof(string) => text,
                var type when type == typeof(Guid) => Guid.TryParse(text, out var id) ? id : null,
                var type when type == typeof(int) => int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null,
                var type when type == typeof(long) => long.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null,
                var type when type == typeof(DateTimeOffset) => Cursors.TryInstant(text, out var instant) ? instant : null,
                var type => throw new NotSupportedException($"No list is ordered by a {type.Name}."),
            };

            // A constant would make a statement of its own for every page; a member of an object becomes a parameter.
            return value is null ? null : Expression.Field(Expression.Constant(Activator.CreateInstance(typeof(StrongBox<>).MakeGenericType(Key.Type), value)), "Value");
        }

        private sealed class Rebind(ParameterExpression from) : ExpressionVisitor
        {
            protected override Expression VisitParameter(ParameterExpression node) => node == from ? Row : base.VisitParameter(node);
        }
    }
}
