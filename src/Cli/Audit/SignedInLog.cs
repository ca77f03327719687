using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using MissionControl.Cli.Api;
using MissionControl.Cli.SignIn;
using MissionControl.Client;

namespace MissionControl.Cli.Audit;

/// <summary>A log of the server at which somebody is signed in here, read as that person. The token goes to that server and to no other.</summary>
/// <param name="person">Who is signed in.</param>
/// <param name="root">Where the log is, with a slash at its end.</param>
/// <param name="longestWait">How long one file may take.</param>
internal sealed class SignedInLog(Person person, Uri root, TimeSpan longestWait) : LogSource
{
    public override void Dispose()
    {
        person.Dispose();
        base.Dispose();
    }

    public override async Task<ReadOnlyMemory<byte>?> ReadAsync(string path, int longest, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await PatientlyAsync(end => person.SendAsync(bearer => AskAsync(path, longest, bearer, end), end), longestWait, static answer => (answer.Status, Seconds(answer)), cancellationToken);
            return answer.Status switch
            {
                HttpStatusCode.OK => (ReadOnlyMemory<byte>?)answer.Body, // Not an array: a null of one becomes a file that is there and empty.
                HttpStatusCode.NotFound or HttpStatusCode.Gone => null,
                _ => throw new SourceFailure($"{path} is answered with {(int)answer.Status}. {answer.Problem?.Detail}"),
            };
        }
        catch (CommandFailure ended)
        {
            throw new SourceFailure(ended.Message);
        }
        catch (Exception exception) when (exception is ApiException or JsonException or HttpRequestException or IOException or FormatException)
        {
            throw new SourceFailure($"{path} cannot be fetched: {exception.GetBaseException().Message}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SourceFailure($"{path} did not come within {longestWait.TotalSeconds:0} seconds.");
        }
    }

    private async Task<ApiAnswer> AskAsync(string path, int longest, string bearer, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(root, path)) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", bearer) } };
        using var response = await person.Connection.Any.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return await ApiAnswer.ReadAsync(response, cancellationToken);
        }

        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        return new ApiAnswer(response.StatusCode, [], (await ReadAsync(stream, longest, cancellationToken))!.Value.ToArray());
    }

    private static string? Seconds(ApiAnswer answer) => answer.Headers.FirstOrDefault(header => header.Key.Equals("Retry-After", StringComparison.OrdinalIgnoreCase)).Value?.FirstOrDefault();
}
