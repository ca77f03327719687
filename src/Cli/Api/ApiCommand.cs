using System.CommandLine;
using System.Net;
using System.Net.Http.Headers;
using MissionControl.Cli.Server;
using MissionControl.Cli.SignIn;
using MissionControl.Client;
using MissionControl.Contracts;

namespace MissionControl.Cli.Api;

/// <summary><c>mc api</c>: any call of the REST API as oneself.</summary>
internal static class ApiCommand
{
    private const string Help = """
        Call the REST API as yourself. The answer's body goes to standard output, everything else to standard error.

        What matters most has to be confirmed: mc says what and where, waits until you confirm it in the portal, and sends the same call again.

        Exit codes: 0 done; 1 the server refused, or it was not confirmed; 2 wrong use, not signed in, or the server cannot be reached; 130 interrupted.

        Examples:
          mc api GET /api/v1/fleet/clusters
          mc api GET '/api/v1/audit/entries?limit=10' --include
          mc api POST /api/v1/licensing/customers --data '{"name": "Acme", "region": "eu"}'
          mc api POST /api/v1/identity/invitations --data @invitation.json
          mc api PATCH /api/v1/identity/views/ID --data - --if-match 3
        """;

    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

    public static Command Create()
    {
        var method = new Argument<string>("METHOD") { HelpName = "METHOD", Description = "GET, HEAD, POST, PUT, PATCH or DELETE." };
        var path = new Argument<string>("PATH") { Description = "/api/v1/…, with its query." };
        var data = new Option<string?>("--data") { Description = "The body: JSON, @FILE, or - for standard input. A secret belongs in a file: every user of this machine can see arguments." };
        var version = new Option<long?>("--if-match") { Description = "The version that was read, the number in ETag; a change by somebody else in between is refused." };
        var key = new Option<string?>("--idempotency-key") { Description = "16 to 100 characters: the same key again is the same change, not a second one. Default: a new one." };
        var include = new Option<bool>("--include") { Description = "Say the answer's status and headers, on standard error." };
        method.AcceptOnlyFromAmong(Methods);
        path.Validators.Add(result =>
        {
            if (ApiPath.At(new Uri("https://localhost"), result.Tokens[0].Value) is null)
            {
                result.AddError(ApiPath.Rule);
            }
        });
        key.Validators.Add(result =>
        {
            if (result.Tokens.Any(token => token.Value.Length is < 16 or > 100 || token.Value.Any(c => c is <= ' ' or > '~')))
            {
                result.AddError("An idempotency key has 16 to 100 visible ASCII characters; a UUID is right.");
            }
        });

        var command = new Command("api", Help) { method, path, data, version, key, include };
        command.Validators.Add(result =>
        {
            if (result.GetResult(data) is not null && result.GetResult(method)?.Tokens is [{ Value: "GET" or "HEAD" }])
            {
                result.AddError("GET and HEAD have no body.");
            }
        });
        command.SetAction((parsed, cancellationToken) =>
        {
            var call = new Call(parsed.GetValue(method)!, parsed.GetValue(path)!, parsed.GetValue(version), parsed.GetValue(key));
            return Guarded.RunAsync(parsed, () => CallAsync(call, parsed.GetValue(data), parsed.GetValue(include), parsed.InvocationConfiguration.Error, cancellationToken), cancellationToken);
        });
        return command;
    }

    private static async Task CallAsync(Call call, string? data, bool include, TextWriter error, CancellationToken cancellationToken)
    {
        var body = data is null ? null : await ApiBody.ReadAsync(data, cancellationToken);
        using var person = Person.SignedIn();
        var answer = await call.SendAsync(person, body, null, error, cancellationToken);
        if (answer is { Status: HttpStatusCode.Unauthorized, Problem.StepUp: { Confirmation: { } id } demand })
        {
            var proof = await PortalConfirmation.WaitAsync(person, ApiPath.At(person.Server, call.Path)!, demand, id, new Patience(absenceMayPass: true), error, cancellationToken);
            answer = await call.SendAsync(person, body, proof, error, cancellationToken);
        }
        else if (answer.Problem?.StepUp is not null)
        {
            throw new CommandFailure($"This has to be confirmed, and cannot be from here: do it in the portal, {ServerAddress.Said(person.Portal)}. Nothing was done.", McCommand.Refused);
        }

        if (include)
        {
            answer.TellHead(error);
        }

        if (!answer.IsDone)
        {
            throw new ApiException(answer.Status, answer.Problem);
        }

        try
        {
            await answer.WriteBodyAsync();
        }
        catch (IOException) when (call.Changes)
        {
            error.WriteLine($"It was done, and its answer could not be written. Where the API keeps such keys, the same call with --idempotency-key {call.SentKey} is given the answer once more.");
            throw;
        }
    }

    /// <summary>Whether a change may have been done whose answer this came instead of. Without a way to the server nothing was sent.</summary>
    public static bool MayHaveBeenDone(Exception exception) => exception switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError } => false,
        _ => exception is HttpRequestException or OperationCanceledException or IOException,
    };

    /// <summary>What is called, which may be sent twice.</summary>
    private sealed record Call(string Method, string Path, long? Version, string? Key)
    {
        private static readonly TimeSpan Longest = TimeSpan.FromSeconds(100);

        public bool Changes { get; } = Method is not ("GET" or "HEAD");

        /// <summary>Where the API keeps no keys, one is not looked at.</summary>
        public string SentKey { get; } = Key ?? Guid.CreateVersion7().ToString();

        public Task<ApiAnswer> SendAsync(Person person, byte[]? body, string? proof, TextWriter error, CancellationToken cancellationToken) =>
            person.SendAsync(token => SendAsync(person, token, body, proof, error, cancellationToken), cancellationToken);

        private async Task<ApiAnswer> SendAsync(Person person, string token, byte[]? body, string? proof, TextWriter error, CancellationToken cancellationToken)
        {
            using var request = new HttpRequestMessage(new HttpMethod(Method), ApiPath.At(person.Server, Path));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            request.Headers.Accept.ParseAdd("application/json, */*");
            if (Version is { } version)
            {
                request.Headers.IfMatch.Add(new EntityTagHeaderValue($"\"{version}\""));
            }

            if (Changes)
            {
                request.Headers.Add("Idempotency-Key", SentKey);
            }

            if (proof is not null)
            {
                request.Headers.Add(StepUp.Header, proof);
            }

            if (body is not null)
            {
                request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            }

            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            end.CancelAfter(Longest);
            try
            {
                using var response = await person.Connection.Any.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, end.Token);
                return await ApiAnswer.ReadAsync(response, end.Token);
            }
            catch (Exception exception) when (Changes && MayHaveBeenDone(exception))
            {
                error.WriteLine($"Whether it was done is not known: look before you repeat it. Where the API keeps such keys, --idempotency-key {SentKey} makes it the same change.");
                throw;
            }
        }
    }
}
