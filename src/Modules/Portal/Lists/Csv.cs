using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using MissionControl.Contracts.Api;

namespace MissionControl.Portal.Lists;

/// <summary>A column of a file.</summary>
/// <param name="Name">The API's name of the field.</param>
/// <param name="Value">Its value: instants, numbers and text in the API's form.</param>
internal sealed record Column<T>(string Name, Func<T, object?> Value);

/// <summary>Lists as files (RFC 4180, UTF-8): all rows of the filter, streamed page by page, in bounded memory.</summary>
internal static class Csv
{
    // A spreadsheet takes text that begins so for a formula.
    private static readonly SearchValues<char> Formula = SearchValues.Create("=+-@\t\r");
    private static readonly SearchValues<char> Quoted = SearchValues.Create(",\"\r\n");

    /// <summary>Answers with a file.</summary>
    /// <param name="name">File name without extension.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="rows">Its rows.</param>
    public static IResult File<T>(string name, IReadOnlyList<Column<T>> columns, IAsyncEnumerable<T> rows) => TypedResults.Stream(
        async body =>
        {
            await using var writer = new StreamWriter(body, new UTF8Encoding(false), 16 * 1024, leaveOpen: true);
            await writer.WriteAsync(string.Join(',', columns.Select(column => column.Name)) + "\r\n");
            await foreach (var row in rows)
            {
                await writer.WriteAsync(string.Join(',', columns.Select(column => Field(column.Value(row)))) + "\r\n");
            }
        },
        "text/csv; charset=utf-8", $"{name}.csv");

    /// <summary>Every row of a list, page after page. The first is asked for by the caller, whose refusal is still an answer.</summary>
    /// <param name="first">The first page.</param>
    /// <param name="next">Asks for the page that a cursor begins.</param>
    public static async IAsyncEnumerable<T> RowsAsync<T>(Page<T> first, Func<string, Task<Page<T>>> next)
    {
        for (var page = first; ; page = await next(Addresses.CursorOf(page.Next)!))
        {
            foreach (var item in page.Items)
            {
                yield return item;
            }

            if (page.Next is null)
            {
                yield break;
            }
        }
    }

    /// <summary>One field.</summary>
    public static string Field(object? value)
    {
        var text = value switch
        {
            null => "",
            string words => words.Length > 0 && Formula.Contains(words[0]) ? "'" + words : words,
            DateTimeOffset at => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
            bool flag => flag ? "true" : "false",
            _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        };
        return text.AsSpan().ContainsAny(Quoted) ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }
}
