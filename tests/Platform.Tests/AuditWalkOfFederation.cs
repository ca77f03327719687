using System.Net;
using System.Net.Http.Json;
using System.Web;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>The walk's ways through federation, by a certified provider that a customer set.</summary>
public sealed partial class AuditWalkTests
{
    private const string ControlAddress = "https://control.example.com";
    private readonly TestAuthority authority = new();
    private OpenIdProvider peer = null!;
    private DirectoryServer staffs = null!;
    private string readerSecret = "";
    private Guid provider;

    private Dictionary<string, string?> FederationConfiguration() => new()
    {
        ["Identity:PortalAddress"] = ControlAddress,
        ["Identity:CustomerNetworks:0"] = "127.0.0.0/8",
        ["Identity:CaFile"] = authority.CaFile,
        ["Identity:Directories:0:Id"] = "walk",
        ["Identity:Directories:0:Name"] = "Walk",
        ["Identity:Directories:0:Server"] = staffs.Secure,
        ["Identity:Directories:0:BindDn"] = DirectoryServer.Reader,
        ["Identity:Directories:0:BindPasswordFile"] = readerSecret,
        ["Identity:Directories:0:SearchBase"] = DirectoryServer.People,
        ["Identity:Directories:0:Timeout"] = "00:00:30",
        ["Identity:Directories:0:Roles:*"] = "viewer",
    };

    private async Task StopPeerAsync()
    {
        await peer.DisposeAsync();
        await staffs.DisposeAsync();
        authority.Dispose();
    }

    private async Task StartDirectoryAsync()
    {
        staffs = await DirectoryServer.StartAsync(authority);
        readerSecret = Path.Combine(Path.GetDirectoryName(authority.CaFile)!, "reader.secret");
        await File.WriteAllTextAsync(readerSecret, DirectoryServer.ReaderPassword);
        await staffs.AddPersonAsync("grace");
    }

    private async Task StartPeerAsync()
    {
        peer = new OpenIdProvider(authority);
        provider = await AddProviderAsync();
        await peer.StartAsync(host.CaFile, new OpenIdClient("walk", "a secret of the walk", $"{ControlAddress}/signin/{provider}/callback", new Uri(host.Portal, $"/api/v1/identity/federation/{provider}/backchannel-logout").ToString()));
        await peer.KeepAsync(new OpenIdAccount("strong", "Strong", null, [], Amr: ["otp"]));
        await peer.KeepAsync(new OpenIdAccount("weak", "Weak", null, []));
    }

    private Dictionary<string, (string Type, Func<Task<string>> Act)> FederationScenarios() => new()
    {
        ["AddProvider"] = ("identity.provider-added", async () => (await AddProviderAsync()).ToString()),
        ["ChangeProvider"] = ("identity.provider-changed", async () =>
        {
            var id = await AddProviderAsync();
            (await host.Admin.PutAsJsonAsync($"/api/v1/identity/providers/{id}", ProviderRequest() with { Name = "Changed" })).EnsureSuccessStatusCode();
            return id.ToString();
        }),
        ["RemoveProvider"] = ("identity.provider-removed", async () =>
        {
            var id = await AddProviderAsync();
            (await host.Admin.DeleteAsync(new Uri($"/api/v1/identity/providers/{id}", UriKind.Relative))).EnsureSuccessStatusCode();
            return id.ToString();
        }),
        ["TestProvider"] = ("identity.provider-tested", async () =>
        {
            await PostAsync($"/api/v1/identity/providers/{provider}/test");
            return provider.ToString();
        }),
        ["TestStaffProvider"] = ("identity.directory-tested", async () =>
        {
            await PostAsync("/api/v1/identity/staff-providers/walk/test", new TestStaffProviderRequest("grace"));
            return "walk";
        }),
        ["FetchSamlMetadata"] = ("identity.metadata-fetched", async () =>
        {
            // It is no metadata that lies there; that it was asked is written down all the same.
            using var answer = await host.Admin.PostAsJsonAsync("/api/v1/identity/providers/metadata", new FetchMetadataRequest($"{peer.Issuer}/.well-known/openid-configuration"));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
            return "new";
        }),
        ["FinishFederatedSignIn"] = ("identity.signed-in", async () =>
        {
            using var browser = peer.Browser();
            return await IdOfAsync((await FinishAsync(browser, "strong")).SignIn.Session!);
        }),
        ["ProveFederatedSignIn"] = ("identity.signed-in", async () => await IdOfAsync(await SetUpAsync())),
        ["ForgetPersonAuthenticator"] = ("identity.authenticator-forgotten", async () =>
        {
            // The one that the walk before this set up.
            var people = (await host.Admin.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?q=Weak"))!.Items;
            await PostAsync($"/api/v1/identity/people/{people[0].Id}/forget-authenticator", new PersonActionRequest());
            return people[0].Id.ToString();
        }),
        ["SignInByDirectory"] = ("identity.person-joined", async () =>
        {
            using var anonymous = host.Client(host.Portal);
            (await anonymous.PostAsJsonAsync("/api/v1/identity/federation/walk/directory-sign-in", new DirectorySignInRequest("grace", DirectoryServer.Password))).EnsureSuccessStatusCode();
            return (await host.Admin.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?q=Grace"))!.Items[0].Id.ToString();
        }),
        ["TakeLogoutToken"] = ("identity.person-signed-out", async () =>
        {
            using var browser = peer.Browser();
            var id = await IdOfAsync((await FinishAsync(browser, "strong")).SignIn.Session!);
            await peer.SignOutAsync(browser);
            return id;
        }),
    };

    private SetProviderRequest ProviderRequest() => new("Walk", peer.Issuer, "walk", "a secret of the walk", [new GroupRole("*", "customer-viewer")], RequiredAmr: "otp", CustomerId: customer);

    private async Task<Guid> AddProviderAsync()
    {
        using var added = await host.Admin.PostAsJsonAsync("/api/v1/identity/providers", ProviderRequest());
        return (await added.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AddedProvider>())!.Id;
    }

    private async Task<(FederatedSignIn SignIn, string Browser)> FinishAsync(HttpClient browser, string login)
    {
        using var begun = await host.Admin.PostAsJsonAsync($"/api/v1/identity/federation/{provider}/begin", new BeginFederatedSignInRequest());
        var start = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<BegunFederatedSignIn>())!;
        var came = HttpUtility.ParseQueryString((await peer.SignInAsync(browser, start.Address, login)).Query);
        using var finished = await host.Admin.PostAsJsonAsync($"/api/v1/identity/federation/{provider}/finish", new FinishFederatedSignInRequest(start.Browser, came["state"], came["code"], came["iss"]));
        return ((await finished.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<FederatedSignIn>())!, start.Browser);
    }

    private async Task<string> SetUpAsync()
    {
        using var browser = peer.Browser();
        var (pending, secret) = await FinishAsync(browser, "weak");
        using var proved = await host.Admin.PostAsJsonAsync("/api/v1/identity/federation/prove", new ProveFederatedSignInRequest(secret, new SomebodySignedIn(host, "") { Secret = pending.TotpSecret! }.Code()));
        return (await proved.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<FederatedSignIn>())!.Session!;
    }

    private async Task<string> IdOfAsync(string session)
    {
        using var traded = await host.Admin.PostAsJsonAsync("/api/v1/identity/sessions/trade", new TradeSessionRequest(session));
        return Guid.Parse((await traded.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<TradedSession>())!.Principal.Subject["person:".Length..]).ToString();
    }
}
