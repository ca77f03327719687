using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using Google.Protobuf;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.CallHome.Tests;

public sealed class CheckInTests(HostFixture fixture)
{
    [Fact]
    public async Task Items_are_acknowledged_up_to_the_first_hole_and_the_rest_is_named()
    {
        using var cluster = await fixture.EnrollAsync();

        var newestFirst = await cluster.CheckInAsync(cluster.Health(5), cluster.Health(4));
        var holeFilled = await cluster.CheckInAsync(cluster.Health(1), cluster.Health(2), cluster.Health(3));

        Assert.Equal(0, newestFirst.Ack);
        Assert.Equal([4, 5], newestFirst.AcceptedAboveAck);
        Assert.Equal(5, holeFilled.Ack);
        Assert.Empty(holeFilled.AcceptedAboveAck);
    }

    [Fact]
    public async Task The_same_bytes_again_get_the_same_acknowledgement()
    {
        using var cluster = await fixture.EnrollAsync();
        var item = cluster.Health();

        var first = await cluster.CheckInAsync(item);
        var again = await cluster.CheckInAsync(item);

        Assert.Equal(first.Ack, again.Ack);
    }

    [Fact]
    public async Task The_same_number_with_other_bytes_is_a_suspected_clone_and_both_sides_learn_of_it()
    {
        using var cluster = await fixture.EnrollAsync();
        await cluster.CheckInAsync(cluster.Health(1));

        using var response = await cluster.SendAsync("checkin", cluster.Request(cluster.Health(1, health => health.Nodes[0].CpuPercent = 99)));
        var identity = await fixture.Host.Admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{cluster.Id}");

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal("clone-suspected", (await TestCluster.ProblemAsync(response)).Code);
        Assert.True(identity!.CloneSuspected);
    }

    [Fact]
    public async Task A_new_epoch_begins_its_numbers_anew_and_the_old_one_is_refused()
    {
        using var cluster = await fixture.EnrollAsync();
        await cluster.CheckInAsync(cluster.Health(1));

        using var granted = await cluster.SendAsync("epoch", new EpochRequest { Assertion = cluster.Assertion(await cluster.NonceAsync(), use: "epoch"), Reason = "restored" });
        var epoch = await TestCluster.ReadAsync(granted, EpochResponse.Parser);
        using var stale = await cluster.SendAsync("checkin", cluster.Request(cluster.Health(2)));
        cluster.Epoch = epoch.Epoch;
        var anew = await cluster.CheckInAsync(cluster.Health(1));

        Assert.Equal(2, epoch.Epoch);
        Assert.False(epoch.Quarantined);
        Assert.Equal("stale-epoch", (await TestCluster.ProblemAsync(stale)).Code);
        Assert.Equal(1, anew.Ack);
    }

    [Fact]
    public async Task A_second_epoch_within_a_day_waits_for_a_person()
    {
        using var cluster = await fixture.EnrollAsync();
        await EpochAsync(cluster);

        var second = await EpochAsync(cluster);
        using var confirmed = await fixture.Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster.Id}/epochs/{second.Epoch}/confirm", new ReasonRequest("the restored machine is the true one"));
        var identity = await fixture.Host.Admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{cluster.Id}");

