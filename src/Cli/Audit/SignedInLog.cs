using System.Net;
using System.Net.Http.Headers;
using MissionControl.Cli.Api;
using MissionControl.Cli.SignIn;

namespace MissionControl.Cli.Audit;

/// <summary>A log of the server at which somebody is signed in here, read as that person. The token goes to that server and to no other.</summary>
/// <param name="person">Who is signed in.</param>
/// <param name="root">Where the log is, with a slash at its end.</param>
internal sealed class SignedInLog(Person person, Uri root) : LogSource
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
            var answer = await person.SendAsync(bearer => AskAsync(path, bearer, cancellationToken), cancellationToken);
            return answer.Status switch
            {
                HttpStatusCode.OK => answer.Body.AsMemory(0, Math.Min(answer.Body.Length, longest + 1)),
                HttpStatusCode.NotFound or HttpStatusCode.Gone => null,
                _ => throw new SourceFailure($"{path} is answered with {(int)answer.Status}. {answer.Problem?.Detail}"),
            };
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or FormatException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new SourceFailure($"{path} cannot be fetched: {exception.GetBaseException().Message}");
        }
    }

    private async Task<ApiAnswer> AskAsync(string path, string bearer, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(root, path)) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", bearer) } };
        using var response = await person.Connection.Any.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return await ApiAnswer.ReadAsync(response, cancellationToken);
    }
}
