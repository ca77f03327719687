using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Identity.Leaks;
using MissionControl.Protocol.Tokens;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>Reports of GitHub's secret scanning: the published vectors, and what somebody sends who is not GitHub.</summary>
public sealed class GitHubLeakTests : IAsyncLifetime
{
    // As GitHub published them, and others test by; the second one is no longer current.
    private const string Current = "bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c";
    private const string CurrentPem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAd\nAjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9/AmtoNP5GrobzUvQSyJFVw==\n-----END PUBLIC KEY-----\n";
    private const string Former = "90a421169f0a406205f1563a953312f0be898d3c7b6c06b681aa86a874555f4a";
    private const string FormerPem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9MJJHnMfn2+H4xL4YaPDA4RpJqUq\nkCmRCBnYERxZanmcpzQSXs1X/AljlKkbJ8qpVIW4clayyef9gWhFbNHWAA==\n-----END PUBLIC KEY-----\n";
    private const string CurrentBody = """[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]""";
    private const string CurrentSignature = "MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4xg==";

    private readonly ManualTime time = new(TimeProvider.System.GetUtcNow());
    private SecretScanner scanner = null!;
    private ControlPlane host = null!;
    private HttpClient stranger = null!;

    public async ValueTask InitializeAsync()
    {
        scanner = await SecretScanner.StartAsync();
        scanner.Publish(Current, CurrentPem, isCurrent: true);
        scanner.Publish(Former, FormerPem, isCurrent: false);
        host = await ControlPlane.StartAsync(time: time, configuration: new Dictionary<string, string?> { ["Identity:Leaks:GitHubKeysUrl"] = scanner.KeysUrl, ["Api:RequestsPerMinute"] = "1000000" });
        stranger = host.Client(host.Portal);
    }

    public async ValueTask DisposeAsync()
    {
        stranger.Dispose();
        await host.DisposeAsync();
        await scanner.DisposeAsync();
    }

