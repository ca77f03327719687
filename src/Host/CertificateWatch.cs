using System.Security.Cryptography.X509Certificates;
using MissionControl.Platform.Time;

namespace MissionControl.Host;

/// <summary>Says in the log, at the start and daily, that the server certificate ends soon: a process reads its certificate at its start, and may run for longer than that is good.</summary>
internal sealed partial class CertificateWatch(Lazy<X509Certificate2> certificate, TimeProvider time, ILogger<CertificateWatch> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var daily = new PeriodicTimer(TimeSpan.FromDays(1), time);
        var end = new DateTimeOffset(certificate.Value.NotAfter.ToUniversalTime());
        do
        {
            if (end - time.GetUtcNow() < Certificates.RenewBefore)
            {
                LogEnd(logger, end);
            }
        }
        while (await daily.NextAsync(stoppingToken));
    }

    [LoggerMessage(3004, LogLevel.Warning, "The server certificate ends on {End:u}; put a new one in its place and start this process again")]
    private static partial void LogEnd(ILogger logger, DateTimeOffset end);
}
