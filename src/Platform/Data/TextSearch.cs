using System.Linq.Expressions;

namespace MissionControl.Platform.Data;

/// <summary>Search by a part of a text that does not mind case, the same on every engine: texts compare by code points (ADR 0008), so it has to say so.</summary>
public static class TextSearch
{
    private static readonly System.Reflection.MethodInfo Contains = typeof(string).GetMethod(nameof(string.Contains), [typeof(string)])!;
    private static readonly System.Reflection.MethodInfo ToLower = typeof(string).GetMethod(nameof(string.ToLower), [])!;

    /// <summary>
    /// The rows whose text holds a part, wildcards taken as they are written; all of them when there is none. Some engines fold ASCII
    /// only: beyond it a part is found as it stands, too.
    /// </summary>
    public static IQueryable<T> Holding<T>(this IQueryable<T> rows, Expression<Func<T, string>> text, string? part)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (string.IsNullOrWhiteSpace(part))
        {
            return rows;
        }

        // Members of a closure become parameters of the statement, constants would each make a statement of their own.
        var low = part.ToLowerInvariant();
        Expression<Func<string>> asItStands = () => part;
        Expression<Func<string>> lowered = () => low;
        var holds = Expression.OrElse(
            Expression.Call(text.Body, Contains, asItStands.Body),
            Expression.Call(Expression.Call(text.Body, ToLower), Contains, lowered.Body));
        return rows.Where(Expression.Lambda<Func<T, bool>>(holds, text.Parameters));
    }
}
