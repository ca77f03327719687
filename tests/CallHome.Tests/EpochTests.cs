using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.CallHome.Clusters;
using MissionControl.CallHome.Intake;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.CallHome.Tests;

/// <summary>Epochs when answers get lost, and where a replica has not heard of the newest yet.</summary>
public sealed class EpochTests(HostFixture fixture)
{
    private ControlPlane Host => fixture.Host;

    [Fact]
    public async Task A_lost_answer_is_given_again_and_makes_nobody_a_suspect_until_the_new_epoch_has_spoken()
    {
        using var cluster = await fixture.EnrollAsync();
        await cluster.CheckInAsync(cluster.Health(1));

        var lost = await AskAsync(cluster, held: 1);
        using var stale = await cluster.SendAsync("checkin", cluster.Request(cluster.Health(2)));
        var again = await AskAsync(cluster, held: 1);

        Assert.Equal("stale-epoch", (await TestCluster.ProblemAsync(stale)).Code);
        Assert.Equal((2, false), (again.Epoch, again.Quarantined));
        Assert.Equal(lost, again);
        Assert.False(await IsSuspectedAsync(cluster));

        // Now it has spoken: whoever comes with the old one is another machine.
        cluster.Epoch = 2;
        await cluster.CheckInAsync(cluster.Health(1));
        cluster.Epoch = 1;
        using var copy = await cluster.SendAsync("checkin", cluster.Request(cluster.Health(3)));
        Assert.Equal("stale-epoch", (await TestCluster.ProblemAsync(copy)).Code);
        Assert.True(await IsSuspectedAsync(cluster));
        Assert.Equal((3, true), (await AskAsync(cluster, held: 1)) is var third ? (third.Epoch, third.Quarantined) : default);
    }

    [Fact]
    public async Task A_cluster_that_never_spoke_loses_an_answer_without_an_alarm_too()
    {
        using var cluster = await fixture.EnrollAsync();
        await AskAsync(cluster, held: 1);

        using var stale = await cluster.SendAsync("checkin", cluster.Request(cluster.Health(1)));

        Assert.Equal("stale-epoch", (await TestCluster.ProblemAsync(stale)).Code);
        Assert.False(await IsSuspectedAsync(cluster));
        Assert.Equal((2, false), (await AskAsync(cluster, held: 1)) is var again ? (again.Epoch, again.Quarantined) : default);
    }

    [Fact]
    public async Task A_copy_is_noticed_by_a_replica_that_has_not_heard_the_true_sender_itself()
    {
        using var cluster = await fixture.EnrollAsync();
        await cluster.CheckInAsync(cluster.Health(1));
        var heard = Known(cluster).Intake;
        cluster.Epoch = (await AskAsync(cluster, held: 1)).Epoch;
        await cluster.CheckInAsync(cluster.Health(1));

        // As at a replica that heard the first epoch and nothing since.
        Known(cluster).Intake = heard;
        cluster.Epoch = 1;
        using var copy = await cluster.SendAsync("checkin", cluster.Request(cluster.Health(2)));

        Assert.Equal("stale-epoch", (await TestCluster.ProblemAsync(copy)).Code);
        Assert.True(await IsSuspectedAsync(cluster));
    }

    [Fact]
    public async Task Another_installation_does_not_get_the_epoch_that_was_granted_to_the_first()
    {
        using var cluster = await fixture.EnrollAsync();
        await AskAsync(cluster, held: 1);

        var other = await AskAsync(cluster, held: 1, fingerprint: "another machine");

        Assert.Equal((3, true), (other.Epoch, other.Quarantined));
    }

    [Fact]
    public async Task A_replica_that_has_not_heard_of_an_epoch_or_an_admission_looks_before_it_refuses()
    {
        using var cluster = await fixture.EnrollAsync();
        var known = Known(cluster);
        cluster.Epoch = (await AskAsync(cluster, held: 1)).Epoch;

        (known.Epoch, known.State, known.AccessGeneration) = (1, ClusterState.Decommissioned, 0);
        var answer = await cluster.CheckInAsync(cluster.Health(1));

        Assert.Equal(1, answer.Ack);
        Assert.Equal((2, ClusterState.Active, 1), (known.Epoch, known.State, known.AccessGeneration));
    }

    [Fact]
    public async Task A_replica_that_is_behind_settles_nothing_by_the_numbers_of_another_epoch()
    {
        using var cluster = await fixture.EnrollAsync();
        var known = Known(cluster);
        cluster.Epoch = (await AskAsync(cluster, held: 1)).Epoch;
        await cluster.CheckInAsync(cluster.Health(1));

        // This replica's directory says epoch 1 once more, its numbers are of epoch 2 already.
        known.Epoch = 1;
        cluster.Epoch = 1;
        var request = cluster.Request(cluster.Health(5000));
        request.LowestKept = 5000;
        using var early = await cluster.SendAsync("checkin", request);
        (known.Epoch, cluster.Epoch) = (2, 2);

        Assert.Equal("storage-unavailable", (await TestCluster.ProblemAsync(early)).Code);
        Assert.Equal(2, (await cluster.CheckInAsync(cluster.Health(2))).Ack);
    }

    [Fact]
    public async Task What_is_refused_for_good_is_told_again_when_the_answer_was_lost()
    {
        using var cluster = await fixture.EnrollAsync();
        var spoiled = cluster.Health(1, health => health.Nodes[0].CpuPercent = 101);

        var lost = await cluster.CheckInAsync(spoiled);
        var again = await cluster.CheckInAsync(spoiled);

        Assert.Equal("percent-out-of-range", Assert.Single(lost.Refusals).Code);
        Assert.Equal(lost.Refusals, again.Refusals);
        Assert.Equal((1, 1), (lost.Ack, again.Ack));
    }

    private KnownCluster Known(TestCluster cluster)
    {
        Assert.True(Host.Services.GetRequiredService<ClusterDirectory>().TryGet(Guid.Parse(cluster.Id), out var known));
        return known;
    }

    private static async Task<EpochResponse> AskAsync(TestCluster cluster, long held, string fingerprint = "")
    {
        var assertion = cluster.Assertion(await cluster.NonceAsync(), new Dictionary<string, object> { ["epoch"] = held }, use: "epoch");
        using var response = await cluster.SendAsync("epoch", new EpochRequest { Assertion = assertion, Reason = "restored", InstallFingerprint = Google.Protobuf.ByteString.CopyFromUtf8(fingerprint) });
        return await TestCluster.ReadAsync(response, EpochResponse.Parser);
    }

    private async Task<bool> IsSuspectedAsync(TestCluster cluster) =>
        (await Host.Admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{cluster.Id}"))!.CloneSuspected;
}
