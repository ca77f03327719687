using System.Globalization;
using Microsoft.Playwright;
using MissionControl.Portal.Look;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>The zone that times are shown in, and how close the rows stand: in cookies, so that the server draws every page as wanted.</summary>
public sealed class PreferenceTests(PortalFixture portal)
{
    private const string Away = "Asia/Kathmandu";

    private string Events => $"/clusters/{portal.Red.Id}/events";

    [Fact]
    public async Task Times_are_in_the_zone_of_the_browser_from_its_second_page_on_and_T_turns_to_UTC_and_back()
    {
        await using var window = await portal.OpenAsync(zone: Away);
        await window.GoAsync(Events);
        Assert.Equal("UTC", await NamedAsync(window));
        Assert.Contains("Happened (UTC)", await HeadsAsync(window), StringComparison.Ordinal);

        await window.GoAsync(Events + "?severity=severe");
        Assert.Equal("Kathmandu", await NamedAsync(window));
        Assert.Contains("Happened (Kathmandu)", await HeadsAsync(window), StringComparison.Ordinal);
        var time = window.Page.Locator("#list tbody time").First;
        var at = DateTimeOffset.Parse((await time.GetAttributeAsync("datetime"))!, CultureInfo.InvariantCulture);
        Assert.Equal(TimeSpan.Zero, at.Offset);
        Assert.Equal(at.ToOffset(new TimeSpan(5, 45, 0)).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture), await time.InnerTextAsync());
        Assert.EndsWith($"UTC+5:45 ({at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC)", await time.GetAttributeAsync("title"), StringComparison.Ordinal);
        Window.AssertNothing(await window.AxeAsync());

