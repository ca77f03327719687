using System.Threading.RateLimiting;

namespace MissionControl.Identity.Devices;

/// <summary>
/// Bounds what strangers, and people who are signed in, do with codes in this process: each caller by itself first, so that nobody uses up
/// what others need, and then all together, since callers are many.
/// </summary>
internal sealed class DeviceLimits : IDisposable
{
    private readonly PartitionedRateLimiter<string> ofAddress = Each(atOnce: 30, perSecond: 2);
    private readonly PartitionedRateLimiter<string> ofPerson = Each(atOnce: 10, perSecond: 1);
    private readonly PartitionedRateLimiter<string> ofProgram = PartitionedRateLimiter.Create<string, string>(program => RateLimitPartition.GetTokenBucketLimiter(program, _ => Bucket(1, 1, TimeSpan.FromSeconds(DeviceAttempt.Interval - 0.5))));
    private readonly TokenBucketRateLimiter all = new(Bucket(300, 30, TimeSpan.FromSeconds(1)));

    /// <summary>Whether a code may be asked for, or a secret that nobody was given be tried, from an address.</summary>
    public bool MayAsk(string? address) => May(ofAddress, address ?? "unknown") && MayAll();

    /// <summary>Whether somebody may type a code: whoever is signed in could else try all of them.</summary>
    public bool MayType(Guid person) => May(ofPerson, person.ToString("N")) && MayAll();

    /// <summary>Whether a program asks no sooner than it was told. Kept here and not with its row: strangers write nothing by asking.</summary>
    public bool MayPoll(Guid attempt) => May(ofProgram, attempt.ToString("N"));

    public void Dispose()
    {
        ofAddress.Dispose();
        ofPerson.Dispose();
        ofProgram.Dispose();
        all.Dispose();
    }

    private bool MayAll()
    {
        using var lease = all.AttemptAcquire();
        return lease.IsAcquired;
    }

    private static bool May(PartitionedRateLimiter<string> limiter, string caller)
    {
        using var lease = limiter.AttemptAcquire(caller);
        return lease.IsAcquired;
    }

    private static PartitionedRateLimiter<string> Each(int atOnce, int perSecond) =>
        PartitionedRateLimiter.Create<string, string>(caller => RateLimitPartition.GetTokenBucketLimiter(caller, _ => Bucket(atOnce, perSecond, TimeSpan.FromSeconds(1))));

    private static TokenBucketRateLimiterOptions Bucket(int atOnce, int tokens, TimeSpan period) =>
        new() { TokenLimit = atOnce, TokensPerPeriod = tokens, ReplenishmentPeriod = period, QueueLimit = 0 };
}
