using System.Diagnostics;
using System.Net;

namespace MissionControl.Benchmarks.Load;

/// <summary>
/// Drives a set of connections: as fast as answers come, or at a fixed rate with latencies counted from when each request was due,
/// so that a server that stalls cannot hide it.
/// </summary>
internal sealed class LoadGenerator : IDisposable
{
    private readonly List<LoadConnection> connections = [];
    private readonly Lock sync = new();
    private readonly Queue<LoadConnection> idle = new();
    private readonly Queue<long> waiting = new();
    private LoadResult result = new();
    private TaskCompletionSource finished = new();
    private bool paced;
    private bool stopping;
    private int busy;

    private LoadGenerator()
    {
    }

    /// <summary>Opens the connections; <paramref name="writerOf"/> gives each its own writer of requests.</summary>
    public static async Task<LoadGenerator> ConnectAsync(IPEndPoint server, int connections, Func<int, Func<Span<byte>, int>> writerOf)
    {
        var load = new LoadGenerator();
        for (var i = 0; i < connections; i++)
        {
            var connection = await LoadConnection.OpenAsync(server, writerOf(i));
            connection.Answered = load.OnAnswer;
            load.connections.Add(connection);
        }

        return load;
    }

    /// <summary>Runs for a while: at <paramref name="perSecond"/>, or as fast as answers come.</summary>
    public async Task<LoadResult> RunAsync(TimeSpan duration, double? perSecond = null)
    {
        result = new LoadResult();
        finished = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting.Clear();
        idle.Clear();
        paced = perSecond is not null;
        stopping = false;
        var start = Stopwatch.GetTimestamp();
        if (perSecond is { } rate)
        {
            busy = 0;
            connections.ForEach(idle.Enqueue);
            await Task.Factory.StartNew(() => Pace(start, duration, rate), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        else
        {
            busy = connections.Count;
            foreach (var connection in connections)
            {
                connection.Send(Stopwatch.GetTimestamp());
            }

            await Task.Delay(duration);
            Volatile.Write(ref stopping, true);
        }

        await finished.Task.WaitAsync(TimeSpan.FromSeconds(60));
        result.Elapsed = Stopwatch.GetElapsedTime(start);
        return result;
    }

    /// <summary>One request over the first connection; its latency.</summary>
    public async Task<TimeSpan> OnceAsync()
    {
        result = new LoadResult();
        finished = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        stopping = true;
        busy = 1;
        var start = Stopwatch.GetTimestamp();
        connections[0].Send(start);
        await finished.Task;
        return result.Accepted.Count == 1 ? Stopwatch.GetElapsedTime(start) : throw new InvalidOperationException($"The answer was wrong: {result.FirstWrong}");
    }

    public void Dispose() => connections.ForEach(connection => connection.Dispose());

    private void Pace(long start, TimeSpan duration, double rate)
    {
        long issued = 0;
        for (var elapsed = TimeSpan.Zero; elapsed < duration; elapsed = Stopwatch.GetElapsedTime(start))
        {
            for (var owed = (long)(elapsed.TotalSeconds * rate); issued < owed; issued++)
            {
                var due = start + (long)(issued / rate * Stopwatch.Frequency);
                LoadConnection? free;
                lock (sync)
                {
                    if (!idle.TryDequeue(out free))
                    {
                        waiting.Enqueue(due);
                        continue;
                    }

                    busy++;
                }

                free.Send(due);
            }

            Thread.Sleep(1);
        }

        lock (sync)
        {
            stopping = true;
            waiting.Clear();
            if (busy == 0)
            {
                finished.TrySetResult();
            }
        }
    }

    private long? OnAnswer(LoadConnection connection, int status, TimeSpan latency)
    {
        lock (sync)
        {
            switch (status)
            {
                case >= 200 and < 300:
                    result.Accepted.Add(latency);
                    break;
                case 503:
                    result.Shed.Add(connection.SinceSent);
                    break;
                default:
                    result.Wrong++;
                    result.FirstWrong ??= status == 0 ? "the connection was closed" : connection.LastAnswer;
                    break;
            }

            if (status != 0 && !Volatile.Read(ref stopping))
            {
                if (!paced)
                {
                    return Stopwatch.GetTimestamp();
                }

                if (waiting.TryDequeue(out var due))
                {
                    return due;
                }
            }

            idle.Enqueue(connection);
            if (--busy == 0 && stopping)
            {
                finished.TrySetResult();
            }

            return null;
        }
    }
}
