using Microsoft.Playwright;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Where staff works from its own networks only, in a real browser: what somebody elsewhere sees, goes on from, and whom it does not concern.</summary>
public sealed class NetworkJourneyTests(PortalFixture portal) : IDisposable
{
    private const string Inside = "192.0.2.7";
    private const string Outside = "203.0.113.9";
    private readonly string data = Directory.CreateTempSubdirectory("mc-networks-").FullName;
    private readonly Uri site = new($"https://localhost:{Ports.Free()}");

    public void Dispose() => Directory.Delete(data, recursive: true);

    [Fact]
    public async Task Staff_elsewhere_is_told_so_and_goes_on_from_its_own_network_and_a_customers_user_is_let_in_anywhere()
    {
        SomebodySignedIn grace, lin;
        await using (var before = await ControlPlane.StartAsync(data, configuration: new Dictionary<string, string?> { ["Identity:KeepBootstrapToken"] = "true" }, portal: site))
        {
            await SomebodySignedIn.InviteAsync(before, "ada@vendor.example", "administrator");
            grace = await SomebodySignedIn.InviteAsync(before, "grace@vendor.example", "viewer");
            lin = await SomebodySignedIn.InviteAsync(before, "lin@acme.example", "customer-viewer", (await before.CreateCustomerAsync("Acme")).Id);
        }

        await using var host = await ControlPlane.StartAsync(data, configuration: new Dictionary<string, string?> { ["Network:StaffNetworks:0"] = "192.0.2.0/24", ["Network:PublicProxies:0"] = "127.0.0.0/8", ["Network:PublicProxies:1"] = "::1/128" }, portal: site);
        await using var staff = await SignInAsync(grace, Outside);
        await HeadedAsync(staff, "Not from this network");
        await staff.LookAsync("outside-network");

        // The session was kept: it is the place that is wrong.
        await FromAsync(staff, Inside);
        Assert.Equal(200, await staff.GoAsync("/clusters"));
        await HeadedAsync(staff, "Clusters");
        await FromAsync(staff, Outside);
        await staff.Page.GetByRole(AriaRole.Link, new() { Name = "Today" }).First.ClickAsync();
        await HeadedAsync(staff, "Not from this network");
        Window.AssertNothing(staff.Violations);

        await using var user = await SignInAsync(lin, Outside);
        await HeadedAsync(user, "Today");
        Window.AssertNothing(user.Violations);
    }

    private async Task<Window> SignInAsync(SomebodySignedIn somebody, string address)
    {
        var window = await portal.OpenStrangerAsync(at: site);
        await FromAsync(window, address);
        await Authenticator.AddAsync(window, somebody.Passkey);
        await window.GoAsync("/signin");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a passkey" }).ClickAsync();
        return window;
    }

    // As the proxy before the portal says it.
    private static Task FromAsync(Window window, string address) => window.Page.Context.SetExtraHTTPHeadersAsync(new Dictionary<string, string> { ["X-Forwarded-For"] = address });

    private static Task HeadedAsync(Window window, string heading) => window.Page.GetByRole(AriaRole.Heading, new() { Name = heading, Exact = true }).First.WaitForAsync();
}
