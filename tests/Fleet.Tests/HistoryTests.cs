using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Fleet.Health;
using MissionControl.Fleet.History;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;
using Wire = MissionControl.Protocol.CallHome.Health;

namespace MissionControl.Fleet.Tests;

public sealed class HistoryTests(RuleHost fixture) : IClassFixture<RuleHost>
{
    private static readonly DateTimeOffset Begin = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 3600 * 3600).AddHours(-8);

    [Fact]
    public async Task What_was_measured_is_read_back_with_gaps_as_gaps_however_late_it_came()
    {
        using var cluster = await TestCluster.EnrollAsync(fixture.Host, fixture.Customer);

        // Three hours, a sample a minute; from 1:00 to 1:30 nothing. The middle part arrives last.
        var minutes = Enumerable.Range(0, 180).Where(minute => minute is < 60 or >= 90).ToList();
        var items = minutes.ToDictionary(minute => minute, minute => Sample(cluster, minute, minute));
        await cluster.CheckInAsync([.. minutes.Where(minute => minute < 40).Select(minute => items[minute])]);
        await cluster.CheckInAsync([.. minutes.Where(minute => minute >= 100).Reverse().Select(minute => items[minute])]);
        await cluster.CheckInAsync([.. minutes.Where(minute => minute is >= 40 and < 100).Select(minute => items[minute])]);

        HistoryDocument? history = null;
        await Eventually.TrueAsync(async () => (history = await ReadAsync(cluster, "metric=cpu&metric=cpu:n1&metric=disk:n1/data&step=60"))?.Series[0].Values.Count(value => value is not null) == 150, "all samples are there");
        Assert.Equal(180, history!.Series[0].Values.Count);
        Assert.All(Enumerable.Range(0, 180), minute => Assert.Equal(minute is < 60 or >= 90 ? minute % 90 : null, history.Series[0].Values[minute]));
        Assert.Equal(history.Series[0].Values, history.Series[1].Values);
        Assert.Equal((80, 95), (history.Series[0].Warning, history.Series[0].Critical));
        Assert.Contains("disk:n1/data", history.Metrics);

        var coarse = await ReadAsync(cluster, "metric=cpu&step=1800");
        Assert.Equal([14.5, 44.5, null, 14.5, 44.5, 74.5], coarse!.Series[0].Values);
        Assert.Equal((0, 29), (coarse.Series[0].Least[0], coarse.Series[0].Greatest[0]));
    }

    [Fact]
    public async Task Check_ins_that_swing_around_the_minute_leave_no_gap()
    {
        using var cluster = await TestCluster.EnrollAsync(fixture.Host, fixture.Customer);
        var items = Enumerable.Range(0, 60).Select(i => Sample(cluster, i * 1.1, 10)).ToArray();

        await cluster.CheckInAsync(items);

        HistoryDocument? history = null;
        await Eventually.TrueAsync(async () => (history = await ReadAsync(cluster, "metric=cpu&step=60", minutes: 60))?.Series[0].Values[0] is not null, "the samples are there");
        Assert.All(history!.Series[0].Values, value => Assert.Equal(10, value));
    }

    [Fact]
    public async Task A_history_is_a_file_for_those_who_want_one_and_nonsense_is_named()
    {
        using var cluster = await TestCluster.EnrollAsync(fixture.Host, fixture.Customer);
        await cluster.CheckInAsync(Sample(cluster, 0, 42));
        await Eventually.TrueAsync(async () => (await ReadAsync(cluster, "metric=cpu&step=3600", minutes: 60))?.Series[0].Values[0] is 42, "the sample is there");

        using var request = new HttpRequestMessage(HttpMethod.Get, Path(cluster, "metric=cpu&step=3600", 60)) { Headers = { Accept = { new MediaTypeWithQualityHeaderValue("text/csv") } } };
        using var file = await fixture.Host.Admin.SendAsync(request);
        Assert.Equal($"at,metric,value,least,greatest\r\n{Begin:yyyy-MM-ddTHH:mm:ssZ},cpu,42,42,42\r\n", await file.Content.ReadAsStringAsync());
        foreach (var query in new[] { "metric=nonsense", "step=1", "from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "step=60&from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z" })
        {
            using var refused = await fixture.Host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}/history?{query}", UriKind.Relative));
            Assert.True(refused.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity, query);
        }
    }

    [Fact]
    public void A_block_gives_back_what_was_put_in()
    {
        var random = new Random(7);
        var block = new SampleBlock();
        var put = new List<(DateTimeOffset At, double?[] Values)>();
        for (var i = 0; i < 200; i++)
        {
            var at = Begin.AddSeconds((i * 60) + random.Next(-200, 200));
            double?[] values = [random.Next(10) == 0 ? null : Math.Round(random.NextDouble() * 100, 1), random.Next(3), random.Next(10) == 0 ? null : -Math.Round(random.NextDouble() * 1e6, 2)];
            SampleValue[] sample = [new("cpu:n1", 1, values[0]), new("health", 0, values[1]), new("clock:n1", 2, values[2])];
            if (i > 0)
            {
                // The order in which metrics are named is theirs.
                random.Shuffle(sample);
            }

            Assert.True(block.TryAdd(at, sample));
            put.Add((at, values));

            // Closed and opened again after each, as between two check-ins.
            block = SampleBlock.Open(block.ToBytes());
        }

        var got = new List<(DateTimeOffset At, double?[] Values)>();
        var open = new List<(DateTimeOffset At, double?[] Values)>();
        SampleBlock.OpenSealed(block.Seal(), (_, at, values) => got.Add((at, [.. values])));
        SampleBlock.Read(block.ToBytes(), (_, at, values) => open.Add((at, [.. values])));

        Assert.Equal((put.Count, put.Count), (got.Count, block.Count));
        Assert.All(put.Zip(got), pair => Assert.Equal(pair.First.At.ToUnixTimeSeconds(), pair.Second.At.ToUnixTimeSeconds()));
        Assert.All(put.Zip(got), pair => Assert.Equal(pair.First.Values, pair.Second.Values));
        Assert.Equal(got.Select(sample => sample.At), open.Select(sample => sample.At));
        Assert.All(got.Zip(open), pair => Assert.Equal(pair.First.Values, pair.Second.Values));
        Assert.False(block.TryAdd(Begin, [new("cpu:n2", 1, 1)]));
    }

    [Fact]
    public void Late_samples_of_one_hour_that_know_different_metrics_are_all_kept()
    {
        var state = StoredHealth.New(Guid.CreateVersion7(), Guid.Empty);
        var recorder = new SampleRecorder(state);
        recorder.Add(Begin.AddHours(5), 10, [new("cpu:n1", 1, 1)]);

        // The first reading after a start has no processor time to compare with; the second has, and ends the group.
        recorder.Add(Begin, 1, [new("memory:n1", 1, 2)]);
        recorder.Add(Begin.AddMinutes(1), 2, [new("memory:n1", 1, 2), new("cpu:n1", 1, 3)]);
        var rows = recorder.Finish();

        Assert.Equal(2, rows.Sum(row => (int)row[4]!));
        Assert.Equal(rows.Count, rows.DistinctBy(row => (row[0], row[1], row[2])).Count());
    }

    [Fact]
    public void A_day_of_a_cluster_of_three_nodes_takes_less_than_24_KiB()
    {
        var random = new Random(7);
        var state = StoredHealth.New(Guid.CreateVersion7(), Guid.Empty);
        var bytes = 0;
        var samples = 0;
        for (var minute = 0; minute < 1440; minute++)
        {
            var recorder = new SampleRecorder(state);
            recorder.Add(Begin.AddMinutes(minute), minute + 1, SampleRecorder.Values(Busy(random, minute), HealthStatus.Green));
            foreach (var row in recorder.Finish())
            {
                samples += (int)row[4]!;
                bytes += ((byte[])row[5]!).Length;
            }

            Assert.True(state.Samples.Length < SampleRecorder.MaxOpenBytes + 256);
        }

        var perDay = bytes * 1440.0 / samples;
        TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture, $"{perDay:0} bytes a day for 22 metrics, a sample a minute"));
        Assert.InRange(perDay, 1000, 24 * 1024);
    }

    private static Wire Busy(Random random, int minute)
    {
        var health = new Wire { ExpectedNodes = 3, CallHome = new CallHomeHealth { SpoolItems = 1 } };
        for (var i = 1; i <= 3; i++)
        {
            health.Nodes.Add(new NodeHealth
            {
                Id = $"node-{i}",
                State = "running",
                CpuPercent = 30 + (random.NextDouble() * 10),
                MemoryTotalBytes = 64L << 30,
                MemoryUsedBytes = (long)((0.5 + (random.NextDouble() * 0.01)) * (64L << 30)),
                Load1 = 3 + random.NextDouble(),
                ClockOffsetMs = random.NextDouble() * 3,
                Disks = { new Disk { Mount = "/data", TotalBytes = 1L << 41, UsedBytes = (1L << 40) + (minute * 10_000_000L), InodesUsedPercent = 4 } },
            });
        }

        return health;
    }

    private static Item Sample(TestCluster cluster, double minute, double cpu)
    {
        var item = cluster.Health(bend: health => health.Nodes[0].CpuPercent = cpu % 90);
        item.AtMs = Begin.AddMinutes(minute).ToUnixTimeMilliseconds();
        return item;
    }

    private static Uri Path(TestCluster cluster, string query, int minutes) =>
        new($"/api/v1/fleet/clusters/{cluster.Id}/history?{query}&from={Begin:yyyy-MM-ddTHH:mm:ssZ}&to={Begin.AddMinutes(minutes):yyyy-MM-ddTHH:mm:ssZ}", UriKind.Relative);

    private async Task<HistoryDocument?> ReadAsync(TestCluster cluster, string query, int minutes = 180)
    {
        using var response = await fixture.Host.Admin.GetAsync(Path(cluster, query, minutes));
        return response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<HistoryDocument>() : null;
    }
}
