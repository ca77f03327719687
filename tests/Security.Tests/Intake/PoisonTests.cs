using System.Net;
using System.Net.Http.Json;
using Google.Protobuf;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Intake;

/// <summary>Items that are well-formed and mean harm: refused at the door or bounded there, so that nothing behind it stumbles and nobody else loses anything.</summary>
public sealed class PoisonTests(SecurityFixture fixture)
{
    private static readonly Dictionary<string, (string Code, Action<Health> Bend)> Poisons = new()
    {
        ["a certificate that ends after the end of time"] = ("instant-out-of-range", health => health.Certificates.Add(new Certificate { Purpose = "cluster", NotAfterMs = long.MaxValue })),
        ["a certificate that ended before the beginning of time"] = ("instant-out-of-range", health => health.Certificates.Add(new Certificate { Purpose = "cluster", NotAfterMs = long.MinValue })),
        ["a backup after the end of time"] = ("instant-out-of-range", health => health.Backup = new Backup { ScheduleS = 60, LastSuccessMs = long.MaxValue }),
        ["a start after the end of time"] = ("instant-out-of-range", health => health.Nodes[0].StartedAtMs = long.MaxValue),
        ["a load that is no number"] = ("number-not-finite", health => health.Nodes[0].Load1 = double.NaN),
        ["an infinite clock offset"] = ("number-not-finite", health => health.Nodes[0].ClockOffsetMs = double.PositiveInfinity),
        ["inodes that are no number"] = ("number-not-finite", health => health.Nodes[0].Disks[0].InodesUsedPercent = double.NaN),
        ["an infinite lag"] = ("number-not-finite", health => health.Replication = new Replication { LagS = double.NegativeInfinity }),
        ["failures that are no number"] = ("number-not-finite", health => health.CallHome = new CallHomeHealth { FailedPercent15M = double.NaN }),
        ["NUL in a mount"] = ("text-invalid", health => health.Nodes[0].Disks[0].Mount = "/da\0ta"),
        ["NUL in a version"] = ("text-invalid", health => health.Nodes[0].Version = "1.0\0"),
        ["an endless version"] = ("text-invalid", health => health.Nodes[0].Version = new string('9', 50_000)),
        ["NUL in a node's id"] = ("node-id-invalid", health => health.Nodes[0].Id = "n\0"),
        ["thousands of certificates"] = ("too-many-certificates", health => health.Certificates.AddRange(Enumerable.Range(0, 5000).Select(_ => new Certificate { Purpose = "cluster" }))),
        ["fewer nodes than none"] = ("count-out-of-range", health => health.ExpectedNodes = int.MinValue),
    };

