using System.Globalization;
using System.Net.Http.Json;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Licensing.Tests.Ledger;

/// <summary>
/// The numbers that billing reads, reckoned by hand. North has two clusters and South has one; all use the same two environments,
/// in hours on both sides of a month's end.
/// </summary>
public sealed class UsageReportTests(UsageReportTests.Sent sent) : IClassFixture<UsageReportTests.Sent>
{
    private const string Seconds = "host_unit_seconds";
    private const string Peak = "peak_hosts";

    private readonly Guid north = sent.North;
    private readonly Guid south = sent.South;
    private readonly string oslo = sent.Oslo;
    private readonly string bergen = sent.Bergen;
    private readonly string malmo = sent.Malmo;

    [Fact]
    public async Task Every_granularity_cuts_at_midnight_and_at_the_months_end_though_the_span_begins_and_ends_in_mid_day()
    {
        var hours = await ReportAsync("granularity=hour");
        var days = await ReportAsync("granularity=day&groupBy=none");
        var months = await ReportAsync("granularity=month");

        Assert.Equal(Enumerable.Range(0, 29).Select(i => Instant("2026-03-30T21:00:00Z").AddHours(i)), hours.Buckets.Select(bucket => bucket.At));
        Assert.Equal([(0, "110"), (2, "1000"), (3, "10000"), (26, "200"), (27, "20440"), (28, "2000")], Told(hours, Seconds));
        Assert.Equal([(0, "8.5"), (2, "6.0"), (3, "9.0"), (26, "4.5"), (27, "18.5"), (28, "1.5")], Told(hours, Peak));
        Assert.Equal(["2026-03-30T21:00:00Z", "2026-03-31T00:00:00Z", "2026-04-01T00:00:00Z"], days.Buckets.Select(bucket => UsageWindow.Text(bucket.At)));
        Assert.Equal(["2026-03-30T21:00:00Z", "2026-04-01T00:00:00Z"], months.Buckets.Select(bucket => UsageWindow.Text(bucket.At)));
        Assert.Equal([$"{Seconds} : 1110 10200 22440 = 33750", $"{Peak} : 8.5 9.0 18.5 = 18.5"], Lines(days));
        Assert.Equal([$"{Seconds} : 11310 22440 = 33750", $"{Peak} : 9.0 18.5 = 18.5"], Lines(months));
        Assert.Equal(("unit_seconds", "max"), (days.Series[0].Aggregation, days.Series[1].Aggregation));
        foreach (var report in new[] { hours, days, months })
        {
            Assert.Equal("none", report.GroupBy);
            Assert.Equal(7, report.Completeness.ReceivedHours);
            Assert.Equal(report.Completeness.ReceivedHours, report.Buckets.Sum(bucket => bucket.Completeness.ReceivedHours));

            // Three clusters owe 29 hours each, all of them due by now.
            Assert.Equal((3 * 29) - 7, report.Completeness.MissingHours);
            Assert.Equal(report.Completeness.MissingHours, report.Buckets.Sum(bucket => bucket.Completeness.MissingHours));
        }

        Assert.Equal([2, 2, 3], days.Buckets.Select(bucket => bucket.Completeness.ReceivedHours));
        Assert.Equal([(3 * 3) - 2, (3 * 24) - 2, (3 * 2) - 3], days.Buckets.Select(bucket => bucket.Completeness.MissingHours));
    }

    [Theory]
    [InlineData("from=2026-03-30T22:00:00Z&to=2026-04-01T00:00:00Z&granularity=month", "11200 = 11200", "9.0 = 9.0")]
    [InlineData("from=2026-03-31T23:00:00Z&to=2026-04-01T01:00:00Z&granularity=day", "200 20440 = 20640", "4.5 18.5 = 18.5")]
    [InlineData("from=2026-03-31T23:00:00Z&to=2026-04-01T01:00:00Z&granularity=month", "200 20440 = 20640", "4.5 18.5 = 18.5")]
    [InlineData("from=2026-03-31T00:00:00Z&to=2026-04-01T00:00:00Z&granularity=day", "10200 = 10200", "9.0 = 9.0")]
    [InlineData("from=2026-04-01T00:00:00Z&to=2026-04-01T03:00:00Z&granularity=month", "5022440 = 5022440", "99.0 = 99.0")]
    public async Task The_first_hour_counts_and_the_last_does_not(string span, string seconds, string peak)
    {
        var report = await UsageAsync(span);

        Assert.Equal([$"{Seconds} : {seconds}", $"{Peak} : {peak}"], Lines(report));
    }

