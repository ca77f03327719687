namespace MissionControl.Testing;

/// <summary>Waits for what happens by itself, with a deadline that names what did not.</summary>
public static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    /// <summary>Waits until a condition holds.</summary>
    /// <exception cref="TimeoutException">It did not within 30 s.</exception>
    public static Task TrueAsync(Func<bool> condition, string what) => TrueAsync(() => Task.FromResult(condition()), what);

    /// <summary>Waits until a condition holds.</summary>
    /// <exception cref="TimeoutException">It did not within 30 s.</exception>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what)
    {
        ArgumentNullException.ThrowIfNull(condition);
        using var deadline = new CancellationTokenSource(Deadline);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition())
        {
            try
            {
                await timer.WaitForNextTickAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"Waited {Deadline.TotalSeconds} s in vain until {what}.");
            }
        }
    }
}
