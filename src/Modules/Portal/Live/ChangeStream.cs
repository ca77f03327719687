using System.Collections.Concurrent;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MissionControl.Platform.Time;
using MissionControl.Portal.Sessions;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Live;

/// <summary>
/// <c>GET /_changes?topic=…</c>: tells a browser which of the things it shows have changed, never what they are now. The pages then fetch
/// what they show, with the reader's rights.
/// </summary>
internal static class ChangeStream
{
    /// <summary>Topics of one stream.</summary>
    public const int MaxTopics = 20;

    private const int MaxStreams = 1_000;
    private const int MaxStreamsOfSession = 6;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(4);
    private static readonly ConcurrentDictionary<string, int> Open = new();

    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapGet("/_changes", (HttpContext http, [FromQuery] string[] topic) => PortalPage.WithReaderAsync(http, _ => Task.FromResult(Start(http, topic))));
        pages.MapGet("/_f/alive", async (HttpContext http, CancellationToken _) => TypedResults.StatusCode(await PortalPage.ReaderAsync(http) is null ? StatusCodes.Status401Unauthorized : StatusCodes.Status204NoContent));
    }

    private static IResult Start(HttpContext http, string[] topics)
    {
        var session = http.Request.Cookies[SignedIn.Cookie]!;
        if (Open.Count >= MaxStreams || Open.AddOrUpdate(SignedIn.KeyOf(session), 1, static (_, count) => count + 1) > MaxStreamsOfSession)
        {
            Close(session);
            http.Response.Headers.RetryAfter = "30";
            return TypedResults.StatusCode(StatusCodes.Status503ServiceUnavailable);
        }

        http.Response.OnCompleted(() =>
        {
            Close(session);
            return Task.CompletedTask;
        });
        // Proxies that collect an answer before they pass it on would make it anything but live.
        http.Response.Headers["X-Accel-Buffering"] = "no";
        // An open stream must not hold up the end of the process.
        var stopping = http.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        return TypedResults.ServerSentEvents(EventsAsync(http, session, [.. topics.Distinct().Take(MaxTopics)], stopping));
    }

    private static async IAsyncEnumerable<SseItem<string>> EventsAsync(HttpContext http, string session, List<string> topics, CancellationToken stopping, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stopping, http.RequestAborted, cancellationToken);
        var signedIn = http.RequestServices.GetRequiredService<SignedIn>();
        var watch = http.RequestServices.GetRequiredService<Watch>();
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        using var timer = new PeriodicTimer(Pause, http.RequestServices.GetRequiredService<TimeProvider>());
        for (var round = 0; ; round++)
        {
            var (ended, changed) = await RoundAsync(signedIn, watch, session, topics, known, ends.Token);
            if (ended)
            {
                yield return new SseItem<string>("", "signedout");
                yield break;
            }

            // What changes from here on is told; what changed between the drawing of the page and now, the page asks for once.
            if (changed.Count > 0 || round % 5 == 0)
            {
                yield return changed.Count > 0 ? new SseItem<string>(JsonSerializer.Serialize(changed), "changed") : new SseItem<string>("", round == 0 ? "ready" : "ping");
            }

            if (!await timer.NextAsync(ends.Token))
            {
                yield break;
            }
        }
    }

    private static async Task<(bool Ended, List<string> Changed)> RoundAsync(SignedIn signedIn, Watch watch, string session, List<string> topics, Dictionary<string, string> known, CancellationToken cancellationToken)
    {
        var changed = new List<string>();
        try
        {
            if (await signedIn.FindAsync(session, isActive: false, cancellationToken) is not { } reader)
            {
                return (true, changed);
            }

            var digests = await Task.WhenAll(topics.Select(topic => watch.DigestAsync(reader, topic)));
            foreach (var (topic, digest) in topics.Zip(digests))
            {
                if (digest is not null && known.TryGetValue(topic, out var before) && before != digest)
                {
                    changed.Add(topic);
                }

                if (digest is not null)
                {
                    known[topic] = digest;
                }
            }
        }
        catch (Exception silence) when (silence is Client.ApiException or HttpRequestException or OperationCanceledException)
        {
            // Nothing is known of this round; the next one compares with what was known before.
        }

        return (false, changed);
    }

    private static void Close(string session)
    {
        var key = SignedIn.KeyOf(session);
        if (Open.AddOrUpdate(key, 0, static (_, count) => count - 1) <= 0)
        {
            Open.TryRemove(new KeyValuePair<string, int>(key, 0));
        }
    }
}
