namespace MissionControl.Identity;

/// <summary>Answers to strangers leave at full half seconds after the question came, so that how long one took tells nothing.</summary>
internal static class Beat
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);

    /// <summary>Waits until the next one.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="began">Its time stamp when the question came.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static Task WaitAsync(TimeProvider time, long began, CancellationToken cancellationToken)
    {
        var gone = time.GetElapsedTime(began);
        return Task.Delay(Step - TimeSpan.FromTicks(gone.Ticks % Step.Ticks), time, cancellationToken);
    }
}
