using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;

namespace MissionControl.Platform.Http;

/// <summary>
/// Refuses query parameters that an endpoint of the API does not have, and values that are none of its kind: a misspelt filter that is
/// ignored shows somebody the wrong rows, or all of them. What an endpoint has is read from the handler's own parameters.
/// </summary>
public static class QueryParameters
{
    /// <summary>The rows that a page has at most.</summary>
    public const int MaxLimit = 500;

    /// <summary>What a value of each type looks like, and whether a text is one: as the endpoint itself reads it.</summary>
    internal static readonly IReadOnlyDictionary<Type, (string Words, Func<string, bool> Reads)> Kinds = new Dictionary<Type, (string, Func<string, bool>)>
    {
        [typeof(string)] = ("a text", static _ => true),
        [typeof(Guid)] = ("an id, such as 018f0000-0000-7000-8000-000000000001", static value => Guid.TryParse(value, out _)),
        [typeof(bool)] = ("true or false", static value => bool.TryParse(value, out _)),
        [typeof(int)] = ("a whole number", static value => int.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out _)),
        [typeof(long)] = ("a whole number", static value => long.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out _)),
        [typeof(DateTimeOffset)] = ("a time, such as 2026-01-31T12:00:00Z", static value => DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out _)),
    };

    private static readonly ConcurrentDictionary<Endpoint, IReadOnlyDictionary<string, Type>> Known = new();

    /// <summary>The query parameters of an endpoint with their types; an array may stand more than once.</summary>
    public static IReadOnlyDictionary<string, Type> Of(Endpoint endpoint) => Known.GetOrAdd(endpoint, static endpoint =>
    {
        var route = (endpoint as RouteEndpoint)?.RoutePattern.Parameters.Select(parameter => parameter.Name).ToHashSet(StringComparer.OrdinalIgnoreCase) ?? [];
        return endpoint.Metadata.GetOrderedMetadata<IParameterBindingMetadata>()
            .Where(parameter => IsValue(parameter.ParameterInfo.ParameterType) && !route.Contains(parameter.Name))
            .ToDictionary(parameter => JsonNamingPolicy.CamelCase.ConvertName(parameter.Name), parameter => parameter.ParameterInfo.ParameterType, StringComparer.OrdinalIgnoreCase);
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
            if (!known.TryGetValue(name, out var type))
            {
                return Problems.WriteAsync(context, ProblemCodes.UnknownParameter, known.Count == 0
                    ? $"This takes no parameters; '{Shorten(name)}' is one."
                    : $"There is no parameter '{Shorten(name)}' here. Known: {string.Join(", ", known.Keys.Order(StringComparer.Ordinal))}.");
            }

            if (values.Count > 1 && !type.IsArray)
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

            var (words, reads) = Kinds[Plain(type)];
            if (values.Any(value => !string.IsNullOrEmpty(value) && !reads(value)))
            {
                var detail = $"{name} is {words}.";
                return Problems.WriteAsync(context, ProblemCodes.Malformed, detail, [new FieldError(name, "malformed", detail)]);
            }
        }

        return next(context);
    });

    internal static Type Plain(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        return plain.IsArray ? plain.GetElementType()! : plain;
    }

    private static bool IsValue(Type type) =>
        Plain(type) is var plain && (plain == typeof(string) || plain.IsEnum || plain.IsPrimitive || plain == typeof(Guid) || plain == typeof(DateTimeOffset) || plain == typeof(DateOnly) || plain == typeof(decimal));

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40];
}
