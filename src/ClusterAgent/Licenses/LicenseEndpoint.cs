using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using MissionControl.Protocol.Documents;
using MissionControl.Protocol.Licenses;

namespace MissionControl.ClusterAgent.Licenses;

/// <summary>
/// Answers the product on this machine: <c>GET /license</c> and <c>POST /license/check</c>, on 127.0.0.1 alone. It tells and changes
/// nothing, so it needs no secret; what a browser sends for a page of somebody else is refused by Host and Origin.
/// </summary>
public sealed class LicenseEndpoint : IDisposable
{
    private const int MostBytes = 64 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly HttpListener listener = new() { IgnoreWriteExceptions = true };
    private readonly Func<LicenseQuestion, LicenseVerdict> check;
    private readonly string[] hosts;

    /// <summary>Listens.</summary>
    /// <param name="port">On which port.</param>
    /// <param name="check">Checks the licence; from any thread.</param>
    /// <exception cref="HttpListenerException">The port is in use, or not ours to use.</exception>
    public LicenseEndpoint(int port, Func<LicenseQuestion, LicenseVerdict> check)
    {
        this.check = check;
        hosts = [$"127.0.0.1:{port}", $"localhost:{port}"];
        listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        listener.Start();
        _ = ListenAsync();
    }

    /// <inheritdoc />
    public void Dispose() => listener.Close();

    private async Task ListenAsync()
    {
        while (listener.IsListening)
        {
            try
            {
                _ = HandleAsync(await listener.GetContextAsync());
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                // A client that went away before it was heard; or the end, which the loop sees.
            }
        }
    }

    private async Task HandleAsync(HttpListenerContext context)
    {
        try
        {
            var (status, body) = await AnswerAsync(context.Request);
            context.Response.StatusCode = status;
            context.Response.ContentType = "application/json";
            context.Response.Headers["Cache-Control"] = "no-store";
            context.Response.ContentLength64 = body.Length;
            await context.Response.OutputStream.WriteAsync(body);
            context.Response.Close();
        }
        catch (Exception exception) when (exception is HttpListenerException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The client is gone, or too slow.
            context.Response.Abort();
        }
    }

    private async Task<(int Status, byte[] Body)> AnswerAsync(HttpListenerRequest request)
    {
        if (!hosts.Contains(request.UserHostName, StringComparer.OrdinalIgnoreCase) || request.Headers["Origin"] is not null)
        {
            return Refusal(403, "wrong-host", "Ask 127.0.0.1, and not from a page in a browser.");
        }

        switch (request.HttpMethod, request.Url?.AbsolutePath)
        {
            case ("GET", "/license"):
                return (200, Told(check(LicenseQuestion.Plain)));
            case ("POST", "/license/check"):
                return await ReadAsync(request) is { } body ? Checked(body) : Refusal(413, "payload-too-large", $"A question has at most {MostBytes} bytes.");
            case (_, "/license" or "/license/check"):
                return Refusal(405, "method-not-allowed", "GET /license, POST /license/check.");
            default:
                return Refusal(404, "not-found", "GET /license, POST /license/check.");
        }
    }

    private (int Status, byte[] Body) Checked(byte[] body)
    {
        try
        {
            var question = body.Length == 0 ? LicenseQuestion.Plain : JsonSerializer.Deserialize(body, LicenseJson.Default.LicenseQuestion) ?? LicenseQuestion.Plain;
            var wrong = question.Used?.FirstOrDefault(pair => !Quantity.IsWellFormed(pair.Value));
            return wrong is { Key: { } meter } ? Refusal(400, "quantity-malformed", $"The quantity of {meter} is decimal text, never negative.") : (200, Told(check(question)));
        }
        catch (JsonException)
        {
            return Refusal(400, "malformed", """The question is JSON: {"used": {"meter": "12"}, "entitlements": ["feature"]}.""");
        }
    }

    private static async Task<byte[]?> ReadAsync(HttpListenerRequest request)
    {
        if (request.ContentLength64 > MostBytes)
        {
            return null;
        }

        using var patience = new CancellationTokenSource(Patience);
        var bytes = new byte[request.ContentLength64 >= 0 ? request.ContentLength64 : MostBytes + 1];
        var read = await request.InputStream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, patience.Token);
        return read > MostBytes ? null : bytes[..read];
    }

    private static byte[] Told(LicenseVerdict verdict) => JsonSerializer.SerializeToUtf8Bytes(verdict, LicenseJson.Default.LicenseVerdict);

    private static (int Status, byte[] Body) Refusal(int status, string code, string detail) =>
        (status, JsonSerializer.SerializeToUtf8Bytes(new EndpointRefusal(status.ToString(CultureInfo.InvariantCulture), code, detail), LicenseJson.Default.EndpointRefusal));
}

/// <summary>Why a question was not answered.</summary>
/// <param name="Status">As the HTTP status.</param>
/// <param name="Code">Kebab-case.</param>
/// <param name="Detail">What to do.</param>
internal sealed record EndpointRefusal(string Status, string Code, string Detail);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, AllowDuplicateProperties = false, PropertyNameCaseInsensitive = false, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, NumberHandling = JsonNumberHandling.Strict)]
[JsonSerializable(typeof(LicenseQuestion))]
[JsonSerializable(typeof(LicenseVerdict))]
[JsonSerializable(typeof(EndpointRefusal))]
internal sealed partial class LicenseJson : JsonSerializerContext;
