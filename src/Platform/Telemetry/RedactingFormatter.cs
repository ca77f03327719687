using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Platform.Telemetry;

/// <summary>
/// The JSON of the console, with every token cut to its loggable id and every signed assertion to nothing: whoever logs one by
/// mistake, or throws it in an exception, gives nothing away. The detector is the one definition that makes and parses tokens.
/// </summary>
public sealed partial class RedactingFormatter : ConsoleFormatter, IDisposable
{
    /// <summary>Name to choose it by.</summary>
    public const string FormatterName = "redacted-json";

    // The stock JSON formatter is reached as anybody reaches it: by asking a container of its own for it.
    private readonly ServiceProvider services = new ServiceCollection().AddLogging(logging => logging.AddJsonConsole(console => console.UseUtcTimestamp = true)).BuildServiceProvider();
    private readonly ConsoleFormatter json;

    /// <summary>Made by the logging framework.</summary>
    public RedactingFormatter()
        : base(FormatterName) =>
        json = services.GetServices<ConsoleFormatter>().Single(formatter => formatter.Name == ConsoleFormatterNames.Json);

    /// <summary>Cuts what must not be read out of a text.</summary>
    public static string Redact(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Authorization().Replace(Signed().Replace(TokenText.Redact(text), "eyJ…"), "…");
    }

    /// <inheritdoc />
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        ArgumentNullException.ThrowIfNull(textWriter);
        using var text = new StringWriter();
        json.Write(logEntry, scopeProvider, text);
        textWriter.Write(Redact(text.ToString()));
    }

    /// <inheritdoc />
    public void Dispose() => services.Dispose();

    // What a provider sends a browser back with (OAuth 2.0, RFC 6749, 4.1.2): whoever logs addresses logs no code. JSON writes & by its number.
    [GeneratedRegex(@"(?<=(?:[?&]|\\u0026)(?:code|state)=)[A-Za-z0-9._~%+/=-]{20,}")]
    private static partial Regex Authorization();

    // A JWT: user tokens, assertions of clusters, step-up proofs.
    [GeneratedRegex(@"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")]
    private static partial Regex Signed();
}
