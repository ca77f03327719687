using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Licensing.Tests.Ledger;

/// <summary>What was known when: answers of the past stay as they were, and whoever follows the feed misses nothing.</summary>
public sealed class KnowledgeTests : IAsyncLifetime
{
    private readonly ManualTime time = new(new DateTimeOffset(2026, 3, 10, 0, 20, 0, TimeSpan.Zero));
    private ControlPlane host = null!;
    private Guid customer;
    private TestCluster cluster = null!;
    private int hour;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync(time: time);
        customer = (await host.CreateCustomerAsync("Acme")).Id;
        cluster = await TestCluster.EnrollAsync(host, customer);
        hour = UsageWindow.HourOf(time.GetUtcNow().AddSeconds(3599));
        time.Advance(TimeSpan.FromHours(6));
        await cluster.AuthorizeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        cluster.Dispose();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task An_old_answer_is_given_again_whatever_came_since()
    {
        await SendAsync(cluster.Window(hour, quantity: "1000"), cluster.Window(hour + 2, quantity: "7"));
        var first = await UsageAsync("");
        time.Advance(TimeSpan.FromMinutes(1));
        await SendAsync(cluster.Window(hour, revision: 2, quantity: "899"), cluster.Window(hour + 1, quantity: "50"));
        var second = await UsageAsync("");
        await SendAsync(cluster.Window(hour, revision: 3, quantity: "5000"), cluster.Window(hour + 2, revision: 2, quantity: "7"));

        for (var round = 1; round <= 2; round++)
        {
            Assert.Equal(["1000", null, "7", null], Values(await UsageAsync($"&asOf={first.Watermark}")));
            Assert.Equal(["1000", null, "7", null], Values(await UsageAsync($"&asOf={Text(first.AsOf)}")));
            Assert.Equal(["899", "50", "7", null], Values(await UsageAsync($"&asOf={second.Watermark}")));
            Assert.Equal(["5000", "50", "7", round == 1 ? null : "1"], Values(await UsageAsync("")));

            // Of two that come the wrong way round the lower one never counted, at no time.
            await SendAsync(cluster.Window(hour + 3, revision: 4, quantity: "1"));
            await SendAsync(cluster.Window(hour + 3, revision: 3, quantity: "2"));
        }

        Assert.Equal((3, 2), ((await UsageAsync($"&asOf={second.Watermark}")).Completeness.ReceivedHours, (await UsageAsync($"&asOf={first.Watermark}")).Completeness.ReceivedHours));
        Assert.Equal((1, 2), ((await UsageAsync($"&asOf={second.Watermark}")).Completeness.MissingHours, (await UsageAsync($"&asOf={first.Watermark}")).Completeness.MissingHours));
        Assert.Empty((await UsageAsync("&asOf=0")).Series);

        // A tenth and more less is marked, and stays in the list until a later revision has the word.
        Assert.Equal([("usage.lowered", Hour(hour), Hour(hour + 1))], (await ChangesAsync("kind=usage.lowered")).Items.Select(item => (item.Kind, item.From!.Value, item.To!.Value)));
        var gaps = await host.Admin.GetFromJsonAsync<UsageGaps>($"/api/v1/licensing/clusters/{cluster.Id}/usage-gaps?from={Text(Hour(hour))}&to={Text(Hour(hour + 5))}");
        Assert.Empty(gaps!.Gaps);
        time.Advance(TimeSpan.FromHours(1));
        await cluster.AuthorizeAsync();

        // Neither steps of a tenth nor the same again hide what an hour once said, in one group or in several.
        await SendAsync(cluster.Window(hour, revision: 4, quantity: "4499"), cluster.Window(hour + 2, revision: 3, quantity: "100"), cluster.Window(hour + 2, revision: 4, quantity: "90"));
        await SendAsync(cluster.Window(hour, revision: 5, quantity: "4499"), cluster.Window(hour + 2, revision: 5, quantity: "81"));
        gaps = await host.Admin.GetFromJsonAsync<UsageGaps>($"/api/v1/licensing/clusters/{cluster.Id}/usage-gaps?from={Text(Hour(hour))}&to={Text(Hour(hour + 5))}");
        Assert.Equal([(Hour(hour), "lowered", 1), (Hour(hour + 2), "lowered", 1), (Hour(hour + 4), "missing", 1)], gaps!.Gaps.Select(gap => (gap.From, gap.State, gap.Hours)));
    }

