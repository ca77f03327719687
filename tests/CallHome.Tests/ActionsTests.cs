using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.CallHome.Tests;

/// <summary>What a cluster and an enrolment token say can be done to them is what the endpoints then do, and nothing else.</summary>
public sealed class ActionsTests(HostFixture fixture)
{
    private static readonly string[] Verbs = ["suspend", "resume", "decommission", "confirm-epoch", "rotate-key", "enrol-anew"];

    [Theory]
    [InlineData("active", new[] { "suspend", "decommission", "confirm-epoch", "rotate-key", "enrol-anew" })]
    [InlineData("suspended", new[] { "resume", "decommission", "confirm-epoch", "rotate-key", "enrol-anew" })]
    [InlineData("decommissioned", new[] { "confirm-epoch" })]
    public async Task What_a_cluster_allows_is_done_and_what_it_does_not_is_refused_in_the_same_words(string state, string[] allowed)
    {
        foreach (var verb in Verbs)
        {
            using var cluster = await fixture.EnrollAsync();
            if (state != "active")
            {
                using var before = await DoAsync(fixture.Host.Admin, cluster, state == "suspended" ? "suspend" : "decommission");
                before.EnsureSuccessStatusCode();
            }

            var actions = (await IdentityAsync(fixture.Host.Admin, cluster)).Actions;
            Assert.Equal(Verbs, actions.Select(action => action.Name));
            Assert.Equal(allowed, actions.Where(action => action.Allowed).Select(action => action.Name));
            Assert.All(actions, action => Assert.Equal(action.Allowed, action.Reason is null));

            using var answer = await DoAsync(fixture.Host.Admin, cluster, verb);
            if (allowed.Contains(verb))
            {
                Assert.True(answer.IsSuccessStatusCode, $"{verb}: {answer.StatusCode}");
            }
            else
            {
                Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
                Assert.Equal((await TestCluster.ProblemAsync(answer)).Detail, actions.Single(action => action.Name == verb).Reason);
            }
        }
    }

    [Fact]
    public async Task Whoever_lacks_the_right_is_told_so_of_every_action_and_is_refused()
    {
        using var cluster = await fixture.EnrollAsync();
        var (reader, _) = await fixture.Host.ClientWithTokenAsync(null, "callhome:read");
        using var _1 = reader;

        var actions = (await IdentityAsync(reader, cluster)).Actions;

        Assert.All(actions, action => Assert.Equal((false, "This needs the right callhome:write."), (action.Allowed, action.Reason)));
        foreach (var verb in Verbs)
        {
            using var answer = await DoAsync(reader, cluster, verb);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }

        var token = await fixture.Host.CreateEnrollmentTokenAsync(fixture.Customer.Id);
        Assert.Equal("This needs the right callhome:write.", (await TokenAsync(reader, token.Id)).Actions.Single().Reason);
    }

    [Fact]
    public async Task What_staff_suspended_no_customer_resumes_and_none_names_the_true_sender()
    {
        using var cluster = await fixture.EnrollAsync();
        var (customer, _) = await fixture.Host.ClientWithTokenAsync(fixture.Customer.Id, "callhome:read", "callhome:write");
        using var _1 = customer;
        using var suspended = await DoAsync(fixture.Host.Admin, cluster, "suspend");
        suspended.EnsureSuccessStatusCode();

        var actions = (await IdentityAsync(customer, cluster)).Actions;
        using var resumed = await DoAsync(customer, cluster, "resume");
        using var confirmed = await DoAsync(customer, cluster, "confirm-epoch");

        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.Forbidden), (resumed.StatusCode, confirmed.StatusCode));
        Assert.Equal((await TestCluster.ProblemAsync(resumed)).Detail, actions.Single(action => action.Name == "resume").Reason);
        Assert.Equal((await TestCluster.ProblemAsync(confirmed)).Detail, actions.Single(action => action.Name == "confirm-epoch").Reason);
        Assert.Equal("suspended", (await IdentityAsync(fixture.Host.Admin, cluster)).State);

        // What the customer itself suspends, it resumes; staff resume either.
        foreach (var (client, verb) in new[] { (fixture.Host.Admin, "resume"), (customer, "suspend"), (customer, "resume"), (customer, "suspend"), (fixture.Host.Admin, "resume") })
        {
            using var answer = await DoAsync(client, cluster, verb);
            Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_token_is_revoked_while_it_is_worth_something_and_says_why_not_otherwise()
    {
        var time = new ManualTime(TimeProvider.System.GetUtcNow());
        await using var host = await ControlPlane.StartAsync(time: time);
        var customer = await host.CreateCustomerAsync();
        var (open, used, revoked, expired) = (await host.CreateEnrollmentTokenAsync(customer.Id), await host.CreateEnrollmentTokenAsync(customer.Id), await host.CreateEnrollmentTokenAsync(customer.Id), await host.CreateEnrollmentTokenAsync(customer.Id, hours: 1));
        using var cluster = new TestCluster(host);
        (await cluster.SendAsync("enroll", cluster.EnrollmentRequest(used.Token))).EnsureSuccessStatusCode();
        Assert.Equal(HttpStatusCode.NoContent, await RevokeAsync(host.Admin, revoked.Id));
        time.Advance(TimeSpan.FromHours(2));

        Assert.Equal(
            [("open", true, null), ("used", false, "The token was used already; suspend or decommission its cluster instead."), ("revoked", false, "It is revoked already."), ("expired", false, "It has expired; nobody can use it any more.")],
            await Task.WhenAll(new[] { open, used, revoked, expired }.Select(async token => await TokenAsync(host.Admin, token.Id) is var item && item.Actions.Single() is { Name: "revoke" } revoke ? (item.State, revoke.Allowed, revoke.Reason) : default)));

        // What is worth nothing already stays what it is; only of a used one somebody has to think again.
        Assert.Equal(
            [HttpStatusCode.NoContent, HttpStatusCode.Conflict, HttpStatusCode.NoContent, HttpStatusCode.NoContent],
            [await RevokeAsync(host.Admin, open.Id), await RevokeAsync(host.Admin, used.Id), await RevokeAsync(host.Admin, revoked.Id), await RevokeAsync(host.Admin, expired.Id)]);
        Assert.Equal(("revoked", "expired"), ((await TokenAsync(host.Admin, open.Id)).State, (await TokenAsync(host.Admin, expired.Id)).State));
    }

    private static Task<HttpResponseMessage> DoAsync(HttpClient client, TestCluster cluster, string verb)
    {
        var path = verb switch { "confirm-epoch" => $"epochs/{cluster.Epoch}/confirm", "enrol-anew" => "enrollment-tokens", _ => verb };
        return client.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster.Id}/{path}", new ReasonRequest("because it is tested"));
    }

    private static async Task<HttpStatusCode> RevokeAsync(HttpClient client, string id)
    {
        using var answer = await client.PostAsync(new Uri($"/api/v1/callhome/enrollment-tokens/{id}/revoke", UriKind.Relative), null);
        return answer.StatusCode;
    }

    private static async Task<ClusterIdentity> IdentityAsync(HttpClient client, TestCluster cluster) => (await client.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{cluster.Id}"))!;

    private static async Task<EnrollmentTokenItem> TokenAsync(HttpClient client, string id) => (await client.GetFromJsonAsync<Page<EnrollmentTokenItem>>("/api/v1/callhome/enrollment-tokens?limit=500"))!.Items.Single(token => token.Id == id);
}
