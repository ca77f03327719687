using System.Buffers;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using MissionControl.Notifications.Deliveries;
using MissionControl.Notifications.Endpoints;
using MissionControl.Platform.Http;

namespace MissionControl.Notifications.Channels;

/// <summary>
/// Writes events to a syslog server: RFC 5424 messages over TLS with their length in front (RFC 5425). The protocol has no answer, so
/// that "sent" means that the server's system took the bytes; what must not be lost goes by webhook as well.
/// </summary>
internal sealed class SyslogChannel(OutboundGuard guard, TimeProvider time)
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    // Facility 13, log audit (RFC 5424, table 1).
    private const int LogAudit = 13;

    public IWay To(OutboundEndpoint endpoint) => new Way(guard, time, new Uri(endpoint.Address), endpoint.CustomerId is null);

    /// <summary>The message of a delivery, or where it is a batch one for each of its lines, each with its length before it.</summary>
    internal static byte[] Frames(Delivery delivery, DateTimeOffset now)
    {
        var level = delivery.Severity switch { "critical" => 2, "warning" => 4, _ => 6 };
        var head = Encoding.UTF8.GetBytes($"<{(LogAudit * 8) + level}>1 {now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)} - missioncontrol - {delivery.Id:N} - \uFEFF");
        var frames = new ArrayBufferWriter<byte>(delivery.Body.Length + head.Length);
        using var document = JsonDocument.Parse(delivery.Body);
        if (document.RootElement.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Object && data.TryGetProperty("lines", out var lines) && lines.ValueKind == JsonValueKind.Array)
        {
            foreach (var line in lines.EnumerateArray())
            {
                Write(line.ValueKind == JsonValueKind.String ? Encoding.UTF8.GetBytes(line.GetString()!) : JsonMarshal.GetRawUtf8Value(line));
            }
        }
        else
        {
            Write(delivery.Body);
        }

        return frames.WrittenSpan.ToArray();

        void Write(ReadOnlySpan<byte> text)
        {
            Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{head.Length + text.Length} "), frames);
            frames.Write(head);
            frames.Write(text);
        }
    }

    private sealed class Way(OutboundGuard guard, TimeProvider time, Uri address, bool isOwn) : IWay
    {
        private SslStream? stream;

        /// <summary>Whether all that was begun was written: after half a message nothing can be said.</summary>
        private bool isWhole = true;

        public async Task<Attempt> SendAsync(Delivery delivery, CancellationToken cancellationToken)
        {
            var term = SendDue.TermOf(delivery);
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(term);
            try
            {
                stream ??= await OpenAsync(deadline.Token);
                isWhole = false;
                await stream.WriteAsync(Frames(delivery, time.GetUtcNow()), deadline.Token);
                await stream.FlushAsync(deadline.Token);
                isWhole = true;
                return Attempt.Sent;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return Attempt.Away($"It did not take it within {term.TotalSeconds} s.");
            }
            catch (Exception exception) when (exception is IOException or SocketException or AuthenticationException or ForbiddenAddressException)
            {
                return Attempt.Away(exception.Message);
            }
        }

        public async ValueTask DisposeAsync()
        {
            if (stream is null)
            {
                return;
            }

            try
            {
                // RFC 5425, 4.4: who ends says so; what was sent is not dropped with the connection. It writes, and who reads nothing is not waited for.
                if (isWhole)
                {
                    await stream.ShutdownAsync().WaitAsync(Farewell);
                }
            }
            catch (Exception exception) when (exception is IOException or InvalidOperationException or TimeoutException)
            {
                // The server was faster, or does not read.
            }

            await stream.DisposeAsync();
        }

        private async Task<SslStream> OpenAsync(CancellationToken cancellationToken)
        {
            var tls = new SslStream(await guard.ConnectAsync(address.Host, address.Port, isOwn, cancellationToken));
            try
            {
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = address.Host, RemoteCertificateValidationCallback = (_, certificate, chain, errors) => guard.Trusts(certificate, chain, errors) }, cancellationToken);
                return tls;
            }
            catch
            {
                await tls.DisposeAsync();
                throw;
            }
        }
    }
}
