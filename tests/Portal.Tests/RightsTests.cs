using System.Net;
using Microsoft.Playwright;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Who sees what: nobody, a customer, and staff with few rights.</summary>
public sealed class RightsTests(PortalFixture portal)
{
    [Fact]
    public async Task A_stranger_is_sent_to_sign_in_from_every_page_and_a_script_is_told_so()
    {
        using var stranger = portal.Host.Client(portal.Host.Portal);
        using var follows = new HttpRequestMessage(HttpMethod.Get, "/clusters");
        follows.Headers.Add("HX-Request", "true");
        follows.Headers.Add("HX-Current-URL", new Uri(portal.Host.Portal, "/clusters?health=red").ToString());
        using var answer = await stranger.SendAsync(follows);
        await using var window = await portal.OpenStrangerAsync(script: false);
        foreach (var address in portal.Addresses().Concat(["/clusters.csv", "/customers.csv", "/audit.csv", "/clusters.json", "/audit.json", $"/tasks/fleet/{portal.Task}.json"]))
        {
            await window.GoAsync(address);
            Assert.Contains("/signin", window.Page.Url, StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("/signin?returnUrl=%2Fclusters%3Fhealth%3Dred", answer.Headers.GetValues("HX-Redirect").Single());
    }

    [Fact]
    public async Task A_customer_sees_its_own_and_nothing_of_others()
    {
        await using var window = await portal.OpenAsync(portal.CustomerToken);
        foreach (var address in portal.Addresses())
        {
            var status = await window.GoAsync(address);
            // The zone of that name is everybody's.
            var text = (await window.Page.Locator("main").InnerTextAsync()).Replace("Europe/Lisbon", "", StringComparison.Ordinal);
            Assert.DoesNotContain("Lisbon", text, StringComparison.Ordinal);
            Assert.DoesNotContain("Harbour Bank", text, StringComparison.Ordinal);
            Assert.Equal(address.Contains(portal.Task.ToString(), StringComparison.Ordinal) || address.Contains(portal.Green.Id, StringComparison.Ordinal) || address.Contains(Guid.Empty.ToString(), StringComparison.Ordinal) ? 404 : 200, status);
            Assert.Equal(0, await window.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^(Suspend|Decommission|Make token|Create customer|Save|Close period|Decide adjustment|Cancel the rest|Retry .*)$") }).CountAsync());
        }

        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task Whoever_may_only_see_the_fleet_is_shown_no_way_to_the_rest_and_told_which_right_is_missing()
    {
        await using var window = await portal.OpenAsync(portal.FleetToken);
        await window.GoAsync($"/clusters/{portal.Red.Id}");
        var entries = await window.Page.Locator(".side nav a").AllInnerTextsAsync();
        await window.GoAsync("/audit");

        Assert.Equal(["Today", "Overview", "Clusters", "Versions"], entries.Select(entry => entry.Trim()));
        await window.Page.GetByText("This needs the right audit:read.").First.WaitForAsync();
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task What_a_page_does_not_offer_the_api_refuses_too()
    {
        await using var window = await portal.OpenAsync(portal.CustomerToken);
        await window.GoAsync($"/clusters/{portal.Red.Id}");
        var forgery = await window.Page.Locator("input[name=__RequestVerificationToken]").First.InputValueAsync();
        var form = window.Page.APIRequest.CreateFormData();
        form.Set("__RequestVerificationToken", forgery);
        form.Set("reason", "because I can");

        var answer = await window.Page.APIRequest.PostAsync(new Uri(portal.Host.Portal, $"/clusters/{portal.Red.Id}/suspend").ToString(), new APIRequestContextOptions { Form = form, MaxRedirects = 0 });

        Assert.Equal(403, answer.Status);
        Assert.Contains("callhome:write", await answer.TextAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fleet", "/", "What was done")]
    [InlineData("licensing", "/", "Needs attention")]
    [InlineData("audit", "/", "Needs attention")]
    [InlineData("callhome", "/clusters/{red}", "Why")]
    [InlineData("licensing", "/clusters/{red}", "Why")]
    [InlineData("fleet", "/clusters/{red}/credentials", "Keys")]
    [InlineData("fleet", "/clusters/{red}/usage", "Did every hour arrive?")]
    [InlineData("fleet", "/customers/{customer}", "Usage per day")]
    [InlineData("updates", "/system", "Roles")]
    [InlineData("callhome", "/system/parked", "Parked messages")]
    [InlineData("updates", "/tasks", "Tasks")]
    public async Task A_role_that_is_down_is_named_and_the_rest_of_the_page_stands(string role, string address, string stands)
    {
        await using var window = await portal.OpenAsync();
        await window.GoAsync("/keys");
        using var silence = portal.Api.Silence(role);

        var status = await window.GoAsync(address.Replace("{red}", portal.Red.Id, StringComparison.Ordinal).Replace("{customer}", portal.Customer.ToString(), StringComparison.Ordinal));

        Assert.Equal(200, status);
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = stands }).First.WaitForAsync();
        await window.Page.Locator("main").GetByText($"{Look.Words.Role(role)} did not answer").First.WaitForAsync();

        Window.AssertNothing((await window.AxeAsync()).Concat(window.Violations));
    }

    // Which roles a page asks it shows itself; each of them falls silent in turn. Names and counts of another role may just be left out.
    [Fact]
    public async Task Whatever_role_is_down_every_pages_frame_stands_and_a_page_names_the_role_that_owns_it()
    {
        await using var window = await portal.OpenAsync();
        var faults = new List<string>();
        var pairs = 0;
        foreach (var (entry, address) in PortalPages.All.Zip(portal.Addresses()))
        {
            var before = portal.Api.Asked.Count;
            await window.FetchAsync(address);
            var asked = portal.Api.Asked.Skip(before).Select(path => path.Split('/', '?')).Where(path => path is [_, "api", "v1", _, _, ..]).Select(path => path[3]).Where(role => role != "identity").ToHashSet();
            foreach (var role in asked)
            {
                using var silence = portal.Api.Silence(role);
                var (status, page) = await window.FetchAsync(address);
                pairs++;
                if (status is not (200 or 503) || !page.Contains("<nav", StringComparison.Ordinal) || !page.Contains("<main", StringComparison.Ordinal) || !page.Contains("<h1", StringComparison.Ordinal))
                {
                    faults.Add($"{address} without {role}: {status}, or its frame does not stand");
                }
                else if (entry.Scope == $"{role}:read" && !page.Contains($"{Look.Words.Role(role)} did not answer", StringComparison.Ordinal))
                {
                    faults.Add($"{address} does not say that {role} did not answer");
                }
            }
        }

        Window.AssertNothing(faults);
        Assert.True(pairs > PortalPages.All.Count, $"only {pairs} pairs of page and role were tried");
    }

    [Fact]
    public async Task Without_identity_nobody_is_let_in_and_nobody_is_signed_out()
    {
        await using var window = await portal.OpenAsync(portal.FleetToken);
        await window.GoAsync("/clusters");
        using (portal.Api.Silence("identity"))
        {
            await Eventually.TrueAsync(async () => await window.GoAsync("/clusters") == 503, "the remembered session is checked again");
            await window.Page.GetByText("your session is kept").First.WaitForAsync();
        }

        await Eventually.TrueAsync(async () => await window.GoAsync("/clusters") == 200, "identity answers again");
    }
}
