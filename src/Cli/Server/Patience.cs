using System.Diagnostics;
using System.Net;
using MissionControl.Client;

namespace MissionControl.Cli.Server;

/// <summary>Asks the server again and again. What does not answer for half a minute is not going to.</summary>
/// <param name="absenceMayPass">Whether what is not there may come yet.</param>
/// <param name="silence">How long it may say nothing; null: half a minute.</param>
internal sealed class Patience(bool absenceMayPass, TimeSpan? silence = null)
{
    private readonly TimeSpan silence = silence ?? TimeSpan.FromSeconds(30);

    private long answered = Stopwatch.GetTimestamp();

    /// <summary>The answer; null: there is none now, and may be one next time.</summary>
    public async Task<T?> AskAsync<T>(Func<Task<T>> ask, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            var answer = await ask();
            answered = Stopwatch.GetTimestamp();
            return answer;
        }
        catch (Exception exception) when (MayPass(exception) && !cancellationToken.IsCancellationRequested && Stopwatch.GetElapsedTime(answered) < silence)
        {
            return null;
        }
    }

    private bool MayPass(Exception exception) => exception switch
    {
        HttpRequestException or OperationCanceledException => true,
        ApiException { Status: HttpStatusCode.NotFound } => absenceMayPass,
        ApiException { Status: HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError } => true,
        _ => false,
    };
}
