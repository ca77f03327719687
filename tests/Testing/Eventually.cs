using System.Globalization;
using System.Net;

namespace MissionControl.Testing;

/// <summary>Waits for what happens by itself, with a deadline that names what did not.</summary>
public static class Eventually
{
    // On a machine that does other work besides, MC_TEST_PATIENCE=4 waits four times as long for whatever has no deadline of its own.
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(30) * int.Parse(Environment.GetEnvironmentVariable("MC_TEST_PATIENCE") ?? "1", CultureInfo.InvariantCulture);

    /// <summary>Waits until a condition holds.</summary>
    /// <exception cref="TimeoutException">It did not within 30 s (times <c>MC_TEST_PATIENCE</c>), or the time given.</exception>
    public static Task TrueAsync(Func<bool> condition, string what, TimeSpan? within = null) => TrueAsync(() => Task.FromResult(condition()), what, within);

    /// <summary>Waits until a condition holds.</summary>
    /// <exception cref="TimeoutException">It did not within 30 s (times <c>MC_TEST_PATIENCE</c>), or the time given.</exception>
    public static Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? within = null) => TrueAsync(condition, () => what, within);

    /// <summary>Waits until a condition holds; what was waited for can tell what was seen last.</summary>
    /// <exception cref="TimeoutException">It did not within 30 s (times <c>MC_TEST_PATIENCE</c>), or the time given.</exception>
    public static async Task TrueAsync(Func<Task<bool>> condition, Func<string> what, TimeSpan? within = null)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentNullException.ThrowIfNull(what);
        var wait = within ?? Usual;
        using var deadline = new CancellationTokenSource(wait);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await HoldsAsync(condition))
        {
            try
            {
                await timer.WaitForNextTickAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"Waited {wait.TotalSeconds} s in vain until {what()}.");
            }
        }
    }

    // What is not there yet may come.
    private static async Task<bool> HoldsAsync(Func<Task<bool>> condition)
    {
        try
        {
            return await condition();
        }
        catch (HttpRequestException absent) when (absent.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }
}
