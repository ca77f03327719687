using System.Buffers.Text;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using MissionControl.ClusterAgent.Sent;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.CallHome;

/// <summary>A refusal of the server.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="code">Problem code.</param>
/// <param name="detail">What to do, in the server's words.</param>
/// <param name="retryAfter">When the server wants to hear of us again.</param>
public sealed class CallHomeException(int status, string code, string detail, TimeSpan? retryAfter) : Exception($"{code}: {detail}")
{
    /// <summary>The code when the answer was no problem document: something on the way answered instead of Mission Control.</summary>
    public const string NotAProblem = "not-a-problem-document";

    /// <summary>HTTP status.</summary>
    public int Status => status;

    /// <summary>Problem code.</summary>
    public string Code => code;

    /// <summary>When the server wants to hear of us again.</summary>
    public TimeSpan? RetryAfter => retryAfter;
}

/// <summary>The client's side of the call-home protocol, one method per route. Knows no schedule and keeps no items.</summary>
/// <param name="http">Has the call-home address as its base; its certificate checks cannot be turned off.</param>
/// <param name="identity">Whose key signs.</param>
/// <param name="time">The local clock; the server's is used wherever the two could differ.</param>
/// <param name="sent">Where every body is written before it leaves; null in a simulation.</param>
public sealed class CallHomeClient(HttpClient http, IAgentIdentity identity, TimeProvider time, SentLog? sent = null)
{
    /// <summary>Smaller bodies are sent as they are.</summary>
    private const int CompressAbove = 8 * 1024;

    private static readonly MediaTypeHeaderValue Protobuf = new("application/x-protobuf");
    private string? accessToken;
    private TimeSpan accessFor;
    private long accessSince;
    private DateTimeOffset? serverTime;
    private long serverTimeSince;

    /// <summary>
    /// The time by the server's clock: its last word, and what a monotonic clock counted since, so that a step of this machine's clock
    /// moves nothing. Before the first word, this machine's clock.
    /// </summary>
    public DateTimeOffset ServerNow => serverTime is { } known ? known + time.GetElapsedTime(serverTimeSince) : time.GetUtcNow();

    /// <summary>The server's clock less ours; null before its first word.</summary>
    public TimeSpan? ClockOffset => serverTime is null ? null : ServerNow - time.GetUtcNow();

