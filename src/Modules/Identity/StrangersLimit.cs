using System.Threading.RateLimiting;

namespace MissionControl.Identity;

/// <summary>Bounds what strangers have done in this process, whatever their address: each time costs a look into the database or a row.</summary>
/// <param name="atOnce">So often at once.</param>
/// <param name="perSecond">So often a second in the long run.</param>
internal abstract class StrangersLimit(int atOnce, int perSecond) : IDisposable
{
    private readonly TokenBucketRateLimiter limiter = new(new TokenBucketRateLimiterOptions { TokenLimit = atOnce, TokensPerPeriod = perSecond, ReplenishmentPeriod = TimeSpan.FromSeconds(1), QueueLimit = 0 });

    /// <summary>Whether it may be done once more now; counts it.</summary>
    public bool MayDo()
    {
        using var lease = limiter.AttemptAcquire();
        return lease.IsAcquired;
    }

    public void Dispose() => limiter.Dispose();
}
