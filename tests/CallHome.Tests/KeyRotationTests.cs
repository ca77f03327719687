using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Google.Protobuf;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.CallHome.Tests;

/// <summary>A person asks a cluster to replace its key: the real agent does so beside its check-ins, once, whatever goes wrong in between.</summary>
public sealed class KeyRotationTests(HostFixture fixture)
{
    private ControlPlane Host => fixture.Host;

    [Fact]
    public async Task An_agent_that_is_asked_replaces_its_key_once_and_goes_on_checking_in()
    {
        using var agent = await RealAgent.EnrollAsync(Host, fixture.Customer.Id);
        Assert.True((await agent.CheckInAsync()).Succeeded);
        var old = agent.KeyId;
        Assert.Null((await IdentityAsync(agent.Id)).KeyRotation);

        var asked = await AskAsync(agent.Id);
        Assert.Equal([old], asked.Retires);
        Assert.Equal((false, null, null), (asked.Done, asked.NewKeyAt, asked.Waits));
        var pending = (await IdentityAsync(agent.Id)).KeyRotation!;
        Assert.Equal((asked.At, false), (pending.At, pending.Done));

        // The first hears of it and rotates, the second gets access by the new key.
        Assert.True((await agent.CheckInAsync()).Succeeded);
        var fresh = agent.KeyId;
        Assert.NotEqual(old, fresh);
        Assert.True((await agent.CheckInAsync()).Succeeded);
        var identity = await IdentityAsync(agent.Id);
        Assert.NotNull(Key(identity, old).NotAfter);
        Assert.Null(Key(identity, fresh).NotAfter);
        Assert.True(identity.KeyRotation!.Done);
        Assert.Equal(Key(identity, fresh).NotBefore, identity.KeyRotation.NewKeyAt);

        // The section is still there, and asks nothing of the new key: not of this process, and not of the next one.
        for (var i = 0; i < 3; i++)
        {
            Assert.True((await agent.CheckInAsync()).Succeeded);
            agent.Restart();
        }

        Assert.True((await agent.CheckInAsync()).Succeeded);
        Assert.Equal(fresh, agent.KeyId);
        Assert.Equal(2, Identities(await IdentityAsync(agent.Id)).Count);
        Assert.False((await IdentityAsync(agent.Id)).CloneSuspected);
        await AuditedAsync(agent.Id, "callhome.key-rotation-requested", 1);
        await AuditedAsync(agent.Id, "callhome.key-rotated", 1);

        // Asked again, it replaces the new one as well.
        await AskAsync(agent.Id);
        await agent.CheckInAsync();
        Assert.NotEqual(fresh, agent.KeyId);
    }

    [Fact]
    public async Task The_old_key_is_refused_once_the_new_one_was_used()
    {
        using var agent = await RealAgent.EnrollAsync(Host, fixture.Customer.Id);
        using var old = ECDsa.Create(agent.Identity.Key.ExportParameters(includePrivateParameters: true));
        await agent.CheckInAsync();
        await AskAsync(agent.Id);
        await agent.CheckInAsync();
        await agent.CheckInAsync();

        using var thief = new TestCluster(Host) { Id = agent.Id.ToString("D"), Key = old };
        using var refused = await thief.SendAsync("token", new TokenRequest { Assertion = thief.Assertion(null) });

        Assert.Equal("assertion-invalid", (await TestCluster.ProblemAsync(refused)).Code);
    }

