using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.CallHome.Tests;

/// <summary>A cluster whose machine was lost is given to another one by a token; and what whoever stole something can make of that.</summary>
public sealed class ReadmissionTests(HostFixture fixture)
{
    private ControlPlane Host => fixture.Host;

    [Fact]
    public async Task A_new_machine_becomes_the_cluster_and_goes_on_under_a_new_epoch_without_an_alarm()
    {
        using var lost = await RealAgent.EnrollAsync(Host, fixture.Customer.Id);
        await lost.CheckInAsync();
        var before = await IdentityAsync(lost.Id);
        using var found = new RealAgent(Host);

        await found.EnrollAsync(await TokenAsync(lost.Id));
        for (var i = 0; i < 3; i++)
        {
            Assert.True((await found.CheckInAsync()).Succeeded);
            found.Restart();
        }

        Assert.Equal(lost.Id, found.Id);
        var after = await IdentityAsync(lost.Id);
        Assert.Equal((before.Name, before.CustomerId, "active", false, 2L), (after.Name, after.CustomerId, after.State, after.CloneSuspected, after.Epoch));
        Assert.Equal(after.Epoch, found.Agent.Epoch);
        Assert.Equal(after.EpochIssuedAt, found.Identity.Enrollment!.EpochIssuedAt);
        Assert.Equal("re-enrolled", after.Epochs[^1].Reason);
        Assert.False(after.Epochs[^1].Quarantined);
        Assert.Equal(new[] { found.KeyId }, after.Keys.Where(key => key is { Use: "identity", NotAfter: null }).Select(key => key.Kid));
        Assert.All(before.Keys, key => Assert.NotNull(after.Keys.Single(now => now.Kid == key.Kid).NotAfter));
        await AuditedAsync(lost.Id, "callhome.readmission-token-created", 1);
        await AuditedAsync(lost.Id, "callhome.cluster-readmitted", 1);
        await AuditedAsync(lost.Id, "callhome.clone-suspected", 0);
    }

    [Fact]
    public async Task The_old_machine_is_refused_at_once_whatever_access_it_holds_and_raises_the_alarm()
    {
        using var old = await RealAgent.EnrollAsync(Host, fixture.Customer.Id);
        Assert.True((await old.CheckInAsync()).Succeeded);
        using var found = new RealAgent(Host);
        await found.EnrollAsync(await TokenAsync(old.Id));
        Assert.True((await found.CheckInAsync()).Succeeded);
        Assert.False((await IdentityAsync(old.Id)).CloneSuspected);

        // Its access would be good for ten minutes more; its key fetches no other.
        Assert.False((await old.CheckInAsync()).Succeeded);
        Assert.False((await old.CheckInAsync()).Succeeded);

        Assert.True((await IdentityAsync(old.Id)).CloneSuspected);
        await AuditedAsync(old.Id, "callhome.clone-suspected", 1);

        // The true one is heard all the while, and a person who says so ends the alarm.
        Assert.True((await found.CheckInAsync()).Succeeded);
        using var confirmed = await Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{old.Id}/epochs/2/confirm", new ReasonRequest("the old one was switched off"));
        Assert.Equal(HttpStatusCode.NoContent, confirmed.StatusCode);
        Assert.False((await IdentityAsync(old.Id)).CloneSuspected);
    }

