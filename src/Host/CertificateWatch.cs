using MissionControl.Platform.Messaging;
using MissionControl.Platform.Time;

namespace MissionControl.Host;

/// <summary>Looks every ten seconds whether another server certificate was put in its place, and says in the log, at the start and daily, that the present one ends soon.</summary>
internal sealed partial class CertificateWatch(ServerCertificate certificate, ProcessIdentity process, TimeProvider time, ILogger<CertificateWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Daily = TimeSpan.FromDays(1);
    private string? complaint;
    private DateTimeOffset warnedAt;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        do
        {
            Look();
        }
        while (await timer.NextAsync(stoppingToken));
    }

    private void Look()
    {
        try
        {
            if (certificate.Refresh())
            {
                warnedAt = default;
                LogReplaced(logger, certificate.End);
            }

            complaint = null;
        }
        catch (Exception exception)
        {
            // Whatever lies there is no reason to end the process. Half of it may be there, and the other half in a moment; what stays
            // wrong is said once.
            if (complaint != exception.Message)
            {
                complaint = exception.Message;
                LogUnreadable(logger, exception.Message);
            }
        }

        process.CertificateEndsAt = certificate.End;
        if (certificate.End - time.GetUtcNow() < Certificates.RenewBefore && time.GetUtcNow() - warnedAt >= Daily)
        {
            warnedAt = time.GetUtcNow();
            LogEnd(logger, certificate.End);
        }
    }

    [LoggerMessage(3004, LogLevel.Warning, "The server certificate ends on {End:u}; put a new one in its place")]
    private static partial void LogEnd(ILogger logger, DateTimeOffset end);

    [LoggerMessage(3005, LogLevel.Information, "Another server certificate is shown from now on; it ends on {End:u}")]
    private static partial void LogReplaced(ILogger logger, DateTimeOffset end);

    [LoggerMessage(3006, LogLevel.Error, "The server certificate that was put in place cannot be used, the one before stays: {Why}")]
    private static partial void LogUnreadable(ILogger logger, string why);
}