    [Fact]
    public async Task Each_grouping_says_whose_the_numbers_are()
    {
        Assert.Equal(
            [$"{Seconds} {north}: 1310 2440 = 3750", $"{Seconds} {south}: 10000 20000 = 30000", $"{Peak} {north}: 8.5 10.5 = 10.5", $"{Peak} {south}: 9.0 8.0 = 9.0"],
            Lines(await ReportAsync("granularity=month&groupBy=customer")));
        Assert.Equal(
            [$"{Seconds} e1: 10300 2400 = 12700", $"{Seconds} e2: 1010 20040 = 21050", $"{Peak} e1: 9.0 3.0 = 9.0", $"{Peak} e2: 6.0 15.5 = 15.5"],
            Lines(await ReportAsync("granularity=month&groupBy=environment")));

        // A cluster or customer that sent no window that day is told as unknown, although others sent theirs.
        Assert.Equal(
            [
                $"{Seconds} {oslo}: 110 200 440 = 750", $"{Seconds} {bergen}: 1000 ? 2000 = 3000", $"{Seconds} {malmo}: ? 10000 20000 = 30000",
                $"{Peak} {oslo}: 8.5 4.5 10.5 = 10.5", $"{Peak} {bergen}: 6.0 ? 1.5 = 6.0", $"{Peak} {malmo}: ? 9.0 8.0 = 9.0",
            ],
            Lines(await ReportAsync("granularity=day&groupBy=cluster")));
        Assert.Equal(
            [$"{Seconds} {north}: 1110 200 2440 = 3750", $"{Seconds} {south}: ? 10000 20000 = 30000"],
            Lines(await ReportAsync($"granularity=day&groupBy=customer&meter={Seconds}")));
    }

    [Fact]
    public async Task Each_filter_leaves_the_rest_out_and_filters_add_up()
    {
        // On the 31st windows came and spoke of e1 alone: e2 used nothing, which is known.
        Assert.Equal([$"{Seconds} : 1010 0 20040 = 21050", $"{Peak} : 6.0 0.0 15.5 = 15.5"], Lines(await ReportAsync("granularity=day&environment=e2")));
        Assert.Equal([$"{Peak} : 9.0 18.5 = 18.5"], Lines(await ReportAsync($"granularity=month&meter={Peak}")));
        Assert.Equal([$"{Seconds} : 1310 2440 = 3750", $"{Peak} : 8.5 10.5 = 10.5"], Lines(await ReportAsync($"granularity=month&customer={north}")));
        Assert.Equal([$"{Seconds} : 1000 2000 = 3000", $"{Peak} : 6.0 1.5 = 6.0"], Lines(await ReportAsync($"granularity=month&cluster={bergen}")));
        Assert.Equal(
            [$"{Seconds} {oslo}: 300 400 = 700", $"{Seconds} {bergen}: 0 2000 = 2000"],
            Lines(await ReportAsync($"granularity=month&customer={north}&environment=e1&meter={Seconds}&groupBy=cluster")));
        Assert.Equal([$"{Peak} e2: 2.0 7.5 = 7.5"], Lines(await ReportAsync($"granularity=month&cluster={oslo}&environment=e2&meter={Peak}&groupBy=environment")));
        foreach (var nobody in new[] { "environment=e3", "environment=E1", "meter=teapots", $"customer={south}&cluster={oslo}", $"customer={Guid.Empty}" })
        {
            Assert.Empty((await ReportAsync($"granularity=month&{nobody}")).Series);
        }
    }

    [Fact]
    public async Task The_newest_arrival_is_that_of_the_clusters_asked_for()
    {
        // Oslo came first, ten minutes later Malmö, ten minutes later Bergen.
        int[] newest = await Task.WhenAll(new[] { "", $"customer={north}", $"customer={south}", $"cluster={oslo}", $"cluster={bergen}" }.Select(ArrivalAsync));
        Assert.Equal([2, 2, 1, 0, 2], newest);
        Assert.Null((await ReportAsync($"cluster={Guid.Empty}")).ReceivedThrough);
    }

    /// <summary>Which of the check-ins the newest window came with.</summary>
    private async Task<int> ArrivalAsync(string filter)
    {
        var newest = (await ReportAsync(filter)).ReceivedThrough;
        return sent.CheckIns.FindLastIndex(started => started.AddSeconds(-1) <= newest);
    }

    /// <summary>Every series in one line: meter, group, values and total; in the order of the meters and of the groups' making.</summary>
    private IEnumerable<string> Lines(UsageReport report)
    {
        var order = new List<string?> { null, $"{north}", $"{south}", oslo, bergen, malmo, "e1", "e2" };
        return report.Series
            .OrderBy(series => series.Meter, StringComparer.Ordinal).ThenBy(series => order.IndexOf(series.Group))
            .Select(series => $"{series.Meter} {series.Group}: {string.Join(' ', series.Values.Select(value => value ?? "?"))} = {series.Total}");
    }

    private static IEnumerable<(int Bucket, string Value)> Told(UsageReport report, string meter) =>
        Assert.Single(report.Series, series => series.Meter == meter).Values.Index().Where(point => point.Item is not null).Select(point => (point.Index, point.Item!));

    /// <summary>The span that all but one of the hours lie in; it begins and ends in mid-day.</summary>
    private Task<UsageReport> ReportAsync(string query) => UsageAsync($"from=2026-03-30T21:00:00Z&to=2026-04-01T02:00:00Z&{query}");

    private async Task<UsageReport> UsageAsync(string query) => (await sent.Host.Admin.GetFromJsonAsync<UsageReport>($"/api/v1/licensing/usage?{query}"))!;

