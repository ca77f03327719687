using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Tests;

/// <summary>A refusal as it comes over the wire.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">Problem code; null: the body is no problem document, as when a proxy answers.</param>
/// <param name="RetryAfter">Seconds; null: it says nothing of it.</param>
internal sealed record Refusal(int Status, string? Code, int? RetryAfter = null);

/// <summary>The other end of the wire: takes everything, and says what the test wants said.</summary>
internal sealed class Door(TimeProvider time) : HttpMessageHandler
{
    private readonly ConcurrentDictionary<string, int> asked = new(StringComparer.Ordinal);

    public CheckInResponse Answer { get; set; } = new();

    /// <summary>What a route refuses with, by its last segment.</summary>
    public Dictionary<string, Refusal> Refuses { get; } = new(StringComparer.Ordinal);

    /// <summary>Items of the last check-in that was taken.</summary>
    public IReadOnlyList<Item> Items { get; private set; } = [];

    public int Asked(string route) => asked.GetValueOrDefault(route);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var route = request.RequestUri!.Segments[^1];
        asked.AddOrUpdate(route, 1, (_, count) => count + 1);
        if (Refuses.TryGetValue(route, out var refusal))
        {
            var refused = new HttpResponseMessage((HttpStatusCode)refusal.Status) { Content = new StringContent(refusal.Code is null ? "<html>No entry.</html>" : $$"""{"code":"{{refusal.Code}}","detail":"Keep the items."}""") };
            refused.Headers.RetryAfter = refusal.RetryAfter is { } seconds ? new RetryConditionHeaderValue(TimeSpan.FromSeconds(seconds)) : null;
            return refused;
        }

        if (route == "token")
        {
            return Said(new TokenResponse { AccessToken = "mcc_test", ExpiresInS = 600, ServerTimeMs = now });
        }

        await using var body = await request.Content!.ReadAsStreamAsync(cancellationToken);
        await using var inflated = request.Content.Headers.ContentEncoding.Contains("gzip") ? new GZipStream(body, CompressionMode.Decompress) : body;
        var checkIn = CheckInRequest.Parser.ParseFrom(inflated);
        Items = checkIn.Items;
        var answer = Answer.Clone();
        answer.ServerTimeMs = now;
        answer.AcceptedAboveAck.AddRange(checkIn.Items.Select(item => item.Seq));
        return Said(answer);
    }

    private static HttpResponseMessage Said(IMessage message) => new(HttpStatusCode.OK) { Content = new ByteArrayContent(message.ToByteArray()) };
}
