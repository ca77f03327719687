using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using MissionControl.Portal.Lists;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Lists as files and as calls of the API: the same filter gives the same rows by every way.</summary>
public sealed class ListFileTests(PortalFixture portal)
{
    [Fact]
    public async Task Every_list_says_how_the_API_is_called_and_its_file_is_that_answer()
    {
        await using var window = await portal.OpenAsync(script: false);
        foreach (var list in ListFiles.All)
        {
            var address = AddressOf(list);
            Assert.Equal(200, await window.GoAsync(address));
            await window.Page.Locator("#take").ClickAsync();
            var curl = await window.Page.Locator("#call").InnerTextAsync();
            Assert.StartsWith("curl -sS -H \"Authorization: Bearer $MC_TOKEN\" \\\n'https://", curl, StringComparison.Ordinal);
            Assert.DoesNotMatch("mc[a-z]_[0-9A-Za-z]{12}", curl);
            var call = new Uri(curl.Split('\'')[1]);
            Assert.Equal(portal.Host.Portal.Authority, call.Authority);

            var answered = JsonNode.Parse(await portal.Host.Admin.GetStringAsync(call.PathAndQuery))!;
            var file = await FetchAsync(window, (await window.Page.Locator("#json").GetAttributeAsync("href"))!);
            Assert.Equal(200, file.Status);
            Assert.StartsWith("application/json", file.Headers["content-type"], StringComparison.Ordinal);
            Assert.Matches("^attachment; filename=[a-z0-9-]+-[0-9]{8}T[0-9]{6}Z\\.json$", file.Headers["content-disposition"]);
            var told = JsonNode.Parse(await file.TextAsync())!;
            Assert.Equal(Ids(answered), Ids(told));
            Assert.Equal(answered.AsObject().Select(pair => pair.Key), told.AsObject().Select(pair => pair.Key));

            var rows = await FetchAsync(window, (await window.Page.Locator("#csv").GetAttributeAsync("href"))!);
            Assert.Equal(200, rows.Status);
            Assert.StartsWith("text/csv", rows.Headers["content-type"], StringComparison.Ordinal);
            Assert.True(Ids(answered) is not { Count: > 0 and var count } || (await rows.TextAsync()).Split("\r\n").Length > count, address);
        }
    }

    [Fact]
    public async Task A_file_goes_on_by_its_own_link_until_nothing_is_left()
    {
        await using var window = await portal.OpenAsync();
        var names = new List<string>();
        for (var address = "/customers.json?state=active&sort=-name&limit=1"; address is not null;)
        {
            Assert.StartsWith("/customers.json?state=active&sort=-name&limit=1", address, StringComparison.Ordinal);
            var page = JsonNode.Parse(await (await FetchAsync(window, address)).TextAsync())!;
            names.Add(page["items"]!.AsArray().Single()!["name"]!.GetValue<string>());
            address = page["next"]?.GetValue<string>();
        }

        Assert.Contains("Northwind Retail", names);
        Assert.Contains("Harbour Bank", names);
        Assert.Equal(names.OrderDescending(StringComparer.Ordinal), names);
    }