    [Theory]
    [InlineData("checkin")]
    [InlineData("token")]
    [InlineData("epoch")]
    [InlineData("rotate")]
    public async Task A_thief_of_the_old_key_gets_nothing_by_any_route_and_is_noticed(string route)
    {
        using var old = await fixture.EnrollAsync();
        using var found = await ReadmitAsync(Guid.Parse(old.Id));
        using var next = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        // The stolen access says the new epoch.
        old.Epoch = 2;
        using (var first = await SendAsync(null))
        {
            Assert.Contains((await TestCluster.ProblemAsync(first)).Code, new[] { "use-nonce", "access-token-invalid" });
        }

        if (route != "checkin")
        {
            using var second = await SendAsync(await old.NonceAsync());
            Assert.Equal("assertion-invalid", (await TestCluster.ProblemAsync(second)).Code);
            Assert.True((await IdentityAsync(Guid.Parse(old.Id))).CloneSuspected);
        }

        var identity = await IdentityAsync(Guid.Parse(old.Id));
        Assert.Equal(2, identity.Epoch);
        Assert.Equal(2, identity.Keys.Count(key => key.Use == "identity"));

        Task<HttpResponseMessage> SendAsync(string? nonce)
        {
            var spki = next.ExportSubjectPublicKeyInfo();
            byte[] signed = [.. "mc-rotate-v1\n"u8, .. System.Text.Encoding.ASCII.GetBytes(old.Id), .. spki];
            var assertion = old.Assertion(nonce, new Dictionary<string, object> { ["epoch"] = 2, ["new_key_sha256"] = Convert.ToHexStringLower(SHA256.HashData(spki)) }, use: route);
            return route switch
            {
                "checkin" => old.SendAsync(route, old.Request(old.Health())),
                "token" => old.SendAsync(route, new TokenRequest { Assertion = assertion }),
                "epoch" => old.SendAsync(route, new EpochRequest { Assertion = assertion, Reason = "restored" }),
                _ => old.SendAsync(route, new RotateRequest { Assertion = assertion, NewPublicKey = Google.Protobuf.ByteString.CopyFrom(spki), Proof = Google.Protobuf.ByteString.CopyFrom(next.SignData(signed, HashAlgorithmName.SHA256)) }),
            };
        }
    }

    [Fact]
    public async Task A_key_of_another_cluster_raises_no_alarm()
    {
        using var old = await fixture.EnrollAsync();
        using var found = await ReadmitAsync(Guid.Parse(old.Id));
        using var other = await fixture.EnrollAsync();
        using var forger = new TestCluster(Host) { Id = old.Id, Key = ECDsa.Create(other.Key.ExportParameters(includePrivateParameters: true)) };

        using var refused = await forger.SendAsync("token", new TokenRequest { Assertion = forger.Assertion(await other.NonceAsync()) });

        Assert.Equal("assertion-invalid", (await TestCluster.ProblemAsync(refused)).Code);
        Assert.False((await IdentityAsync(Guid.Parse(old.Id))).CloneSuspected);
    }

