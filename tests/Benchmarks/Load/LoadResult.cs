using MissionControl.Benchmarks.Measuring;

namespace MissionControl.Benchmarks.Load;

/// <summary>What a run of the load generator saw.</summary>
internal sealed class LoadResult
{
    /// <summary>Latencies of 2xx answers, from when the request was due.</summary>
    public Histogram Accepted { get; } = new();

    /// <summary>Latencies of 503 answers, from when the request was sent: how long a caller waits to be told so.</summary>
    public Histogram Shed { get; } = new();

    /// <summary>Answers that were neither.</summary>
    public long Wrong { get; set; }

    /// <summary>The first wrong answer, for the message.</summary>
    public string? FirstWrong { get; set; }

    /// <summary>From the first request to the last answer.</summary>
    public TimeSpan Elapsed { get; set; }

    public double PerSecond => Accepted.Count / Elapsed.TotalSeconds;
}
