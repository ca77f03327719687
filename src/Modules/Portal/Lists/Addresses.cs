using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace MissionControl.Portal.Lists;

/// <summary>Addresses of lists: the filter is in them, under the API's own names, so that every view can be linked to.</summary>
internal static class Addresses
{
    /// <summary>The API's query for a list: the parameters it takes, those left empty in the form left out.</summary>
    public static string ApiQuery(HttpRequest request, IReadOnlyCollection<string> taken, params (string Name, string Value)[] more)
    {
        var query = QueryString.Empty;
        foreach (var (name, values) in request.Query)
        {
            foreach (var value in values.Where(value => !string.IsNullOrWhiteSpace(value) && taken.Contains(name)))
            {
                query = query.Add(name, value!);
            }
        }

        foreach (var (name, value) in more)
        {
            query = query.Add(name, value);
        }

        return query.Value ?? "";
    }

    /// <summary>The parameters of this request that the list does not know: named to the reader instead of ignored.</summary>
    public static IReadOnlyList<string> Unknown(HttpRequest request, IReadOnlyCollection<string> taken) => [.. request.Query.Keys.Where(name => name != "view" && !taken.Contains(name))];

    /// <summary>This address with a parameter set, or taken out when its value is null.</summary>
    public static string With(HttpRequest request, params (string Name, string? Value)[] changes)
    {
        var query = QueryString.Empty;
        foreach (var (name, values) in request.Query.Where(parameter => changes.All(change => change.Name != parameter.Key)))
        {
            foreach (var value in values.Where(value => !string.IsNullOrEmpty(value)))
            {
                query = query.Add(name, value!);
            }
        }

        foreach (var (name, value) in changes.Where(change => change.Value is not null))
        {
            query = query.Add(name, value!);
        }

        return request.Path + query;
    }

    /// <summary>An address or a query, with another query behind it.</summary>
    public static string Joined(string address, string query) => query.Length == 0 ? address : address.Contains('?', StringComparison.Ordinal) ? $"{address}&{query[1..]}" : address + query;

    /// <summary>The position in the API's link to the next page.</summary>
    public static string? CursorOf(string next) => next.IndexOf('?', StringComparison.Ordinal) is var start and >= 0
        && QueryHelpers.ParseQuery(next[start..]).TryGetValue("cursor", out var cursor) ? cursor.ToString() : null;
}