    [Fact]
    public async Task The_token_counts_once_and_the_same_machine_gets_the_same_answer_again()
    {
        using var old = await fixture.EnrollAsync();
        var token = await TokenAsync(Guid.Parse(old.Id));
        using var found = new TestCluster(Host);
        using var thief = new TestCluster(Host);

        using var first = await found.SendAsync("enroll", found.EnrollmentRequest(token.Token));
        using var again = await found.SendAsync("enroll", found.EnrollmentRequest(token.Token));
        using var stolen = await thief.SendAsync("enroll", thief.EnrollmentRequest(token.Token));

        var answer = await TestCluster.ReadAsync(first, EnrollResponse.Parser);
        var repeated = await TestCluster.ReadAsync(again, EnrollResponse.Parser);
        Assert.Equal((old.Id, 2L), (answer.ClusterId, answer.Epoch));
        Assert.Equal((answer.ClusterId, answer.Epoch, answer.EpochIssuedMs), (repeated.ClusterId, repeated.Epoch, repeated.EpochIssuedMs));
        Assert.Equal("enrollment-token-used", (await TestCluster.ProblemAsync(stolen)).Code);
        await Eventually.TrueAsync(async () => (await Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?target={token.Id}&type=callhome.enrollment-refused"))!.Items.Count == 1, "both sides learn of it");
        Assert.Equal(2, (await IdentityAsync(Guid.Parse(old.Id))).Epoch);
    }

    [Fact]
    public async Task Of_twenty_machines_that_race_with_one_token_one_becomes_the_cluster()
    {
        using var old = await fixture.EnrollAsync();
        var token = await TokenAsync(Guid.Parse(old.Id));
        var racers = Enumerable.Range(0, 20).Select(_ => new TestCluster(Host)).ToList();

        var answers = await Task.WhenAll(racers.Select(racer => racer.SendAsync("enroll", racer.EnrollmentRequest(token.Token))));

        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.Equal(19, answers.Count(answer => answer.StatusCode == HttpStatusCode.Conflict));
        var identity = await IdentityAsync(Guid.Parse(old.Id));
        Assert.Equal(2, identity.Epoch);
        Assert.Single(identity.Keys, key => key is { Use: "identity", NotAfter: null });
        racers.ForEach(racer => racer.Dispose());
    }

    [Fact]
    public async Task A_later_token_ends_an_earlier_one_and_a_revoked_one_enrols_nothing()
    {
        using var old = await fixture.EnrollAsync();
        var earlier = await TokenAsync(Guid.Parse(old.Id));
        var later = await TokenAsync(Guid.Parse(old.Id));
        using var machine = new TestCluster(Host);

        Assert.Equal("enrollment-token-expired", await CodeAsync(machine, earlier.Token));
        (await Host.Admin.PostAsync(new Uri($"/api/v1/callhome/enrollment-tokens/{later.Id}/revoke", UriKind.Relative), null)).EnsureSuccessStatusCode();
        Assert.Equal("enrollment-token-expired", await CodeAsync(machine, later.Token));

        Assert.Equal(1, (await IdentityAsync(Guid.Parse(old.Id))).Epoch);
        await old.CheckInAsync(old.Health());
        var listed = await Host.Admin.GetFromJsonAsync<Page<EnrollmentTokenItem>>($"/api/v1/callhome/enrollment-tokens?customer={fixture.Customer.Id}&limit=500");
        Assert.Equal(2, listed!.Items.Count(item => item.ReadmitsCluster == Guid.Parse(old.Id) && item.State == "revoked"));
    }

    [Fact]
    public async Task A_key_from_before_does_not_count_again()
    {
        using var old = await fixture.EnrollAsync();
        var token = await TokenAsync(Guid.Parse(old.Id));

        Assert.Equal("key-unsupported", await CodeAsync(old, token.Token));

        Assert.Equal(1, (await IdentityAsync(Guid.Parse(old.Id))).Epoch);
        using var found = new TestCluster(Host);
        Assert.Equal("", await CodeAsync(found, token.Token));
    }

    [Fact]
    public async Task A_decommissioned_cluster_comes_back_by_no_token()
    {
        using var old = await fixture.EnrollAsync();
        var id = Guid.Parse(old.Id);
        var token = await TokenAsync(id);
        await SwitchAsync(id, "decommission");
        using var machine = new TestCluster(Host);

        Assert.Equal("cluster-decommissioned", await CodeAsync(machine, token.Token));
        using var another = await Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{id}/enrollment-tokens", new ReadmitClusterRequest("a test"));

        Assert.Equal("cluster-state-conflict", (await TestCluster.ProblemAsync(another)).Code);
        var identity = await IdentityAsync(id);
        Assert.Equal(("decommissioned", 1L), (identity.State, identity.Epoch));
    }

    [Fact]
    public async Task A_suspended_cluster_may_be_given_away_and_stays_suspended()
    {
        using var old = await RealAgent.EnrollAsync(Host, fixture.Customer.Id);
        await SwitchAsync(old.Id, "suspend");
        using var found = new RealAgent(Host);

        await found.EnrollAsync(await TokenAsync(old.Id));

        Assert.False((await found.CheckInAsync()).Succeeded);
        Assert.Equal("suspended", (await IdentityAsync(old.Id)).State);
        await SwitchAsync(old.Id, "resume");
        Assert.True((await found.CheckInAsync()).Succeeded);
    }

    [Fact]
    public async Task A_suspected_copy_is_decided_by_enrolling_anew()
    {
        using var old = await fixture.EnrollAsync();
        await old.CheckInAsync(old.Health(1));
        using var twice = await old.SendAsync("checkin", old.Request(old.Health(1, health => health.Nodes[0].CpuPercent = 99)));
        Assert.Equal("clone-suspected", (await TestCluster.ProblemAsync(twice)).Code);
        Assert.True((await IdentityAsync(Guid.Parse(old.Id))).CloneSuspected);

        using var found = await ReadmitAsync(Guid.Parse(old.Id));

        Assert.False((await IdentityAsync(Guid.Parse(old.Id))).CloneSuspected);

        // An epoch that the machine asks for later is its first: the one that a person gave it is no sign of a copy.
        using var asked = await found.SendAsync("epoch", new EpochRequest { Assertion = found.Assertion(await found.NonceAsync(), new Dictionary<string, object> { ["epoch"] = 2, ["reason"] = "restored" }, use: "epoch"), Reason = "restored" });
        Assert.False((await TestCluster.ReadAsync(asked, EpochResponse.Parser)).Quarantined);
    }

    [Fact]
    public async Task Only_staff_with_the_right_and_a_reason_make_one_for_a_day_at_most_and_for_their_own_clusters()
    {
        using var cluster = await fixture.EnrollAsync();
        var stranger = (await Host.CreateCustomerAsync("Stranger")).Id;
        var (foreign, _) = await Host.ClientWithTokenAsync(stranger, "callhome:read", "callhome:write");
        var (reader, _) = await Host.ClientWithTokenAsync(fixture.Customer.Id, "callhome:read");
        using (foreign)
        using (reader)
        {
            Assert.Equal("not-found", await RefusedAsync(foreign, new ReadmitClusterRequest("curious")));
            Assert.Equal("scope-missing", await RefusedAsync(reader, new ReadmitClusterRequest("curious")));
            Assert.Equal("invalid", await RefusedAsync(Host.Admin, new ReadmitClusterRequest("")));
            Assert.Equal("invalid", await RefusedAsync(Host.Admin, new ReadmitClusterRequest("for long", 25)));
        }

        async Task<string> RefusedAsync(HttpClient client, ReadmitClusterRequest request)
        {
            using var response = await client.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster.Id}/enrollment-tokens", request);
            return (await TestCluster.ProblemAsync(response)).Code;
        }
    }

    private async Task<TestCluster> ReadmitAsync(Guid cluster)
    {
        var token = await TokenAsync(cluster);
        var found = new TestCluster(Host);
        using var response = await found.SendAsync("enroll", found.EnrollmentRequest(token.Token));
        var enrolled = await TestCluster.ReadAsync(response, EnrollResponse.Parser);
        (found.Id, found.Epoch) = (enrolled.ClusterId, enrolled.Epoch);
        await found.AuthorizeAsync();
        await found.CheckInAsync(found.Health());
        return found;
    }

    private async Task<CreatedEnrollmentToken> TokenAsync(Guid cluster)
    {
        using var response = await Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster}/enrollment-tokens", new ReadmitClusterRequest("its machine was lost"));
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<CreatedEnrollmentToken>())!;
    }

    private static async Task<string> CodeAsync(TestCluster machine, string token)
    {
        using var response = await machine.SendAsync("enroll", machine.EnrollmentRequest(token));
        return response.IsSuccessStatusCode ? "" : (await TestCluster.ProblemAsync(response)).Code;
    }

    private async Task SwitchAsync(Guid cluster, string verb)
    {
        using var response = await Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster}/{verb}", new ReasonRequest("a test says so"));
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }

    private async Task<ClusterIdentity> IdentityAsync(Guid cluster) => (await Host.Admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{cluster}"))!;

    private Task AuditedAsync(Guid cluster, string type, int count) => Eventually.TrueAsync(
        async () => (await Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?target={cluster}&type={type}"))!.Items.Count == count, $"{type} is audited {count} times");
}
