using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;

namespace MissionControl.Platform.Http;

/// <summary>
/// Refuses query parameters that an endpoint of the API does not have: a misspelt filter that is ignored shows somebody the
/// wrong rows, or all of them. What an endpoint has is read from the handler's own parameters.
/// </summary>
public static class QueryParameters
{
    /// <summary>The rows that a page has at most.</summary>
    internal const int MaxLimit = 500;

    private static readonly ConcurrentDictionary<Endpoint, IReadOnlyDictionary<string, bool>> Known = new();

    /// <summary>The query parameters of an endpoint, and whether each may stand more than once.</summary>
    public static IReadOnlyDictionary<string, bool> Of(Endpoint endpoint) => Known.GetOrAdd(endpoint, static endpoint =>
    {
        var route = (endpoint as RouteEndpoint)?.RoutePattern.Parameters.Select(parameter => parameter.Name).ToHashSet(StringComparer.OrdinalIgnoreCase) ?? [];
        return endpoint.Metadata.GetOrderedMetadata<IParameterBindingMetadata>()
            .Where(parameter => IsValue(parameter.ParameterInfo.ParameterType) && !route.Contains(parameter.Name))
            .ToDictionary(parameter => parameter.Name, parameter => parameter.ParameterInfo.ParameterType.IsArray, StringComparer.OrdinalIgnoreCase);
    });

    /// <summary>Answers 400 to what no endpoint of the API would understand.</summary>
    public static void UseQueryParameters(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        if (!context.Request.QueryString.HasValue || context.GetEndpoint() is not { } endpoint || !context.Request.Path.StartsWithSegments("/api/v1", StringComparison.Ordinal)
            || endpoint.Metadata.GetMetadata<InModule>() is null)
        {
            // What is forwarded to another role's process is judged there.
            return next(context);
        }

        var known = Of(endpoint);
        foreach (var (name, values) in context.Request.Query)
        {
            if (!known.TryGetValue(name, out var many))
            {
                return Problems.WriteAsync(context, ProblemCodes.UnknownParameter, known.Count == 0
                    ? $"This takes no parameters; '{Shorten(name)}' is one."
                    : $"There is no parameter '{Shorten(name)}' here. Known: {string.Join(", ", known.Keys.Order(StringComparer.Ordinal))}.");
            }

            if (values.Count > 1 && !many)
            {
                return Problems.WriteAsync(context, ProblemCodes.Malformed, $"'{name}' stands more than once.");
            }

            if (string.Equals(name, "limit", StringComparison.OrdinalIgnoreCase) && (!int.TryParse(values, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) || limit is < 1 or > MaxLimit))
            {
                return Problems.WriteAsync(context, ProblemCodes.Malformed, $"limit is a number from 1 to {MaxLimit}.");
            }

            if (string.Equals(name, "sort", StringComparison.OrdinalIgnoreCase) && endpoint.Metadata.GetMetadata<SortNames>() is { } sort && !sort.Names.Contains(values.ToString(), StringComparer.Ordinal))
            {
                var detail = $"sort is one of {string.Join(", ", sort.Names)}.";
                return Problems.WriteAsync(context, ProblemCodes.UnknownParameter, detail, [new FieldError("sort", "unknown-value", detail)]);
            }
        }

        return next(context);
    });

    private static bool IsValue(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        plain = plain.IsArray ? plain.GetElementType()! : plain;
        return plain == typeof(string) || plain.IsEnum || plain.IsPrimitive || plain == typeof(Guid) || plain == typeof(DateTimeOffset) || plain == typeof(DateOnly) || plain == typeof(decimal);
    }

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40];
}