    /// <summary>Asks for the server's time and limits; needs no credentials.</summary>
    public async Task<PingResponse> PingAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/callhome/v1/ping", UriKind.Relative));
        var asked = time.GetTimestamp();
        using var response = await http.SendAsync(request, cancellationToken);
        var ping = await ReadAsync(response, PingResponse.Parser, asked, cancellationToken);
        Learn(ping.ServerTimeMs, asked);
        return ping;
    }

    /// <summary>Enrols with a one-time token.</summary>
    public Task<EnrollResponse> EnrollAsync(string token, Facts facts, bool trustedFirstContact, CancellationToken cancellationToken) =>
        PostAsync("enroll", EnrollmentRequest(token, facts, trustedFirstContact), EnrollResponse.Parser, null, cancellationToken);

    /// <summary>What enrols, to be sent or carried. It holds the token: as secret as that, until it was used.</summary>
    public EnrollRequest EnrollmentRequest(string token, Facts facts, bool trustedFirstContact)
    {
        var spki = identity.Key.ExportSubjectPublicKeyInfo();
        byte[] signed = [.. "mc-enroll-v1\n"u8, .. SHA256.HashData(Encoding.UTF8.GetBytes(token)), .. spki];
        return new EnrollRequest
        {
            Token = token,
            PublicKey = ByteString.CopyFrom(spki),
            Proof = ByteString.CopyFrom(identity.Key.SignData(signed, HashAlgorithmName.SHA256)),
            FurtherKeys = { new KeyInfo { Use = "witness", Alg = "Ed25519", Spki = ByteString.CopyFrom(identity.WitnessSpki.Span), Proof = ByteString.CopyFrom(identity.SignAsWitness(signed)) } },
            Facts = facts,
            TrustedFirstContact = trustedFirstContact,
        };
    }

    /// <summary>Checks in; gets access first when there is none.</summary>
    public async Task<CheckInResponse> CheckInAsync(CheckInRequest request, CancellationToken cancellationToken)
    {
        if (accessToken is null || time.GetElapsedTime(accessSince) >= accessFor)
        {
            await AuthorizeAsync(cancellationToken);
        }

        try
        {
            var asked = time.GetTimestamp();
            var response = await PostAsync("checkin", request, CheckInResponse.Parser, accessToken, cancellationToken);
            Learn(response.ServerTimeMs, asked);
            return response;
        }
        catch (CallHomeException refusal) when (refusal.Code == "access-token-invalid")
        {
            accessToken = null;
            throw;
        }
    }

    /// <summary>Asks for a new epoch.</summary>
    public Task<EpochResponse> EpochAsync(string reason, ByteString fingerprint, CancellationToken cancellationToken) =>
        WithNonceAsync(nonce => PostAsync("epoch", new EpochRequest { Assertion = Assertion(nonce, "epoch", ("epoch", identity.Enrollment!.Epoch), ("epoch_issued_ms", identity.Enrollment.EpochIssuedAt?.ToUnixTimeMilliseconds() ?? 0), ("reason", reason)), Reason = reason, InstallFingerprint = fingerprint }, EpochResponse.Parser, null, cancellationToken));

    /// <summary>Announces the key that is to follow; both are good until the new one first fetches a token. Asked again for the same key it changes nothing.</summary>
    public Task<RotateResponse> RotateAsync(ECDsa next, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(next);
        var spki = next.ExportSubjectPublicKeyInfo();
        byte[] signed = [.. "mc-rotate-v1\n"u8, .. Encoding.ASCII.GetBytes(identity.Enrollment!.ClusterId.ToString("D")), .. spki];
        return WithNonceAsync(nonce => PostAsync("rotate", new RotateRequest
        {
            Assertion = Assertion(nonce, "rotate", ("new_key_sha256", Convert.ToHexStringLower(SHA256.HashData(spki)))),
            NewPublicKey = ByteString.CopyFrom(spki),
            Proof = ByteString.CopyFrom(next.SignData(signed, HashAlgorithmName.SHA256)),
        }, RotateResponse.Parser, null, cancellationToken));
    }

    /// <summary>Forgets the access it has: the next check-in gets it anew, by the key that is in force then.</summary>
    public void DropAccess() => accessToken = null;

    /// <summary>Takes leave.</summary>
    public Task<UnenrollResponse> UnenrollAsync(string reason, CancellationToken cancellationToken) =>
        WithNonceAsync(nonce => PostAsync("unenroll", new UnenrollRequest { Assertion = Assertion(nonce, "unenroll"), Reason = reason }, UnenrollResponse.Parser, null, cancellationToken));

    /// <summary>Gets ten minutes of access; drops it a minute early. Returns the bearer, for those who speak the protocol by themselves.</summary>
    public async Task<string> AuthorizeAsync(CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
        var response = await WithNonceAsync(nonce => PostAsync("token", new TokenRequest { Assertion = Assertion(nonce, "token") }, TokenResponse.Parser, null, cancellationToken));
        accessToken = response.AccessToken;
        accessFor = TimeSpan.FromSeconds(response.ExpiresInS - 60);
        accessSince = asked;
        Learn(response.ServerTimeMs, asked);
        return response.AccessToken;
    }

    private string? offeredNonce;

    private async Task<T> WithNonceAsync<T>(Func<string?, Task<T>> send)
    {
        try
        {
            var nonce = offeredNonce;
            offeredNonce = null;
            return await send(nonce);
        }
        catch (CallHomeException refusal) when (refusal.Code == "use-nonce" && offeredNonce is not null)
        {
            var nonce = offeredNonce;
            offeredNonce = null;
            return await send(nonce);
        }
    }

    private string Assertion(string? nonce, string use, params ReadOnlySpan<(string Name, object Value)> further)
    {
        // By the server's clock: a machine whose own is wrong is not locked out.
        var now = ServerNow.ToUnixTimeSeconds();
        var id = identity.Enrollment!.ClusterId.ToString("D");
        var claims = new Dictionary<string, object> { ["iss"] = id, ["sub"] = id, ["aud"] = "missioncontrol/callhome", ["use"] = use, ["jti"] = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), ["iat"] = now, ["exp"] = now + 60 };
        foreach (var (name, value) in further)
        {
            claims[name] = value;
        }

        if (nonce is not null)
        {
            claims["nonce"] = nonce;
        }

        var signed = $"{Base64Url.EncodeToString("""{"alg":"ES256","typ":"JWT"}"""u8)}.{Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(claims))}";
        return $"{signed}.{Base64Url.EncodeToString(identity.Key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    private async Task<T> PostAsync<T>(string route, IMessage message, MessageParser<T> parser, string? bearer, CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        var inflated = message.ToByteArray();
        var encoding = inflated.Length > CompressAbove ? "gzip" : null;
        var body = encoding is null ? inflated : SentLog.Compress(inflated);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/callhome/v1/{route}", UriKind.Relative)) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = Protobuf;
        if (encoding is not null)
        {
            request.Content.Headers.ContentEncoding.Add(encoding);
        }

        if (bearer is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        }

        var id = sent?.Leaves(new Uri(http.BaseAddress!, request.RequestUri!), message, inflated, body, encoding);
        try
        {
            var asked = time.GetTimestamp();
            using var response = await http.SendAsync(request, cancellationToken);
            var answer = await ReadAsync(response, parser, asked, cancellationToken);
            sent?.Answered(id!.Value, (int)response.StatusCode, null);
            return answer;
        }
        catch (CallHomeException refusal)
        {
            sent?.Answered(id!.Value, refusal.Status, refusal.Code);
            throw;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            sent?.Answered(id!.Value, null, exception.GetType().Name);
            throw;
        }
    }

    private async Task<T> ReadAsync<T>(HttpResponseMessage response, MessageParser<T> parser, long asked, CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return parser.ParseFrom(body);
        }

        if (response.Headers.TryGetValues("MC-Nonce", out var nonces))
        {
            offeredNonce = nonces.First();
        }

        if (response.Headers.TryGetValues("MC-Time", out var times) && long.TryParse(times.First(), CultureInfo.InvariantCulture, out var ms))
        {
            Learn(ms, asked);
        }

        var (code, detail) = Problem(body);
        throw new CallHomeException((int)response.StatusCode, code, detail, response.Headers.RetryAfter?.Delta);
    }

    // The server looked at its clock somewhere between question and answer: the middle is off by half the way at most.
    private void Learn(long serverTimeMs, long asked)
    {
        serverTimeSince = time.GetTimestamp();
        serverTime = DateTimeOffset.FromUnixTimeMilliseconds(serverTimeMs) + (time.GetElapsedTime(asked, serverTimeSince) / 2);
    }

    private static (string Code, string Detail) Problem(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return (document.RootElement.GetProperty("code").GetString() ?? "", document.RootElement.TryGetProperty("detail", out var detail) ? detail.GetString() ?? "" : "");
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return (CallHomeException.NotAProblem, "Something between here and Mission Control answered in its place.");
        }
    }
}
