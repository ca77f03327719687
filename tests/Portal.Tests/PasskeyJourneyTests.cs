using System.Net.Http.Json;
using Microsoft.Playwright;
using MissionControl.Client;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Passkeys in a real browser with an authenticator of its own: nothing is typed but names.</summary>
public sealed class PasskeyJourneyTests(PortalFixture portal) : IAsyncLifetime
{
    private readonly ManualTime time = new(TimeProvider.System.GetUtcNow());
    private ControlPlane host = null!;
    private Uri site = null!;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync(time: time, configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000" });

        // Passkeys belong to a name; an address has none.
        site = new UriBuilder(host.Portal) { Host = "localhost" }.Uri;
    }

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task From_the_first_administrator_to_a_lost_device_and_back()
    {
        var code = (await File.ReadAllTextAsync(Path.Combine(host.Data, "admin.invitation"))).Trim();
        await using var ada = await portal.OpenStrangerAsync(at: site);
        var adasKey = await Authenticator.AddAsync(ada);
        await ada.GoAsync($"/invitation#{code}");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
        await ada.Page.GetByLabel("Mail address").WaitForAsync();
        await ada.LookAsync("invitation-passkey");

        // Who she is comes first: the passkey is to be called by it.
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Set up a passkey" }).ClickAsync();
        Assert.Equal("name", await ada.Page.EvaluateAsync<string>("document.activeElement.id"));
        await ada.Page.GetByLabel("Name").FillAsync("Ada Lovelace");
        await ada.Page.GetByLabel("Mail address").FillAsync("ada@vendor.example");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Set up a passkey" }).ClickAsync();
        await TodayAsync(ada);

        // She invites somebody, and confirms it; a finger that is not hers confirms nothing.
        await ada.GoAsync("/people");
        await ada.Page.GetByLabel("Mail address").FillAsync("grace@vendor.example");
        await ada.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Grace Hopper");
        await ada.Page.GetByLabel("Role").SelectOptionAsync("support-engineer");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Invite" }).ClickAsync();
        await ada.Page.GetByText("grace@vendor.example is invited to be Support engineer with the vendor.").WaitForAsync();
        await ada.LookAsync("confirm-passkey");
        await adasKey.VerifiedAsync(false);
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Confirm with a passkey" }).ClickAsync();
        await ada.Page.GetByText("Nothing was confirmed").WaitForAsync();
        await ada.LookAsync("confirm-refused");
        await adasKey.VerifiedAsync(true);
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Confirm with a passkey" }).ClickAsync();
        var invitation = await ada.Page.Locator("#invitation-code").InnerTextAsync();

        // Grace becomes a person, signs out, and in again by keyboard alone.
        await using var grace = await portal.OpenStrangerAsync(at: site);
        var gracesKey = await Authenticator.AddAsync(grace);
        await AcceptAsync(grace, invitation);
        await grace.Page.Locator("summary[title=You]").ClickAsync();
        await grace.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await grace.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a passkey" }).WaitForAsync();
        await grace.LookAsync("signin-passkey");
        await grace.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a passkey" }).FocusAsync();
        await grace.Page.Keyboard.PressAsync("Enter");
        await TodayAsync(grace);

        // A second passkey, added by the first; the same device is not taken twice.
        await grace.GoAsync("/me");
        await grace.Page.GetByLabel("What to call it").FillAsync("Red key");
        await grace.Page.GetByRole(AriaRole.Button, new() { Name = "Add a passkey" }).ClickAsync();
        await grace.Page.GetByRole(AriaRole.Button, new() { Name = "Confirm with a passkey" }).ClickAsync();
        await grace.Page.GetByRole(AriaRole.Button, new() { Name = "Create the passkey" }).WaitForAsync();
        await grace.LookAsync("me-new-passkey");
        await grace.Page.GetByRole(AriaRole.Button, new() { Name = "Create the passkey" }).ClickAsync();
        await grace.Page.GetByText("This device holds a passkey of yours already.").WaitForAsync();
        await gracesKey.RemoveAsync();
        var second = await Authenticator.AddAsync(grace);
        await grace.Page.GetByRole(AriaRole.Button, new() { Name = "Create the passkey" }).ClickAsync();
        await grace.Page.GetByText("Added the passkey “Red key”.").WaitForAsync();
        await grace.LookAsync("me-passkeys");

        // The new one confirms nothing yet, and says so.
        await grace.Page.GetByRole(AriaRole.Button, new() { Name = "Remove Red key" }).ClickAsync();
        await grace.Page.GetByText("Remove a passkey from your account.").WaitForAsync();
        await grace.Page.GetByRole(AriaRole.Button, new() { Name = "Confirm with a passkey" }).ClickAsync();
        await grace.Page.GetByText("Nothing was confirmed").WaitForAsync();

        // She loses everything: Ada gives her a way back, and what she had is worth nothing.
        await second.RemoveAsync();
        await ada.GoAsync("/people");
        await ada.Page.GetByRole(AriaRole.Link, new() { Name = "Grace Hopper" }).ClickAsync();
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Give a way back" }).ClickAsync();
        await ada.Page.GetByText("whoever holds its code becomes that person").WaitForAsync();
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Confirm with a passkey" }).ClickAsync();
        var back = await ada.Page.Locator("#invitation-code").InnerTextAsync();
        await using var returned = await portal.OpenStrangerAsync(at: site);
        await Authenticator.AddAsync(returned);
        await AcceptAsync(returned, back);
        await returned.GoAsync("/me");
        Assert.Equal(1, await returned.Page.GetByText("from", new() { Exact = false }).Locator("xpath=ancestor::td").CountAsync());
        await returned.LookAsync("me-after-recovery");

        // A token of Ada's own, for one program; revoked, it opens nothing.
        await ada.GoAsync("/tokens");
        await ada.Page.GetByLabel("What is it for?").FillAsync("Billing export");
        await ada.Page.GetByLabel("From these networks only").FillAsync("127.0.0.0/8");
        await ada.Page.GetByLabel("licensing:read").CheckAsync();
        await ada.LookAsync("tokens-form");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Make token" }).ClickAsync();
        await ada.Page.GetByText("A token called “Billing export” is made for 30 days, with the rights licensing:read, good from").WaitForAsync();
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Confirm with a passkey" }).ClickAsync();
        var token = await ada.Page.Locator("#token-once").InnerTextAsync();
        await ada.LookAsync("tokens-made");
        using var program = host.Client(host.Portal, token);
        var customers = new Uri("/api/v1/licensing/customers", UriKind.Relative);
        await Eventually.TrueAsync(async () => (await program.GetAsync(customers)).IsSuccessStatusCode, "the token is known");
        await ada.GoAsync("/tokens");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Revoke Billing export" }).ClickAsync();
        await ada.Page.GetByText("Every role refuses it within five seconds.").WaitForAsync();
        await Eventually.TrueAsync(async () => (int)(await program.GetAsync(customers)).StatusCode == 401, "the token is refused", TimeSpan.FromSeconds(5));

        // All of it without a password anywhere.
        using var api = await AdministratorAsync();
        Window.AssertNothing(ada.Violations.Concat(grace.Violations).Concat(returned.Violations));
    }

