using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Licensing.Focus;

/// <summary>
/// A table as a file, written as its rows are read: no more of it is in memory than a buffer. CSV after RFC 4180, in which nothing is no
/// value, or a JSON object in every line, in which null is. Numbers are digits in both, never rounded.
/// </summary>
internal sealed class FocusFile<T>(FocusDataset<T> dataset, IAsyncEnumerable<T> rows, IReadOnlyList<string> customers) : IResult, IShownAsFile
{
    private const int SendAtOnce = 64 * 1024;

    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public IReadOnlyList<string> Ids => customers;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (time, csv) = (httpContext.RequestServices.GetRequiredService<TimeProvider>(), Csv.IsWanted(httpContext.Request));
        var file = string.Create(CultureInfo.InvariantCulture, $"focus-{dataset.Name}-{time.GetUtcNow():yyyyMMdd'T'HHmmss'Z'}.{(csv ? "csv" : "jsonl")}");
        httpContext.Response.ContentType = csv ? $"{Csv.MediaType}; charset=utf-8; header=present" : FocusApi.JsonLines;
        httpContext.Response.Headers.ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileName = file }.ToString();
        httpContext.Response.Headers.CacheControl = "no-store";
        httpContext.Response.Headers.Vary = "Accept";
        await WriteAsync(httpContext.Response.Body, csv, httpContext.RequestAborted);
    }

    /// <summary>Writes the whole table.</summary>
    public async Task WriteAsync(Stream output, bool csv, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>(SendAtOnce + 4096);
        if (csv)
        {
            WriteHead(buffer);
            await foreach (var row in rows.WithCancellation(cancellationToken))
            {
                WriteCsv(buffer, row);
                if (buffer.WrittenCount >= SendAtOnce)
                {
                    await SendAsync();
                }
            }
        }
        else
        {
            var names = dataset.Columns.Select(column => JsonEncodedText.Encode(column.Name)).ToArray();
            using var json = new Utf8JsonWriter(buffer, Json);
            await foreach (var row in rows.WithCancellation(cancellationToken))
            {
                WriteJson(json, names, row);
                buffer.Write("\n"u8);
                json.Reset();
                if (buffer.WrittenCount >= SendAtOnce)
                {
                    await SendAsync();
                }
            }
        }

        await SendAsync();

        async Task SendAsync()
        {
            await output.WriteAsync(buffer.WrittenMemory, cancellationToken);
            buffer.ResetWrittenCount();
        }
    }

    private void WriteJson(Utf8JsonWriter json, JsonEncodedText[] names, T row)
    {
        json.WriteStartObject();
        for (var i = 0; i < names.Length; i++)
        {
            var column = dataset.Columns[i];
            json.WritePropertyName(names[i]);
            if (column.Read(row) is not { Length: > 0 } value)
            {
                json.WriteNullValue();
            }
            else if (column.Type is FocusType.String or FocusType.DateTime)
            {
                json.WriteStringValue(value);
            }
            else
            {
                json.WriteRawValue(value, skipInputValidation: true);
            }
        }

        json.WriteEndObject();
        json.Flush();
    }

    private void WriteHead(ArrayBufferWriter<byte> output)
    {
        for (var i = 0; i < dataset.Columns.Count; i++)
        {
            output.Write(i == 0 ? ""u8 : ","u8);
            Encoding.UTF8.GetBytes(dataset.Columns[i].Name, output);
        }

        output.Write("\r\n"u8);
    }

    private void WriteCsv(ArrayBufferWriter<byte> output, T row)
    {
        for (var i = 0; i < dataset.Columns.Count; i++)
        {
            output.Write(i == 0 ? ""u8 : ","u8);
            var column = dataset.Columns[i];
            if (column.Read(row) is not { Length: > 0 } value)
            {
                continue;
            }

            if (column.Type is not (FocusType.String or FocusType.Json))
            {
                Encoding.UTF8.GetBytes(value, output);
                continue;
            }

            // What a spreadsheet would take for a formula begins with an apostrophe, as in the other files of the API.
            var text = value[0] is '=' or '+' or '-' or '@' or '\t' or '\r' ? $"'{value}" : value;
            Encoding.UTF8.GetBytes(text.AsSpan().ContainsAny(FocusApi.Special) ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text, output);
        }

        output.Write("\r\n"u8);
    }
}
