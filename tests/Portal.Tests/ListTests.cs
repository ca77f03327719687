using Microsoft.Playwright;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Heads that order a list, and searches, with a script and without.</summary>
public sealed class ListTests(PortalFixture portal)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_head_orders_the_list_says_so_and_keeps_the_filter(bool script)
    {
        await using var window = await portal.OpenAsync(script: script);
        await window.GoAsync("/customers?state=active");
        Assert.Equal(("ascending", null, null), await HeadsAsync(window));
        var up = await NamesAsync(window);

        await window.Page.Locator("#sort-name").ClickAsync();
        await window.AtAsync(url => url.EndsWith("/customers?state=active&sort=-name", StringComparison.Ordinal));
        Assert.Equal(("descending", null, null), await HeadsAsync(window));
        Assert.Equal(up.Reverse(), await NamesAsync(window));

        await window.Page.Locator("#sort-createdAt").ClickAsync();
        await window.AtAsync(url => url.EndsWith("/customers?state=active&sort=createdAt", StringComparison.Ordinal));
        Assert.Equal((null, null, "ascending"), await HeadsAsync(window));
        Assert.Equal("Northwind Retail", (await NamesAsync(window))[0]);

        // Filtered anew, it stays in that order.
        await window.Page.Locator("#q").FillAsync("harbour");
        if (!script)
        {
            await window.Page.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        }

        await window.AtAsync(url => url.Contains("q=harbour", StringComparison.Ordinal) && url.Contains("sort=createdAt", StringComparison.Ordinal));
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Northwind Retail" }).WaitForAsync(new() { State = WaitForSelectorState.Detached });
        Assert.Equal(["Harbour Bank"], await NamesAsync(window));
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task Every_head_that_orders_a_list_leads_to_that_order()
    {
        await using var window = await portal.OpenAsync(script: false);
        var walked = 0;
        foreach (var address in new[] { "/clusters?cols=customerName&cols=version&cols=enrolledAt", "/customers", "/audit", "/clusters/enrol", $"/clusters/{portal.Red.Id}/events", "/system/parked?role=fleet", "/tasks?role=fleet", $"/tasks/fleet/{portal.Task}?show=all" })
        {
            await window.GoAsync(address);
            foreach (var id in await window.Page.Locator("th a[id^=sort-]").EvaluateAllAsync<string[]>("links => links.map(link => link.id)"))
            {
                // Up and down, whichever it begins with: each is told to who does not see the arrow.
                var told = new HashSet<string?>();
                for (var i = 0; i < 2; i++)
                {
                    await window.Page.Locator("#" + id).ClickAsync();
                    told.Add(await window.Page.Locator($"th:has(#{id})").GetAttributeAsync("aria-sort"));
                    Assert.Equal(0, await window.Page.GetByRole(AriaRole.Alert).CountAsync());
                }

                Assert.True(told.SetEquals(["ascending", "descending"]), $"{address} {id}: {string.Join(", ", told)}");
                Assert.Equal(1, await window.Page.Locator("th[aria-sort]").CountAsync());
                walked++;
            }
        }

        Assert.Equal(4 + 3 + 1 + 2 + 1 + 2 + 1 + 1, walked);
    }

    [Fact]
    public async Task Audit_entries_and_events_are_searched_as_one_types()
    {
        await using var window = await portal.OpenAsync();
        await window.GoAsync("/audit?sort=occurredAt");
        await window.Page.Locator("#q").PressSequentiallyAsync("customer created");
        await window.Page.Locator("#chip-q").WaitForAsync();
        await window.AtAsync(url => url.Contains("created", StringComparison.Ordinal));
        var found = await window.Page.Locator("#list tbody tr").AllInnerTextsAsync();
        Assert.True(found.Count >= 2, $"{found.Count} rows");
        Assert.All(found, row => Assert.Contains("Customer created", row, StringComparison.Ordinal));
        Assert.Contains("sort=occurredAt", window.Page.Url, StringComparison.Ordinal);
        await window.PictureAsync("audit-search-1280-light");
        Window.AssertNothing((await window.AxeAsync()).Concat(window.Violations));

        await window.GoAsync($"/clusters/{portal.Red.Id}/events?severity=severe");
        await window.Page.Locator("#q").FillAsync("node WAS");
        await window.AtAsync(url => url.Contains("q=node", StringComparison.Ordinal));
        Assert.Equal(1, await window.Page.Locator("#list tbody tr").CountAsync());
        await window.PictureAsync("events-search-1280-light");
        await window.Page.Locator("#q").FillAsync("nothing is called so");
        await window.Page.GetByText("No event matches").WaitForAsync();
        Window.AssertNothing((await window.AxeAsync()).Concat(window.Violations));
    }

    private static async Task<(string? Name, string? Region, string? Since)> HeadsAsync(Window window) =>
        (await SortAsync(window, "name"), await SortAsync(window, "region"), await SortAsync(window, "createdAt"));

    private static Task<string?> SortAsync(Window window, string key) => window.Page.Locator($"th:has(#sort-{key})").GetAttributeAsync("aria-sort");

    private static async Task<IReadOnlyList<string>> NamesAsync(Window window) => await window.Page.Locator("#list td.c-name a").AllInnerTextsAsync();
}