    public static TheoryData<string> Names => [.. Poisons.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_poisoned_item_is_refused_for_good_and_its_neighbours_are_stored(string name)
    {
        var (code, bend) = Poisons[name];
        using var cluster = await fixture.EnrollAsync();
        using var neighbour = await fixture.EnrollNeighbourAsync();

        // At the same moment, so that both can end up in one commit group and one message.
        var poisoned = cluster.CheckInAsync(cluster.Health(1, bend), cluster.Event("beside", 2));
        var good = neighbour.CheckInAsync(neighbour.Health(1), neighbour.Event("good", 2));
        var refusal = Assert.Single((await poisoned).Refusals);
        await good;

        Assert.Equal((code, true, 1L), (refusal.Code, refusal.Final, refusal.Seq));
        Assert.True(refusal.Detail.Length > 10);
        await StoredAsync(neighbour, "good");
        await StoredAsync(cluster, "beside");
        await EverythingAnswersAsync(cluster);
        Assert.Empty(await Answers.ParkedAsync(fixture.Host.Admin));
    }

    [Fact]
    public async Task An_event_with_nul_is_refused()
    {
        using var cluster = await fixture.EnrollAsync();
        var item = new Item { Seq = 1, Type = "event", AtMs = 1, Body = new Event { Id = "e", Kind = "k", Severity = "info", Text = "a\0b" }.ToByteString() };

        Assert.Equal("text-invalid", Assert.Single((await cluster.CheckInAsync(item)).Refusals).Code);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    [InlineData(-1L)]
    [InlineData(253_402_300_800_000L)]
    public async Task An_item_from_outside_of_time_is_taken_as_of_now_and_can_be_read(long at)
    {
        using var cluster = await fixture.EnrollAsync();
        var health = cluster.Health(1);
        health.AtMs = at;
        var happened = cluster.Event("timeless", 2);
        happened.AtMs = at;

        Assert.Equal(2, (await cluster.CheckInAsync(health, happened)).Ack);

        await StoredAsync(cluster, "timeless");
        await EverythingAnswersAsync(cluster);
        Assert.Empty(await Answers.ParkedAsync(fixture.Host.Admin));
    }

    [Fact]
    public async Task Health_from_the_future_does_not_hide_what_comes_after_it()
    {
        using var cluster = await fixture.EnrollAsync();
        var future = cluster.Health(bend: health => health.Nodes[0].State = "down");
        future.AtMs = fixture.Host.Time.GetUtcNow().AddYears(10).ToUnixTimeMilliseconds();
        await cluster.CheckInAsync(future);
        await Eventually.TrueAsync(async () => (await SummaryAsync(cluster)).NodesUp == 0, "the health from the future is there");

        // By our own clock this is later, and later is newer.
        await Eventually.TrueAsync(async () =>
        {
            await cluster.CheckInAsync(cluster.Health(), cluster.Event($"later-{cluster.Next()}"));
            return (await SummaryAsync(cluster)).NodesUp == 1;
        }, "the health that came later counts");
    }

    [Fact]
    public async Task A_cluster_that_settles_as_many_numbers_as_it_can_above_a_hole_does_not_keep_the_host_from_starting()
    {
        var data = Directory.CreateTempSubdirectory("mc-above-").FullName;
        await using (var host = await ControlPlane.StartAsync(data))
        {
            using var cluster = await TestCluster.EnrollAsync(host, (await host.CreateCustomerAsync()).Id);
            var last = new CheckInResponse();
            for (var i = 0; i < 12; i++)
            {
                last = await cluster.CheckInAsync([.. Enumerable.Range(2 + (500 * i), 500).Select(seq => new Item { Seq = seq, Type = i % 2 == 0 ? "nonsense" : "event", Body = new Event { Id = $"e{seq}", Kind = "k", Severity = "info" }.ToByteString() })]);
            }

            Assert.Contains(last.Refusals, refusal => refusal is { Code: "sequence-window-full", Final: false });
            Assert.InRange(last.AcceptedAboveAck.Count, 1, 4096);
            await host.StopAsync();
        }

        await using (var again = await ControlPlane.StartAsync(data))
        {
            Assert.Single((await again.Admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters"))!.Items);
        }

        Directory.Delete(data, recursive: true);
    }

    [Theory]
    [InlineData(long.MaxValue, long.MaxValue)]
    [InlineData(1, long.MaxValue)]
    [InlineData(long.MaxValue, 0)]
    public async Task The_largest_numbers_there_are_do_no_harm(long seq, long lowestKept)
    {
        using var cluster = await fixture.EnrollAsync();
        var request = cluster.Request(cluster.Event("last", seq));
        request.LowestKept = lowestKept;

        for (var i = 0; i < 3; i++)
        {
            using var response = await cluster.SendAsync("checkin", request);
            Assert.Null(await Answers.DocumentedAsync(response, $"seq {seq}, lowest kept {lowestKept}"));
        }

        using var neighbour = await fixture.EnrollNeighbourAsync();
        Assert.Equal(1, (await neighbour.CheckInAsync(neighbour.Health(1))).Ack);
    }

    private async Task<ClusterSummary> SummaryAsync(TestCluster cluster) => (await fixture.Host.Admin.GetFromJsonAsync<ClusterSummary>($"/api/v1/fleet/clusters/{cluster.Id}"))!;

    private Task StoredAsync(TestCluster cluster, string id) => Eventually.TrueAsync(async () =>
    {
        using var response = await fixture.Host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}/events", UriKind.Relative));
        Assert.True((int)response.StatusCode < 500, await response.Content.ReadAsStringAsync());
        return response.IsSuccessStatusCode && (await response.Content.ReadFromJsonAsync<Page<EventItem>>())!.Items.Any(item => item.Id == id);
    }, $"event {id} is stored");

    private async Task EverythingAnswersAsync(TestCluster cluster)
    {
        foreach (var path in new[] { "", "/nodes", "/health", "/events" })
        {
            using var response = await fixture.Host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}{path}", UriKind.Relative));
            Assert.True(response.StatusCode == HttpStatusCode.OK, $"{path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        }
    }
}