    private static DateTimeOffset Instant(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>What was sent, once for all tests: they only read.</summary>
    public sealed class Sent : IAsyncLifetime
    {
        private readonly ManualTime time = new(Instant("2026-03-30T20:20:00Z"));

        /// <summary>When each cluster checked in, in that order.</summary>
        public List<DateTimeOffset> CheckIns { get; } = [];

        public ControlPlane Host { get; private set; } = null!;

        public Guid North { get; private set; }

        public Guid South { get; private set; }

        public string Oslo { get; private set; } = "";

        public string Bergen { get; private set; } = "";

        public string Malmo { get; private set; } = "";

        /// <summary>
        /// host_unit_seconds, and peak_hosts after the stroke:
        /// <code>
        ///                    30th 21:00              30th 23:00   31st 00:00    31st 23:00   1st 00:00              1st 01:00     1st 02:00
        /// Oslo (North)    e1 60+40/5.5  e2 10/2.0                               e1 200/4.5   e1 400/3.0 e2 40/7.5                 e1 5000000/99
        /// Bergen (North)                          e2 1000/6.0                                                       e1 2000/1.5
        /// Malmö (South)                                        e1 10000/9.0                  e2 20000/8.0
        /// </code>
        /// </summary>
        public async ValueTask InitializeAsync()
        {
            Host = await ControlPlane.StartAsync(time: time);
            using var defined = await Host.Admin.PostAsJsonAsync("/api/v1/licensing/meters", new DefineMeterRequest(Peak, 1, "host", 1, "max"));
            defined.EnsureSuccessStatusCode();
            (North, South) = ((await Host.CreateCustomerAsync("North")).Id, (await Host.CreateCustomerAsync("South")).Id);
            using var osloCluster = await TestCluster.EnrollAsync(Host, North, "Oslo");
            using var bergenCluster = await TestCluster.EnrollAsync(Host, North, "Bergen");
            using var malmoCluster = await TestCluster.EnrollAsync(Host, South, "Malmö");
            (Oslo, Bergen, Malmo) = (osloCluster.Id, bergenCluster.Id, malmoCluster.Id);
            time.Advance(TimeSpan.FromHours(31));

            // Bergen comes last, so that the newest window is neither the first cluster's nor the last one's.
            await SendAsync(
                osloCluster,
                Window(osloCluster, "2026-03-30T21:00:00Z", Cell(Seconds, "e1", "60", "a"), Cell(Seconds, "e1", "40", "b"), Cell(Seconds, "e2", "10"), Cell(Peak, "e1", "5.5", "a"), Cell(Peak, "e1", "1", "b"), Cell(Peak, "e2", "2")),
                Window(osloCluster, "2026-03-31T23:00:00Z", Cell(Seconds, "e1", "200"), Cell(Peak, "e1", "4.5")),
                Window(osloCluster, "2026-04-01T00:00:00Z", Cell(Seconds, "e1", "400"), Cell(Seconds, "e2", "40"), Cell(Peak, "e1", "3"), Cell(Peak, "e2", "7.5")),
                Window(osloCluster, "2026-04-01T02:00:00Z", Cell(Seconds, "e1", "5000000"), Cell(Peak, "e1", "99")));
            await SendAsync(
                malmoCluster,
                Window(malmoCluster, "2026-03-31T00:00:00Z", Cell(Seconds, "e1", "10000"), Cell(Peak, "e1", "9")),
                Window(malmoCluster, "2026-04-01T00:00:00Z", Cell(Seconds, "e2", "20000"), Cell(Peak, "e2", "8")));
            await SendAsync(
                bergenCluster,
                Window(bergenCluster, "2026-03-30T23:00:00Z", Cell(Seconds, "e2", "1000"), Cell(Peak, "e2", "6")),
                Window(bergenCluster, "2026-04-01T01:00:00Z", Cell(Seconds, "e1", "2000"), Cell(Peak, "e1", "1.5")));
        }

        public async ValueTask DisposeAsync() => await Host.DisposeAsync();

        private static UsageWindow Window(TestCluster cluster, string hour, params UsageCell[] cells) => cluster.Window(UsageWindow.HourOf(Instant(hour))) with { Meters = cells };

        private static UsageCell Cell(string meter, string environment, string quantity, string? zone = null) => new(
            meter, 1, zone is null ? new Dictionary<string, string> { ["env"] = environment } : new Dictionary<string, string> { ["env"] = environment, ["zone"] = zone }, quantity);

        private async Task SendAsync(TestCluster cluster, params UsageWindow[] windows)
        {
            time.Advance(TimeSpan.FromMinutes(10));
            CheckIns.Add(time.GetUtcNow());
            await cluster.AuthorizeAsync();
            await cluster.CheckInAsync([.. windows.Select(window => cluster.Usage(window))]);
            var receipt = await cluster.ReceiptAsync(receipt => receipt.Results.Count == windows.Length);
            Assert.All(receipt.Results, result => Assert.Equal("accepted", result.Verdict));
        }
    }
}
