using System.Net;
using System.Net.Http.Headers;
using MissionControl.Cli.Server;

namespace MissionControl.Cli.Audit;

/// <summary>A log that is served. Whoever serves it is not believed, and is not waited for without end.</summary>
internal sealed class HttpLog : LogSource
{
    private readonly HttpClient http;
    private readonly TimeSpan longestWait;

    /// <summary>Prepares it; nothing is sent yet.</summary>
    /// <param name="root">Where, with a slash at its end.</param>
    /// <param name="ca">PEM of a further CA to trust; null: the system's alone.</param>
    /// <param name="token">The bearer; null: nobody asks.</param>
    /// <param name="longestWait">How long one file may take.</param>
    public HttpLog(Uri root, string? ca, string? token, TimeSpan longestWait)
    {
        // Bundles may be served compressed (C2SP tlog-tiles, "Log entries"); what is read is counted when it is inflated.
        var handler = Connection.Handler(root, ca);
        handler.AutomaticDecompression = DecompressionMethods.GZip;
        http = new HttpClient(handler) { BaseAddress = root, Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        this.longestWait = longestWait;
    }

    public override void Dispose()
    {
        http.Dispose();
        base.Dispose();
    }

    public override async Task<ReadOnlyMemory<byte>?> ReadAsync(string path, int longest, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            using var response = await PatientlyAsync(once => http.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, once), longestWait, static answer => (answer.StatusCode, answer.Headers.RetryAfter?.ToString()), cancellationToken);
            end.CancelAfter(longestWait);
            if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Forbidden or HttpStatusCode.Gone)
            {
                return null; // 403: what a store of files answers to whoever may not list it.
            }

            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw new SourceFailure($"{path} is answered with {(int)response.StatusCode}{((int)response.StatusCode is >= 300 and < 400 ? ", which leads elsewhere; that is not followed" : "")}.");
            }

            if (response.Content.Headers.ContentEncoding.Count > 0)
            {
                throw new SourceFailure($"{path} comes in an encoding that was not asked for.");
            }

            await using var stream = await response.Content.ReadAsStreamAsync(end.Token);
            return await ReadAsync(stream, longest, end.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SourceFailure($"{path} did not come within {longestWait.TotalSeconds:0} seconds.");
        }
        catch (HttpRequestException failure) when (failure.HttpRequestError == HttpRequestError.SecureConnectionError)
        {
            throw new SourceFailure($"The server cannot be trusted: {failure.GetBaseException().Message} If its CA is one of your own, name its certificate: --ca-file FILE.");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or InvalidDataException)
        {
            throw new SourceFailure($"{path} cannot be fetched: {exception.GetBaseException().Message}");
        }
    }
}
