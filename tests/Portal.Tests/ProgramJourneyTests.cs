using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>A program from its account to its first call, and a right of it that takes two people, in a real browser.</summary>
public sealed class ProgramJourneyTests(PortalFixture portal) : IAsyncLifetime
{
    private ControlPlane host = null!;
    private Uri site = null!;

    public async ValueTask InitializeAsync()
    {
        site = new Uri($"https://localhost:{Ports.Free()}");
        host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000", ["Identity:KeepBootstrapToken"] = "true", ["Identity:PortalAddress"] = site.GetLeftPart(UriPartial.Authority) }, portal: site);
    }

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task A_program_is_made_gets_a_secret_a_token_that_is_rotated_and_a_right_that_somebody_else_grants()
    {
        await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        await using var ada = await AsAsync("ada@vendor.example");
        await ada.GoAsync("/programs");
        await ada.Page.GetByLabel("What is the program?").FillAsync("Billing");
        await ada.Page.GetByLabel("It calls from these networks").FillAsync("127.0.0.0/8");
        await ada.Page.GetByLabel("licensing:read", new() { Exact = true }).CheckAsync();
        await ada.LookAsync("programs-form");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Make service account" }).ClickAsync();
        await ada.Page.GetByText("A service account called “Billing” is made, with the rights licensing:read").WaitForAsync();
        await ConfirmAsync(ada);
        await ada.Page.GetByRole(AriaRole.Heading, new() { Name = "Billing", Exact = true, Level = 1 }).WaitForAsync();
        var address = new Uri(ada.Page.Url).AbsolutePath;
        var client = Guid.Parse(address.Split('/')[^1]).ToString("N");

        await ada.Page.Locator("#make-secret").ClickAsync();
        await ConfirmAsync(ada);
        var secret = await ada.Page.Locator("#secret-once").InnerTextAsync();
        await ada.LookAsync("program-secret");
        using var api = host.Client(host.Portal);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/identity/oauth/token", UriKind.Relative)) { Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["grant_type"] = "client_credentials" }) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{client}:{secret}")));
        using var answer = await api.SendAsync(request);
        using var program = host.Client(host.Portal, (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonNode>())!["access_token"]!.GetValue<string>());
        var customers = new Uri("/api/v1/licensing/customers", UriKind.Relative);
        await Eventually.TrueAsync(async () => (await program.GetAsync(customers)).IsSuccessStatusCode, "the program is known");

        // A token of its own, and another one in its place.
        await ada.GoAsync(address);
        await ada.Page.GetByLabel("What is it for?").FillAsync("Nightly export");
        await ada.Page.Locator("#make-token").ClickAsync();
        await ConfirmAsync(ada);
        var token = await ada.Page.Locator("#secret-once").InnerTextAsync();
        await ada.GoAsync("/tokens");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Rotate Nightly export" }).ClickAsync();
        await ada.Page.GetByText("Another token takes the place of “Nightly export”").WaitForAsync();
        await ConfirmAsync(ada);
        Assert.NotEqual(token, await ada.Page.Locator("#token-once").InnerTextAsync());
        await ada.LookAsync("tokens-rotated");

        // Ada asks; she grants herself nothing, Joan does.
        await ada.GoAsync(address);
        await ada.Page.GetByLabel("Right", new() { Exact = true }).SelectOptionAsync("identity:write");
        await ada.Page.GetByLabel("What for?").FillAsync("it makes accounts for new customers");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Ask" }).ClickAsync();
        await ada.Page.GetByText("Somebody else grants it within a week.").First.WaitForAsync();
        await Assertions.Expect(ada.Page.GetByRole(AriaRole.Button, new() { Name = "Grant identity:write" })).ToHaveCountAsync(0);
        await ada.LookAsync("program-asked");
        await using var joan = await AsAsync("joan@vendor.example");
        await joan.GoAsync(address);
        await joan.Page.GetByRole(AriaRole.Button, new() { Name = "Grant identity:write" }).ClickAsync();
        await joan.Page.GetByText("The service account “Billing” may identity:write from now on.").WaitForAsync();
        await ConfirmAsync(joan);
        await joan.Page.GetByText("Granted.").WaitForAsync();
        await joan.Page.GetByRole(AriaRole.Button, new() { Name = "Take identity:write" }).WaitForAsync();

        // Joan answers for it from now on.
        await joan.Page.GetByLabel("Somebody else").SelectOptionAsync(new SelectOptionValue { Label = "joan" });
        await joan.Page.GetByLabel("Why?").FillAsync("Ada has other things to do");
        await joan.LookAsync("program-owner");
        await joan.Page.Locator("#change-owner").ClickAsync();
        await joan.Page.GetByText("joan answers for the service account “Billing” from now on").WaitForAsync();
        await ConfirmAsync(joan);
        await joan.Page.GetByText("Both were told").WaitForAsync();
        await Assertions.Expect(joan.Page.Locator("main dl.facts").GetByRole(AriaRole.Link, new() { Name = "joan" })).ToHaveCountAsync(1);

        await joan.Page.GetByRole(AriaRole.Button, new() { Name = "Disable" }).ClickAsync();
        await joan.Page.GetByText("Every role refuses it within five seconds.").First.WaitForAsync();
        await Eventually.TrueAsync(async () => (int)(await program.GetAsync(customers)).StatusCode == 401, "the program is refused", TimeSpan.FromSeconds(5));
        Window.AssertNothing(ada.Violations.Concat(joan.Violations));
    }

    private static Task ConfirmAsync(Window window) => window.Page.GetByRole(AriaRole.Button, new() { Name = "Confirm with a passkey" }).ClickAsync();

    /// <summary>A window of an administrator, who signs in with the passkey that the invitation was accepted with.</summary>
    private async Task<Window> AsAsync(string email)
    {
        var somebody = await SomebodySignedIn.InviteAsync(host, email, "administrator");
        var window = await portal.OpenStrangerAsync(at: site);
        await Authenticator.AddAsync(window, somebody.Passkey);
        await window.GoAsync("/signin");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a passkey" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Today" }).WaitForAsync();
        return window;
    }
}
