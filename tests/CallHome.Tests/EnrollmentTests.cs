using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.CallHome.Tests;

public sealed class EnrollmentTests(HostFixture fixture)
{
    [Fact]
    public async Task A_token_and_a_key_become_a_cluster_of_the_tokens_customer()
    {
        using var cluster = await fixture.EnrollAsync();

        var identity = await fixture.Host.Admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{cluster.Id}");

        Assert.Equal(fixture.Customer.Id, identity!.CustomerId);
        Assert.Equal("active", identity.State);
        Assert.Equal(1, identity.Epoch);
        Assert.Single(identity.Keys);
    }

    [Fact]
    public async Task The_anchor_document_that_arrives_is_the_one_whose_digest_was_shown()
    {
        using var cluster = new TestCluster(fixture.Host);
        var token = await fixture.Host.CreateEnrollmentTokenAsync(fixture.Customer.Id);

        using var response = await cluster.SendAsync("enroll", cluster.EnrollmentRequest(token.Token));
        var enrolled = await TestCluster.ReadAsync(response, EnrollResponse.Parser);

        Assert.Equal(token.AnchorsSha256, $"sha256:{Convert.ToHexStringLower(SHA256.HashData(enrolled.Anchors.Span))}");
    }

    [Fact]
    public async Task The_same_token_with_the_same_key_gives_the_same_answer_and_with_another_key_409()
    {
        using var cluster = new TestCluster(fixture.Host);
        using var thief = new TestCluster(fixture.Host);
        var token = await fixture.Host.CreateEnrollmentTokenAsync(fixture.Customer.Id);
        var request = cluster.EnrollmentRequest(token.Token);

        using var first = await cluster.SendAsync("enroll", request);
        using var again = await cluster.SendAsync("enroll", request);
        using var stolen = await thief.SendAsync("enroll", thief.EnrollmentRequest(token.Token));

        Assert.Equal((await TestCluster.ReadAsync(first, EnrollResponse.Parser)).ClusterId, (await TestCluster.ReadAsync(again, EnrollResponse.Parser)).ClusterId);
        Assert.Equal(HttpStatusCode.Conflict, stolen.StatusCode);
        Assert.Equal("enrollment-token-used", (await TestCluster.ProblemAsync(stolen)).Code);
    }

    [Fact]
    public async Task A_token_is_refused_from_another_network_when_unknown_and_when_revoked()
    {
        using var cluster = new TestCluster(fixture.Host);
        var elsewhere = await fixture.Host.CreateEnrollmentTokenAsync(fixture.Customer.Id, 24, "192.0.2.0/24");
        var revoked = await fixture.Host.CreateEnrollmentTokenAsync(fixture.Customer.Id);
        (await fixture.Host.Admin.PostAsync(new Uri($"/api/v1/callhome/enrollment-tokens/{revoked.Id}/revoke", UriKind.Relative), null)).EnsureSuccessStatusCode();
        var unknown = Protocol.Tokens.TokenText.New('e', out _, out _);

        Assert.Equal("enrollment-token-invalid", await CodeAsync(cluster, elsewhere.Token));
        Assert.Equal("enrollment-token-expired", await CodeAsync(cluster, revoked.Token));
        Assert.Equal("enrollment-token-invalid", await CodeAsync(cluster, unknown));
        Assert.Equal("enrollment-token-invalid", await CodeAsync(cluster, "mce_nonsense"));
    }

    [Fact]
    public async Task A_proof_by_another_key_is_refused()
    {
        using var cluster = new TestCluster(fixture.Host);
        using var other = new TestCluster(fixture.Host);
        var token = await fixture.Host.CreateEnrollmentTokenAsync(fixture.Customer.Id);
        var request = cluster.EnrollmentRequest(token.Token);
        request.Proof = other.EnrollmentRequest(token.Token).Proof;

        using var response = await cluster.SendAsync("enroll", request);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal("proof-invalid", (await TestCluster.ProblemAsync(response)).Code);
    }

    [Fact]
    public async Task Fifty_parallel_enrolments_with_one_token_make_one_cluster()
    {
        var token = await fixture.Host.CreateEnrollmentTokenAsync(fixture.Customer.Id);
        var clusters = Enumerable.Range(0, 50).Select(_ => new TestCluster(fixture.Host)).ToList();

        var answers = await Task.WhenAll(clusters.Select(cluster => cluster.SendAsync("enroll", cluster.EnrollmentRequest(token.Token))));

        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.Equal(49, answers.Count(answer => answer.StatusCode == HttpStatusCode.Conflict));
        clusters.ForEach(cluster => cluster.Dispose());
    }

    [Fact]
    public async Task Tokens_are_listed_by_customer_state_and_a_part_of_the_name()
    {
        var customer = await fixture.Host.CreateCustomerAsync();
        var admin = fixture.Host.Admin;
        using var cluster = new TestCluster(fixture.Host);
        var open = await fixture.Host.CreateEnrollmentTokenAsync(customer.Id);
        var (used, revoked) = (await CreateAsync("Oslo 1"), await CreateAsync("Oslo 2"));
        using (var enrolled = await cluster.SendAsync("enroll", cluster.EnrollmentRequest(used.Token)))
        {
            enrolled.EnsureSuccessStatusCode();
        }

        (await admin.PostAsync(new Uri($"/api/v1/callhome/enrollment-tokens/{revoked.Id}/revoke", UriKind.Relative), null)).EnsureSuccessStatusCode();

        Assert.Equal([used.Id], await IdsAsync("&state=used"));
        Assert.Equal([revoked.Id], await IdsAsync("&state=revoked"));
        Assert.Equal([open.Id], await IdsAsync("&state=open"));
        Assert.Empty(await IdsAsync("&state=expired"));
        Assert.Equal(new[] { used.Id, revoked.Id }.Order(), (await IdsAsync("&q=oslo")).Order());
        var first = await PageAsync("&q=oslo&limit=1&count=exact");
        Assert.Equal(2, first.Total);
        var second = (await admin.GetFromJsonAsync<Page<EnrollmentTokenItem>>(first.Next))!;
        Assert.Equal(new[] { used.Id, revoked.Id }.Order(), first.Items.Concat(second.Items).Select(item => item.Id).Order());
        Assert.Null(second.Next);
        using var misspelt = await admin.GetAsync(new Uri("/api/v1/callhome/enrollment-tokens?state=fresh", UriKind.Relative));
        Assert.Equal(HttpStatusCode.BadRequest, misspelt.StatusCode);

        async Task<CreatedEnrollmentToken> CreateAsync(string name)
        {
            using var response = await admin.PostAsJsonAsync("/api/v1/callhome/enrollment-tokens", new CreateEnrollmentTokenRequest(customer.Id, name));
            return (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedEnrollmentToken>())!;
        }

        async Task<Page<EnrollmentTokenItem>> PageAsync(string filter) => (await admin.GetFromJsonAsync<Page<EnrollmentTokenItem>>($"/api/v1/callhome/enrollment-tokens?customer={customer.Id}{filter}"))!;

        async Task<IEnumerable<string>> IdsAsync(string filter) => (await PageAsync(filter)).Items.Select(item => item.Id);
    }

    private static async Task<string> CodeAsync(TestCluster cluster, string token)
    {
        using var response = await cluster.SendAsync("enroll", cluster.EnrollmentRequest(token));
        return (await TestCluster.ProblemAsync(response)).Code;
    }
}