    [Fact]
    public async Task Whoever_has_an_authenticator_only_adds_the_first_passkey_by_its_code()
    {
        var code = (await SomebodySignedIn.InvitedAsync(host.Admin, "joan@vendor.example", "viewer")).Code!;
        await using var window = await portal.OpenStrangerAsync(at: site);
        await window.GoAsync($"/invitation#{code}");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
        await window.Page.GetByText("Without a passkey").ClickAsync();
        var joan = new SomebodySignedIn(host, "joan@vendor.example") { Secret = await window.Page.Locator("#totp-key").InnerTextAsync() };
        await window.Page.GetByLabel("Password").FillAsync(SomebodySignedIn.Password);
        await window.Page.GetByLabel("Code that it shows now").FillAsync(joan.Code());
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Make the account and sign in" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "I have kept them" }).ClickAsync();

        await window.GoAsync("/me");
        await Authenticator.AddAsync(window);
        await window.Page.GetByLabel("What to call it").FillAsync("Laptop");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Add a passkey" }).ClickAsync();
        await window.Page.GetByText("Add a passkey called “Laptop” to your account.").WaitForAsync();
        await Assertions.Expect(window.Page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
        await window.LookAsync("confirm-first-passkey");
        time.Advance(TimeSpan.FromMinutes(1));
        await window.Page.GetByLabel("Code that your authenticator shows").FillAsync(joan.Code());
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Confirm with the code" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Create the passkey" }).ClickAsync();
        await window.Page.GetByText("Added the passkey “Laptop”.").WaitForAsync();
        await window.LookAsync("me-with-both");
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task A_program_without_a_browser_is_signed_in_by_its_code_and_asks_for_a_confirmation_on_a_page()
    {
        await using var ada = await portal.OpenStrangerAsync(at: site);
        await Authenticator.AddAsync(ada);
        await AcceptAsync(ada, (await SomebodySignedIn.InvitedAsync(host.Admin, "ada@vendor.example", "administrator")).Code!);
        using var anonymous = host.Client(host.Portal);
        var program = new MissionControlClient(anonymous);
        var waiting = await program.BeginDeviceSignInAsync(new("mc on build-7"), default);

        // From her account to the code; one that no program shows finds none.
        await ada.GoAsync("/me");
        await ada.Page.GetByRole(AriaRole.Link, new() { Name = "Sign a program in" }).ClickAsync();
        await ada.Page.GetByLabel("Code that the program shows").FillAsync("BBBB-BBBB");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
        await ada.Page.GetByRole(AriaRole.Alert).WaitForAsync();
        await ada.LookAsync("device-unknown");
        await ada.Page.GetByLabel("Code that the program shows").FillAsync(waiting.UserCode.ToLowerInvariant());
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
        await ada.Page.GetByRole(AriaRole.Heading, new() { Name = "mc on build-7" }).WaitForAsync();
        await ada.LookAsync("device-found");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Sign it in as me" }).ClickAsync();
        await ada.Page.GetByText("is signed in as you, ada@vendor.example, and can do what you can.").WaitForAsync();
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Confirm with a passkey" }).ClickAsync();
        await ada.Page.GetByText("The program is signed in as you, and goes on by itself.").WaitForAsync();
        var session = (await program.FinishDeviceSignInAsync(waiting.DeviceCode, default)).Session!;
        await ada.GoAsync("/me");
        await ada.Page.GetByRole(AriaRole.Rowheader, new() { Name = "mc on build-7" }).WaitForAsync();
        await ada.LookAsync("me-with-program");

        // The program wants a passkey added; what she reads is the role's word, and a refusal and a confirmation are told to the program.
        using var api = host.Client(host.Portal, (await program.TradeSessionAsync(session, true, default)).AccessToken);
        await ada.GoAsync($"/confirm/{(await SomebodySignedIn.AskedInPortalAsync(api)).Id}");
        await ada.LookAsync("confirm-of-program");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Refuse it" }).ClickAsync();
        await ada.Page.GetByRole(AriaRole.Heading, new() { Name = "You refused this; nothing was done" }).WaitForAsync();
        var asked = await SomebodySignedIn.AskedInPortalAsync(api);
        await ada.GoAsync($"/confirm/{asked.Id}");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Go on and confirm it" }).ClickAsync();
        await ada.Page.GetByText("Add a passkey called “of a program” to your account.").WaitForAsync();
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Confirm with a passkey" }).ClickAsync();
        await ada.Page.GetByRole(AriaRole.Heading, new() { Name = "You confirmed this; the program goes on by itself" }).WaitForAsync();
        await ada.LookAsync("confirm-given");
        using var proof = await api.PostAsync(new Uri($"/api/v1/identity/me/confirmations/{asked.Id}/proof", UriKind.Relative), null);
        Assert.True(proof.IsSuccessStatusCode);

        // Signed out on her page, the program is out.
        await ada.GoAsync("/me");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out mc on build-7" }).ClickAsync();
        await ada.Page.GetByText("is signed out.").WaitForAsync();
        await Eventually.TrueAsync(async () => (int)(await api.GetAsync(new Uri("/api/v1/identity/me", UriKind.Relative))).StatusCode == 401, "the program is signed out", TimeSpan.FromSeconds(5));
        Window.AssertNothing(ada.Violations);
    }

    private async Task<HttpClient> AdministratorAsync()
    {
        var root = await SomebodySignedIn.AcceptAsync(host, await RootCodeAsync(), "root@vendor.example", "Root");
        var api = await root.ApiAsync();
        var people = (await api.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people"))!.Items;
        Assert.Equal([["passkey"], ["passkey"]], people.Where(person => person.Name != "Root").Select(person => person.Factors));
        return api;
    }

    private async Task<string> RootCodeAsync()
    {
        var said = await HostCommand.RunAsync(0, "admin", "create", "--data", host.Data, "--email", "root@vendor.example", "--name", "Root");
        return System.Text.RegularExpressions.Regex.Match(said, "[A-Z2-7]{4}(-[A-Z2-7]{4}){4}").Value;
    }

    private static async Task AcceptAsync(Window window, string code)
    {
        await window.GoAsync($"/invitation#{code}");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Set up a passkey" }).ClickAsync();
        await TodayAsync(window);
    }

    private static Task TodayAsync(Window window) => window.Page.GetByRole(AriaRole.Heading, new() { Name = "Today" }).WaitForAsync();
}
