using Microsoft.Playwright;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>A group from its making to its end, and what the pages of its people say of it, in a real browser.</summary>
public sealed class GroupJourneyTests(PortalFixture portal) : IAsyncLifetime
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
    public async Task A_group_is_made_gives_somebody_a_role_says_so_on_that_persons_page_and_goes_away()
    {
        await SomebodySignedIn.InviteAsync(host, "grace@vendor.example", "viewer");
        await using var ada = await AsAsync("ada@vendor.example", "administrator");
        await ada.GoAsync("/people");
        await ada.Page.GetByRole(AriaRole.Link, new() { Name = "Groups" }).ClickAsync();
        await ada.Page.GetByText("There is no group yet").WaitForAsync();
        await ada.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Night shift");
        await ada.Page.GetByLabel("What is it for?").FillAsync("Looks after clusters at night");
        await ada.LookAsync("groups-form");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Make group" }).ClickAsync();
        await ada.Page.GetByText("Made. It gives nobody anything yet").WaitForAsync();
        var address = new Uri(ada.Page.Url).AbsolutePath;

        await ada.Page.GetByLabel("Support engineer").CheckAsync();
        await ada.Page.GetByLabel("grace").CheckAsync();
        await ada.Page.GetByLabel("Why? goes to the audit log").FillAsync("she joins the night shift");
        await ada.LookAsync("group-form");
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await ada.Page.GetByText("The group “Night shift” gives Support engineer to one person. From now on grace holds Support engineer, Viewer.").WaitForAsync();
        await ada.LookAsync("group-confirm");
        await ConfirmAsync(ada);
        await ada.Page.GetByText("Saved.").WaitForAsync();
        Assert.Equal(address, new Uri(ada.Page.Url).AbsolutePath);
        await ada.LookAsync("group-saved");

        // Her page says why she holds it, and leaves it to the group.
        await ada.Page.GetByRole(AriaRole.Link, new() { Name = "grace" }).ClickAsync();
        await ada.Page.GetByText("Held through Night shift, and changed there.").WaitForAsync();
        await Assertions.Expect(ada.Page.GetByLabel("Support engineer")).ToBeDisabledAsync();
        await Assertions.Expect(ada.Page.GetByLabel("Support engineer")).ToBeCheckedAsync();
        await ada.LookAsync("person-through-group");
        await ada.Page.GetByLabel("Billing").CheckAsync();
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Change roles" }).ClickAsync();
        await ada.Page.GetByText("holds Viewer, Billing, and through groups Support engineer.").WaitForAsync();
        await ConfirmAsync(ada);
        await ada.Page.GetByText("Changed the roles.").WaitForAsync();
        await ada.Page.Locator(".held-through").GetByRole(AriaRole.Link, new() { Name = "Night shift" }).ClickAsync();

        // What is wrong is said beside the field, and what was chosen is still there.
        await ada.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("   ");
        await ada.Page.GetByLabel("Release manager").CheckAsync();
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await ada.Page.Locator("#name-help.mistake").WaitForAsync();
        await Assertions.Expect(ada.Page.GetByLabel("Release manager")).ToBeCheckedAsync();

        await ada.GoAsync(address);
        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await ada.Page.GetByText("The group “Night shift” is removed. From now on grace holds Billing, Viewer.").WaitForAsync();
        await ConfirmAsync(ada);
        await ada.Page.GetByText("Removed. What its people held through it alone has ended.").WaitForAsync();
        Assert.Equal(404, await ada.GoAsync(address));
        Window.AssertNothing(ada.Violations);
    }

    [Fact]
    public async Task A_customers_administrator_makes_groups_of_its_own_people()
    {
        var customer = (await host.CreateCustomerAsync("Acme")).Id;

        // Until an administrator has signed in, the page asks for the token of the first start.
        await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "administrator");
        await SomebodySignedIn.InviteAsync(host, "lin@acme.example", "customer-viewer", customer);
        await SomebodySignedIn.InviteAsync(host, "grace@vendor.example", "viewer");
        await using var joan = await AsAsync("joan@acme.example", "customer-administrator", customer);
        await joan.GoAsync("/people/groups");
        await Assertions.Expect(joan.Page.GetByLabel("Customer")).ToHaveCountAsync(0);
        await joan.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Operators");
        await joan.Page.GetByRole(AriaRole.Button, new() { Name = "Make group" }).ClickAsync();
        await joan.Page.GetByText("Made. It gives nobody anything yet").WaitForAsync();
        Assert.Equal(["joan", "lin"], await joan.Page.Locator("input[name=member] + .form-check-label b").AllInnerTextsAsync());
        await joan.Page.GetByLabel("Administrator sees").CheckAsync();
        await joan.Page.GetByLabel("lin@acme.example").CheckAsync();
        await joan.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await joan.Page.GetByText("From now on lin holds Administrator, Viewer.").WaitForAsync();
        await ConfirmAsync(joan);
        await joan.Page.GetByText("Saved.").WaitForAsync();
        Window.AssertNothing(joan.Violations);
    }

    private static Task ConfirmAsync(Window window) => window.Page.GetByRole(AriaRole.Button, new() { Name = "Confirm with a passkey" }).ClickAsync();

    /// <summary>A window of somebody, who signs in with the passkey that the invitation was accepted with.</summary>
    private async Task<Window> AsAsync(string email, string role, Guid? customer = null)
    {
        var somebody = await SomebodySignedIn.InviteAsync(host, email, role, customer);
        var window = await portal.OpenStrangerAsync(at: site);
        await Authenticator.AddAsync(window, somebody.Passkey);
        await window.GoAsync("/signin");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a passkey" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Today" }).WaitForAsync();
        return window;
    }
}
