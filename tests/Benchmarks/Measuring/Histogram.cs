namespace MissionControl.Benchmarks.Measuring;

/// <summary>Latencies in buckets of 20 µs up to 2 s; longer ones count in the last bucket. Written by one thread at a time.</summary>
internal sealed class Histogram
{
    private const int BucketMicroseconds = 20;
    private readonly int[] buckets = new int[100_000];

    public long Count { get; private set; }

    public void Add(TimeSpan latency)
    {
        buckets[Math.Clamp((int)(latency.TotalMicroseconds / BucketMicroseconds), 0, buckets.Length - 1)]++;
        Count++;
    }

    /// <summary>The latency that the share <paramref name="quantile"/> (0 to 1) of all stays at or below, in milliseconds.</summary>
    public double Milliseconds(double quantile)
    {
        var rank = (long)Math.Ceiling(Count * quantile);
        long seen = 0;
        for (var i = 0; i < buckets.Length; i++)
        {
            seen += buckets[i];
            if (seen >= rank && seen > 0)
            {
                return (i + 1) * BucketMicroseconds / 1000.0;
            }
        }

        return 0;
    }
}
