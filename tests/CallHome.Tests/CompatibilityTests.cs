using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using MissionControl.Trust;
using Xunit;

namespace MissionControl.CallHome.Tests;

/// <summary>What a cluster of another version, a wiped one, or one that was long away meets.</summary>
public sealed class CompatibilityTests(HostFixture fixture)
{
    [Fact]
    public async Task Fields_that_the_server_does_not_know_are_ignored_and_named()
    {
        using var cluster = await fixture.EnrollAsync();
        var json = $$$"""{"clusterId":"{{{cluster.Id}}}","epoch":"{{{cluster.Epoch}}}","colour":"red","spool":{"items":"1","mood":{"a":[1,2]}},"items":[]}""";

        using var byName = await cluster.SendAsync("checkin", new StringContent(json, Encoding.UTF8, "application/json"));
        var named = JsonParser.Default.Parse<CheckInResponse>(await byName.Content.ReadAsStringAsync());
        var numbered = await WithRawAsync(cluster, [0x9a, 0x3f, 0x01, 0x41]);
        var nothing = await cluster.CheckInAsync(cluster.Health());

        Assert.Equal(["/colour", "/spool/mood"], named.IgnoredFields);
        Assert.Equal(["/#1011", "/spool/#1011"], numbered.IgnoredFields.Order(StringComparer.Ordinal));
        Assert.Empty(nothing.IgnoredFields);
    }

    [Fact]
    public async Task Numbers_that_were_never_seen_here_make_the_server_ask_for_everything_once()
    {
        using var cluster = await fixture.EnrollAsync();
        await cluster.CheckInAsync(cluster.Health(1));

        var jumped = await SkipToAsync(cluster, 101);
        var again = await SkipToAsync(cluster, 101);
        var declared = await SkipToAsync(cluster, 201, new DroppedRange { Type = "health", First = 101, Last = 200, Reason = "spool-limit" });
        var partly = await SkipToAsync(cluster, 301, new DroppedRange { Type = "health", First = 250, Last = 300, Reason = "spool-limit" });

        Assert.Equal(["resync"], jumped.Want);
        Assert.Equal(100, jumped.Ack);
        Assert.Empty(again.Want);
        Assert.Empty(declared.Want);
        Assert.Equal(["resync"], partly.Want);
    }

    [Fact]
    public async Task A_control_plane_that_forgot_an_epoch_issues_one_above_it()
    {
        using var cluster = await fixture.EnrollAsync();
        cluster.Epoch = 7;

        using var unknown = await cluster.SendAsync("checkin", cluster.Request(cluster.Health(1)));
        using var response = await cluster.SendAsync("epoch", new EpochRequest { Assertion = cluster.Assertion(await cluster.NonceAsync(), new Dictionary<string, object> { ["epoch"] = 7, ["reason"] = "state-lost" }, use: "epoch"), Reason = "state-lost" });
        var granted = await TestCluster.ReadAsync(response, EpochResponse.Parser);
        cluster.Epoch = granted.Epoch;

        Assert.Equal("unknown-epoch", (await TestCluster.ProblemAsync(unknown)).Code);
        Assert.Equal(8, granted.Epoch);
        Assert.False(granted.Quarantined);
        Assert.Equal(1, (await cluster.CheckInAsync(cluster.Health(1))).Ack);
    }

