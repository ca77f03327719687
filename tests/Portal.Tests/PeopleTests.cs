using System.Net.Http.Json;
using Microsoft.Playwright;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>From an empty installation to its people, in a real browser: the host is each test's own, since the first administrator closes the door for tokens.</summary>
public sealed class PeopleTests(PortalFixture portal) : IAsyncLifetime
{
    private readonly ManualTime time = new(TimeProvider.System.GetUtcNow());
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync(time: time, configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000", ["Identity:StepUpByCode"] = "true" });

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_first_administrator_invites_somebody_who_signs_in_and_is_stopped(bool script)
    {
        // By the link where there is a script, which takes the code out of the address; else by typing it.
        var code = (await File.ReadAllTextAsync(Path.Combine(host.Data, "admin.invitation"))).Trim();
        await using var administrator = await portal.OpenStrangerAsync(script: script, at: host.Portal);
        await administrator.GoAsync($"/invitation#{code}");
        if (script)
        {
            Assert.Equal(code, await administrator.Page.GetByLabel("Code").InputValueAsync());
            Assert.DoesNotContain(code, administrator.Page.Url, StringComparison.Ordinal);
        }

        await administrator.Page.GetByLabel("Code").FillAsync(code.ToLowerInvariant());
        await administrator.Page.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
        await administrator.Page.GetByLabel("Mail address").WaitForAsync();
        await administrator.LookAsync("invitation-first", script);
        await administrator.Page.GetByLabel("Name").FillAsync("Ada Lovelace");
        await administrator.Page.GetByLabel("Mail address").FillAsync("ada@vendor.example");
        var ada = await BecomeAsync(administrator, "ada@vendor.example", script);
        await administrator.Page.GetByRole(AriaRole.Heading, new() { Name = "Today" }).WaitForAsync();

        // Who is invited is shown once, and no token opens a page any more.
        await administrator.GoAsync("/people");
        await administrator.Page.GetByLabel("Mail address").FillAsync("grace@vendor.example");
        await administrator.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Grace Hopper");
        await administrator.Page.GetByLabel("Role").SelectOptionAsync("support-engineer");
        await administrator.Page.GetByRole(AriaRole.Button, new() { Name = "Invite" }).ClickAsync();
        await ConfirmAsync(administrator, ada, "grace@vendor.example is invited to be Support engineer with the vendor.", script);
        await administrator.LookAsync("people-invited", script);
        var invitation = await administrator.Page.Locator("#invitation-code").InnerTextAsync();
        await using var other = await portal.OpenStrangerAsync(script: script, at: host.Portal);
        await other.GoAsync("/signin");
        Assert.Equal(0, await other.Page.GetByLabel("API token").CountAsync());
        await other.LookAsync("signin-people", script);
        await other.Page.GetByRole(AriaRole.Link, new() { Name = "I have an invitation" }).ClickAsync();
        await other.Page.GetByLabel("Code").FillAsync(invitation);
        await other.Page.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
        var grace = await BecomeAsync(other, "grace@vendor.example", script);

        // She signs out, and in again with the next code.
        await other.Page.Locator("summary[title=You]").ClickAsync();
        await other.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        time.Advance(TimeSpan.FromMinutes(1));
        await SignInAsync(other, grace, "000000");
        await other.Page.GetByRole(AriaRole.Alert).WaitForAsync();
        await other.LookAsync("signin-refused", script);
        await SignInAsync(other, grace, grace.Code());
        await other.Page.GetByRole(AriaRole.Heading, new() { Name = "Today" }).WaitForAsync();

        // Her role is changed, and then she is stopped: her window is outside at once.
        await administrator.GoAsync("/people");
        await administrator.Page.GetByRole(AriaRole.Link, new() { Name = "Grace Hopper" }).ClickAsync();
        await administrator.Page.GetByLabel("Billing").CheckAsync();
        await administrator.Page.GetByRole(AriaRole.Button, new() { Name = "Change roles" }).ClickAsync();
        await ConfirmAsync(administrator, ada, "From now on Grace Hopper (grace@vendor.example) holds Support engineer, Billing.", script);
        await administrator.Page.GetByText("Changed the roles.").WaitForAsync();
        await administrator.LookAsync("person-changed", script);
        await administrator.Page.GetByRole(AriaRole.Button, new() { Name = "Disable" }).ClickAsync();
        await administrator.Page.GetByText("Nobody signs in with this account any more.").WaitForAsync();
        await IsOutsideAsync(other);
        Window.AssertNothing(administrator.Violations.Concat(other.Violations));
    }

    [Fact]
    public async Task Whoever_gets_another_role_reads_on_where_the_token_of_before_is_refused()
    {
        var grace = await SomebodySignedIn.InviteAsync(host, "grace@vendor.example", "viewer");
        var id = (await host.Admin.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people"))!.Items.Single(person => person.Email == grace.Email).Id;
        await using var window = await portal.OpenStrangerAsync(script: false, at: host.Portal);
        await SignInAsync(window, grace, grace.RecoveryCodes[0]);
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Today" }).WaitForAsync();
        for (var i = 0; i < 3; i++)
        {
            // What is looked at while roles are told of it, one after the other.
            using var changed = await host.Admin.PutAsJsonAsync($"/api/v1/identity/people/{id}/roles", new ChangeRolesRequest([i % 2 == 0 ? "support-engineer" : "viewer"], "she helps out"));
            changed.EnsureSuccessStatusCode();
            for (var until = time.GetTimestamp(); time.GetElapsedTime(until) < TimeSpan.FromSeconds(3);)
            {
                var (status, text) = await window.FetchAsync("/clusters");
                Assert.True(status == 200 && !text.Contains("token is needed", StringComparison.Ordinal), text);
            }
        }
    }

    [Fact]
    public async Task Somebody_changes_password_and_authenticator_makes_new_codes_and_signs_others_out()
    {
        var grace = await SomebodySignedIn.InviteAsync(host, "grace@vendor.example", "viewer");
        await using var window = await portal.OpenStrangerAsync(script: true, at: host.Portal);
        time.Advance(TimeSpan.FromMinutes(1));
        await using var elsewhere = await portal.OpenStrangerAsync(script: false, at: host.Portal);
        await SignInAsync(elsewhere, grace, grace.RecoveryCodes[0]);
        await SignInAsync(window, grace, grace.Code());
        await window.GoAsync("/me");
        await window.LookAsync("me");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign all others out" }).ClickAsync();
        await window.Page.GetByText("All other browsers are signed out.", new() { Exact = true }).WaitForAsync();
        await IsOutsideAsync(elsewhere);

        time.Advance(TimeSpan.FromMinutes(1));
        await window.Page.Locator("#codes-code").FillAsync(grace.Code());
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Make new recovery codes" }).ClickAsync();
        var codes = await window.Page.Locator("#recovery-codes code").AllInnerTextsAsync();
        Assert.Equal(10, codes.Except(grace.RecoveryCodes).Count());
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "I have kept them" }).ClickAsync();

        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Set up another authenticator" }).ClickAsync();
        await window.Page.Locator("#totp-key").WaitForAsync();
        await window.LookAsync("me-authenticator");
        var other = new SomebodySignedIn(host, grace.Email) { Secret = await window.Page.Locator("#totp-key").InnerTextAsync() };
        await window.Page.GetByLabel("Code of the new one").FillAsync(other.Code());
        await window.Page.GetByLabel("Code of the old one, or a recovery code").FillAsync(codes[0]);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Put it in place of the old one" }).ClickAsync();
        await window.Page.GetByText("The new authenticator is in place.").WaitForAsync();

        time.Advance(TimeSpan.FromMinutes(1));
        await window.Page.GetByLabel("Password until now").FillAsync("not the password at all");
        await window.Page.GetByLabel("New password").FillAsync("quite another long password");
        await window.Page.Locator("#password-code").FillAsync(other.Code());
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Change password" }).ClickAsync();
        await window.Page.GetByText("This is not your password until now.").First.WaitForAsync();
        await window.Page.GetByLabel("Password until now").FillAsync(SomebodySignedIn.Password);
        await window.Page.GetByLabel("New password").FillAsync("quite another long password");
        await window.Page.Locator("#password-code").FillAsync(other.Code());
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Change password" }).ClickAsync();
        await window.Page.GetByText("Changed the password.").WaitForAsync();
        Window.AssertNothing(window.Violations);
    }

