using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using MissionControl.Notifications.Deliveries;
using MissionControl.Notifications.Endpoints;
using MissionControl.Platform.Http;

namespace MissionControl.Notifications.Channels;

/// <summary>
/// Posts CloudEvents in structured mode (CloudEvents HTTP binding 1.0), signed as Standard Webhooks says: HMAC-SHA-256 over id, time and
/// body, one signature for each secret in force. Redirects are not followed, and of the answer only status and Retry-After are read.
/// </summary>
internal sealed class WebhookChannel : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    // Apart, so that a customer's webhook never goes over a connection that was opened for the vendor's.
    private readonly HttpClient vendors;
    private readonly HttpClient customers;
    private readonly EndpointSecrets secrets;
    private readonly TimeProvider time;

    public WebhookChannel(OutboundGuard guard, EndpointSecrets secrets, TimeProvider time)
    {
        this.secrets = secrets;
        this.time = time;
        (vendors, customers) = (guard.Client(isOwn: true), guard.Client(isOwn: false));
    }

    public IWay To(OutboundEndpoint endpoint) => new Way(this, endpoint);

    public void Dispose()
    {
        vendors.Dispose();
        customers.Dispose();
    }

    private async Task<Attempt> PostAsync(OutboundEndpoint endpoint, Delivery delivery, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var stamp = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var id = delivery.Id.ToString();
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint.Address) { Content = new ByteArrayContent(delivery.Body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/cloudevents+json") { CharSet = "utf-8" };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", stamp);
        request.Headers.Add("webhook-signature", string.Join(' ', secrets.InForce(endpoint, now).Select(secret => Signature(secret, id, stamp, delivery.Body))));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        try
        {
            using var response = await (endpoint.CustomerId is null ? vendors : customers).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            return response.IsSuccessStatusCode ? Attempt.Sent
                : response.StatusCode == HttpStatusCode.Gone ? new Attempt(AttemptEnd.Gone, "It answered 410: it wants nothing more.")
                : new Attempt(response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable ? AttemptEnd.Away : AttemptEnd.Later, $"It answered {(int)response.StatusCode}.", PauseOf(response, now));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Attempt.Away($"It did not answer within {Deadline.TotalSeconds} s.");
        }
        catch (HttpRequestException exception)
        {
            return Attempt.Away((exception.InnerException as ForbiddenAddressException)?.Message ?? exception.Message);
        }
    }

    private static string Signature(byte[] secret, string id, string stamp, byte[] body)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        hash.AppendData(Encoding.ASCII.GetBytes($"{id}.{stamp}."));
        hash.AppendData(body);
        return $"v1,{Convert.ToBase64String(hash.GetHashAndReset())}";
    }

    private static TimeSpan? PauseOf(HttpResponseMessage response, DateTimeOffset now) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - now,
        _ => null,
    };

    private sealed class Way(WebhookChannel channel, OutboundEndpoint endpoint) : IWay
    {
        public Task<Attempt> SendAsync(Delivery delivery, CancellationToken cancellationToken) => channel.PostAsync(endpoint, delivery, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