    [Theory]
    [InlineData("suspend", 403, "cluster-suspended")]
    [InlineData("decommission", 410, "cluster-decommissioned")]
    public async Task A_cluster_that_may_not_speak_is_told_so_on_every_route(string verb, int status, string code)
    {
        using var cluster = await fixture.EnrollAsync();
        using var fresh = global::System.Security.Cryptography.ECDsa.Create(global::System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        (await fixture.Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster.Id}/{verb}", new ReasonRequest("test"))).EnsureSuccessStatusCode();

        using var checkIn = await cluster.SendAsync("checkin", cluster.Request(cluster.Health()));
        using var token = await cluster.SendAsync("token", new TokenRequest { Assertion = cluster.Assertion(await cluster.NonceAsync()) });
        using var epoch = await cluster.SendAsync("epoch", new EpochRequest { Assertion = cluster.Assertion(await cluster.NonceAsync(), use: "epoch"), Reason = "restored" });
        using var rotate = await cluster.SendAsync("rotate", new RotateRequest { Assertion = cluster.Assertion(await cluster.NonceAsync(), use: "rotate"), NewPublicKey = ByteString.CopyFrom(fresh.ExportSubjectPublicKeyInfo()) });

        foreach (var response in new[] { checkIn, token, epoch, rotate })
        {
            Assert.Equal(status, (int)response.StatusCode);
            Assert.Equal(code, (await TestCluster.ProblemAsync(response)).Code);
        }
    }

    [Fact]
    public async Task A_witness_key_is_kept_and_one_of_another_form_refused()
    {
        using var witness = Ed25519Key.FromSeed(Ed25519Key.NewSeed());
        var token = await fixture.Host.CreateEnrollmentTokenAsync(fixture.Customer.Id);
        using var cluster = new TestCluster(fixture.Host);
        var good = new KeyInfo { Use = "witness", Alg = "Ed25519", Spki = ByteString.CopyFrom(witness.ToSpki()), Proof = ByteString.CopyFrom(witness.Sign(Signed(cluster, token.Token))) };
        foreach (var bad in new[] { good.Clone(), good.Clone(), good.Clone() }.Select((key, i) =>
        {
            key.Use = i == 0 ? "other" : key.Use;
            key.Alg = i == 1 ? "ES256" : key.Alg;
            key.Spki = i == 2 ? ByteString.CopyFrom(cluster.Key.ExportSubjectPublicKeyInfo()) : key.Spki;
            return key;
        }))
        {
            using var refused = await cluster.SendAsync("enroll", With(cluster.EnrollmentRequest(token.Token), bad));
            Assert.Equal("key-unsupported", (await TestCluster.ProblemAsync(refused)).Code);
        }

        using var twice = await cluster.SendAsync("enroll", With(cluster.EnrollmentRequest(token.Token), good, good));
        using var taken = await cluster.SendAsync("enroll", With(cluster.EnrollmentRequest(token.Token), good));
        var id = (await TestCluster.ReadAsync(taken, EnrollResponse.Parser)).ClusterId;
        var identity = (await fixture.Host.Admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{id}"))!;

        Assert.Equal(HttpStatusCode.UnprocessableEntity, twice.StatusCode);
        Assert.Equal(["identity", "witness"], identity.Keys.Select(key => key.Use).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_cluster_that_was_away_for_a_year_comes_back_by_itself()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var host = await ControlPlane.StartAsync(time: time);
        using var cluster = await TestCluster.EnrollAsync(host, (await host.CreateCustomerAsync()).Id);
        await cluster.CheckInAsync(cluster.Health());
        time.Advance(TimeSpan.FromDays(365));

        using var late = await cluster.SendAsync("checkin", cluster.Request(cluster.Health()));
        await cluster.AuthorizeAsync();
        var taken = await cluster.CheckInAsync(cluster.Health(2));

        Assert.Equal("access-token-invalid", (await TestCluster.ProblemAsync(late)).Code);
        Assert.Equal(2, taken.Ack);
    }

    [Fact]
    public async Task An_agent_is_sent_the_sections_it_understands_and_after_an_upgrade_what_it_missed()
    {
        using var cluster = await fixture.EnrollAsync();
        await cluster.CheckInAsync(cluster.Usage(cluster.Window(UsageWindow.HourOf(fixture.Host.Time.GetUtcNow()) - 2)));
        await cluster.ReceiptAsync(receipt => receipt.Results.Count > 0);

        var older = (await SectionsAsync(cluster, "", "lease", "not-yet-thought-of")).Desired;
        var upgraded = (await SectionsAsync(cluster, older.Etag, "lease", "receipts")).Desired;
        var same = await SectionsAsync(cluster, upgraded.Etag, "receipts", "lease", "lease");
        var all = (await SectionsAsync(cluster, upgraded.Etag)).Desired;

        Assert.Empty(older.Sections);
        Assert.Equal(["receipts"], upgraded.Sections.Select(section => section.Name));
        Assert.Null(same.Desired);
        Assert.Equal(["receipts"], all.Sections.Select(section => section.Name));
    }

    [Fact]
    public async Task Names_of_sections_are_bounded()
    {
        using var cluster = await fixture.EnrollAsync();
        foreach (var names in new string[][] { [.. Enumerable.Range(0, 21).Select(n => $"s{n}")], [""], [new string('s', 41)] })
        {
            var request = cluster.Request();
            request.Sections.AddRange(names);
            using var response = await cluster.SendAsync("checkin", request);
            Assert.Equal("/sections", Assert.Single((await TestCluster.ProblemAsync(response)).Errors!).Pointer);
        }
    }

    private static async Task<CheckInResponse> SectionsAsync(TestCluster cluster, string etag, params string[] names)
    {
        var request = cluster.Request();
        request.DesiredEtag = etag;
        request.Sections.AddRange(names);
        using var response = await cluster.SendAsync("checkin", request);
        return await TestCluster.ReadAsync(response, CheckInResponse.Parser);
    }

    [Fact]
    public async Task A_further_key_that_did_not_sign_the_enrolment_is_refused()
    {
        using var witness = Ed25519Key.FromSeed(Ed25519Key.NewSeed());
        using var another = Ed25519Key.FromSeed(Ed25519Key.NewSeed());
        var (token, used) = (await fixture.Host.CreateEnrollmentTokenAsync(fixture.Customer.Id), await fixture.Host.CreateEnrollmentTokenAsync(fixture.Customer.Id));
        using var cluster = new TestCluster(fixture.Host);
        using var stranger = new TestCluster(fixture.Host);
        byte[][] proofs = [[], new byte[64], another.Sign(Signed(cluster, token.Token)), witness.Sign(Signed(cluster, used.Token)), witness.Sign(Signed(stranger, token.Token)), [.. witness.Sign(Signed(cluster, token.Token)), 0]];
        foreach (var proof in proofs)
        {
            var key = new KeyInfo { Use = "witness", Alg = "Ed25519", Spki = ByteString.CopyFrom(witness.ToSpki()), Proof = ByteString.CopyFrom(proof) };
            using var refused = await cluster.SendAsync("enroll", With(cluster.EnrollmentRequest(token.Token), key));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
            Assert.Equal("proof-invalid", (await TestCluster.ProblemAsync(refused)).Code);
        }

        // None of them has used the token up.
        using var taken = await cluster.SendAsync("enroll", cluster.EnrollmentRequest(token.Token));
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
    }

    private static byte[] Signed(TestCluster cluster, string token) =>
        [.. "mc-enroll-v1\n"u8, .. SHA256.HashData(Encoding.UTF8.GetBytes(token)), .. cluster.Key.ExportSubjectPublicKeyInfo()];

    private static EnrollRequest With(EnrollRequest request, params KeyInfo[] keys)
    {
        request.FurtherKeys.AddRange(keys);
        return request;
    }

    private static async Task<CheckInResponse> SkipToAsync(TestCluster cluster, long lowestKept, params DroppedRange[] dropped)
    {
        var request = cluster.Request();
        request.LowestKept = lowestKept;
        request.Spool = new SpoolState { Dropped = { dropped } };
        using var response = await cluster.SendAsync("checkin", request);
        return await TestCluster.ReadAsync(response, CheckInResponse.Parser);
    }

    /// <summary>Field 1011 with one byte, at the top and within the spool's state.</summary>
    private static async Task<CheckInResponse> WithRawAsync(TestCluster cluster, byte[] unknown)
    {
        byte[] spool = [0x22, (byte)unknown.Length, .. unknown];
        var content = new ByteArrayContent([.. cluster.Request().ToByteArray(), .. unknown, .. spool]);
        content.Headers.ContentType = new global::System.Net.Http.Headers.MediaTypeHeaderValue("application/x-protobuf");
        using var response = await cluster.SendAsync("checkin", content);
        return await TestCluster.ReadAsync(response, CheckInResponse.Parser);
    }
}
