using Microsoft.Playwright;
using MissionControl.Portal.Look.Charts;
using MissionControl.Portal.Pages.Clusters;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>The metrics of a cluster beside another's.</summary>
public sealed class CompareTests(PortalFixture portal)
{
    [Theory]
    [InlineData(true, 1280, ColorScheme.Light)]
    [InlineData(false, 390, ColorScheme.Dark)]
    public async Task The_metrics_of_two_clusters_stand_on_one_chart_and_each_line_says_whose_it_is(bool script, int width, ColorScheme theme)
    {
        using var one = await BusyAsync($"Vigo {width}", 25);
        using var other = await BusyAsync($"Vardo {width}", 60);
        await using var window = await portal.OpenAsync(width: width, theme: theme, script: script);
        await window.GoAsync($"/clusters/{one.Id}/metrics?range=6h");
        portal.Api.Asked.Clear();

        // A part of the name is enough; the keyboard is, too.
        await window.Page.GetByLabel("Compare with").FillAsync($"vardo {width}");
        await window.Page.Keyboard.PressAsync("Enter");
        await window.Page.Locator("#compared").WaitForAsync();

        Assert.EndsWith($"?with=vardo+{width}&range=6h", window.Page.Url, StringComparison.Ordinal);
        var (mine, theirs) = ($"Vigo {width} …{one.Id[^8..]}", $"Vardo {width} …{other.Id[^8..]}");
        var cpu = window.Page.GetByRole(AriaRole.Region, new() { Name = "Busiest CPU", Exact = true });
        Assert.Equal([$"{mine} 30 %", $"{theirs} 65 %"], (await cpu.Locator(".legend li").AllInnerTextsAsync()).Where(text => !text.Contains("no data", StringComparison.Ordinal)).Select(Said));
        Assert.Equal(2, await cpu.Locator($"svg.{(width > 700 ? "wide" : "narrow")} g.line").CountAsync());
        await cpu.GetByText("Show the numbers, day by day").ClickAsync();
        Assert.Equal([mine, theirs], (await cpu.Locator("thead th.num").AllInnerTextsAsync()).Select(text => text.Split('\n')[0].Trim()));
        Assert.Equal([$"{mine}: nodes up 1", $"{theirs}: nodes up 1", $"{mine}: nodes expected 1", $"{theirs}: nodes expected 1"],
            (await window.Page.GetByRole(AriaRole.Region, new() { Name = "Nodes", Exact = true }).Locator(".legend li").AllInnerTextsAsync()).Take(4).Select(Said));
        Assert.Equal(new[] { one.Id, other.Id }.Order(StringComparer.Ordinal), portal.Api.Asked.Where(path => path.Contains("/history?", StringComparison.Ordinal)).Select(path => path.Split('/')[5]).Order(StringComparer.Ordinal));
        await window.PictureAsync($"compare-{width}-{theme}".ToLowerInvariant());
        Assert.False(await window.ScrollsSidewaysAsync());
        Window.AssertNothing(script ? await window.AxeAsync() : []);

        // The comparison is kept when another time is chosen, and ends when it is no longer wanted.
        await window.Page.Locator("#t-1h").ClickAsync();
        await window.AtAsync(url => url.Contains("range=1h", StringComparison.Ordinal));
        Assert.Equal(1, await window.Page.Locator("#compared").CountAsync());
        await window.Page.Locator("#compare-end").ClickAsync();
        await window.AtAsync(url => url.EndsWith("/metrics?range=1h", StringComparison.Ordinal));
        Assert.Equal(0, await window.Page.Locator("#compared").CountAsync());
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task Who_is_meant_is_asked_when_several_are_and_said_when_nobody_is()
    {
        using var one = await TestCluster.EnrollAsync(portal.Host, portal.OtherCustomer, "Twin");
        using var two = await TestCluster.EnrollAsync(portal.Host, portal.Customer, "Twin");
        foreach (var cluster in new[] { one, two })
        {
            await Eventually.TrueAsync(async () => (await portal.Host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}", UriKind.Relative))).IsSuccessStatusCode, "fleet knows the cluster");
        }

        await using var window = await portal.OpenAsync(script: false);
        var said = window.Page.Locator("#with-mistake");
        foreach (var own in new[] { portal.Red.Id, "oslo", portal.Red.Id[^8..] })
        {
            await window.GoAsync($"/clusters/{portal.Red.Id}/metrics?with={own}");
            Assert.Contains("That is this cluster itself.", await said.InnerTextAsync(), StringComparison.Ordinal);
        }

        foreach (var unknown in new[] { Guid.NewGuid().ToString(), "Atlantis" })
        {
            await window.GoAsync($"/clusters/{portal.Red.Id}/metrics?with={unknown}");
            Assert.Contains($"There is no cluster “{unknown}”, or it is not yours to see.", await said.InnerTextAsync(), StringComparison.Ordinal);
            Assert.Equal(unknown, await window.Page.GetByLabel("Compare with").InputValueAsync());
            Assert.True(await window.Page.Locator("figure.chart").CountAsync() > 0, "the cluster's own charts stand");
        }

        await window.GoAsync($"/clusters/{portal.Red.Id}/metrics?with=twin");
        Assert.Contains("2 clusters fit “twin”. Choose one:", await said.InnerTextAsync(), StringComparison.Ordinal);
        await said.GetByRole(AriaRole.Link).Nth(1).ClickAsync();
        Assert.Contains("Twin", await window.Page.Locator("#compared").InnerTextAsync(), StringComparison.Ordinal);

        // It never spoke: its line is there, and says that nothing is.
        Assert.Contains("no data", await window.Page.GetByRole(AriaRole.Region, new() { Name = "Fullest disk", Exact = true }).Locator(".legend li:has-text('Twin')").InnerTextAsync(), StringComparison.Ordinal);

        await window.Page.SetViewportSizeAsync(320, 900);
        Assert.False(await window.ScrollsSidewaysAsync(), await window.TooWideAsync());

        // Another customer's cluster is nobody's, by its id as well as by its name.
        await using var customer = await portal.OpenAsync(portal.CustomerToken, script: false);
        foreach (var theirs in new[] { portal.Green.Id, "Lisbon" })
        {
            await customer.GoAsync($"/clusters/{portal.Red.Id}/metrics?with={theirs}");
            await customer.Page.GetByText($"There is no cluster “{theirs}”").WaitForAsync();
        }
    }

    [Fact]
    public void No_chart_holds_more_lines_than_can_be_told_apart() =>
        Assert.All(ClusterMetrics.Groups, group => Assert.InRange(group.Metrics.Length * 2, 1, LineChart.MaxLines));

    private async Task<TestCluster> BusyAsync(string name, double cpu)
    {
        var cluster = await TestCluster.EnrollAsync(portal.Host, portal.Customer, name);
        var begin = portal.Host.Time.GetUtcNow().AddHours(-5);
        await cluster.CheckInAsync([.. Enumerable.Range(0, 150).Select(i => Sample(cluster, begin.AddMinutes(i * 2), cpu + (i == 149 ? 5 : 10 * Math.Sin(i / 15.0))))]);
        await Eventually.TrueAsync(async () => (await portal.Host.Admin.GetStringAsync($"/api/v1/fleet/clusters/{cluster.Id}")).Contains("\"green\"", StringComparison.Ordinal), "the cluster is judged");
        return cluster;
    }

    private static string Said(string text) => text.Trim().Replace('\n', ' ');

    private static Item Sample(TestCluster cluster, DateTimeOffset at, double cpu)
    {
        var item = cluster.Health(bend: health => health.Nodes[0].CpuPercent = Math.Round(cpu, 1));
        item.AtMs = at.ToUnixTimeMilliseconds();
        return item;
    }
}
