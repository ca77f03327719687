using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Google.Protobuf;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.CallHome.Tests;

public sealed class CredentialTests(HostFixture fixture)
{
    [Fact]
    public async Task Without_a_nonce_the_answer_is_use_nonce_with_a_nonce_and_the_servers_time()
    {
        using var cluster = await fixture.EnrollAsync();

        using var response = await cluster.SendAsync("token", new TokenRequest { Assertion = cluster.Assertion(null) });

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("use-nonce", (await TestCluster.ProblemAsync(response)).Code);
        Assert.NotEmpty(response.Headers.GetValues("MC-Nonce"));
        Assert.InRange(long.Parse(response.Headers.GetValues("MC-Time").Single()), DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds(), DateTimeOffset.UtcNow.AddMinutes(1).ToUnixTimeMilliseconds());
    }

    [Fact]
    public async Task A_cluster_whose_clock_is_ten_years_off_still_gets_access()
    {
        using var cluster = await fixture.EnrollAsync();
        var nonce = await cluster.NonceAsync();

        using var response = await cluster.SendAsync("token", new TokenRequest { Assertion = cluster.Assertion(nonce, now: DateTimeOffset.UtcNow.AddYears(-10)) });

        Assert.NotEmpty((await TestCluster.ReadAsync(response, TokenResponse.Parser)).AccessToken);
    }

    [Fact]
    public async Task A_nonce_counts_once_however_many_use_it_at_once()
    {
        using var cluster = await fixture.EnrollAsync();
        var nonce = await cluster.NonceAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => cluster.SendAsync("token", new TokenRequest { Assertion = cluster.Assertion(nonce) })));

        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_assertion_by_another_key_or_for_another_audience_is_refused()
    {
        using var cluster = await fixture.EnrollAsync();
        using var forger = new TestCluster(fixture.Host) { Id = cluster.Id };
        var nonce = await cluster.NonceAsync();

        using var forged = await forger.SendAsync("token", new TokenRequest { Assertion = forger.Assertion(nonce) });
        using var elsewhere = await cluster.SendAsync("token", new TokenRequest { Assertion = cluster.Assertion(nonce, new Dictionary<string, object> { ["aud"] = "elsewhere" }) });

        Assert.Equal("assertion-invalid", (await TestCluster.ProblemAsync(forged)).Code);
        Assert.Equal("assertion-invalid", (await TestCluster.ProblemAsync(elsewhere)).Code);
    }

    [Fact]
    public async Task A_tampered_or_foreign_access_token_is_refused()
    {
        using var cluster = await fixture.EnrollAsync();
        using var other = await fixture.EnrollAsync();
        var request = cluster.Request(cluster.Health());

        cluster.AccessToken = other.AccessToken;
        using var foreign = await cluster.SendAsync("checkin", request);
        cluster.AccessToken = Protocol.Tokens.SealedToken.Format('c', RandomNumberGenerator.GetBytes(52));
        using var invented = await cluster.SendAsync("checkin", request);

        Assert.Equal("cluster-mismatch", (await TestCluster.ProblemAsync(foreign)).Code);
        Assert.Equal("access-token-invalid", (await TestCluster.ProblemAsync(invented)).Code);
    }

    [Fact]
    public async Task A_suspended_cluster_is_not_heard_and_is_again_after_resuming()
    {
        using var cluster = await fixture.EnrollAsync();
        await cluster.CheckInAsync(cluster.Health());

        await PostAsync(cluster, "suspend");
        using var suspended = await cluster.SendAsync("checkin", cluster.Request(cluster.Health()));
        await PostAsync(cluster, "resume");
        var resumed = await cluster.CheckInAsync(cluster.Health());

        Assert.Equal("cluster-suspended", (await TestCluster.ProblemAsync(suspended)).Code);
        Assert.NotEmpty(resumed.AcceptedAboveAck);
    }

    [Theory]
    [InlineData("suspend")]
    [InlineData("resume")]
    [InlineData("decommission")]
    [InlineData("epochs/1/confirm")]
    public async Task A_switch_thrown_after_reading_is_refused_when_the_cluster_moved(string verb)
    {
        using var cluster = await fixture.EnrollAsync();
        using var read = await fixture.Host.Admin.GetAsync(new Uri($"/api/v1/callhome/clusters/{cluster.Id}", UriKind.Relative));
        await PostAsync(cluster, "suspend");
        if (verb == "suspend")
        {
            await PostAsync(cluster, "resume");
        }

        using var stale = await SwitchAsync(cluster, verb, read.Headers.ETag!);
        using var again = await fixture.Host.Admin.GetAsync(new Uri($"/api/v1/callhome/clusters/{cluster.Id}", UriKind.Relative));
        using var fresh = await SwitchAsync(cluster, verb, again.Headers.ETag!);

        Assert.Equal("precondition-failed", (await TestCluster.ProblemAsync(stale)).Code);
        Assert.Equal(HttpStatusCode.NoContent, fresh.StatusCode);
    }

    [Fact]
    public async Task A_decommissioned_cluster_is_gone_for_good()
    {
        using var cluster = await fixture.EnrollAsync();

        await PostAsync(cluster, "decommission");
        using var checkin = await cluster.SendAsync("checkin", cluster.Request(cluster.Health()));
        using var resume = await fixture.Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster.Id}/resume", new ReasonRequest("changed my mind"));

        Assert.Equal(HttpStatusCode.Gone, checkin.StatusCode);
        Assert.Equal("cluster-state-conflict", (await TestCluster.ProblemAsync(resume)).Code);
    }

    [Fact]
    public async Task Both_keys_are_good_until_the_new_one_is_used()
    {
        using var cluster = await fixture.EnrollAsync();
        var old = cluster.Key;
        using var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var spki = fresh.ExportSubjectPublicKeyInfo();
        byte[] signed = [.. "mc-rotate-v1\n"u8, .. System.Text.Encoding.ASCII.GetBytes(cluster.Id), .. spki];
        var assertion = cluster.Assertion(await cluster.NonceAsync(), new Dictionary<string, object> { ["new_key_sha256"] = Convert.ToHexStringLower(SHA256.HashData(spki)) }, use: "rotate");

        using var rotated = await cluster.SendAsync("rotate", new RotateRequest { Assertion = assertion, NewPublicKey = ByteString.CopyFrom(spki), Proof = ByteString.CopyFrom(fresh.SignData(signed, HashAlgorithmName.SHA256)) });
        await TestCluster.ReadAsync(rotated, RotateResponse.Parser);
        await cluster.AuthorizeAsync();
        cluster.Key = fresh;
        await cluster.AuthorizeAsync();
        cluster.Key = old;
        using var refused = await cluster.SendAsync("token", new TokenRequest { Assertion = cluster.Assertion(null) });

        Assert.Equal("assertion-invalid", (await TestCluster.ProblemAsync(refused)).Code);
    }

    private async Task PostAsync(TestCluster cluster, string verb)
    {
        using var response = await fixture.Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster.Id}/{verb}", new ReasonRequest("a test says so"));
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }

    private async Task<HttpResponseMessage> SwitchAsync(TestCluster cluster, string verb, System.Net.Http.Headers.EntityTagHeaderValue etag)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/callhome/clusters/{cluster.Id}/{verb}") { Content = JsonContent.Create(new ReasonRequest("a test says so")) };
        request.Headers.IfMatch.Add(etag);
        return await fixture.Host.Admin.SendAsync(request);
    }
}