    [Fact]
    public async Task An_answer_that_did_not_change_is_not_given_twice_and_one_that_did_is()
    {
        await SendAsync(cluster.Window(hour, quantity: "1"));
        var (tag, same) = (await TagAsync(null), await TagAsync(null));
        Assert.Equal(tag.Tag, same.Tag);
        Assert.Equal(HttpStatusCode.NotModified, (await TagAsync(tag.Tag)).Status);
        await SendAsync(cluster.Window(hour + 1, quantity: "1"));
        Assert.Equal(HttpStatusCode.OK, (await TagAsync(tag.Tag)).Status);
        foreach (var wrong in new[] { "asOf=99999", "asOf=2026-03-10", "asOf=2199-01-01T00:00:00Z", "asOf=-1" })
        {
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await host.Admin.GetAsync(new Uri($"/api/v1/licensing/usage?customer={customer}&{wrong}", UriKind.Relative))).StatusCode);
        }

        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await host.Admin.GetAsync(new Uri("/api/v1/licensing/usage?asOf=1", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await host.Admin.GetAsync(new Uri("/api/v1/licensing/changes?after=99999", UriKind.Relative))).StatusCode);

        async Task<(HttpStatusCode Status, string Tag)> TagAsync(string? known)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/licensing/usage?customer={customer}&from={Text(Hour(hour))}&to={Text(Hour(hour + 4))}");
            request.Headers.TryAddWithoutValidation("If-None-Match", known);
            using var answer = await host.Admin.SendAsync(request);
            return (answer.StatusCode, answer.Headers.ETag!.ToString());
        }
    }

    [Fact]
    public async Task What_was_parked_counts_from_the_day_its_meter_is_defined_and_not_before()
    {
        await SendAsync(cluster.Window(hour, meter: "seats", quantity: "12"), cluster.Window(hour + 1, meter: "seats", quantity: "9"), cluster.Window(hour + 2, quantity: "1"));
        var before = await UsageAsync("&meter=seats");
        Assert.Equal((0, 2L), (before.Series.Count, before.Completeness.ParkedHours));
        using var other = await TestCluster.EnrollAsync(host, customer, "Bergen");
        time.Advance(TimeSpan.FromHours(2));
        await other.AuthorizeAsync();
        await other.CheckInAsync(other.Usage(other.Window(hour + 6, meter: "seats", quantity: "5")));
        await other.ReceiptAsync(receipt => receipt.Results.Count == 1);
        using (var defined = await host.Admin.PostAsJsonAsync("/api/v1/licensing/meters", new DefineMeterRequest("seats", 1, "seat", 0, "last")))
        {
            defined.EnsureSuccessStatusCode();
        }

        await Eventually.TrueAsync(async () => (await UsageAsync("&meter=seats")).Completeness.ParkedHours == 0, "the quantities count");
        var position = (await ChangesAsync("kind=meter.defined")).Items.Single().Seq;
        Assert.Equal([("usage.changed", (Guid?)Guid.Parse(cluster.Id)), ("usage.changed", Guid.Parse(other.Id))], (await ChangesAsync($"after={position}")).Items.Select(item => (item.Kind, item.ClusterId)).OrderBy(item => item.Item2));
        Assert.Equal((0, 2L), ((await UsageAsync($"&meter=seats&asOf={before.Watermark}")).Series.Count, (await UsageAsync($"&meter=seats&asOf={before.Watermark}")).Completeness.ParkedHours));

        // A level: what each cluster said last. Acme's first said nothing of it in its last hour.
        Assert.Equal(["12", "9", "0", null], Values(await UsageAsync("&meter=seats")));
        var all = await host.Admin.GetFromJsonAsync<UsageReport>($"/api/v1/licensing/usage?customer={customer}&meter=seats&granularity=day&from={Text(Hour(hour))}&to={Text(Hour(hour + 7))}");
        Assert.Equal("5 5", $"{Values(all!).Single()} {all!.Series[0].Total}");
    }

    [Fact]
    public async Task What_is_counted_once_in_a_period_stays_when_its_environment_goes_and_a_level_does_not()
    {
        foreach (var (meter, kind) in new[] { ("visitors", "period_cumulative"), ("seats", "last") })
        {
            using var defined = await host.Admin.PostAsJsonAsync("/api/v1/licensing/meters", new DefineMeterRequest(meter, 1, "one", 0, kind));
            defined.EnsureSuccessStatusCode();
        }

        await SendAsync(Window(0, "e1", "5"), Window(1, "e1", "7"), Window(2, "e2", "3"));
        Assert.Equal(["seats 5,7,3, = 3", "visitors 5,7,3, = 10"], (await UsageAsync("")).Series.Select(series => $"{series.Meter} {string.Join(',', series.Values)} = {series.Total}"));
        var days = await host.Admin.GetFromJsonAsync<UsageReport>($"/api/v1/licensing/usage?customer={customer}&granularity=day&groupBy=environment&from={Text(Hour(hour))}&to={Text(Hour(hour + 4))}");
        Assert.Equal(["seats e1 0", "seats e2 3", "visitors e1 7", "visitors e2 3"], days!.Series.Select(series => $"{series.Meter} {series.Group} {series.Total}"));

        UsageWindow Window(int at, string environment, string quantity) => cluster.Window(hour + at) with
        {
            Meters = [.. new[] { "visitors", "seats" }.Select(meter => new UsageCell(meter, 1, new Dictionary<string, string> { ["env"] = environment }, quantity))],
        };
    }

    private async Task SendAsync(params UsageWindow[] windows)
    {
        await cluster.CheckInAsync([.. windows.Select(window => cluster.Usage(window))]);
        await cluster.ReceiptAsync(receipt => windows.All(window => receipt.Results.Any(result => result.Window == window.Window && result.Revision == window.Revision)));
    }

    private async Task<UsageReport> UsageAsync(string query) => (await host.Admin.GetFromJsonAsync<UsageReport>($"/api/v1/licensing/usage?customer={customer}&from={Text(Hour(hour))}&to={Text(Hour(hour + 4))}{query}"))!;

    private async Task<ChangeFeed> ChangesAsync(string query) => (await host.Admin.GetFromJsonAsync<ChangeFeed>($"/api/v1/licensing/changes?{query}"))!;

    private static IReadOnlyList<string?> Values(UsageReport report) => Assert.Single(report.Series).Values;

    private static DateTimeOffset Hour(int hour) => UsageWindow.StartOf(hour);

    private static string Text(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
