using System.Globalization;
using System.Linq.Expressions;
using System.Reflection;
using System.Text.Json;
using CsvHelper;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using MissionControl.Contracts.Api;
using MissionControl.Platform.Security;

namespace MissionControl.Platform.Http;

/// <summary>
/// A list as a file: RFC 4180 in UTF-8, the API's own field names, instants in ISO 8601 UTC, plain numbers, streamed and
/// without pages. A text that a spreadsheet would take for a formula begins with an apostrophe.
/// </summary>
public static class Csv
{
    /// <summary>The media type.</summary>
    public const string MediaType = "text/csv";

    private const string Instant = "yyyy-MM-dd'T'HH:mm:ss.FFF'Z'";
    private static readonly CsvWriterOptions Format = new() { Injection = CsvInjection.Escape, TrueValue = "true", FalseValue = "false" };
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Whether the caller would rather have a file than JSON.</summary>
    public static bool IsWanted(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var best = request.GetTypedHeaders().Accept.OrderByDescending(accepted => accepted.Quality ?? 1).FirstOrDefault();
        return best is not null && string.Equals(best.MediaType.Value, MediaType, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A result that streams every row.</summary>
    /// <param name="name">What the file holds; its name also says when it was made.</param>
    /// <param name="rows">The rows, read as they are written.</param>
    /// <param name="ids">The ids of the rows, where somebody has to be told of them before they leave (<see cref="StaffLists"/>).</param>
    public static IResult File<T>(string name, IAsyncEnumerable<T> rows, IReadOnlyList<string>? ids = null) => new CsvResult<T>(name, rows, ids ?? []);

    /// <summary>A result that writes rows which are at hand.</summary>
    public static IResult File<T>(string name, IEnumerable<T> rows) => new CsvResult<T>(name, rows.ToAsyncEnumerable(), []);

    private static void Write(CsvWriter csv, object? value)
    {
        switch (value)
        {
            case null or string:
                csv.WriteField((string?)value);
                break;
            case DateTimeOffset instant:
                csv.WriteField(instant.ToUniversalTime(), Instant);
                break;
            case IFormattable or bool:
                csv.WriteField(value);
                break;
            default:
                csv.WriteField(JsonSerializer.Serialize(value, value.GetType(), Json));
                break;
        }
    }

    private sealed class CsvResult<T>(string name, IAsyncEnumerable<T> rows, IReadOnlyList<string> ids) : IResult, IShownAsFile
    {
        public IReadOnlyList<string> Ids => ids;

        private static readonly (string Name, Func<T, object?> Read)[] Columns = [.. typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            // What its reader may do is no part of a file, which goes on to others.
            .Where(property => property.GetIndexParameters().Length == 0 && property.PropertyType != typeof(IReadOnlyList<AllowedAction>))
            .Select(property => (JsonNamingPolicy.CamelCase.ConvertName(property.Name), Reader(property)))];

        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var time = httpContext.RequestServices.GetRequiredService<TimeProvider>();
            var file = string.Create(CultureInfo.InvariantCulture, $"{name}-{time.GetUtcNow():yyyyMMdd'T'HHmmss'Z'}.csv");
            httpContext.Response.ContentType = $"{MediaType}; charset=utf-8; header=present";
            httpContext.Response.Headers.ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileName = file }.ToString();
            await using var csv = CsvWriter.Create(httpContext.Response.Body, Format, leaveOpen: true);
            csv.WriteRecord([.. Columns.Select(column => column.Name)]);
            await foreach (var row in rows.WithCancellation(httpContext.RequestAborted))
            {
                foreach (var (_, read) in Columns)
                {
                    Write(csv, read(row));
                }

                await csv.EndRecordAsync(httpContext.RequestAborted);
            }
        }

        private static Func<T, object?> Reader(PropertyInfo property)
        {
            var row = Expression.Parameter(typeof(T));
            return Expression.Lambda<Func<T, object?>>(Expression.Convert(Expression.Property(row, property), typeof(object)), row).Compile();
        }
    }
}
