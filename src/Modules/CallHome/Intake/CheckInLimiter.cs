using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MissionControl.Contracts;
using MissionControl.Platform.Http;

namespace MissionControl.CallHome.Intake;

/// <summary>
/// How fast one cluster may speak to this process, so that none fills the disk or the queue that all share: a check-in and each of its
/// items cost a place, and places come back at a steady rate (the generic cell rate algorithm, ITU-T I.371). What may be sent at once
/// holds more than a full spool; no honest agent meets it. By the monotonic clock: a step of the wall clock gives and takes nothing.
/// The framework's limiter keeps an object for each cluster and visits all of them ten times a second; this is one number of each.
/// </summary>
internal sealed partial class CheckInLimiter(IOptions<CallHomeOptions> options, TimeProvider time, ILogger<CheckInLimiter> logger)
{
    private static readonly TimeSpan BetweenWarnings = TimeSpan.FromMinutes(1);
    private static readonly Counter<long> Refused = new Meter("MissionControl.CallHome").CreateCounter<long>("missioncontrol.callhome.too_fast", "{checkin}", "Check-ins of clusters that sent faster than one may.");
    private readonly long each = Math.Max(1, time.TimestampFrequency / options.Value.ItemsPerSecond);
    private readonly int atOnce = options.Value.ItemsAtOnce;

    /// <summary>Answers a cluster that is too fast; false when it may speak.</summary>
    public async ValueTask<bool> RefuseAsync(HttpContext context, KnownCluster cluster)
    {
        var now = time.GetTimestamp();
        var wait = Volatile.Read(ref cluster.PaidUntil) - now - (each * atOnce);
        if (wait <= 0)
        {
            Pay(cluster, 1);
            return false;
        }

        Refused.Add(1);
        var warned = Volatile.Read(ref cluster.WarnedAt);
        if ((warned == 0 || time.GetElapsedTime(warned, now) > BetweenWarnings) && Interlocked.CompareExchange(ref cluster.WarnedAt, now, warned) == warned)
        {
            LogTooFast(logger, cluster.Id);
        }

        context.Response.Headers.RetryAfter = Math.Ceiling(time.GetElapsedTime(0, wait).TotalSeconds).ToString(CultureInfo.InvariantCulture);
        await Problems.WriteAsync(context, ProblemCodes.RateLimited, "This cluster sent more than one may. Keep the items and come back after Retry-After.");
        return true;
    }

    /// <summary>Counts what a cluster sent. Those under way at once may pass the limit together, each by one check-in.</summary>
    public void Pay(KnownCluster cluster, int places)
    {
        long paid, next;
        do
        {
            paid = Volatile.Read(ref cluster.PaidUntil);
            next = Math.Max(paid, time.GetTimestamp()) + (each * places);
        }
        while (Interlocked.CompareExchange(ref cluster.PaidUntil, next, paid) != paid);
    }

    [LoggerMessage(1040, LogLevel.Warning, "Cluster {ClusterId} sends more than one may and is told to wait; if it goes on, suspend it")]
    private static partial void LogTooFast(ILogger logger, Guid clusterId);
}
