namespace MissionControl.FleetSimulator;

/// <summary>
/// Many agents, few of them awake: an agent that waits is an entry in one queue, not a task with a timer of its own, so that a hundred
/// thousand cost little.
/// </summary>
/// <param name="awake">How many take a step at once.</param>
/// <param name="time">Its clock is monotonic.</param>
internal sealed class Schedule(int awake, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(200);
    private readonly PriorityQueue<SimulatedAgent, long> waiting = new();
    private readonly SemaphoreSlim places = new(awake);

    /// <summary>An agent takes its next step after a time.</summary>
    public void Add(SimulatedAgent agent, TimeSpan wait)
    {
        var due = time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);
        lock (waiting)
        {
            waiting.Enqueue(agent, due);
        }
    }

    /// <summary>Runs until cancelled, and then waits for those who are awake.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                if (Due() is { } agent)
                {
                    await places.WaitAsync(cancellationToken);
                    _ = Task.Run(() => StepAsync(agent, cancellationToken), CancellationToken.None);
                }
                else
                {
                    // Whoever is added meanwhile waits no longer than this.
                    await Task.Delay(LongestSleep, time, cancellationToken);
                }
            }
        }
        finally
        {
            for (var i = 0; i < awake; i++)
            {
                await places.WaitAsync(CancellationToken.None);
            }
        }
    }

    public void Dispose() => places.Dispose();

    private SimulatedAgent? Due()
    {
        lock (waiting)
        {
            return waiting.TryPeek(out _, out var due) && due <= time.GetTimestamp() ? waiting.Dequeue() : null;
        }
    }

    private async Task StepAsync(SimulatedAgent agent, CancellationToken cancellationToken)
    {
        try
        {
            if (await agent.StepAsync(cancellationToken) is { } wait)
            {
                Add(agent, wait);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The end.
        }
        finally
        {
            places.Release();
        }
    }
}
