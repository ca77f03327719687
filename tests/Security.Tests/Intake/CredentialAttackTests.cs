using System.Buffers.Text;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Intake;

/// <summary>Stolen, forged and replayed credentials at the door.</summary>
public sealed class CredentialAttackTests(SecurityFixture fixture)
{
    // Header, claims and signature of an assertion that would be good, each bent in one way. The nonce is always good.
    private static readonly Dictionary<string, Func<TestCluster, string, string, string>> Forgeries = new()
    {
        ["alg none"] = (cluster, nonce, use) => Jwt("""{"alg":"none"}"""u8, Claims(cluster, nonce, use), _ => []),
        ["alg None"] = (cluster, nonce, use) => Jwt("""{"alg":"None"}"""u8, Claims(cluster, nonce, use), cluster),
        ["alg es256"] = (cluster, nonce, use) => Jwt("""{"alg":"es256"}"""u8, Claims(cluster, nonce, use), cluster),
        ["no alg"] = (cluster, nonce, use) => Jwt("{}"u8, Claims(cluster, nonce, use), cluster),
        ["alg twice"] = (cluster, nonce, use) => Jwt("""{"alg":"none","alg":"ES256"}"""u8, Claims(cluster, nonce, use), cluster),
        ["alg is a number"] = (cluster, nonce, use) => Jwt("""{"alg":256}"""u8, Claims(cluster, nonce, use), cluster),
        ["alg is half a character"] = (cluster, nonce, use) => Jwt("""{"alg":"\ud800"}"""u8, Claims(cluster, nonce, use), cluster),
        ["header is not UTF-8"] = (cluster, nonce, use) => Jwt([.. "{\"alg\":\""u8, 0xc3, 0x28, .. "\"}"u8], Claims(cluster, nonce, use), cluster),
        ["header is a list"] = (cluster, nonce, use) => Jwt("[]"u8, Claims(cluster, nonce, use), cluster),
        ["HS256 with the public key"] = (cluster, nonce, use) => Jwt("""{"alg":"HS256"}"""u8, Claims(cluster, nonce, use), signed => HMACSHA256.HashData(cluster.Key.ExportSubjectPublicKeyInfo(), signed)),
        ["ES256 with an HMAC by the public key"] = (cluster, nonce, use) => Jwt("""{"alg":"ES256"}"""u8, Claims(cluster, nonce, use), signed => HMACSHA512.HashData(cluster.Key.ExportSubjectPublicKeyInfo(), signed)),
        ["a signature of zeros"] = (cluster, nonce, use) => Jwt("""{"alg":"ES256"}"""u8, Claims(cluster, nonce, use), _ => new byte[64]),
        ["a DER signature"] = (cluster, nonce, use) => Jwt("""{"alg":"ES256"}"""u8, Claims(cluster, nonce, use), signed => cluster.Key.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)),
        ["claims changed after signing"] = (cluster, nonce, use) => Swapped(cluster.Assertion(nonce, use: use), 1, Claims(cluster, nonce, use, claims => claims["jti"] = "other")),
        ["no signature"] = (cluster, nonce, use) => cluster.Assertion(nonce, use: use).Split('.') is var parts ? $"{parts[0]}.{parts[1]}." : "",
        ["two parts"] = (cluster, nonce, use) => cluster.Assertion(nonce, use: use).Split('.') is var parts ? $"{parts[0]}.{parts[1]}" : "",
        ["four parts"] = (cluster, nonce, use) => cluster.Assertion(nonce, use: use) + ".x",
        ["padding"] = (cluster, nonce, use) => cluster.Assertion(nonce, use: use) + "==",
        ["another audience"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims["aud"] = "missioncontrol/identity"),
        ["a list of audiences"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims["aud"] = new[] { "missioncontrol/callhome" }),
        ["no issuer"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims.Remove("iss")),
        ["another subject"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims["sub"] = Guid.NewGuid().ToString()),
        ["a cluster that there is not"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims["sub"] = claims["iss"] = Guid.NewGuid().ToString()),
        ["an issuer that is no id"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims["sub"] = claims["iss"] = "' OR 1=1 --"),
        ["a life as text"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims["exp"] = "9999999999"),
        ["a life that is null"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims["iat"] = null!),
        ["a life that is a list"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims["iat"] = new[] { 1 }),
        ["a life of a day"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims["exp"] = (long)claims["iat"] + 86_400),
        ["a life longer than there is"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => (claims["iat"], claims["exp"]) = (long.MinValue, long.MaxValue)),
        ["for another route"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims["use"] = use == "unenroll" ? "token" : "unenroll"),
        ["for no route"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims.Remove("use")),
        ["for several routes"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims["use"] = new[] { "token", "unenroll" }),
        ["no jti"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims.Remove("jti")),
        ["an endless jti"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims["jti"] = new string('j', 101)),
        ["a claim twice"] = (cluster, nonce, use) => Jwt("""{"alg":"ES256"}"""u8, [.. Claims(cluster, nonce, use)[..^1], .. ",\"aud\":\"missioncontrol/callhome\"}"u8], cluster),
        ["nested claims"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims["x"] = new object[] { new object[] { new object[] { new object[] { 1 } } } }),
        ["too long"] = (cluster, nonce, use) => Signed(cluster, nonce, use, claims => claims["x"] = new string('x', 4000)),
        ["nothing"] = (_, _, _) => "",
        ["a signature that is not base64url"] = (cluster, nonce, use) => cluster.Assertion(nonce, use: use).Split('.') is var parts ? $"{parts[0]}.{parts[1]}.{new string('+', 86)}" : "",
        ["dots"] = (_, _, _) => new string('.', 4000),
        ["not base64url"] = (_, _, _) => "+/=.+/=.+/=",
    };

    public static TheoryData<string> Names => [.. Forgeries.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_forged_assertion_opens_nothing_and_burns_no_nonce(string name)
    {
        using var cluster = await fixture.EnrollAsync();
        var nonce = await cluster.NonceAsync();
        foreach (var (route, message) in new (string, IMessage)[]
        {
            ("token", new TokenRequest { Assertion = Forged("token") }),
            ("epoch", new EpochRequest { Assertion = Forged("epoch"), Reason = "restored" }),
            ("unenroll", new UnenrollRequest { Assertion = Forged("unenroll") }),
            ("rotate", new RotateRequest { Assertion = Forged("rotate"), NewPublicKey = ByteString.CopyFrom(cluster.Key.ExportSubjectPublicKeyInfo()) }),
        })
        {
            using var response = await cluster.SendAsync(route, message);
            await Answers.RefusedAsync("assertion-invalid", response, $"{name} on {route}");
            Assert.True(response.Headers.Contains("MC-Nonce"), "the next try needs no further question");
        }

        using var good = await cluster.SendAsync("token", new TokenRequest { Assertion = cluster.Assertion(nonce) });
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);

        string Forged(string use) => Forgeries[name](cluster, nonce, use);
    }

    [Fact]
    public async Task A_replayed_assertion_or_a_nonce_that_is_not_ours_is_worth_nothing()
    {
        using var cluster = await fixture.EnrollAsync();
        var assertion = cluster.Assertion(await cluster.NonceAsync());
        using var first = await cluster.SendAsync("token", new TokenRequest { Assertion = assertion });
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        var foreign = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(36));
        foreach (var replay in new[] { assertion, cluster.Assertion(foreign), cluster.Assertion(""), cluster.Assertion(new string('A', 48)), cluster.Assertion("\0") })
        {
            using var token = await cluster.SendAsync("token", new TokenRequest { Assertion = replay });
            await Answers.RefusedAsync("use-nonce", token, "replay at token");
        }

        var spent = await cluster.NonceAsync();
        using var used = await cluster.SendAsync("token", new TokenRequest { Assertion = cluster.Assertion(spent) });
        foreach (var nonce in new[] { spent, foreign, "" })
        {
            using var unenroll = await cluster.SendAsync("unenroll", new UnenrollRequest { Assertion = cluster.Assertion(nonce, use: "unenroll") });
            await Answers.RefusedAsync("use-nonce", unenroll, "a nonce that is spent or not ours at unenroll");
        }
    }

    [Fact]
    public async Task Whoever_reads_along_cannot_use_an_assertion_for_another_route_than_the_cluster_did()
    {
        using var cluster = await fixture.EnrollAsync();
        var routes = new Dictionary<string, Func<string, IMessage>>
        {
            ["token"] = assertion => new TokenRequest { Assertion = assertion },
            ["epoch"] = assertion => new EpochRequest { Assertion = assertion, Reason = "restored" },
            ["rotate"] = assertion => new RotateRequest { Assertion = assertion, NewPublicKey = ByteString.CopyFrom(cluster.Key.ExportSubjectPublicKeyInfo()), Proof = ByteString.CopyFrom(new byte[64]) },
            ["unenroll"] = assertion => new UnenrollRequest { Assertion = assertion, Reason = "moved" },
        };
        var held = await cluster.NonceAsync();
        foreach (var (named, asked) in routes.Keys.SelectMany(named => routes.Keys.Where(route => route != named).Select(route => (named, route))))
        {
            using var answer = await cluster.SendAsync(asked, routes[asked](cluster.Assertion(held, use: named)));
            await Answers.RefusedAsync("assertion-invalid", answer, $"an assertion for {named} at {asked}");
        }

        // The reason is signed as well: who restored a machine does not say that it lost its state.
        using var bent = await cluster.SendAsync("epoch", new EpochRequest { Assertion = cluster.Assertion(held, use: "epoch"), Reason = "state-lost" });
        await Answers.RefusedAsync("assertion-invalid", bent, "another reason than the one signed");

        // None of it spent the nonce that the cluster holds, and the cluster is as it was.
        using var good = await cluster.SendAsync("token", new TokenRequest { Assertion = cluster.Assertion(held) });
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        Assert.Equal(1, (await cluster.CheckInAsync(cluster.Health())).Ack);
    }

    [Fact]
    public async Task A_nonce_is_good_for_two_minutes_and_an_access_token_for_ten()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var host = await ControlPlane.StartAsync(time: time);
        using var cluster = await TestCluster.EnrollAsync(host, (await host.CreateCustomerAsync()).Id);
        var assertion = cluster.Assertion(await cluster.NonceAsync());
        await cluster.CheckInAsync(cluster.Health(1));

        time.Advance(TimeSpan.FromSeconds(121));
        using var late = await cluster.SendAsync("token", new TokenRequest { Assertion = assertion });
        await cluster.CheckInAsync(cluster.Health(2));
        time.Advance(TimeSpan.FromMinutes(8));
        using var expired = await cluster.SendAsync("checkin", cluster.Request(cluster.Health(3)));

        await Answers.RefusedAsync("use-nonce", late, "a nonce after two minutes");
        await Answers.RefusedAsync("access-token-invalid", expired, "an access token after ten minutes");
    }

    [Fact]
    public async Task Bearers_of_every_other_kind_open_no_check_in_and_a_clusters_token_opens_no_api()
    {
        using var cluster = await fixture.EnrollAsync();
        var access = cluster.AccessToken;
        var enrollment = (await fixture.Host.CreateEnrollmentTokenAsync(fixture.Customer.Id)).Token;
        foreach (var bearer in new[] { fixture.Host.AdminToken, enrollment, access[..^1], access + "0", "mcc_", "mcc_" + new string('0', 5000), new string('x', 8000), cluster.Assertion(null), "null" })
        {
            cluster.AccessToken = bearer;
            using var response = await cluster.SendAsync("checkin", cluster.Request(cluster.Health()));
            await Answers.RefusedAsync("access-token-invalid", response, $"bearer {bearer[..4]}");
        }

        foreach (var bearer in new[] { access, enrollment })
        {
            using var api = fixture.Host.Client(fixture.Host.Portal, bearer);
            using var response = await api.GetAsync(new Uri("/api/v1/fleet/clusters", UriKind.Relative));
            await Answers.RefusedAsync("unauthenticated", response, $"bearer {bearer[..4]} at the API");
        }
    }

    [Fact]
    public async Task A_suspended_or_decommissioned_cluster_gets_nothing_on_any_route()
    {
        foreach (var (verb, code) in new[] { ("suspend", "cluster-suspended"), ("decommission", "cluster-decommissioned") })
        {
            using var cluster = await fixture.EnrollAsync();
            using var switched = await fixture.Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster.Id}/{verb}", new ReasonRequest("a test says so"));
            Assert.Equal(HttpStatusCode.NoContent, switched.StatusCode);

            using var checkin = await cluster.SendAsync("checkin", cluster.Request(cluster.Health()));
            using var token = await cluster.SendAsync("token", new TokenRequest { Assertion = cluster.Assertion(await cluster.NonceAsync()) });
            using var rotate = await cluster.SendAsync("rotate", await RotationAsync(cluster));
            await Answers.RefusedAsync(code, checkin, $"check-in after {verb}");
            await Answers.RefusedAsync(code, token, $"token after {verb}");
            await Answers.RefusedAsync(code, rotate, $"rotate after {verb}");
            using var epoch = await cluster.SendAsync("epoch", new EpochRequest { Assertion = cluster.Assertion(await cluster.NonceAsync(), use: "epoch"), Reason = "restored" });
            await Answers.RefusedAsync(code, epoch, $"epoch after {verb}");
        }
    }

    [Fact]
    public async Task The_windows_of_another_cluster_or_key_are_refused_whoever_sends_them()
    {
        using var cluster = await fixture.EnrollAsync();
        using var neighbour = await fixture.EnrollNeighbourAsync();
        var hour = Protocol.Documents.UsageWindow.HourOf(fixture.Host.Time.GetUtcNow()) - 2;

        var answer = await cluster.CheckInAsync(neighbour.Usage(neighbour.Window(hour), 1), cluster.Usage(neighbour.Window(hour), 2), cluster.Usage(cluster.Window(hour), 3, neighbour.Key));

        Assert.Equal([(1L, "key-unknown", false), (2L, "window-of-another-cluster", true), (3L, "key-unknown", false)], answer.Refusals.Select(refusal => (refusal.Seq, refusal.Code, refusal.Final)));
    }

    [Fact]
    public async Task A_stolen_enrolment_token_is_worth_nothing_once_used_expired_or_elsewhere_and_the_theft_is_on_record()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var host = await ControlPlane.StartAsync(time: time);
        var customer = await host.CreateCustomerAsync();
        var used = await host.CreateEnrollmentTokenAsync(customer.Id);
        var open = await host.CreateEnrollmentTokenAsync(customer.Id, hours: 1);
        using var rightful = new TestCluster(host);
        using var first = await rightful.SendAsync("enroll", rightful.EnrollmentRequest(used.Token));
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);

        using var thief = new TestCluster(host);
        using var stolen = await thief.SendAsync("enroll", thief.EnrollmentRequest(used.Token));
        time.Advance(TimeSpan.FromMinutes(61));
        using var expired = await thief.SendAsync("enroll", thief.EnrollmentRequest(open.Token));
        using var other = await thief.SendAsync("enroll", thief.EnrollmentRequest(host.AdminToken));

        await Answers.RefusedAsync("enrollment-token-used", stolen, "a used token");
        await Answers.RefusedAsync("enrollment-token-expired", expired, "an expired token");
        await Answers.RefusedAsync("enrollment-token-invalid", other, "a token of another kind");
        await Eventually.TrueAsync(async () => (await host.Admin.GetStringAsync(new Uri($"/api/v1/audit/entries?type=callhome.enrollment-refused&target={used.Id}", UriKind.Relative))).Contains(used.Id, StringComparison.Ordinal), "the theft is on record");
    }

    private static async Task<RotateRequest> RotationAsync(TestCluster cluster)
    {
        using var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var spki = fresh.ExportSubjectPublicKeyInfo();
        byte[] signed = [.. "mc-rotate-v1\n"u8, .. Encoding.ASCII.GetBytes(cluster.Id), .. spki];
        var assertion = cluster.Assertion(await cluster.NonceAsync(), new Dictionary<string, object> { ["new_key_sha256"] = Convert.ToHexStringLower(SHA256.HashData(spki)) }, use: "rotate");
        return new RotateRequest { Assertion = assertion, NewPublicKey = ByteString.CopyFrom(spki), Proof = ByteString.CopyFrom(fresh.SignData(signed, HashAlgorithmName.SHA256)) };
    }

    private static string Signed(TestCluster cluster, string nonce, string use, Action<Dictionary<string, object>> bend) => Jwt("""{"alg":"ES256"}"""u8, Claims(cluster, nonce, use, bend), cluster);

    private static byte[] Claims(TestCluster cluster, string nonce, string use, Action<Dictionary<string, object>>? bend = null)
    {
        var issued = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims = new Dictionary<string, object> { ["iss"] = cluster.Id, ["sub"] = cluster.Id, ["aud"] = "missioncontrol/callhome", ["use"] = use, ["jti"] = "j", ["iat"] = issued, ["exp"] = issued + 60, ["nonce"] = nonce };
        bend?.Invoke(claims);
        return JsonSerializer.SerializeToUtf8Bytes(claims);
    }

    private static string Jwt(ReadOnlySpan<byte> header, byte[] claims, TestCluster cluster) => Jwt(header, claims, signed => cluster.Key.SignData(signed, HashAlgorithmName.SHA256));

    private static string Jwt(ReadOnlySpan<byte> header, byte[] claims, Func<byte[], byte[]> sign)
    {
        var signed = $"{Base64Url.EncodeToString(header)}.{Base64Url.EncodeToString(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    private static string Swapped(string jwt, int part, byte[] with)
    {
        var parts = jwt.Split('.');
        parts[part] = Base64Url.EncodeToString(with);
        return string.Join('.', parts);
    }
}
