using System.Collections.Concurrent;

namespace MissionControl.CallHome.Intake;

/// <summary>
/// Runs an asynchronous loop on one thread of its own. Everybody waits for the committer, so it must not queue for a pool thread
/// behind the very requests that wait for it.
/// </summary>
internal sealed class OwnThread : SynchronizationContext
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> posted = [];

    private OwnThread()
    {
    }

    /// <summary>Runs the loop; the task ends as the loop ends.</summary>
    public static Task RunAsync(string name, Func<Task> loop)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => new OwnThread().Pump(loop, ended)) { IsBackground = true, Name = name }.Start();
        return ended.Task;
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        try
        {
            posted.Add((d, state));
        }
        catch (InvalidOperationException)
        {
            // The loop has ended; what still comes in belongs to nobody and may run anywhere.
            base.Post(d, state);
        }
    }

    private void Pump(Func<Task> loop, TaskCompletionSource ended)
    {
        SetSynchronizationContext(this);
        var running = loop();
        running.ContinueWith(_ => posted.CompleteAdding(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        foreach (var (callback, state) in posted.GetConsumingEnumerable())
        {
            try
            {
                callback(state);
            }
            catch (Exception exception)
            {
                // Nobody else would see it: the thread, and with it the process, would end without a word. Whoever waits for the loop is told.
                ended.TrySetException(exception);
            }
        }

        SetSynchronizationContext(null);
        if (running.IsFaulted)
        {
            ended.TrySetException(running.Exception.InnerExceptions);
        }
        else
        {
            ended.TrySetResult();
        }
    }
}
