namespace MissionControl.Platform.Time;

/// <summary>Loops of background services that go by a timer.</summary>
public static class TimerTicks
{
    extension(PeriodicTimer timer)
    {
        /// <summary>Waits for the next tick; false once the process is told to stop, which is no failure of the loop.</summary>
        /// <param name="stoppingToken">Ends the wait.</param>
        public async Task<bool> NextAsync(CancellationToken stoppingToken)
        {
            try
            {
                return await timer.WaitForNextTickAsync(stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
    }
}