        Assert.True(second.Quarantined);
        Assert.Equal(HttpStatusCode.NoContent, confirmed.StatusCode);
        Assert.False(identity!.CloneSuspected);
    }

    [Fact]
    public async Task An_epoch_that_was_never_issued_is_refused()
    {
        using var cluster = await fixture.EnrollAsync();
        cluster.Epoch = 7;

        using var response = await cluster.SendAsync("checkin", cluster.Request(cluster.Health()));

        Assert.Equal("unknown-epoch", (await TestCluster.ProblemAsync(response)).Code);
    }

    [Fact]
    public async Task Items_nobody_takes_yet_stay_with_the_agent_and_hold_the_acknowledgement()
    {
        using var cluster = await fixture.EnrollAsync();

        var response = await cluster.CheckInAsync(new Item { Seq = 1, Type = "remote", Body = ByteString.CopyFromUtf8("x") }, cluster.Health(2));

        var refusal = Assert.Single(response.Refusals);
        Assert.Equal("unsupported", refusal.Code);
        Assert.False(refusal.Final);
        Assert.Equal(0, response.Ack);
        Assert.Equal([2], response.AcceptedAboveAck);
    }

    [Theory]
    [InlineData("unknown-type", "nonsense", "")]
    [InlineData("item-malformed", "health", "\u0001\u0002\u0003")]
    [InlineData("event-invalid", "event", "")]
    public async Task A_bad_item_is_refused_for_good_and_does_not_hold_up_the_others(string code, string type, string body)
    {
        using var cluster = await fixture.EnrollAsync();

        var response = await cluster.CheckInAsync(new Item { Seq = 1, Type = type, Body = ByteString.CopyFromUtf8(body) }, cluster.Health(2));

        var refusal = Assert.Single(response.Refusals);
        Assert.Equal(code, refusal.Code);
        Assert.True(refusal.Final);
        Assert.Equal(2, response.Ack);
    }

    [Theory]
    [InlineData("mc:health:2")]
    [InlineData("MC:liveness:1")]
    public async Task An_event_that_would_take_the_place_of_one_noted_here_is_refused_for_good(string id)
    {
        using var cluster = await fixture.EnrollAsync();

        var response = await cluster.CheckInAsync(new Item { Seq = 1, Type = "event", Body = new Event { Id = id, Kind = "health-green", Severity = "info" }.ToByteString() });

        Assert.Equal(("event-invalid", true), (Assert.Single(response.Refusals).Code, response.Refusals[0].Final));
    }

    [Fact]
    public async Task What_the_agent_declares_dropped_is_no_longer_waited_for()
    {
        using var cluster = await fixture.EnrollAsync();
        var request = cluster.Request(cluster.Health(10));
        request.LowestKept = 10;

        using var response = await cluster.SendAsync("checkin", request);

        Assert.Equal(10, (await TestCluster.ReadAsync(response, CheckInResponse.Parser)).Ack);
    }

    [Fact]
    public async Task A_range_declared_dropped_settles_its_numbers_above_a_hole()
    {
        using var cluster = await fixture.EnrollAsync();

        // Number 1 waits for its owner, 2 to 4 were dropped, 5 is new; the declaration comes once, as an agent makes it.
        var waiting = new Item { Seq = 1, Type = "remote", Body = ByteString.CopyFromUtf8("x") };
        var first = await DeclareAsync(cluster, 1, [waiting, cluster.Health(5)], (2, 4));
        var later = await DeclareAsync(cluster, 6, [cluster.Health(6)]);

        Assert.Equal(0, first.Ack);
        Assert.Equal([5], first.AcceptedAboveAck);
        Assert.Equal(6, later.Ack);
        Assert.Equal(["resync"], later.Want);

        // The same with the hole filled instead of passed: nothing is missing, so nothing is wanted.
        using var other = await fixture.EnrollAsync();
        await DeclareAsync(other, 1, [other.Health(5)], (3, 4), (2, 3));
        var filled = await DeclareAsync(other, 1, [other.Health(1)]);
        Assert.Equal(5, filled.Ack);
        Assert.Empty(filled.Want);
    }

    [Fact]
    public async Task What_was_declared_in_time_is_not_missed_when_lowest_kept_passes_it()
    {
        using var cluster = await fixture.EnrollAsync();
        await DeclareAsync(cluster, 1, [cluster.Health(1)], (2, 9));

        var told = await DeclareAsync(cluster, 10, [cluster.Health(10)]);
        var untold = await DeclareAsync(cluster, 20, [cluster.Health(20)]);

        Assert.Equal(10, told.Ack);
        Assert.Empty(told.Want);
        Assert.Equal(20, untold.Ack);
        Assert.Equal(["resync"], untold.Want);
    }

    [Theory]
    [InlineData("/spool/dropped/0", 0L, 3L)]
    [InlineData("/spool/dropped/0", -5L, -1L)]
    [InlineData("/spool/dropped/0", 9L, 8L)]
    [InlineData("/spool/dropped/0", 2L, 10L)]
    [InlineData("/spool/dropped/0", 10L, 10L)]
    [InlineData("/spool/dropped/0/last", 11L, long.MaxValue)]
    [InlineData("/spool/dropped/0/last", 11L, 1_000_011L)]
    public async Task A_range_that_no_agent_could_mean_is_refused_and_settles_nothing(string wrong, long first, long last)
    {
        using var cluster = await fixture.EnrollAsync();

        using var response = await cluster.SendAsync("checkin", Declaring(cluster, 1, [cluster.Health(10)], [(first, last)]));
        var problem = await TestCluster.ProblemAsync(response);
        var after = await cluster.CheckInAsync(cluster.Health(1), cluster.Health(2), cluster.Health(10));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal(wrong, Assert.Single(problem.Errors!).Pointer);
        Assert.Equal(2, after.Ack);
        Assert.Equal([10], after.AcceptedAboveAck);
    }

    [Fact]
    public async Task A_flood_of_ranges_is_refused_or_forgotten_and_the_cluster_goes_on()
    {
        using var cluster = await fixture.EnrollAsync();
        (long, long)[] many = [.. Enumerable.Range(0, 501).Select(n => (2L + (2 * n), 2L + (2 * n)))];

        using var tooMany = await cluster.SendAsync("checkin", Declaring(cluster, 1, [], many));
        for (var i = 0; i < 5; i++)
        {
            // Never more than 500 at once, and each time others.
            var answer = await DeclareAsync(cluster, 1, [], [.. many[..500].Select(range => (range.Item1 + (i * 10_000), range.Item2 + (i * 10_000)))]);
            Assert.Equal(0, answer.Ack);
            Assert.Empty(answer.AcceptedAboveAck);
        }

        var filled = await cluster.CheckInAsync(cluster.Health(1), cluster.Health(3));

        Assert.Equal("/spool/dropped", Assert.Single((await TestCluster.ProblemAsync(tooMany)).Errors!).Pointer);
        Assert.Equal(4, filled.Ack);
    }

    [Fact]
    public async Task Json_says_the_same_as_protobuf()
    {
        using var cluster = await fixture.EnrollAsync();
        using var content = Json(JsonFormatter.Default.Format(cluster.Request(cluster.Health(1))));

        using var response = await cluster.SendAsync("checkin", content);
        var answer = JsonParser.Default.Parse<CheckInResponse>(await response.Content.ReadAsStringAsync());

        Assert.Equal(1, answer.Ack);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{"clusterId":"a","clusterId":"b"}""")]
    [InlineData("""{"clusterId":"a","cluster_id":"b"}""")]
    [InlineData("""{"epoch":1.0}""")]
    [InlineData("""{"epoch":1e3}""")]
    [InlineData("""{"items":{}}""")]
    [InlineData("""{"items":[null]}""")]
    [InlineData("""{"spool":{"dropped":[{"type":7}]}}""")]
    [InlineData("""{} {}""")]
    public async Task Json_that_two_readers_could_understand_differently_is_refused(string json)
    {
        using var cluster = await fixture.EnrollAsync();
        using var content = Json(json);

        using var response = await cluster.SendAsync("checkin", content);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("malformed-body", (await TestCluster.ProblemAsync(response)).Code);
    }

    [Fact]
    public async Task Nesting_beyond_the_limit_is_refused()
    {
        using var cluster = await fixture.EnrollAsync();
        using var content = Json(string.Concat(Enumerable.Repeat("""{"a":""", 5000)) + "1" + new string('}', 5000));

        using var response = await cluster.SendAsync("checkin", content);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task A_compressed_check_in_is_taken_and_a_broken_one_refused()
    {
        using var cluster = await fixture.EnrollAsync();
        using var good = Gzip(cluster.Request(cluster.Health(1)).ToByteArray());
        using var broken = new ByteArrayContent([31, 139, 8, 0, 1, 2, 3]);
        broken.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        broken.Headers.ContentEncoding.Add("gzip");

        using var taken = await cluster.SendAsync("checkin", good);
        using var refused = await cluster.SendAsync("checkin", broken);

        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task Other_media_types_and_encodings_are_refused_by_name()
    {
        using var cluster = await fixture.EnrollAsync();
        using var text = new StringContent("hello", Encoding.UTF8, "text/plain");
        using var zstd = new ByteArrayContent([1]);
        zstd.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        zstd.Headers.ContentEncoding.Add("zstd");

        using var wrongType = await cluster.SendAsync("checkin", text);
        using var wrongEncoding = await cluster.SendAsync("checkin", zstd);

        Assert.Equal("unsupported-media-type", (await TestCluster.ProblemAsync(wrongType)).Code);
        Assert.Equal("unsupported-encoding", (await TestCluster.ProblemAsync(wrongEncoding)).Code);
    }

    [Fact]
    public async Task Every_mistake_of_a_check_in_is_named_at_once()
    {
        using var cluster = await fixture.EnrollAsync();

        using var response = await cluster.SendAsync("checkin", cluster.Request(cluster.Health(0), cluster.Health(3), cluster.Health(3)));
        var problem = await TestCluster.ProblemAsync(response);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal(["/items/0/seq", "/items/2/seq"], problem.Errors!.Select(error => error.Pointer));
    }

    [Fact]
    public async Task What_was_acknowledged_is_remembered_after_a_restart()
    {
        var data = Directory.CreateTempSubdirectory("mc-restart-").FullName;
        var host = await ControlPlane.StartAsync(data);
        var customer = await host.CreateCustomerAsync();
        var cluster = await TestCluster.EnrollAsync(host, customer.Id);
        var item = cluster.Health(1);
        await cluster.CheckInAsync(item);
        await host.StopAsync();
        await host.DisposeAsync();

        await using var again = await ControlPlane.StartAsync(data);
        using var returned = new TestCluster(again) { Id = cluster.Id, Epoch = cluster.Epoch, Key = cluster.Key };
        await returned.AuthorizeAsync();
        var answer = await returned.CheckInAsync(item);
        using var clone = await returned.SendAsync("checkin", returned.Request(returned.Health(1, health => health.Nodes[0].CpuPercent = 50)));

        Assert.Equal(1, answer.Ack);
        Assert.Equal("clone-suspected", (await TestCluster.ProblemAsync(clone)).Code);
        Directory.Delete(data, recursive: true);
    }

    private static CheckInRequest Declaring(TestCluster cluster, long lowestKept, Item[] items, (long First, long Last)[] dropped)
    {
        var request = cluster.Request(items);
        request.LowestKept = lowestKept;
        request.Spool = new SpoolState { Dropped = { dropped.Select(range => new DroppedRange { Type = "health", First = range.First, Last = range.Last, Reason = "disk-full" }) } };
        return request;
    }

    private static async Task<CheckInResponse> DeclareAsync(TestCluster cluster, long lowestKept, Item[] items, params (long First, long Last)[] dropped)
    {
        using var response = await cluster.SendAsync("checkin", Declaring(cluster, lowestKept, items, dropped));
        return await TestCluster.ReadAsync(response, CheckInResponse.Parser);
    }

    private static async Task<EpochResponse> EpochAsync(TestCluster cluster)
    {
        using var response = await cluster.SendAsync("epoch", new EpochRequest { Assertion = cluster.Assertion(await cluster.NonceAsync(), use: "epoch"), Reason = "restored" });
        return await TestCluster.ReadAsync(response, EpochResponse.Parser);
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    internal static ByteArrayContent Gzip(byte[] bytes)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        var content = new ByteArrayContent(buffer.ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        content.Headers.ContentEncoding.Add("gzip");
        return content;
    }
}
