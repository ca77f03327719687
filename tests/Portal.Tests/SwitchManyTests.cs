using System.Net.Http.Json;
using Microsoft.Playwright;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Somebody suspends the clusters of a filter and resumes them, with a script and without.</summary>
public sealed class SwitchManyTests(PortalFixture portal)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Somebody_suspends_the_clusters_of_a_filter_sees_the_task_and_resumes_them(bool script)
    {
        var (customer, clusters) = await EnrolAsync($"Bulk {script}", "Skien", "Skagen", "Molde");
        await using var window = await portal.OpenAsync(script: script);

        // callhome does not know of liveness: the ids that fleet finds are what is asked for.
        await window.GoAsync($"/clusters?customer={customer}&liveness=never&q=sk");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Suspend 2 clusters" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Suspend 2 clusters?" }).WaitForAsync();
        await window.Page.GetByText("within 5 s of its turn").WaitForAsync();
        await window.Page.GetByText("Resume takes it back").WaitForAsync();
        Assert.Equal(script ? 1 : 0, await window.Page.Locator("#dialog[open]").CountAsync());
        if (script)
        {
            Window.AssertNothing(await window.AxeAsync());
            await window.PictureAsync("clusters-suspend-dialog-1280-light");
            await window.Page.Keyboard.PressAsync("Escape");
            Assert.Equal("many-suspend", await window.Page.EvaluateAsync<string>("document.activeElement.id"));
            await window.Page.Keyboard.PressAsync("Enter");
        }

        await window.Page.GetByLabel("Why?").FillAsync("the contract has ended");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Suspend 2", Exact = true }).ClickAsync();
        await window.Page.GetByText("Began to suspend 2 clusters.").First.WaitForAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Suspend 2 clusters", Exact = true }).WaitForAsync();
        await EndedAsync(2);
        Assert.Equal(["suspended", "suspended", "active"], await StatesAsync(clusters));

        // By name alone callhome is asked itself.
        await Eventually.TrueAsync(async () => (await portal.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>($"/api/v1/fleet/clusters?customer={customer}&state=suspended"))!.Items.Count == 2, "fleet knows of it");
        await window.GoAsync($"/clusters?customer={customer}");
        await window.PictureAsync($"clusters-many-1280-{script}".ToLowerInvariant());
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Resume 2 clusters" }).ClickAsync();
        await window.Page.GetByText("1 is active already").WaitForAsync();
        await window.PictureAsync($"clusters-resume-dialog-1280-{script}".ToLowerInvariant());
        await window.Page.GetByLabel("Why?").FillAsync("it was renewed");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Resume 2", Exact = true }).ClickAsync();
        await window.Page.GetByText("Began to resume 2 clusters.").First.WaitForAsync();
        await Eventually.TrueAsync(async () => (await StatesAsync(clusters)).All(state => state == "active"), "all are active");
        Window.AssertNothing(window.Violations);
        clusters.ForEach(cluster => cluster.Dispose());
    }

    [Fact]
    public async Task What_moved_meanwhile_is_shown_and_what_was_typed_stays()
    {
        var (customer, clusters) = await EnrolAsync("Moved", "Horten", "Halden");
        await using var window = await portal.OpenAsync(script: false);
        await window.GoAsync($"/clusters/suspend?customer={customer}");
        (await portal.Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{clusters[0].Id}/suspend", new ReasonRequest("a test says so"))).EnsureSuccessStatusCode();

        await window.Page.GetByLabel("Why?").FillAsync("unpaid since May");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Suspend 2", Exact = true }).ClickAsync();

        await window.Page.GetByText("Another number matches now").First.WaitForAsync();
        await window.Page.GetByText("1 is suspended already").WaitForAsync();
        Assert.Equal("unpaid since May", await window.Page.GetByLabel("Why?").InputValueAsync());
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Suspend 1", Exact = true }).ClickAsync();
        await window.Page.GetByText("Began to suspend 1 cluster.").First.WaitForAsync();
        await EndedAsync(1);
        clusters.ForEach(cluster => cluster.Dispose());
    }

    [Theory]
    [InlineData("", "by a filter first")]
    [InlineData("?sort=name", "by a filter first")]
    [InlineData("?helth=red&state=active", "There is none called helth")]
    [InlineData("?q=nothing-is-called-so", "Nothing to suspend")]
    public async Task Nobody_suspends_more_than_was_chosen(string query, string words)
    {
        await using var window = await portal.OpenAsync(script: false);

        await window.GoAsync($"/clusters/suspend{query}");

        await window.Page.GetByText(words).First.WaitForAsync();
        Assert.Equal(0, await window.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Suspend") }).CountAsync());
        await window.GoAsync("/clusters");
        Assert.Equal(0, await window.Page.Locator("#many-suspend").CountAsync());
    }

    private async Task<(Guid Customer, List<TestCluster> Clusters)> EnrolAsync(string name, params string[] names)
    {
        var customer = (await portal.Host.CreateCustomerAsync(name)).Id;
        var clusters = new List<TestCluster>();
        foreach (var one in names)
        {
            clusters.Add(await TestCluster.EnrollAsync(portal.Host, customer, one));
        }

        await Eventually.TrueAsync(async () => (await portal.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>($"/api/v1/fleet/clusters?customer={customer}"))!.Items.Count == names.Length, "fleet knows the clusters");
        return (customer, clusters);
    }

    private async Task<List<string>> StatesAsync(List<TestCluster> clusters)
    {
        var states = new List<string>();
        foreach (var cluster in clusters)
        {
            states.Add((await portal.Host.Admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{cluster.Id}"))!.State);
        }

        return states;
    }

    private Task EndedAsync(int done) => Eventually.TrueAsync(
        async () => (await portal.Host.Admin.GetFromJsonAsync<Page<TaskSummary>>("/api/v1/callhome/tasks?limit=1"))!.Items[0] is { State: "completed" } task && task.Succeeded == done, "the task ends");
}
