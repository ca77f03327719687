using System.Buffers;
using System.Text.Json;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using MissionControl.Contracts;
using MissionControl.Platform.Http;

namespace MissionControl.Identity.Leaks;

/// <summary>
/// Reads what scanners send as the bytes that they signed, within bounds: so many bytes, so long, and so many reports at once, since
/// anybody may open a connection and name a key that is published.
/// </summary>
internal sealed class ReportBody(TimeProvider time) : IDisposable
{
    public const int MostBytes = 10 * 1024 * 1024;
    public const int MostFinds = 50_000;
    /// <summary>Reports that are read at once from one address: it takes several to keep GitHub waiting.</summary>
    public const int AtOnceFromOne = 3;
    private const int AtOnce = 12;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly PartitionedRateLimiter<string> turns = PartitionedRateLimiter.CreateChained(
        PartitionedRateLimiter.Create<string, string>(address => RateLimitPartition.GetConcurrencyLimiter(address, _ => new ConcurrencyLimiterOptions { PermitLimit = AtOnceFromOne, QueueLimit = 0 })),
        PartitionedRateLimiter.Create<string, string>(_ => RateLimitPartition.GetConcurrencyLimiter("all", _ => new ConcurrencyLimiterOptions { PermitLimit = AtOnce, QueueLimit = 0 })));

    /// <summary>Reads the body and hands it on.</summary>
    /// <returns>What is answered: that of <paramref name="take"/>, or why it was not asked.</returns>
    public async Task<IResult> ReadAsync(HttpContext http, Func<ReadOnlyMemory<byte>, Task<IResult>> take)
    {
        if (http.Request.ContentLength > MostBytes)
        {
            return TooLarge();
        }

        using var turn = turns.AttemptAcquire(http.Connection.RemoteIpAddress?.ToString() ?? "unknown");
        if (!turn.IsAcquired)
        {
            return Problems.Of(ProblemCodes.RateLimited, "Too many reports come at this moment. Send it again after Retry-After.");
        }

        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = MostBytes;
        }

        using var late = new CancellationTokenSource(Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, http.RequestAborted);
        var bytes = new ArrayBufferWriter<byte>(16 * 1024);
        try
        {
            while (await http.Request.Body.ReadAsync(bytes.GetMemory(16 * 1024), either.Token) is > 0 and var read)
            {
                bytes.Advance(read);
                if (bytes.WrittenCount > MostBytes)
                {
                    return TooLarge();
                }
            }
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !http.RequestAborted.IsCancellationRequested)
        {
            return Problems.Of(ProblemCodes.Malformed, $"The body did not come within {Deadline.TotalSeconds} seconds.");
        }

        return await take(bytes.WrittenMemory);
    }

    /// <summary>Reads a JSON array of finds; null when it is none, with too many when there are more than are taken.</summary>
    public static IReadOnlyList<T>? Parse<T>(ReadOnlyMemory<byte> body, out bool tooMany)
        where T : class
    {
        tooMany = false;
        var finds = new List<T>();
        try
        {
            var reader = new Utf8JsonReader(body.Span);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            {
                return null;
            }

            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (finds.Count == MostFinds)
                {
                    tooMany = true;
                    return null;
                }

                if (JsonSerializer.Deserialize<T>(ref reader, JsonSerializerOptions.Web) is not { } find)
                {
                    return null;
                }

                finds.Add(find);
            }

            return reader.TokenType == JsonTokenType.EndArray && !reader.Read() ? finds : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static IResult TooLarge() => Problems.Of(ProblemCodes.PayloadTooLarge, $"A report has {MostBytes / 1024 / 1024} MiB and {MostFinds} finds at most.");

    public void Dispose() => turns.Dispose();
}
