using Microsoft.Playwright;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Sign-in with a password of a directory, in a real browser; the directory is Debian's slapd.</summary>
public sealed class DirectoryTests(PortalFixture portal) : IAsyncLifetime
{
    private readonly TestAuthority authority = new();
    private DirectoryServer peer = null!;
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync()
    {
        peer = await DirectoryServer.StartAsync(authority);
        await peer.AddGroupAsync("viewers", await peer.AddPersonAsync("grace"));
        var secret = Path.Combine(Path.GetDirectoryName(authority.CaFile)!, "reader.secret");
        await File.WriteAllTextAsync(secret, DirectoryServer.ReaderPassword);
        host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?>
        {
            ["Api:RequestsPerMinute"] = "1000000",
            ["Identity:Directories:0:Id"] = "corp",
            ["Identity:Directories:0:Name"] = "Vendor accounts",
            ["Identity:Directories:0:Server"] = peer.Secure,
            ["Identity:Directories:0:CaFile"] = authority.CaFile,
            ["Identity:Directories:0:BindDn"] = DirectoryServer.Reader,
            ["Identity:Directories:0:BindPasswordFile"] = secret,
            ["Identity:Directories:0:SearchBase"] = DirectoryServer.People,
            ["Identity:Directories:0:GroupBase"] = DirectoryServer.Groups,
            ["Identity:Directories:0:Timeout"] = "00:00:30",
            ["Identity:Directories:0:Roles:viewers"] = "viewer",
        });
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await peer.DisposeAsync();
        authority.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Staff_signs_in_with_a_password_of_the_directory_and_a_code(bool script)
    {
        await using var window = await portal.OpenStrangerAsync(script: script, at: host.Portal);
        await window.GoAsync("/clusters?health=red");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in with Vendor accounts" }).ClickAsync();
        await window.Page.Locator("input[type=password]").WaitForAsync();
        await window.LookAsync("signin-directory", script);
        await FillAsync("grace", "a wrong one");
        await window.Page.GetByText("Name or password is not right").WaitForAsync();
        Assert.Equal(("grace", ""), (await window.Page.GetByLabel("Name", new() { Exact = true }).InputValueAsync(), await window.Page.GetByLabel("Password").InputValueAsync()));
        await window.LookAsync("signin-directory-refused", script);
        await FillAsync("grace\u200B", "a wrong one");
        await window.Page.GetByText("A name has characters that can be seen").WaitForAsync();
        await FillAsync("grace", DirectoryServer.Password);
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "One thing more" }).WaitForAsync();
        Assert.DoesNotContain(await window.Page.Context.CookiesAsync([host.Portal.ToString()]), cookie => cookie.Name == "__Host-mc-session");
        var grace = new SomebodySignedIn(host, "") { Secret = await window.Page.Locator("#totp-key").InnerTextAsync() };
        await window.Page.GetByLabel("Code", new() { Exact = true }).FillAsync(grace.Code());
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Set it up and sign in" }).ClickAsync();
        var code = await window.Page.Locator("#recovery-codes code").First.InnerTextAsync();

        // The next time a code is asked for, and the reader comes to where it wanted.
        await window.Page.Context.ClearCookiesAsync();
        await window.GoAsync("/clusters?health=red");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in with Vendor accounts" }).ClickAsync();
        await FillAsync("grace", DirectoryServer.Password);
        await window.Page.GetByLabel("Code", new() { Exact = true }).FillAsync(code);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Clusters", Exact = true }).WaitForAsync();
        Assert.Equal(new Uri(host.Portal, "/clusters?health=red").ToString(), window.Page.Url);
        Window.AssertNothing(window.Violations);

        async Task FillAsync(string name, string password)
        {
            await window.Page.GetByLabel("Name", new() { Exact = true }).FillAsync(name);
            await window.Page.GetByLabel("Password").FillAsync(password);
            await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        }
    }

    [Fact]
    public async Task Staff_tests_the_directory_and_whom_a_name_finds_there()
    {
        await using var window = await portal.OpenAsSomebodyAsync(await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "administrator"), host.Portal, "/people/providers/staff");
        Assert.Contains(peer.Secure, await window.Page.Locator("#way-corp").InnerTextAsync(), StringComparison.Ordinal);
        await TestAsync("grace");
        await window.Page.GetByText("Vendor accounts can be used").WaitForAsync();
        Assert.Contains("viewer", await window.Page.Locator("#test").InnerTextAsync(), StringComparison.Ordinal);
        await window.LookAsync("staff-directory-tested");
        Assert.Equal("grace", await window.Page.GetByLabel("Look for somebody").InputValueAsync());
        await TestAsync("nobody");
        await window.Page.GetByText("Vendor accounts cannot be used yet").WaitForAsync();
        await TestAsync("grace\u200B");
        await window.Page.GetByText("A name has characters that can be seen").WaitForAsync();
        Window.AssertNothing(window.Violations);

        async Task TestAsync(string name)
        {
            await window.Page.GetByLabel("Look for somebody").FillAsync(name);
            await window.Page.GetByRole(AriaRole.Button, new() { Name = "Test the connection" }).ClickAsync();
        }
    }

    [Fact]
    public async Task A_form_of_another_site_signs_nobody_in()
    {
        using var elsewhere = host.Client(host.Portal);
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["name"] = "grace", ["password"] = DirectoryServer.Password });
        using var answer = await elsewhere.PostAsync(new Uri("/signin/corp", UriKind.Relative), form);
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.DoesNotContain("__Host-mc-signin", string.Join(' ', answer.Headers.Where(header => header.Key == "Set-Cookie").SelectMany(header => header.Value)), StringComparison.Ordinal);
    }
}
