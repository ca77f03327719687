using System.Net.Http.Json;
using Microsoft.Playwright;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>What a person asks of a cluster, with a script and without: its inventory, a new key, a new machine.</summary>
public sealed class AskClusterTests(PortalFixture portal)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Somebody_asks_for_an_inventory_and_sees_when_it_was_asked_for_and_when_it_came(bool script)
    {
        using var agent = await RealAgent.EnrollAsync(portal.Host, portal.Customer);
        await KnownAsync(agent.Id);
        await using var window = await portal.OpenAsync(script: script);

        // Nothing was heard yet: the page that is empty offers to ask.
        await window.GoAsync($"/clusters/{agent.Id}/nodes");
        await window.Page.GetByText("No node was described yet").WaitForAsync();
        await PictureAsync(window, $"nodes-empty-{script}");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Ask for inventory" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Ask Trondheim for its inventory?" }).WaitForAsync();
        Assert.Equal(script ? 1 : 0, await window.Page.Locator("#dialog[open]").CountAsync());
        await PictureAsync(window, $"ask-inventory-{script}");
        await SayAsync(window, "nodes are missing", "Ask for inventory");
        await window.Page.GetByText("Asked the cluster for its inventory.").First.WaitForAsync();
        await window.Page.Locator("#facts").GetByText("not here yet").WaitForAsync();
        await PictureAsync(window, $"asked-inventory-{script}");
        await KeepsTheRulesAsync(window, script);
        await EntryAsync(agent.Id, "fleet.inventory-requested");

        await agent.CheckInUntilAsync(async () => (await portal.Host.Admin.GetFromJsonAsync<InventoryDocument>($"/api/v1/fleet/clusters/{agent.Id}/inventory"))!.Asked!.Answered, "it has come");
        await window.GoAsync($"/clusters/{agent.Id}");
        Assert.Matches(@"as of .*\s+asked for at .*, came at ", await window.Page.Locator("#facts").InnerTextAsync());
        await PictureAsync(window, $"came-inventory-{script}");
        Window.AssertNothing(window.Violations);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Somebody_asks_for_a_new_key_and_sees_when_it_was_issued(bool script)
    {
        using var agent = await RealAgent.EnrollAsync(portal.Host, portal.Customer);
        await agent.CheckInAsync();
        await KnownAsync(agent.Id);
        await using var window = await portal.OpenAsync(script: script);
        await window.GoAsync($"/clusters/{agent.Id}/credentials");

        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Replace key" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Ask Trondheim to replace its key?" }).WaitForAsync();
        await PictureAsync(window, $"rotate-key-{script}");
        await SayAsync(window, "a year has passed", "Replace key");
        await window.Page.GetByText("Asked the cluster to replace its key.").First.WaitForAsync();
        await window.Page.Locator("#rotation").GetByText("it has not done so yet").WaitForAsync();
        await PictureAsync(window, $"rotate-asked-{script}");
        await KeepsTheRulesAsync(window, script);
        await EntryAsync(agent.Id, "callhome.key-rotation-requested");

        await agent.CheckInAsync();
        await agent.CheckInAsync();
        await window.GoAsync($"/clusters/{agent.Id}/credentials");
        await window.Page.Locator("#rotation").GetByText("the new one was issued").WaitForAsync();
        Assert.Equal(2, await window.Page.Locator("#keys").GetByText("identity", new() { Exact = true }).CountAsync());
        await PictureAsync(window, $"rotated-{script}");
        Window.AssertNothing(window.Violations);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Somebody_gives_a_cluster_to_another_machine_by_a_token_that_is_shown_once(bool script)
    {
        using var lost = await RealAgent.EnrollAsync(portal.Host, portal.Customer);
        await lost.CheckInAsync();
        await KnownAsync(lost.Id);
        await using var window = await portal.OpenAsync(script: script);
        await window.GoAsync($"/clusters/{lost.Id}/credentials");

        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Enrol anew" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Enrol Trondheim anew?" }).WaitForAsync();
        await PictureAsync(window, $"enrol-anew-{script}");
        await SayAsync(window, "its machine burnt down", "Enrol anew");
        await window.Page.Locator("#once").WaitForAsync();
        var text = await window.Page.Locator("#once").InnerTextAsync();
        var token = System.Text.RegularExpressions.Regex.Match(text, "mce_[0-9A-Za-z]{12}_[0-9A-Za-z]+").Value;
        var anchors = System.Text.RegularExpressions.Regex.Match(text, "sha256:[0-9a-f]{64}").Value;
        Assert.Contains($"--token-file - --anchors {anchors}", await window.Page.Locator("#command").InnerTextAsync(), StringComparison.Ordinal);
        await PictureAsync(window, $"enrol-once-{script}");
        await KeepsTheRulesAsync(window, script);
        await EntryAsync(lost.Id, "callhome.readmission-token-created");

        await using (var beside = await portal.OpenAsync(script: false))
        {
            await beside.GoAsync("/clusters/enrol");
            Assert.Equal("to enrol Trondheim anew", (await beside.Page.Locator($"tr:has-text('{token[4..16]}') .c-reason").InnerTextAsync()).Trim());
        }

        using var found = new RealAgent(portal.Host);
        await found.EnrollAsync(new CreatedEnrollmentToken("", token, anchors, default));
        Assert.True((await found.CheckInAsync()).Succeeded);
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "I have kept both" }).ClickAsync();
        await window.Page.GetByText("re-enrolled").WaitForAsync();
        Assert.DoesNotContain(token, await window.Page.ContentAsync(), StringComparison.Ordinal);
        await PictureAsync(window, $"enrolled-anew-{script}");
        Window.AssertNothing(window.Violations);
    }

    // The checker is a script itself.
    private static async Task KeepsTheRulesAsync(Window window, bool script)
    {
        if (script)
        {
            Window.AssertNothing(await window.AxeAsync());
        }
    }

    private static async Task SayAsync(Window window, string reason, string button)
    {
        await window.Page.GetByLabel("Why?").FillAsync(reason);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
    }

    private static async Task PictureAsync(Window window, string name)
    {
        foreach (var width in new[] { 390, 1280 })
        {
            await window.Page.SetViewportSizeAsync(width, 900);
            await window.PictureAsync($"ask-cluster-{name}-{width}".ToLowerInvariant());
        }
    }

    private Task EntryAsync(Guid cluster, string type) => Eventually.TrueAsync(
        async () => (await portal.Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?target={cluster}&type={type}"))!.Items.Count == 1, "the entry is there");

    private Task KnownAsync(Guid cluster) => Eventually.TrueAsync(
        async () => (await portal.Host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster}", UriKind.Relative))).IsSuccessStatusCode, "fleet knows the cluster");
}