        await window.Page.Keyboard.PressAsync("T");
        await window.Page.GetByRole(AriaRole.Columnheader, new() { Name = "Happened (UTC)" }).WaitForAsync();
        Assert.Equal("UTC", await NamedAsync(window));
        Assert.Equal(at.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture), await time.InnerTextAsync());
        Assert.EndsWith("?severity=severe", window.Page.Url, StringComparison.Ordinal);
        await window.GoAsync("/");
        Assert.Equal("UTC", await NamedAsync(window));

        await window.Page.Keyboard.PressAsync("T");
        await window.Page.Locator("#looks", new() { HasText = "Kathmandu" }).WaitForAsync();
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task T_is_a_letter_in_a_field_and_nothing_where_short_cuts_are_off()
    {
        await using var window = await portal.OpenAsync(zone: Away);
        await window.GoAsync("/clusters");
        await window.GoAsync("/clusters");
        await window.Page.Locator("#find").FocusAsync();
        await window.Page.Keyboard.PressAsync("T");
        Assert.Equal("T", await window.Page.Locator("#find").InputValueAsync());

        await window.GoAsync("/keys");
        await window.Page.Locator("#keys-switch").ClickAsync();
        await window.Page.GetByText("Short cuts are off").WaitForAsync();
        await window.Page.Locator("#main").FocusAsync();
        await window.Page.Keyboard.PressAsync("T");
        await window.GoAsync("/clusters");

        Assert.Equal("Kathmandu", await NamedAsync(window));
        Assert.DoesNotContain(await window.Page.Context.CookiesAsync(), cookie => cookie.Name == "__Host-mc-utc");
    }

    [Fact]
    public async Task Charts_of_metrics_are_in_the_readers_zone_and_audit_and_usage_in_UTC_for_everybody()
    {
        await using var window = await portal.OpenAsync(zone: Away);
        await window.GoAsync("/");
        await window.GoAsync($"/clusters/{portal.Red.Id}/metrics");
        var plot = window.Page.Locator(".plot").First;
        await plot.FocusAsync();
        await window.Page.Keyboard.PressAsync("End");
        await window.Page.Locator("figure output", new() { HasText = "UTC+5:45:" }).First.WaitForAsync();
        Assert.Contains("Day (Kathmandu)", await window.Page.ContentAsync(), StringComparison.Ordinal);

        await window.GoAsync($"/clusters/{portal.Green.Id}/usage");
        Assert.Contains("Hour (UTC)", await HeadsAsync(window), StringComparison.Ordinal);
        Assert.Contains("Received (UTC)", await HeadsAsync(window), StringComparison.Ordinal);
        await AllInUtcAsync(window, "main td time");

        await window.GoAsync("/audit");
        Assert.Contains("When (UTC)", await HeadsAsync(window), StringComparison.Ordinal);
        await AllInUtcAsync(window, "#list time");
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task A_part_that_is_fetched_later_has_the_times_of_its_page()
    {
        await using var window = await portal.OpenAsync(zone: Away);
        await window.GoAsync("/");
        await window.GoAsync(Events);
        var other = await window.Page.Context.NewPageAsync();
        await other.GotoAsync(window.Page.Url);
        await other.Keyboard.PressAsync("T");
        await other.GetByRole(AriaRole.Columnheader, new() { Name = "Happened (UTC)" }).WaitForAsync();

        // This page still says Kathmandu above what the script fetches for it now.
        await window.Page.Locator("#severity").SelectOptionAsync("severe");
        await window.AtAsync(url => url.Contains("severity=severe", StringComparison.Ordinal));

        // However many of them other tests have made by now.
        await window.Page.Locator("#list tbody tr").Filter(new() { HasNotText = "Severe" }).First.WaitForAsync(new() { State = WaitForSelectorState.Detached });

        Assert.Equal("Kathmandu", await NamedAsync(window));
        Assert.Contains("Happened (Kathmandu)", await HeadsAsync(window), StringComparison.Ordinal);
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task Without_a_script_times_are_in_UTC_until_a_zone_is_chosen()
    {
        await using var window = await portal.OpenAsync(script: false, zone: Away);
        await window.GoAsync("/clusters");
        await window.GoAsync(Events);
        Assert.Equal("UTC", await NamedAsync(window));
        Assert.Contains("Happened (UTC)", await HeadsAsync(window), StringComparison.Ordinal);

        await window.GoAsync("/preferences");
        await window.Page.GetByLabel("Time zone").SelectOptionAsync("America/St_Johns");
        await window.Page.Locator("#density").SelectOptionAsync("compact");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        Assert.Equal("St Johns", await NamedAsync(window));
        Assert.Equal("America/St_Johns", await window.Page.GetByLabel("Time zone").InputValueAsync());
        Assert.Equal("compact", await window.Page.Locator("html").GetAttributeAsync("data-density"));
        await window.GoAsync(Events);
        Assert.Contains("Happened (St Johns)", await HeadsAsync(window), StringComparison.Ordinal);

        await window.Page.Locator("#looks").ClickAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "UTC", Exact = true }).ClickAsync();
        Assert.Contains("Happened (UTC)", await HeadsAsync(window), StringComparison.Ordinal);
        Assert.EndsWith(Events, window.Page.Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compact_rows_stand_closer_on_every_page_and_can_still_be_pressed()
    {
        await using var window = await portal.OpenAsync();
        await window.GoAsync("/customers");
        var cosy = await RowHeightAsync(window);
        await window.Page.Locator("#looks").ClickAsync();
        Window.AssertNothing(await window.AxeAsync());
        await window.PictureAsync("looks-1280-light");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Compact" }).ClickAsync();
        await window.Page.Locator("html[data-density=compact]").WaitForAsync();

        Assert.InRange(await RowHeightAsync(window), 24, cosy * 0.8);
        foreach (var address in new[] { "/", "/clusters", "/audit", "/preferences", $"/clusters/{portal.Red.Id}" })
        {
            await window.GoAsync(address);
            Assert.Equal("compact", await window.Page.Locator("html").GetAttributeAsync("data-density"));
            Window.AssertNothing(await window.AxeAsync());
            await window.PictureAsync($"compact-{(address == "/" ? "today" : address.StartsWith("/clusters/", StringComparison.Ordinal) ? "cluster" : address[1..])}-1280-light");
        }

        Window.AssertNothing(window.Violations);
    }

    [Theory]
    [InlineData("Europe/Oslo", "Europe/Oslo")]
    [InlineData("Asia/Calcutta", "Asia/Kolkata")]
    [InlineData("Etc/UTC", "UTC")]
    [InlineData("Europe/Nowhere", null)]
    [InlineData("../../etc/passwd", null)]
    [InlineData("\"}<script>", null)]
    [InlineData("", null)]
    public void A_zone_is_one_of_the_database_or_none(string given, string? zone) => Assert.Equal(zone, Zone.Find(given)?.Id);

    [Fact]
    public void Round_times_follow_the_clocks_over_the_night_they_are_changed()
    {
        // In Oslo the clocks went from 2 to 3 on 29 March 2026, and from 3 back to 2 on 25 October.
        var oslo = Zone.Find("Europe/Oslo")!;
        var spring = new DateTimeOffset(2026, 3, 28, 23, 0, 0, TimeSpan.Zero);
        var autumn = new DateTimeOffset(2026, 10, 24, 22, 0, 0, TimeSpan.Zero);

        Assert.Equal(["00:00 UTC+1", "01:00 UTC+1", "03:00 UTC+2", "04:00 UTC+2"], oslo.Every(1, spring, spring.AddHours(3)).Select(Told));
        Assert.Equal(["00:00 UTC+2", "01:00 UTC+2", "02:00 UTC+2", "03:00 UTC+1"], oslo.Every(1, autumn, autumn.AddHours(4)).Select(Told));
        Assert.All(oslo.Every(24, autumn.AddDays(-3), autumn.AddDays(3)), day => Assert.Equal(TimeSpan.Zero, day.TimeOfDay));
        Assert.Equal("2026-03-29 03:30:00 UTC+2", Words.Exact(spring.AddHours(2.5), oslo));
        Assert.Equal("UTC−3:30", Zone.Find("America/St_Johns")!.Offset(spring.AddMonths(-2)));

        string Told(DateTimeOffset at) => $"{at.ToString("HH:mm", CultureInfo.InvariantCulture)} {oslo.Offset(at)}";
    }

    private static async Task AllInUtcAsync(Window window, string times)
    {
        foreach (var time in await window.Page.Locator(times).AllAsync())
        {
            Assert.Equal((await time.GetAttributeAsync("datetime"))![..16].Replace('T', ' '), await time.InnerTextAsync());
        }
    }

    private static async Task<string> NamedAsync(Window window) => await window.Page.Locator("#looks .who").InnerTextAsync();

    private static async Task<string> HeadsAsync(Window window) => string.Join('|', await window.Page.Locator("th").AllInnerTextsAsync());

    private static async Task<double> RowHeightAsync(Window window) => (await window.Page.Locator("#list tbody tr").First.BoundingBoxAsync())!.Height;
}
