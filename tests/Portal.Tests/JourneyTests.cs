using System.Net.Http.Json;
using Microsoft.Playwright;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>What people come for, step by step, with a script and without.</summary>
public sealed class JourneyTests(PortalFixture portal)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Somebody_suspends_a_cluster_says_why_and_resumes_it(bool script)
    {
        using var cluster = await TestCluster.EnrollAsync(portal.Host, portal.Customer, script ? "Bergen" : "Tromso");
        await Eventually.TrueAsync(async () => (await portal.Host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}", UriKind.Relative))).IsSuccessStatusCode, "fleet knows the cluster");
        await using var window = await portal.OpenAsync(script: script);
        await window.GoAsync($"/clusters/{cluster.Id}");
        var reason = $"moved to another hall {script}";

        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Suspend" }).ClickAsync();
        await window.Page.GetByText("Mission Control stops listening to it within 5 s").First.WaitForAsync();
        if (script)
        {
            Assert.True(await window.Page.Locator("#dialog").EvaluateAsync<bool>("dialog => dialog.open"));
            Window.AssertNothing(await window.AxeAsync());
            await window.Page.Keyboard.PressAsync("Escape");
            Assert.Equal("do-suspend", await window.Page.EvaluateAsync<string>("document.activeElement.id"));
            await window.Page.Keyboard.PressAsync("Enter");
        }

        await window.Page.GetByLabel("Why?").FillAsync(reason);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Suspend" }).ClickAsync();
        await window.Page.GetByText("Suspended the cluster.").First.WaitForAsync();
        var entry = window.Page.GetByRole(AriaRole.Link, new() { Name = "Audit entry" });
        await Eventually.TrueAsync(async () => (await portal.Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?target={cluster.Id}&type=callhome.cluster-suspended"))!.Items.Count == 1, "the entry is there");
        await entry.ClickAsync();
        await window.Page.GetByText(reason).First.WaitForAsync();
        await Eventually.TrueAsync(async () =>
        {
            await window.GoAsync($"/clusters/{cluster.Id}");
            return await window.Page.GetByRole(AriaRole.Link, new() { Name = "Resume" }).CountAsync() == 1;
        }, "the page shows it suspended");

        // The word of what was done is said once.
        Assert.Equal(0, await window.Page.GetByText("Suspended the cluster.").CountAsync());
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task From_what_is_broken_in_the_fleet_to_the_cluster_its_rule_and_its_node()
    {
        await using var window = await portal.OpenAsync();
        await window.GoAsync("/fleet");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Disk filling" }).ClickAsync();
        await window.AtAsync(url => url.EndsWith("/clusters?rule=disk-free", StringComparison.Ordinal));
        Assert.Equal(["Oslo"], await window.Page.Locator("tbody .c-name a").AllInnerTextsAsync());
        Assert.Equal("disk-free", await window.Page.GetByLabel("Breaks the rule").InputValueAsync());

        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Oslo" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Health", Exact = true }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Img, new() { Name = "Disk filling over the last 14 days: " }).WaitForAsync();
        await window.Page.GetByText("Every turn").ClickAsync();
        await window.Page.GetByRole(AriaRole.Cell, new() { Name = "disk-free:n1/data" }).WaitForAsync();

        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Nodes", Exact = true }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "n1" }).GetByRole(AriaRole.Link).ClickAsync();
        await window.Page.GetByRole(AriaRole.Region, new() { Name = "Fullest disk" }).WaitForAsync();
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task A_token_is_made_shown_once_and_revoked()
    {
        await using var window = await portal.OpenAsync();
        await window.GoAsync("/clusters/enrol");
        await window.Page.GetByLabel("Customer").SelectOptionAsync(new SelectOptionValue { Label = "Northwind Retail" });
        await window.Page.GetByLabel("From these networks only").FillAsync("somewhere");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Make token" }).ClickAsync();
        await window.Page.GetByText("'somewhere' is not a CIDR network").First.WaitForAsync();
        Assert.Equal("somewhere", await window.Page.GetByLabel("From these networks only").InputValueAsync());
        Window.AssertNothing(await window.AxeAsync());

        await window.Page.GetByLabel("From these networks only").FillAsync("192.0.2.0/24");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Make token" }).ClickAsync();
        var secret = await window.Page.Locator("#once code").First.InnerTextAsync();
        await window.PictureAsync("enrol-once-1280-light");
        Window.AssertNothing(await window.AxeAsync());
        Assert.Matches("^mce_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$", secret);
        Assert.Contains($"--server {portal.Host.CallHome.Scheme}://localhost:{portal.Host.CallHome.Port} --token-file - --anchors sha256:", await window.Page.Locator("#command").InnerTextAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain(secret, window.Page.Url, StringComparison.Ordinal);
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "I have kept both" }).ClickAsync();
        Assert.DoesNotContain(secret, await window.Page.ContentAsync(), StringComparison.Ordinal);
        var id = secret[4..16];
        await window.Page.GetByRole(AriaRole.Button, new() { Name = $"Revoke token {id}" }).ClickAsync();
        await window.Page.GetByText($"Revoked enrolment token {id}.").First.WaitForAsync();

        var token = (await portal.Host.Admin.GetFromJsonAsync<Page<EnrollmentTokenItem>>("/api/v1/callhome/enrollment-tokens"))!.Items.Single(item => item.Id == id);
        Assert.Equal("revoked", token.State);
        Assert.Equal(["192.0.2.0/24"], token.Networks);
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task A_customer_is_created_changed_and_a_change_by_somebody_else_is_not_overwritten_unseen()
    {
        await using var window = await portal.OpenAsync(script: false);
        await window.GoAsync("/customers/new");
        await window.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Fjord Energy");
        await window.Page.GetByLabel("Region").FillAsync("no");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Create customer" }).ClickAsync();
        await window.Page.GetByText("Created Fjord Energy.").First.WaitForAsync();
        var address = new Uri(window.Page.Url).AbsolutePath;
        using var theirs = new HttpRequestMessage(HttpMethod.Patch, $"/api/v1/licensing{address}") { Content = JsonContent.Create(new { region = "se" }) };
        theirs.Headers.TryAddWithoutValidation("If-Match", "\"1\"");
        (await portal.Host.Admin.SendAsync(theirs)).EnsureSuccessStatusCode();

        await window.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Fjord Power");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await window.Page.GetByText("Somebody else changed it meanwhile").First.WaitForAsync();
        Assert.Equal("Fjord Power", await window.Page.GetByLabel("Name", new() { Exact = true }).InputValueAsync());
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await window.Page.GetByText("Changed Fjord Power.").First.WaitForAsync();

        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task A_list_is_filtered_while_typing_keeps_the_focus_and_comes_back_with_the_back_button()
    {
        await using var window = await portal.OpenAsync();
        await window.GoAsync("/clusters");
        var name = window.Page.GetByLabel("Name", new() { Exact = true });
        await name.PressSequentiallyAsync("osl");
        await window.AtAsync(url => url.Contains("q=osl", StringComparison.Ordinal));
        await window.Page.GetByText("1 cluster match").First.WaitForAsync();
        Assert.Equal("q", await window.Page.EvaluateAsync<string>("document.activeElement.id"));
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Oslo" }).ClickAsync();
        await window.Page.GetByText("Disk /data of n1 has 5 % free.").First.WaitForAsync();
        await window.Page.GoBackAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Clusters" }).First.WaitForAsync();

        Assert.Equal(1, await window.Page.Locator("#list tbody tr").CountAsync());
        Assert.Equal("osl", await window.Page.GetByLabel("Name", new() { Exact = true }).InputValueAsync());
        Assert.Equal(1, await window.Page.Locator("nav[aria-label=Main]").CountAsync());
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task The_file_of_a_list_holds_every_row_of_its_filter_and_no_formula()
    {
        var customer = (await portal.Host.CreateCustomerAsync("Formula")).Id;
        using var cluster = await TestCluster.EnrollAsync(portal.Host, customer, "=1+1");
        await Eventually.TrueAsync(async () => (await portal.Host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}", UriKind.Relative))).IsSuccessStatusCode, "fleet knows the cluster");
        await using var window = await portal.OpenAsync();
        var answer = await window.Page.APIRequest.GetAsync(new Uri(portal.Host.Portal, $"/clusters.csv?customer={customer}").ToString());
        var rows = (await answer.TextAsync()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var total = (await portal.Host.Admin.GetFromJsonAsync<Page<Contracts.Api.Fleet.ClusterSummary>>($"/api/v1/fleet/clusters?customer={customer}&count=exact&limit=1"))!.Total;

        Assert.StartsWith("text/csv", answer.Headers["content-type"], StringComparison.Ordinal);
        Assert.Equal(total, rows.Length - 1);
        Assert.Contains(rows, row => row.Contains("'=1+1", StringComparison.Ordinal));
        Assert.All(rows[1..], row => Assert.Contains(customer.ToString(), row, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_a_site_that_hands_in_bundles_it_is_said_when_the_next_is_due()
    {
        using var cluster = await TestCluster.EnrollAsync(portal.Host, (await portal.Host.CreateCustomerAsync("Island")).Id, "Svalbard");
        await cluster.HandInAsync(cluster.Part(cluster.Request(cluster.Health(1))));
        await using var window = await portal.OpenAsync();
        await Eventually.TrueAsync(async () =>
        {
            await window.GoAsync($"/clusters/{cluster.Id}");
            return await window.Page.GetByText("by bundle, expected every 7 days").CountAsync() == 1;
        }, "the page says so");
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task An_id_leads_to_its_cluster_and_a_pasted_secret_is_neither_sent_nor_shown()
    {
        await using var window = await portal.OpenAsync();
        var asked = new List<string>();
        window.Page.Request += (_, request) => asked.Add(request.Url);
        await window.GoAsync("/");
        await window.Page.Keyboard.PressAsync("/");
        await window.Page.Keyboard.TypeAsync(portal.Red.Id);
        await window.Page.Keyboard.PressAsync("Enter");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Oslo" }).WaitForAsync();
        await window.Page.GetByRole(AriaRole.Searchbox, new() { Name = "Search by name or id" }).FillAsync(portal.Host.AdminToken);
        await window.Page.Keyboard.PressAsync("Enter");
        await window.Page.GetByText("That was a secret and was not sent.").First.WaitForAsync();

        Assert.DoesNotContain(asked, url => url.Contains(portal.Host.AdminToken[17..40], StringComparison.Ordinal));
        Assert.DoesNotContain(portal.Host.AdminToken, await window.Page.ContentAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chart_is_read_out_under_the_arrow_keys()
    {
        await using var window = await portal.OpenAsync();
        await window.GoAsync($"/clusters/{portal.Green.Id}/usage?days=2");
        await window.Page.Locator(".plot").First.FocusAsync();
        await window.Page.Keyboard.PressAsync("End");
        await window.Page.Keyboard.PressAsync("ArrowLeft");

        Assert.Contains("3600", await window.Page.Locator("figure output").First.InnerTextAsync(), StringComparison.Ordinal);
        Window.AssertNothing(window.Violations);
    }
}
