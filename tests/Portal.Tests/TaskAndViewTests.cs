using System.Net.Http.Json;
using Microsoft.Playwright;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Tasks and saved views as people meet them, with a script and without.</summary>
public sealed class TaskAndViewTests(PortalFixture portal)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Somebody_retries_all_messages_of_a_consumer_watches_the_task_and_retries_what_failed(bool script)
    {
        await portal.ParkAsync("Retried A", "Retried B", null);
        var parked = (await portal.Host.Admin.GetFromJsonAsync<Page<ParkedMessageItem>>($"/api/v1/fleet/parked-messages?consumer={PortalFixture.Consumer}&limit=1"))!.Total!.Value;
        await using var window = await portal.OpenAsync(script: script);
        await window.GoAsync("/system/parked");

        await window.Page.GetByRole(AriaRole.Link, new() { Name = $"Retry all {parked} of {PortalFixture.Consumer}" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = $"Retry {parked} messages of {PortalFixture.Consumer}?" }).WaitForAsync();
        if (script)
        {
            Assert.True(await window.Page.Locator("#dialog").EvaluateAsync<bool>("dialog => dialog.open"));
            Window.AssertNothing(await window.AxeAsync());
        }

        await window.Page.GetByLabel("Why?").FillAsync("the cause was mended");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = $"Retry {parked}", Exact = true }).ClickAsync();
        await window.Page.GetByText($"Began to retry {parked} messages.").First.WaitForAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = $"Retry messages of {PortalFixture.Consumer}" }).WaitForAsync();
        if (!script)
        {
            await Eventually.TrueAsync(async () =>
            {
                await window.Page.ReloadAsync();
                return await window.Page.GetByText("Incomplete").CountAsync() > 0;
            }, "the task ends");
        }

        // With a script the page tells it by itself.
        await window.Page.GetByText("Incomplete").First.WaitForAsync();
        await window.Page.GetByText($"{parked} of {parked}").First.WaitForAsync();
        await window.Page.GetByText("NOT NULL constraint failed").First.WaitForAsync();
        Assert.Equal("the cause was mended", (await window.Page.Locator("dt:has-text('Why') + dd").InnerTextAsync()).Trim());
        await window.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Retry .* not done$") }).ClickAsync();
        await window.Page.GetByText("Began to try").First.WaitForAsync();
        await window.Page.GetByText("an earlier task").First.WaitForAsync();
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task A_count_that_moved_is_shown_and_nothing_is_begun()
    {
        await portal.ParkAsync((string?)null);
        await using var window = await portal.OpenAsync(script: false);
        await window.GoAsync($"/system/parked/fleet/retry?consumer={PortalFixture.Consumer}");
        var before = (await portal.Host.Admin.GetFromJsonAsync<Page<TaskSummary>>("/api/v1/fleet/tasks?limit=1"))!.Total;
        await portal.ParkAsync((string?)null);

        await window.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Retry ") }).ClickAsync();

        await window.Page.GetByText("Another number matches now").First.WaitForAsync();
        var now = (await portal.Host.Admin.GetFromJsonAsync<Page<ParkedMessageItem>>("/api/v1/fleet/parked-messages?limit=1"))!.Total;
        await window.Page.GetByRole(AriaRole.Button, new() { Name = $"Retry {now}", Exact = true }).WaitForAsync();
        Assert.Equal(before, (await portal.Host.Admin.GetFromJsonAsync<Page<TaskSummary>>("/api/v1/fleet/tasks?limit=1"))!.Total);
    }

    [Fact]
    public async Task The_drawer_opens_and_closes_by_the_keyboard_and_is_a_link_without_a_script()
    {
        await using var window = await portal.OpenAsync();
        await window.GoAsync("/customers");
        await window.Page.Locator("#tasks").FocusAsync();
        await window.Page.Keyboard.PressAsync("Enter");
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Tasks" }).WaitForAsync();
        await window.Page.Locator("#drawer").GetByText($"Retry messages of {PortalFixture.Consumer}").First.WaitForAsync();
        await window.PictureAsync("drawer-1280-light");
        Window.AssertNothing(await window.AxeAsync());
        Assert.True(await window.Page.EvaluateAsync<bool>("document.getElementById('drawer').contains(document.activeElement)"));
        await window.Page.Keyboard.PressAsync("Escape");
        Assert.Equal("tasks", await window.Page.EvaluateAsync<string>("document.activeElement.id"));
        Window.AssertNothing(window.Violations);

        await using var plain = await portal.OpenAsync(script: false);
        await plain.GoAsync("/customers");
        await plain.Page.Locator("#tasks").ClickAsync();
        await plain.AtAsync(url => url.EndsWith("/tasks", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_view_is_saved_opens_the_list_is_deleted_and_comes_back_by_undo(bool script)
    {
        var (client, token) = await portal.Host.ClientWithTokenAsync(null, "fleet:read", "licensing:read");
        var name = $"Worst first {script}";
        await using var window = await portal.OpenAsync(token.Token, script: script);
        await window.GoAsync("/clusters?health=red&sort=-name&cursor=");
        await OpenViewsAsync(window, script);
        await window.Page.GetByLabel("Name", new() { Exact = true }).Last.FillAsync(name);
        await window.Page.GetByLabel("Open Clusters with it").CheckAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Save view" }).ClickAsync();
        await window.Page.GetByText($"Saved the view {name}. Clusters opens with it.").First.WaitForAsync();
        Assert.EndsWith("/clusters?health=red&sort=-name", window.Page.Url, StringComparison.Ordinal);

        // Opened bare, the list shows the view; asked for everything, everything.
        await window.GoAsync("/clusters");
        Assert.EndsWith("/clusters?health=red&sort=-name", window.Page.Url, StringComparison.Ordinal);
        await window.Page.Locator("#chip-reset").ClickAsync();
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Lisbon" }).WaitForAsync();
        Assert.Equal(0, await window.Page.GetByText("has no filter called").CountAsync());

        await OpenViewsAsync(window, script);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = $"Delete the view {name}" }).ClickAsync();
        await window.Page.GetByText($"Deleted the view {name}.").First.WaitForAsync();
        Assert.Empty((await client.GetFromJsonAsync<Page<ViewItem>>("/api/v1/identity/views"))!.Items);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await window.Page.GetByText($"Saved the view {name}.").First.WaitForAsync();

        var view = Assert.Single((await client.GetFromJsonAsync<Page<ViewItem>>("/api/v1/identity/views?list=clusters"))!.Items);
        Assert.Equal(("health=red&sort=-name", true, false), (view.Query, view.IsDefault, view.Shared));
        Window.AssertNothing(window.Violations);
        client.Dispose();
    }

    [Fact]
    public async Task Columns_are_chosen_without_a_script_and_stay_with_the_filter()
    {
        await using var window = await portal.OpenAsync(script: false);
        await window.GoAsync("/clusters?health=red");
        await window.Page.Locator("#columns").ClickAsync();
        await window.Page.GetByLabel("Worst reason").UncheckAsync();
        await window.Page.GetByLabel("Region").CheckAsync();
        await window.Page.Locator("details.menu[open]").GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();

        Assert.Equal(["State", "Cluster", "Customer", "Version", "Nodes up", "Fullest disk", "Last contact", "Region"], (await window.Page.Locator("#list thead th").AllInnerTextsAsync()).Select(head => head.Trim()));
        await window.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Oslo");
        await window.Page.Locator("form.filter").GetByRole(AriaRole.Button, new() { Name = "Show" }).ClickAsync();
        Assert.Equal(8, await window.Page.Locator("#list thead th").CountAsync());
        Assert.Contains("health=red", window.Page.Url, StringComparison.Ordinal);
        await window.GoAsync("/clusters?cols=nonsense");
        await window.Page.GetByText("This list has no column called nonsense.").WaitForAsync();
    }

    private static async Task OpenViewsAsync(Window window, bool script)
    {
        await window.Page.Locator("#views").ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Views of Clusters" }).WaitForAsync();
        if (script)
        {
            Window.AssertNothing(await window.AxeAsync());
        }
    }
}
