namespace MissionControl.ClusterAgent.CallHome;

/// <summary>Calls that failed on the way.</summary>
internal static class CallFailure
{
    /// <summary>Whether the next try may go better.</summary>
    public static bool MayPass(Exception exception, CancellationToken cancellationToken) =>
        exception is HttpRequestException or IOException || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested);

    /// <summary>What went wrong, for people.</summary>
    public static string Words(Exception exception) =>
        exception is IOException full && DiskReserve.IsDiskFull(full) ? "The disk of the agent's directory is full: what cannot be written down first is not sent." : exception.Message;
}
