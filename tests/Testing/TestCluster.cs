using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using MissionControl.Contracts.Api;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Testing;

/// <summary>A cluster written from docs/protocol.md alone: every request can be bent by the test that makes it.</summary>
public sealed class TestCluster(ControlPlane host) : IDisposable
{
    private long seq;

    /// <summary>Its client on the call-home listener.</summary>
    public HttpClient Http { get; } = host.Client(host.CallHome);

    /// <summary>Its key.</summary>
    public ECDsa Key { get; set; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>Its id after enrolment.</summary>
    public string Id { get; set; } = "";

    /// <summary>The epoch it speaks in.</summary>
    public long Epoch { get; set; }

    /// <summary>Its access token.</summary>
    public string AccessToken { get; set; } = "";

    /// <summary>Enrols with a token made for a customer, and gets access.</summary>
    public static async Task<TestCluster> EnrollAsync(ControlPlane host, Guid customerId, string name = "Oslo")
    {
        ArgumentNullException.ThrowIfNull(host);
        var cluster = new TestCluster(host);
        var token = await host.CreateEnrollmentTokenAsync(customerId);
        using var response = await cluster.SendAsync("enroll", cluster.EnrollmentRequest(token.Token, name));
        var enrolled = await ReadAsync(response, EnrollResponse.Parser);
        cluster.Id = enrolled.ClusterId;
        cluster.Epoch = enrolled.Epoch;
        using var envelope = JsonDocument.Parse(enrolled.Anchors.ToByteArray());
        cluster.Anchors = AnchorDocument.Parse(envelope.RootElement.GetProperty("payload").GetBytesFromBase64());
        await cluster.AuthorizeAsync();
        return cluster;
    }

    /// <summary>A valid enrolment request.</summary>
    public EnrollRequest EnrollmentRequest(string token, string name = "Oslo")
    {
        var spki = Key.ExportSubjectPublicKeyInfo();
        byte[] signed = [.. "mc-enroll-v1\n"u8, .. SHA256.HashData(Encoding.UTF8.GetBytes(token)), .. spki];
        return new EnrollRequest
        {
            Token = token,
            PublicKey = ByteString.CopyFrom(spki),
            Proof = ByteString.CopyFrom(Key.SignData(signed, HashAlgorithmName.SHA256)),
            Facts = new Facts { Name = name, AgentVersion = "test", ProductVersion = "1.0.0" },
        };
    }

    /// <summary>Trades an assertion for access.</summary>
    public async Task AuthorizeAsync()
    {
        using var response = await SendAsync("token", new TokenRequest { Assertion = Assertion(await NonceAsync()) });
        AccessToken = (await ReadAsync(response, TokenResponse.Parser)).AccessToken;
    }

    /// <summary>Asks for a nonce as a client does: by an assertion without one.</summary>
    public async Task<string> NonceAsync()
    {
        using var response = await SendAsync("token", new TokenRequest { Assertion = Assertion(null) });
        return response.Headers.GetValues("MC-Nonce").Single();
    }

    /// <summary>An ES256 assertion; claims can be added or overwritten, its clock bent.</summary>
    public string Assertion(string? nonce, IReadOnlyDictionary<string, object>? claims = null, DateTimeOffset? now = null, string use = "token")
    {
        var issued = (now ?? host.Time.GetUtcNow()).ToUnixTimeSeconds();
        var body = new Dictionary<string, object> { ["iss"] = Id, ["sub"] = Id, ["aud"] = "missioncontrol/callhome", ["use"] = use, ["jti"] = Guid.NewGuid().ToString("N"), ["iat"] = issued, ["exp"] = issued + 60 };
        if (nonce is not null)
        {
            body["nonce"] = nonce;
        }

        if (use == "epoch")
        {
            body["reason"] = "restored";
        }

        foreach (var claim in claims ?? new Dictionary<string, object>())
        {
            body[claim.Key] = claim.Value;
        }

        var signed = $"{Base64Url.EncodeToString("""{"alg":"ES256","typ":"JWT"}"""u8)}.{Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(body))}";
        return $"{signed}.{Base64Url.EncodeToString(Key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    /// <summary>The next number.</summary>
    public long Next() => ++seq;

    /// <summary>A health item of one node.</summary>
    public Item Health(long? number = null, Action<Health>? bend = null)
    {
        var health = new Health { IntervalS = 60, ExpectedNodes = 1, Nodes = { new NodeHealth { Id = "n1", Role = "server", State = "running", Cores = 4, CpuPercent = 12, MemoryTotalBytes = 16L << 30, MemoryUsedBytes = 4L << 30, ClockOffsetMs = 1, Version = "1.0.0", Disks = { new Disk { Mount = "/data", Purpose = "data", TotalBytes = 1L << 40, UsedBytes = 1L << 38, InodesUsedPercent = 3, ReadOnly = false, Encrypted = true } } } } };
        bend?.Invoke(health);
        return new Item { Seq = number ?? Next(), Type = "health", AtMs = host.Time.GetUtcNow().ToUnixTimeMilliseconds(), Body = health.ToByteString() };
    }

    /// <summary>An event item.</summary>
    public Item Event(string id, long? number = null, string severity = "warning") =>
        new() { Seq = number ?? Next(), Type = "event", AtMs = host.Time.GetUtcNow().ToUnixTimeMilliseconds(), Body = new Event { Id = id, Kind = "node-added", Severity = severity, Text = "A node was added" }.ToByteString() };

    /// <summary>A usage window of this cluster; every field can be bent.</summary>
    public UsageWindow Window(int hour, long revision = 1, string quantity = "3600", string meter = "host_unit_seconds", string environment = "e1") => new(
        1, Id, Epoch, UsageWindow.Text(UsageWindow.StartOf(hour)), 3600, revision, UsageWindow.Text(UsageWindow.StartOf(hour + 1)), true,
        [new UsageCell(meter, 1, new Dictionary<string, string> { ["env"] = environment }, quantity)]);

    /// <summary>A usage item: the window in an envelope, signed by this cluster's key or another.</summary>
    public Item Usage(UsageWindow window, long? number = null, ECDsa? key = null)
    {
        ArgumentNullException.ThrowIfNull(window);
        return Usage(window.ToBytes(), number, key);
    }

    /// <summary>A usage item with any bytes as its payload.</summary>
    public Item Usage(byte[] payload, long? number = null, ECDsa? key = null)
    {
        using var signer = EcdsaSigner.From(key ?? Key);
        return new Item { Seq = number ?? Next(), Type = "usage", AtMs = host.Time.GetUtcNow().ToUnixTimeMilliseconds(), Body = ByteString.CopyFrom(Dsse.Sign(UsageWindow.PayloadType, payload, signer)) };
    }

    /// <summary>The newest receipt that the answer to a check-in carries, verified by the key that the anchors name; null when there is none yet.</summary>
    public async Task<UsageReceipt?> ReceiptAsync()
    {
        var section = (await CheckInAsync()).Desired?.Sections.SingleOrDefault(section => section.Name == "receipts");
        if (section is null)
        {
            return null;
        }

        return Dsse.TryVerify(section.Body.Span, UsageReceipt.PayloadType, KeysFor("receipt"), out var verified, out var error)
            ? UsageReceipt.Parse(verified.Payload)
            : throw new CryptographicException(error);
    }

    /// <summary>Waits for a receipt with a result that fits.</summary>
    public async Task<UsageReceipt> ReceiptAsync(Func<UsageReceipt, bool> fits)
    {
        UsageReceipt? receipt = null;
        await Eventually.TrueAsync(async () => (receipt = await ReceiptAsync()) is not null && fits(receipt), "a fitting receipt has come");
        return receipt!;
    }

    /// <summary>The anchor document it was enrolled with.</summary>
    public AnchorDocument Anchors { get; private set; } = null!;

    /// <summary>A check-in with these items.</summary>
    public CheckInRequest Request(params Item[] items) => new() { ClusterId = Id, Epoch = Epoch, Items = { items }, SentAtMs = host.Time.GetUtcNow().ToUnixTimeMilliseconds(), AnchorsVersion = Anchors?.Version ?? 0 };

    /// <summary>Checks in and expects to be taken.</summary>
    public async Task<CheckInResponse> CheckInAsync(params Item[] items)
    {
        using var response = await SendAsync("checkin", Request(items));
        var answer = await ReadAsync(response, CheckInResponse.Parser);
        if (!answer.Anchors.IsEmpty)
        {
            Anchors = Dsse.TryVerify(answer.Anchors.Span, AnchorDocument.PayloadType, KeysFor("root"), out var verified, out var error) ? AnchorDocument.Parse(verified.Payload) : throw new CryptographicException(error);
        }

        return answer;
    }

    /// <summary>A line of a bundle: a check-in in an envelope, signed by this cluster's key or another.</summary>
    public byte[] Part(CheckInRequest request, ECDsa? key = null, string payloadType = BundlePart.PayloadType)
    {
        using var signer = EcdsaSigner.From(key ?? Key);
        return Dsse.Sign(payloadType, request.ToByteArray(), signer);
    }

    /// <summary>Uploads a bundle as whoever carries it would: without a bearer.</summary>
    public async Task<HttpResponseMessage> UploadAsync(params byte[][] parts)
    {
        using var content = new ByteArrayContent([.. parts.SelectMany(part => part.Append((byte)'\n'))]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        return await Http.PostAsync(new Uri("/callhome/v1/bundles", UriKind.Relative), content);
    }

    /// <summary>Uploads a bundle and expects to be taken.</summary>
    public async Task<CheckInResponse> HandInAsync(params byte[][] parts)
    {
        using var response = await UploadAsync(parts);
        var text = await response.Content.ReadAsStringAsync();
        return response.StatusCode == HttpStatusCode.OK ? JsonParser.Default.Parse<CheckInResponse>(text) : throw new InvalidOperationException($"{(int)response.StatusCode}: {text}");
    }

    /// <summary>Opens the signed answer to a bundle by the anchors that the cluster holds.</summary>
    /// <exception cref="CryptographicException">No key that they name for answers signed it.</exception>
    public (BundleAnswer Answer, string Kid) Answer(CheckInResponse told)
    {
        ArgumentNullException.ThrowIfNull(told);
        return Dsse.TryVerify(told.SignedAnswer.Span, BundlePart.AnswerPayloadType, KeysFor("answer"), out var verified, out var error) ? (BundleAnswer.Parser.ParseFrom(verified.Payload), verified.KeyId) : throw new CryptographicException(error);
    }

    /// <summary>The lease that a section of the desired state holds, verified by the key that the anchors name.</summary>
    /// <exception cref="CryptographicException">No key that they name for licences signed it.</exception>
    public LicenseLease Lease(Section section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return Dsse.TryVerify(section.Body.Span, LicenseLease.PayloadType, KeysFor("lease"), out var verified, out var error)
            ? LicenseLease.Read(verified.Payload, out var problem) ?? throw new CryptographicException(problem)
            : throw new CryptographicException(error);
    }

    private Func<string, VerificationKey?> KeysFor(string use) => kid => Anchors.Keys.FirstOrDefault(key => key.Kid == kid && key.Uses.Contains(use)) is { } key ? VerificationKey.FromSpki(key.Spki) : null;

    /// <summary>Sends a message as protobuf.</summary>
    public Task<HttpResponseMessage> SendAsync(string route, IMessage message)
    {
        var content = new ByteArrayContent(message.ToByteArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        return SendAsync(route, content);
    }

    /// <summary>Sends any content.</summary>
    public async Task<HttpResponseMessage> SendAsync(string route, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/callhome/v1/{route}", UriKind.Relative)) { Content = content };
        if (AccessToken.Length > 0)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AccessToken);
        }

        return await Http.SendAsync(request);
    }

    /// <summary>Reads a good answer, or says what came instead.</summary>
    public static async Task<T> ReadAsync<T>(HttpResponseMessage response, MessageParser<T> parser)
        where T : IMessage<T>
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(parser);
        return response.StatusCode == HttpStatusCode.OK
            ? parser.ParseFrom(await response.Content.ReadAsByteArrayAsync())
            : throw new InvalidOperationException($"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
    }

    /// <summary>The problem document of a refusal.</summary>
    public static async Task<ProblemDocument> ProblemAsync(HttpResponseMessage response) => (await response.Content.ReadFromJsonAsync<ProblemDocument>())!;

    /// <inheritdoc />
    public void Dispose()
    {
        Http.Dispose();
        Key.Dispose();
    }
}
