using System.Net.Sockets;
using System.Text;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.Extensions.Options;
using MimeKit;
using MissionControl.Notifications.Deliveries;
using MissionControl.Platform.Http;

namespace MissionControl.Notifications.Channels;

/// <summary>Hands mails to the operator's mail server, over TLS or not at all.</summary>
internal sealed class MailChannel(IOptions<NotificationOptions> options, OutboundGuard guard, TimeProvider time)
{
    private const int TimeoutMs = 10_000;

    public IWay Open() => new Way(options.Value.Smtp, guard, time);

    private sealed class Way(SmtpOptions settings, OutboundGuard guard, TimeProvider time) : IWay
    {
        private SmtpClient? client;

        public async Task<Attempt> SendAsync(Delivery delivery, CancellationToken cancellationToken)
        {
            if (settings.Host is not { Length: > 0 })
            {
                return Attempt.Away("No mail server is configured: Notifications:Smtp:Host.");
            }

            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(2 * TimeoutMs);
            try
            {
                client ??= await ConnectAsync(settings.Host, deadline.Token);
                await client.SendAsync(Message(delivery), deadline.Token);
                return Attempt.Sent;
            }
            catch (SmtpCommandException refusal) when ((int)refusal.StatusCode is >= 500 and < 600 && refusal.ErrorCode is SmtpErrorCode.RecipientNotAccepted or SmtpErrorCode.MessageNotAccepted)
            {
                return new Attempt(AttemptEnd.Refused, $"The mail server refused it: {(int)refusal.StatusCode} {refusal.Message}");
            }
            catch (SmtpCommandException later) when (later.ErrorCode is SmtpErrorCode.RecipientNotAccepted or SmtpErrorCode.MessageNotAccepted && client is { IsConnected: true })
            {
                return new Attempt(AttemptEnd.Later, $"The mail server put it off: {(int)later.StatusCode} {later.Message}");
            }
            catch (SmtpCommandException closed)
            {
                // It is not this mail: the server takes none now, or not from us. What is wrong in the configuration must not fail all of them for good.
                return Attempt.Away($"The mail server takes nothing: {(int)closed.StatusCode} {closed.Message}");
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return Attempt.Away("The mail server did not answer in time.");
            }
            catch (Exception exception) when (exception is IOException or SocketException or ProtocolException or AuthenticationException or SslHandshakeException or NotSupportedException or TimeoutException or UnauthorizedAccessException or InvalidOperationException)
            {
                return Attempt.Away(exception is NotSupportedException ? "The mail server does not offer STARTTLS; without it nothing is sent." : exception.Message);
            }
        }

        public async ValueTask DisposeAsync()
        {
            if (client is not null)
            {
                try
                {
                    await client.DisconnectAsync(quit: true);
                }
                catch (Exception exception) when (exception is IOException or SocketException or ProtocolException or CommandException or InvalidOperationException)
                {
                    // It was sent by then; how the server takes its leave changes nothing.
                }

                client.Dispose();
            }
        }

        private async Task<SmtpClient> ConnectAsync(string host, CancellationToken cancellationToken)
        {
            var smtp = new SmtpClient { Timeout = TimeoutMs, ServerCertificateValidationCallback = (_, certificate, chain, errors) => guard.Trusts(certificate, chain, errors) };
            try
            {
                await smtp.ConnectAsync(host, settings.Port, settings.Security == "tls" ? SecureSocketOptions.SslOnConnect : SecureSocketOptions.StartTls, cancellationToken);
                if (settings.User is { Length: > 0 } user)
                {
                    await smtp.AuthenticateAsync(user, settings.PasswordFile is { Length: > 0 } file ? (await File.ReadAllTextAsync(file, cancellationToken)).Trim() : settings.Password ?? "", cancellationToken);
                }

                return smtp;
            }
            catch
            {
                smtp.Dispose();
                throw;
            }
        }

        private MimeMessage Message(Delivery delivery)
        {
            var from = MailboxAddress.Parse(settings.From);
            var letter = new Letter(delivery.Subject, Encoding.UTF8.GetString(delivery.Body));
            var message = new MimeMessage
            {
                Subject = letter.Subject,
                Date = time.GetUtcNow(),
                MessageId = $"{delivery.Id}@{from.Domain}",
                Body = new BodyBuilder { TextBody = letter.Text, HtmlBody = letter.Html() }.ToMessageBody(),
            };
            message.From.Add(from);
            message.To.Add(new MailboxAddress("", delivery.Recipient));

            // RFC 3834: no machine answers a machine.
            message.Headers.Add("Auto-Submitted", "auto-generated");
            return message;
        }
    }
}