    [Fact]
    public async Task A_rotation_that_fails_is_tried_again_at_intervals_of_its_own_and_never_fails_a_check_in()
    {
        var time = new Steps();
        using var agent = await RealAgent.EnrollAsync(Host, fixture.Customer.Id, time);
        await agent.CheckInAsync();
        var old = agent.KeyId;
        agent.Way.Unavailable["rotate"] = null;
        await AskAsync(agent.Id);

        for (var i = 0; i < 20; i++)
        {
            Assert.True((await agent.CheckInAsync()).Succeeded);
        }

        Assert.Equal(1, agent.Way.Asked("rotate"));
        Assert.Contains("could not be replaced", agent.Agent.KeyProblem, StringComparison.Ordinal);
        time.Advance(TimeSpan.FromSeconds(30));
        await agent.CheckInAsync();
        Assert.Equal(1, agent.Way.Asked("rotate"));
        time.Advance(TimeSpan.FromHours(1));
        await agent.CheckInAsync();
        await agent.CheckInAsync();
        Assert.Equal(2, agent.Way.Asked("rotate"));
        Assert.Equal(old, agent.KeyId);

        // What the server asks for counts.
        agent.Way.Unavailable["rotate"] = TimeSpan.FromHours(3);
        time.Advance(TimeSpan.FromHours(1));
        await agent.CheckInAsync();
        time.Advance(TimeSpan.FromHours(2));
        await agent.CheckInAsync();
        Assert.Equal(3, agent.Way.Asked("rotate"));

        agent.Way.Unavailable.Clear();
        time.Advance(TimeSpan.FromHours(2));
        await agent.CheckInAsync();
        Assert.NotEqual(old, agent.KeyId);
        Assert.Null(agent.Agent.KeyProblem);
        Assert.True((await agent.CheckInAsync()).Succeeded);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lost_answer_and_a_crash_after_it_end_with_the_one_new_key(bool crash)
    {
        var time = new Steps();
        using var agent = await RealAgent.EnrollAsync(Host, fixture.Customer.Id, time);
        await agent.CheckInAsync();
        var old = agent.KeyId;
        await AskAsync(agent.Id);
        agent.Way.LosesAnswer["rotate"] = true;
        Assert.True((await agent.CheckInAsync()).Succeeded);

        // It is known there, and not taken here: both are good.
        Assert.Equal(old, agent.KeyId);
        Assert.Equal(2, Identities(await IdentityAsync(agent.Id)).Count);
        if (crash)
        {
            agent.Restart();
        }

        time.Advance(TimeSpan.FromHours(1));
        Assert.True((await agent.CheckInAsync()).Succeeded);
        Assert.True((await agent.CheckInAsync()).Succeeded);

        var identity = await IdentityAsync(agent.Id);
        Assert.Equal(2, Identities(identity).Count);
        Assert.Equal(agent.KeyId, Assert.Single(Identities(identity), key => key.NotAfter is null).Kid);
        Assert.True(identity.KeyRotation!.Done);
        Assert.False(identity.CloneSuspected);
        await AuditedAsync(agent.Id, "callhome.key-rotated", 1);
    }

    [Fact]
    public async Task A_crash_between_taking_the_new_key_and_its_first_use_loses_nothing()
    {
        using var agent = await RealAgent.EnrollAsync(Host, fixture.Customer.Id);
        await agent.CheckInAsync();
        await AskAsync(agent.Id);
        await agent.CheckInAsync();
        var fresh = agent.KeyId;

        agent.Restart();
        Assert.Equal(fresh, agent.KeyId);
        Assert.True((await agent.CheckInAsync()).Succeeded);

        Assert.Equal(2, Identities(await IdentityAsync(agent.Id)).Count);
        Assert.True((await IdentityAsync(agent.Id)).KeyRotation!.Done);
    }

    [Fact]
    public async Task A_suspended_cluster_is_said_to_wait_and_a_decommissioned_one_is_refused()
    {
        using var agent = await RealAgent.EnrollAsync(Host, fixture.Customer.Id);
        await agent.CheckInAsync();
        var old = agent.KeyId;
        await SwitchAsync(agent.Id, "suspend");

        Assert.Equal("suspended", (await AskAsync(agent.Id)).Waits);
        Assert.False((await agent.CheckInAsync()).Succeeded);
        Assert.Equal(old, agent.KeyId);
        await SwitchAsync(agent.Id, "resume");
        Assert.Null((await IdentityAsync(agent.Id)).KeyRotation!.Waits);
        Assert.True((await agent.CheckInAsync()).Succeeded);
        Assert.NotEqual(old, agent.KeyId);

        await SwitchAsync(agent.Id, "decommission");
        Assert.Equal("cluster-state-conflict", await CodeAsync(Host.Admin, agent.Id, "a test"));
    }

    [Fact]
    public async Task Only_staff_with_the_right_and_a_reason_ask_and_only_their_own_clusters()
    {
        using var cluster = await fixture.EnrollAsync();
        var id = Guid.Parse(cluster.Id);
        var stranger = (await Host.CreateCustomerAsync("Stranger")).Id;
        var (foreign, _) = await Host.ClientWithTokenAsync(stranger, "callhome:read", "callhome:write");
        var (reader, _) = await Host.ClientWithTokenAsync(fixture.Customer.Id, "callhome:read");
        using (foreign)
        using (reader)
        {
            Assert.Equal("not-found", await CodeAsync(foreign, id, "curious"));
            Assert.Equal("scope-missing", await CodeAsync(reader, id, "curious"));
            Assert.Equal("invalid", await CodeAsync(Host.Admin, id, ""));
        }

        Assert.Null((await IdentityAsync(id)).KeyRotation);
    }

    [Fact]
    public async Task An_agent_that_does_not_understand_is_not_told()
    {
        using var cluster = await fixture.EnrollAsync();
        await AskAsync(Guid.Parse(cluster.Id));
        var old = cluster.Request();
        old.Sections.Add("receipts");
        var current = cluster.Request();
        current.Sections.Add(["receipts", "credentials"]);

        using var toOld = await cluster.SendAsync("checkin", old);
        using var toCurrent = await cluster.SendAsync("checkin", current);

        Assert.Empty((await TestCluster.ReadAsync(toOld, CheckInResponse.Parser)).Desired.Sections);
        Assert.Equal("credentials", Assert.Single((await TestCluster.ReadAsync(toCurrent, CheckInResponse.Parser)).Desired.Sections).Name);
    }

    [Fact]
    public async Task Two_machines_that_each_announce_a_successor_of_one_key_are_noticed_and_one_that_asks_again_is_not()
    {
        using var cluster = await fixture.EnrollAsync();
        using var first = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var second = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        await AnnounceAsync(cluster, first);
        await AnnounceAsync(cluster, first);
        Assert.False((await IdentityAsync(Guid.Parse(cluster.Id))).CloneSuspected);
        await AnnounceAsync(cluster, second);

        Assert.True((await IdentityAsync(Guid.Parse(cluster.Id))).CloneSuspected);
        await AuditedAsync(Guid.Parse(cluster.Id), "callhome.clone-suspected", 1);
    }

    private static async Task AnnounceAsync(TestCluster cluster, ECDsa next)
    {
        var spki = next.ExportSubjectPublicKeyInfo();
        byte[] signed = [.. "mc-rotate-v1\n"u8, .. System.Text.Encoding.ASCII.GetBytes(cluster.Id), .. spki];
        var assertion = cluster.Assertion(await cluster.NonceAsync(), new Dictionary<string, object> { ["new_key_sha256"] = Convert.ToHexStringLower(SHA256.HashData(spki)) }, use: "rotate");
        using var response = await cluster.SendAsync("rotate", new RotateRequest { Assertion = assertion, NewPublicKey = ByteString.CopyFrom(spki), Proof = ByteString.CopyFrom(next.SignData(signed, HashAlgorithmName.SHA256)) });
        await TestCluster.ReadAsync(response, RotateResponse.Parser);
    }

    private static ClusterKeyItem Key(ClusterIdentity identity, string kid) => identity.Keys.Single(key => key.Kid == kid);

    private static List<ClusterKeyItem> Identities(ClusterIdentity identity) => [.. identity.Keys.Where(key => key.Use == "identity")];

    private async Task<KeyRotationAsked> AskAsync(Guid cluster)
    {
        using var response = await Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster}/rotate-key", new ReasonRequest("a test asks"));
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<KeyRotationAsked>())!;
    }

    private static async Task<string> CodeAsync(HttpClient client, Guid cluster, string reason)
    {
        using var response = await client.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster}/rotate-key", new ReasonRequest(reason));
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

    /// <summary>The agent's clock: goes on by itself, and further when a test says so.</summary>
    private sealed class Steps : TimeProvider
    {
        private long ahead;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddTicks(Interlocked.Read(ref ahead));

        public override long GetTimestamp() => System.GetElapsedTime(0).Ticks + Interlocked.Read(ref ahead);

        public void Advance(TimeSpan by) => Interlocked.Add(ref ahead, by.Ticks);
    }
}
