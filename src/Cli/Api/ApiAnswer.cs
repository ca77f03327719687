using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using MissionControl.Contracts.Api;

namespace MissionControl.Cli.Api;

/// <summary>What a call was answered.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Headers">All headers.</param>
/// <param name="Body">The body as it came.</param>
internal sealed record ApiAnswer(HttpStatusCode Status, IReadOnlyList<KeyValuePair<string, IEnumerable<string>>> Headers, byte[] Body)
{
    // Text stays readable; what could steer is escaped by hand.
    private static readonly JsonWriterOptions ForPeople = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether the server did it.</summary>
    public bool IsDone => (int)Status is >= 200 and < 300;

    /// <summary>The problem document; null: there is none that can be read.</summary>
    public ProblemDocument? Problem { get; private init; }

    /// <summary>Reads an answer whole, and no more of it than there is room for.</summary>
    public static async Task<ApiAnswer> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        const int longest = 64 * 1024 * 1024;
        const int longestProblem = 64 * 1024;
        byte[] body;
        try
        {
            await response.Content.LoadIntoBufferAsync(response.IsSuccessStatusCode ? longest : longestProblem, cancellationToken);
            body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        }
        catch (HttpRequestException failure) when (failure.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded && !response.IsSuccessStatusCode)
        {
            body = []; // The refusal stands, whatever else was to be said.
        }

        var headers = response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated).Select(header => KeyValuePair.Create(header.Key, (IEnumerable<string>)[.. header.Value])).ToList();
        return new ApiAnswer(response.StatusCode, headers, body) { Problem = response.IsSuccessStatusCode ? null : ProblemIn(response.Content.Headers.ContentType, body) };
    }

    /// <summary>Status and headers.</summary>
    public void TellHead(TextWriter error)
    {
        error.WriteLine($"{(int)Status} {Status}");
        foreach (var (name, values) in Headers)
        {
            error.WriteLine($"{Printable.Line(name)}: {Printable.Line(string.Join(", ", values))}");
        }
    }

    /// <summary>
    /// Writes the body to standard output itself, and not through the writer that cuts tokens: a token that was just made is shown
    /// once, here, and is what the caller wants. To a file or a program it goes as it came; to a terminal as text that cannot steer it.
    /// </summary>
    public async Task WriteBodyAsync()
    {
        if (Console.IsOutputRedirected)
        {
            await using var output = Console.OpenStandardOutput();
            await output.WriteAsync(Body);
            await output.FlushAsync();
        }
        else if (Body.Length > 0)
        {
            Console.Out.WriteLine(ForTerminal());
        }
    }

    /// <summary>The body for people: JSON is indented, and stays JSON.</summary>
    public string ForTerminal()
    {
        try
        {
            using var document = JsonDocument.Parse(Body);
            using var bytes = new MemoryStream();
            using (var json = new Utf8JsonWriter(bytes, ForPeople))
            {
                document.WriteTo(json);
            }

            return string.Concat(Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length).Select(c => c != '\n' && Printable.Steers(c) ? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}") : c.ToString()));
        }
        catch (JsonException)
        {
            return string.Concat(Encoding.UTF8.GetString(Body).ReplaceLineEndings("\n").Select(c => c is not ('\n' or '\t') && Printable.Steers(c) ? '?' : c));
        }
    }

    private static ProblemDocument? ProblemIn(MediaTypeHeaderValue? type, byte[] body)
    {
        try
        {
            return type?.MediaType == "application/problem+json" ? JsonSerializer.Deserialize<ProblemDocument>(body, JsonSerializerOptions.Web) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