    [Theory]
    [InlineData(Current, CurrentBody, CurrentSignature)]
    [InlineData(Former, """[{"token":"some_token","type":"some_type","url":"some_url"}]""", "MEUCIQDKZokqnCjrRtw0tni+2Ltvl/uiMJ1EGumEsp1BsNr32AIgQY1YXD2nlj+XNfGK4rBfkMJ1JDOQcYXxa2sY8FNkrKc=")]
    [InlineData(Former, """[{"token":"NMIfyYncKcRALEXAMPLE","type":"mycompany_api_token","url":"https://github.com/octocat/Hello-World/commit/123456718ee16e59dabbacb1b4049abc11abc123"}]""", "MEQCIA6C6L8ZYvZnqgV0zwrrmRab10QmIFV396gsba/WYm9oAiAI6Q+/jNaWqkgG5YhaWshTXbRwIgqIK6Ru7LxVYDbV5Q==")]
    public async Task What_GitHub_signed_is_taken_by_a_current_and_a_former_key_and_nothing_else_is(string key, string body, string signature)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        using var taken = await SecretScanner.SendAsync(stranger, bytes, key, signature);
        var label = Assert.Single(await LabelsAsync(taken));
        var token = JsonDocument.Parse(body).RootElement[0].GetProperty("token").GetString()!;
        Assert.Equal((Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token))), "false_positive"), (label.Hash, label.Label));
        Assert.DoesNotContain(token, await taken.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        // A newline more, a byte changed, another key, another signature, none at all.
        var changed = bytes.ToArray();
        changed[^4] ^= 1;
        foreach (var (sent, id, sign) in new (byte[], string?, string?)[]
        {
            ([.. bytes, (byte)'\n'], key, signature), (changed, key, signature), (bytes, key == Current ? Former : Current, signature), (bytes, key, scanner.Sign(bytes)), (bytes, key, "no base64"), (bytes, key, "AAAA"),
            (bytes, null, signature), (bytes, key, null), (bytes, key, ""), (bytes, new string('a', 5000), signature), (bytes, "nobody's", signature),
        })
        {
            using var refused = await SecretScanner.SendAsync(stranger, sent, id, sign);
            Assert.Equal((HttpStatusCode.Unauthorized, "report-unsigned"), (refused.StatusCode, (await refused.Content.ReadFromJsonAsync<ProblemDocument>())!.Code));
        }
    }

    [Fact]
    public async Task However_many_strangers_name_keys_that_do_not_exist_GitHub_is_asked_once_a_minute()
    {
        var body = SecretScanner.Body(("x", ""));
        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(async i =>
        {
            using var answer = await SecretScanner.SendAsync(stranger, body, $"unknown-{i}", scanner.Sign(body));
            return answer.StatusCode;
        }));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Unauthorized, answer));
        Assert.Equal(1, scanner.Asked);

        // A key that is published later is learnt as soon as a minute is over.
        using var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        scanner.Publish("fresh", fresh.ExportSubjectPublicKeyInfoPem(), isCurrent: true);
        var signature = Convert.ToBase64String(fresh.SignData(body, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        using (var early = await SecretScanner.SendAsync(stranger, body, "fresh", signature))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, early.StatusCode);
        }

        time.Advance(TimeSpan.FromSeconds(61));
        using var late = await SecretScanner.SendAsync(stranger, body, "fresh", signature);
        Assert.Equal(HttpStatusCode.OK, late.StatusCode);
        Assert.Equal(2, scanner.Asked);
    }

    [Fact]
    public async Task While_the_keys_cannot_be_had_known_ones_are_good_for_a_day_and_GitHub_is_told_to_come_again()
    {
        var body = SecretScanner.Body(("x", ""));
        scanner.IsAway = true;
        using (var unknown = await scanner.SendAsync(stranger, body))
        {
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "scanner-keys-unavailable"), (unknown.StatusCode, (await unknown.Content.ReadFromJsonAsync<ProblemDocument>())!.Code));
            Assert.NotNull(unknown.Headers.RetryAfter);
        }

        scanner.IsAway = false;
        time.Advance(TimeSpan.FromSeconds(61));
        (await scanner.SendAsync(stranger, body)).EnsureSuccessStatusCode().Dispose();
        scanner.IsAway = true;
        time.Advance(TimeSpan.FromHours(23));
        (await scanner.SendAsync(stranger, body)).EnsureSuccessStatusCode().Dispose();
        time.Advance(TimeSpan.FromHours(2));
        using var stale = await scanner.SendAsync(stranger, body);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, stale.StatusCode);
    }

    [Fact]
    public async Task A_report_that_is_too_large_or_no_report_is_refused_in_words()
    {
        foreach (var text in new[] { "", "{}", "[1]", "[null]", "[{\"token\":1}]", "[{\"token\":\"x\"}", "[]x", "nonsense" })
        {
            var body = Encoding.UTF8.GetBytes(text);
            using var answer = await scanner.SendAsync(stranger, body);
            Assert.Equal((HttpStatusCode.BadRequest, "malformed"), (answer.StatusCode, (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!.Code));
        }

        var many = Encoding.UTF8.GetBytes("[" + string.Join(',', Enumerable.Repeat("{\"token\":\"x\"}", ReportBody.MostFinds + 1)) + "]");
        using (var answer = await scanner.SendAsync(stranger, many))
        {
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        }

        // Without a length, so that only reading it shows; and with one, which is believed.
        foreach (var chunked in new[] { true, false })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/identity/leaks/github") { Content = new ByteArrayContent(new byte[ReportBody.MostBytes + 1]) };
            request.Headers.TransferEncodingChunked = chunked;
            request.Headers.TryAddWithoutValidation("Github-Public-Key-Identifier", scanner.KeyId);
            request.Headers.TryAddWithoutValidation("Github-Public-Key-Signature", CurrentSignature);
            try
            {
                using var answer = await stranger.SendAsync(request);
                Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
            }
            catch (HttpRequestException refused) when (refused.InnerException is IOException)
            {
                // The server hung up while the rest was still being sent.
            }
        }

        // Who begins many and ends none is stopped, and hinders what came before it no longer than it lasts.
        using var end = new CancellationTokenSource();
        var asked = Enumerable.Range(0, ReportBody.AtOnceFromOne).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).ToList();
        var slow = asked.ConvertAll(one => SendSlowlyAsync(one, end.Token));
        await Task.WhenAll(asked.Select(one => one.Task)).WaitAsync(TimeSpan.FromSeconds(30));
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await scanner.SendAsync(stranger, "[]"u8.ToArray());
            return answer.StatusCode == HttpStatusCode.TooManyRequests && answer.Headers.RetryAfter is not null;
        }, "the slow ones have all turns");
        await end.CancelAsync();
        await Task.WhenAll(slow);
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await scanner.SendAsync(stranger, "[]"u8.ToArray());
            return answer.StatusCode == HttpStatusCode.OK;
        }, "the turns are given back");
        using var empty = await scanner.SendAsync(stranger, "[]"u8.ToArray());
        Assert.Empty(await LabelsAsync(empty));
    }

    [Fact]
    public async Task A_wrong_secret_for_a_known_id_revokes_nothing_and_looks_as_nothing_of_ours()
    {
        var (client, token) = await host.ClientWithTokenAsync(null, "fleet:read");
        using var _ = client;
        var forged = Forge($"mca_{token.Id}_");
        Assert.True(TokenText.TryParse(forged, out var _, out var id, out var _));
        Assert.Equal(token.Id, id);
        var absent = TokenText.New('a', out var _, out var _);
        var typo = token.Token[..^1] + (token.Token[^1] == 'a' ? 'b' : 'a');
        using var answer = await scanner.SendAsync(stranger, SecretScanner.Body((forged, "https://github.com/x"), (absent, "https://github.com/x"), (typo, "https://github.com/x"), (TokenText.New('u', out var _, out var _), "")));

        // Of an id that we do not know (any more) the checksum speaks; of one that we know the secret does.
        Assert.Equal(["false_positive", "true_positive", "false_positive", "false_positive"], (await LabelsAsync(answer)).Select(one => one.Label));
        Assert.Empty((await host.Admin.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks"))!.Items);
        Assert.Equal("active", (await host.Admin.GetFromJsonAsync<TokenItem>($"/api/v1/identity/tokens/{token.Id}"))!.State);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/api/v1/fleet/clusters", UriKind.Relative))).StatusCode);
    }

    [Fact]
    public async Task Many_tokens_at_once_are_revoked_in_one_go_and_told_in_one_mail()
    {
        using var contact = await host.Admin.PostAsJsonAsync("/api/v1/notifications/contacts", new AddContactRequest(null, "security", "officer", "officer@vendor.example"));
        contact.EnsureSuccessStatusCode();
        var tokens = new List<CreatedToken>();
        for (var i = 0; i < 40; i++)
        {
            using var made = await host.Admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest($"job {i}", ["fleet:read"]));
            tokens.Add((await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedToken>())!);
        }

        // Among look-alikes by the thousand, and each at three places.
        var finds = Enumerable.Range(0, 3).SelectMany(place => tokens.Select(token => (token.Token, $"https://github.com/acme/x/blob/{place}"))).Concat(Enumerable.Range(0, 5000).Select(_ => (TokenText.New('a', out var _, out var _), "https://github.com/fake"))).ToArray();
        using var answer = await scanner.SendAsync(stranger, SecretScanner.Body(finds));
        Assert.Equal(5040, (await LabelsAsync(answer)).Count);
        var leaks = (await host.Admin.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks?limit=500&count=exact"))!;
        Assert.Equal((40, 40L), (leaks.Items.Count, leaks.Total!.Value));
        Assert.All(leaks.Items, leak => Assert.Equal(("revoked", "github", 3), (leak.Outcome, leak.Source, leak.Places)));
        var mails = new List<DeliveryItem>();
        await Eventually.TrueAsync(async () => (mails = [.. (await host.Admin.GetFromJsonAsync<Page<DeliveryItem>>("/api/v1/notifications/deliveries?channel=mail&limit=500"))!.Items.Where(one => one.Subject == "A token of the vendor leaked")]).Count > 0, "the vendor is told");
        Assert.Equal("officer@vendor.example", Assert.Single(mails).Recipient);
        Assert.All((await host.Admin.GetFromJsonAsync<Page<TokenItem>>("/api/v1/identity/tokens?limit=500"))!.Items.Where(one => one.Name.StartsWith("job", StringComparison.Ordinal)), one => Assert.Equal("revoked", one.State));
    }

    /// <summary>A token with right form and checksum, and a secret of its own.</summary>
    internal static string Forge(string head)
    {
        var other = TokenText.New('a', out var _, out var _);
        var body = head + other[17..60];
        return body + Checksum(body);
    }

    // CRC-32 as its specification says, in base 62: nobody needs our code to forge one.
    private static string Checksum(string text)
    {
        var crc = uint.MaxValue;
        foreach (var letter in text)
        {
            crc ^= letter;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
            }
        }

        const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        var (value, digits) = (~crc, new char[6]);
        for (var i = 5; i >= 0; i--, value /= 62)
        {
            digits[i] = Digits[(int)(value % 62)];
        }

        return new string(digits);
    }

    /// <summary>Begins a report by a key that exists, and never ends it.</summary>
    /// <summary>Begins a report and never ends it, again when another took its turn, until <paramref name="end"/>.</summary>
    private async Task SendSlowlyAsync(TaskCompletionSource asked, CancellationToken end)
    {
        using var client = host.Client(host.Portal);
        while (true)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/identity/leaks/github") { Content = new Endless(asked) };

            // The server asks for the body when there is a turn; without one it answers at once, and this comes again.
            request.Headers.ExpectContinue = true;
            request.Headers.TryAddWithoutValidation("Github-Public-Key-Identifier", scanner.KeyId);
            request.Headers.TryAddWithoutValidation("Github-Public-Key-Signature", CurrentSignature);
            try
            {
                using var answer = await client.SendAsync(request, end);
                Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
            }
            catch (HttpRequestException) when (!end.IsCancellationRequested)
            {
                // Refused, and hung up on, while the body was still on its way.
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private sealed class Endless(TaskCompletionSource asked) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => throw new NotSupportedException();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync("["u8.ToArray(), cancellationToken);
            await stream.FlushAsync(cancellationToken);
            asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private static async Task<IReadOnlyList<(string Hash, string Label)>> LabelsAsync(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var labels = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return [.. labels.RootElement.EnumerateArray().Select(one => (one.GetProperty("token_hash").GetString()!, one.GetProperty("label").GetString()!))];
    }
}
