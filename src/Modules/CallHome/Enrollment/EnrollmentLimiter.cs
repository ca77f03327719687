using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace MissionControl.CallHome.Enrollment;

/// <summary>Bounds enrolments per second in this process: they cost signatures and writes, and arrive together after a roll-out.</summary>
internal sealed class EnrollmentLimiter(IOptions<CallHomeOptions> options) : IDisposable
{
    private readonly TokenBucketRateLimiter limiter = new(new TokenBucketRateLimiterOptions
    {
        TokenLimit = Math.Max(1, options.Value.EnrollmentsPerSecond * 2),
        TokensPerPeriod = options.Value.EnrollmentsPerSecond,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        QueueLimit = 0,
    });

    public bool TryAcquire(out TimeSpan retryAfter)
    {
        using var lease = limiter.AttemptAcquire();
        retryAfter = lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.FromSeconds(1);
        return lease.IsAcquired;
    }

    public void Dispose() => limiter.Dispose();
}
