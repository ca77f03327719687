using Google.Protobuf;
using Microsoft.Playwright;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;
using Inventory = MissionControl.Protocol.CallHome.Inventory;

namespace MissionControl.Portal.Tests;

/// <summary>What is here of what a cluster sent, of every class.</summary>
public sealed class SentTests(PortalFixture portal)
{
    [Theory]
    [InlineData(true, 1280, ColorScheme.Light)]
    [InlineData(false, 390, ColorScheme.Dark)]
    public async Task Everything_that_a_cluster_sent_is_shown_counted_and_what_was_masked_is_marked(bool script, int width, ColorScheme theme)
    {
        using var cluster = await SendingAsync($"Hammerfest {width}");
        await using var window = await portal.OpenAsync(width: width, theme: theme, script: script);
        await Eventually.TrueAsync(async () =>
        {
            await window.GoAsync($"/clusters/{cluster.Id}/sent");

            // A cluster that fleet does not know yet has a page without any.
            var shown = window.Page.Locator("main .chips");
            return await shown.CountAsync() > 0 && (await shown.First.InnerTextAsync()).ReplaceLineEndings(" ") is var chips && chips.Contains("Health 1", StringComparison.Ordinal) && chips.Contains("Inventory 1", StringComparison.Ordinal) && chips.Contains("Events 2", StringComparison.Ordinal);
        }, "all of it has come");

        // Nobody takes the newest message for all that there ever was.
        await window.Page.GetByText("Of health only the newest message is kept whole; what was measured before is kept as numbers for 14 days").WaitForAsync();
        foreach (var panel in new[] { "usage", "health", "inventory", "event" })
        {
            Assert.Equal(1, await window.Page.Locator($"#{panel}").CountAsync());
        }

        await window.Page.Locator("#health-pretty").ClickAsync();
        var readable = window.Page.GetByLabel("The newest health message, readable");
        Assert.Equal(["\"node-0123456789ab\"", "\"disk-aaaaaaaaaaaa\""], await readable.Locator("mark").AllInnerTextsAsync());
        using var health = System.Text.Json.JsonDocument.Parse(await readable.InnerTextAsync());
        Assert.Equal("1099511627776", health.RootElement.GetProperty("nodes")[0].GetProperty("disks")[0].GetProperty("totalBytes").GetString());
        Assert.Contains("2 values were masked on the machine", await window.Page.Locator("#health").InnerTextAsync(), StringComparison.Ordinal);
        await window.Page.Locator("#health-raw").ClickAsync();
        var raw = Health.Parser.ParseFrom(Convert.FromBase64String(await window.Page.GetByLabel("The newest health message, raw").InnerTextAsync()));
        Assert.Equal("node-0123456789ab", raw.Nodes[0].Id);

        var events = window.Page.Locator("#event tbody tr");
        Assert.Equal(2, await events.CountAsync());
        Assert.Equal(1, await events.Locator(".c-name mark:has-text('Connection to [host] refused')").CountAsync());
        Assert.Contains("the newest 2 of 2", await window.Page.Locator("#event").InnerTextAsync(), StringComparison.Ordinal);
        await window.PictureAsync($"sent-all-{width}-{theme}".ToLowerInvariant());
        Assert.False(await window.ScrollsSidewaysAsync());
        Window.AssertNothing(script ? await window.AxeAsync() : []);

        await window.Page.Locator("#class-inventory").ClickAsync();
        await window.AtAsync(url => url.EndsWith("?class=inventory", StringComparison.Ordinal));
        await window.Page.GetByLabel("The present inventory, readable").WaitForAsync();
        Assert.Equal(0, await window.Page.Locator("#health, #event, #usage").CountAsync());
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task An_hour_of_usage_is_shown_as_it_was_signed_with_its_size()
    {
        await using var window = await portal.OpenAsync(script: false);
        await window.GoAsync($"/clusters/{portal.Green.Id}/sent?class=usage");
        await window.Page.GetByRole(AriaRole.List, new() { Name = "Hours" }).GetByRole(AriaRole.Link).First.ClickAsync();
        var document = window.Page.GetByRole(AriaRole.Region, new() { Name = "Revision 1", Exact = true });
        await document.GetByText("The signed bytes").ClickAsync();

        var hour = UsageWindow.HourOf(portal.Host.Time.GetUtcNow()) - 1;
        var signed = await document.GetByLabel("Revision 1, as signed").InnerTextAsync();
        Assert.Contains($"\"cluster\": \"{portal.Green.Id}\"", signed, StringComparison.Ordinal);
        Assert.Contains($", {portal.Green.Window(hour).ToBytes().Length} bytes", await document.InnerTextAsync(), StringComparison.Ordinal);
        Assert.EndsWith($"/sent?class=usage&window={Uri.EscapeDataString(UsageWindow.Text(UsageWindow.StartOf(hour)))}", window.Page.Url, StringComparison.Ordinal);
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task Whoever_may_not_read_usage_is_told_so_and_sees_the_rest()
    {
        await using var window = await portal.OpenAsync(portal.FleetToken);
        await window.GoAsync($"/clusters/{portal.Red.Id}/sent");

        Assert.Contains("This needs the right licensing:read.", await window.Page.Locator("#usage").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(1, await window.Page.Locator("#health-pretty").CountAsync());
        Assert.Equal("page", await window.Page.GetByRole(AriaRole.Link, new() { Name = "Sent", Exact = true }).GetAttributeAsync("aria-current"));
        Window.AssertNothing((await window.AxeAsync()).Concat(window.Violations));
    }

    private async Task<TestCluster> SendingAsync(string name)
    {
        var cluster = await TestCluster.EnrollAsync(portal.Host, portal.Customer, name);
        var now = portal.Host.Time.GetUtcNow().ToUnixTimeMilliseconds();
        await cluster.CheckInAsync(
            cluster.Health(bend: health =>
            {
                health.Nodes[0].Id = "node-0123456789ab";
                health.Nodes[0].Disks[0].Mount = "disk-aaaaaaaaaaaa";
            }),
            new Item { Seq = cluster.Next(), Type = "inventory", AtMs = now, Body = new Inventory { ProductVersion = "1.0.0", AgentVersion = "1.0.0", TimeZone = "Europe/Oslo", Nodes = { new Node { Id = "node-0123456789ab", Version = "1.0.0" } } }.ToByteString() },
            cluster.Event("e1"),
            new Item { Seq = cluster.Next(), Type = "event", AtMs = now, Body = new Event { Id = "e2", Kind = "connection-lost", Severity = "severe", Text = "Connection to [host] refused", Node = "node-0123456789ab" }.ToByteString() });
        return cluster;
    }
}