    /// <summary>Chooses password and authenticator, and keeps the recovery codes.</summary>
    private async Task<SomebodySignedIn> BecomeAsync(Window window, string email, bool script)
    {
        await UnfoldAsync(window);
        var somebody = new SomebodySignedIn(host, email) { Secret = await window.Page.Locator("#totp-key").InnerTextAsync() };
        await window.Page.GetByLabel("Password").FillAsync(SomebodySignedIn.Password);
        await window.Page.GetByLabel("Code that it shows now").FillAsync("000000");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Make the account and sign in" }).ClickAsync();
        await window.Page.GetByText("This is not what the authenticator shows now.").First.WaitForAsync();
        await window.LookAsync("invitation-refused", script);
        await window.Page.GetByLabel("Password").FillAsync(SomebodySignedIn.Password);
        await window.Page.GetByLabel("Code that it shows now").FillAsync(somebody.Code());
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Make the account and sign in" }).ClickAsync();
        Assert.Equal(10, await window.Page.Locator("#recovery-codes code").CountAsync());
        await window.LookAsync("invitation-codes", script);
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "I have kept them" }).ClickAsync();
        return somebody;
    }

    /// <summary>What is folded away where a passkey comes first.</summary>
    private static async Task UnfoldAsync(Window window)
    {
        if (await window.Page.Locator(".signin-other:not([open])").CountAsync() > 0)
        {
            await window.Page.Locator(".signin-other:not([open]) summary").ClickAsync();
        }
    }

    /// <summary>Confirms by a code, where the configuration takes one.</summary>
    private async Task ConfirmAsync(Window window, SomebodySignedIn somebody, string what, bool script)
    {
        await window.Page.GetByText(what).WaitForAsync();
        await window.LookAsync("confirm-by-code", script);
        time.Advance(TimeSpan.FromMinutes(1));
        await window.Page.GetByLabel("Code that your authenticator shows").FillAsync(somebody.Code());
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Confirm with the code" }).ClickAsync();
    }

    private static async Task SignInAsync(Window window, SomebodySignedIn somebody, string code)
    {
        if (!window.Page.Url.Contains("/signin", StringComparison.Ordinal))
        {
            await window.GoAsync("/signin");
        }

        await UnfoldAsync(window);

        await window.Page.GetByLabel("Mail address").FillAsync(somebody.Email);
        await window.Page.GetByLabel("Password", new() { Exact = true }).FillAsync(SomebodySignedIn.Password);
        await window.Page.GetByLabel("Code", new() { Exact = true }).FillAsync(code);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).Last.ClickAsync();
    }

    // Without drawing it: a page with a script leaves by itself, and would cross what is opened here.
    private static Task IsOutsideAsync(Window window) =>
        Eventually.TrueAsync(async () => (await window.FetchAsync("/clusters")).Text.Contains("Sign in to Mission Control", StringComparison.Ordinal), "the browser is signed out", TimeSpan.FromSeconds(5));
}