    [Theory]
    [InlineData("/clusters.json?helth=red", 400, "no filter called helth")]
    [InlineData("/clusters.csv?helth=red", 400, "no filter called helth")]
    [InlineData("/clusters.json?limit=501", 400, "limit")]
    [InlineData("/tasks.json", 400, "Each role keeps its own list")]
    [InlineData("/system/parked.csv?role=nobody", 400, "Each role keeps its own list")]
    public async Task A_file_that_would_hold_something_else_is_refused(string address, int status, string said)
    {
        await using var window = await portal.OpenAsync(script: false);
        Assert.Equal(status, await window.GoAsync(address));
        Assert.Contains(said, await window.Page.Locator("main").InnerTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_holds_what_its_reader_may_see_and_of_the_audit_log_no_addresses()
    {
        await using var customer = await portal.OpenAsync(portal.CustomerToken);
        await using var fleet = await portal.OpenAsync(portal.FleetToken);
        await using var staff = await portal.OpenAsync();

        Assert.DoesNotContain("Lisbon", await (await FetchAsync(customer, "/clusters.json")).TextAsync(), StringComparison.Ordinal);
        Assert.Equal((int)HttpStatusCode.NotFound, (await FetchAsync(customer, $"/clusters/{portal.Green.Id}/nodes.json")).Status);
        Assert.Equal((int)HttpStatusCode.Forbidden, (await FetchAsync(fleet, "/audit.json")).Status);
        Assert.Contains("\"personal\"", await portal.Host.Admin.GetStringAsync("/api/v1/audit/entries"), StringComparison.Ordinal);
        Assert.DoesNotContain("\"personal\"", await (await FetchAsync(staff, "/audit.json")).TextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_and_a_call_are_copied_and_no_name_breaks_out_of_its_quotes()
    {
        await using var window = await portal.OpenAsync();
        await window.Page.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        await window.GoAsync("/clusters?q=O'Brien%22%20%24(id)&cols=region&limit=100");
        await window.Page.Locator("#take").ClickAsync();
        await window.Page.Locator("#copy-link").ClickAsync();
        await window.Page.Locator("#copy-link[data-done]").WaitForAsync();
        var link = new Uri(await window.Page.EvaluateAsync<string>("navigator.clipboard.readText()"));
        Assert.Equal(new Uri(window.Page.Url).Authority, link.Authority);
        Assert.Equal("O'Brien\" $(id)", Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(link.Query)["q"]);

        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Copy the API call" }).ClickAsync();
        await window.Page.Locator(".command .copy[data-done]").WaitForAsync();
        var call = await window.Page.EvaluateAsync<string>("navigator.clipboard.readText()");
        Assert.EndsWith("/api/v1/fleet/clusters?q=O%27Brien%22%20$(id)&limit=100'", call, StringComparison.Ordinal);
        Window.AssertNothing(window.Violations);
    }

    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    [InlineData(320, ColorScheme.Light)]
    public async Task What_opens_keeps_the_rules_at_every_width(int width, ColorScheme theme)
    {
        await using var window = await portal.OpenAsync(width: width, theme: theme);
        foreach (var (address, name) in new[] { ("/clusters?health=red&limit=100", "clusters"), ("/clusters/enrol", "enrol"), ("/tasks", "tasks"), ($"/clusters/{portal.Red.Id}/metrics", "metrics") })
        {
            await window.GoAsync(address);
            await window.Page.Locator("#take").ClickAsync();
            Window.AssertNothing(await window.AxeAsync());
            Assert.False(await window.ScrollsSidewaysAsync(), $"{address} scrolls sideways at {width}");
            var box = (await window.Page.Locator(".take .menu-body").BoundingBoxAsync())!;
            Assert.True(box.X >= 0 && box.X + box.Width <= width, $"{address}: {box.X} to {box.X + box.Width} of {width}");
            await window.PictureAsync($"export-{name}-{width}-{theme}".ToLowerInvariant());
        }

        Window.AssertNothing(window.Violations);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_number_of_rows_is_chosen_and_kept_when_the_list_is_ordered_and_filtered(bool script)
    {
        await using var window = await portal.OpenAsync(script: script);
        await window.GoAsync("/customers?state=active&limit=1");
        await window.Page.Locator("#page-next").ClickAsync();
        await window.Page.Locator("#page-first").WaitForAsync();

        await window.Page.Locator("#rows-100").ClickAsync();
        await window.AtAsync(url => url.EndsWith("/customers?state=active&limit=100", StringComparison.Ordinal));
        Assert.Equal("100", await window.Page.Locator(".rows-choice [aria-current=true]").InnerTextAsync());
        Assert.True(await window.Page.Locator("#list tbody tr").CountAsync() > 1);
        await window.Page.Locator("#sort-region").ClickAsync();
        await window.AtAsync(url => url.EndsWith("/customers?state=active&limit=100&sort=region", StringComparison.Ordinal));
        await window.Page.Locator("#q").FillAsync("harbour");
        if (!script)
        {
            await window.Page.GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        }

        await window.AtAsync(url => url.Contains("q=harbour", StringComparison.Ordinal) && url.Contains("limit=100", StringComparison.Ordinal) && url.Contains("sort=region", StringComparison.Ordinal));
        Assert.Equal("100", await window.Page.Locator(".rows-choice [aria-current=true]").InnerTextAsync());
        Window.AssertNothing(window.Violations);
    }

    private string AddressOf(ListFile list) => list.Route.Replace("{role}", "fleet", StringComparison.Ordinal)
        .Replace("{id:guid}", list.Route.StartsWith("/tasks", StringComparison.Ordinal) ? portal.Task.ToString() : list.Route.StartsWith("/billing/statements", StringComparison.Ordinal) ? portal.Statement.ToString() : list.Route.EndsWith("usage", StringComparison.Ordinal) ? portal.Green.Id : portal.Red.Id, StringComparison.Ordinal)
        .Replace("{line:long}", "1", StringComparison.Ordinal)
        + (list.Own.Contains("role") ? "?role=fleet" : "");

    private Task<IAPIResponse> FetchAsync(Window window, string address) => window.Page.APIRequest.GetAsync(new Uri(portal.Host.Portal, address).ToString(), new APIRequestContextOptions { MaxRedirects = 0 });

    // What tells one row of a list from another, whatever the list; a report is no list and has no rows.
    private static List<string>? Ids(JsonNode answer) => answer["items"] is not JsonArray items ? null
        : [.. items.OfType<JsonObject>().Select(item => (item["id"] ?? item["number"] ?? item["name"] ?? item["line"] ?? item["sha256"])!.ToJsonString(JsonSerializerOptions.Default))];
}
