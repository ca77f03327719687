using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Web;
using Microsoft.AspNetCore.Http;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Federation;
using MissionControl.Identity.People;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>Providers that customers set for their own users, and what one of them could try with it.</summary>
public sealed class CustomerProviderTests : IAsyncLifetime
{
    private const string Secret = "a customer's secret, told to nobody";
    private readonly TestAuthority authority = new();
    private DishonestProvider peer = null!;
    private ControlPlane host = null!;
    private Guid customer;
    private SomebodySignedIn administrator = null!;
    private HttpClient api = null!;

    public async ValueTask InitializeAsync()
    {
        peer = await DishonestProvider.StartAsync(authority);
        host = await ControlPlane.StartAsync(configuration: FederationHost.Configuration(authority, ("corp", peer.Issuer)));
        customer = (await host.CreateCustomerAsync()).Id;
        administrator = await SomebodySignedIn.InviteAsync(host, "admin@acme.example", "customer-administrator", customer);
        api = await administrator.ApiAsync();
    }

    public async ValueTask DisposeAsync()
    {
        api.Dispose();
        await host.DisposeAsync();
        await peer.DisposeAsync();
        authority.Dispose();
    }

    [Fact]
    public async Task A_customers_administrator_sets_a_provider_and_its_users_sign_in_by_a_certified_one()
    {
        await using var certified = new OpenIdProvider(authority);
        var id = await AddAsync(Request(certified.Issuer));
        await certified.StartAsync(null, FederationHost.Client("acme", secret: Secret) with { RedirectUri = $"{FederationHost.Portal}/signin/{id}/callback" });
        await certified.KeepAsync(new OpenIdAccount("lin", "Lin", "lin@acme.example", ["ops"], Amr: ["otp"]));
        await certified.KeepAsync(new OpenIdAccount("ann", "Ann", "ann@acme.example", [], Amr: ["otp"]));

        var (signIn, traded) = await host.SignInAsync(certified, id, "lin");
        Assert.Equal("/clusters", signIn.ReturnUrl);
        Assert.Equal(("customerUser", customer), (traded.Principal.Kind, traded.Principal.CustomerId!.Value));
        Assert.Contains("identity:write", traded.Principal.Scopes);
        var (_, everybody) = await host.SignInAsync(certified, id, "ann");
        Assert.DoesNotContain("identity:write", everybody.Principal.Scopes);
        var people = (await api.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?q=Lin"))!.Items;
        Assert.True(Assert.Single(people).IsFederated);

        // Removed, nobody of it stays signed in or comes back.
        using var removed = await api.DeleteAsync(new Uri($"/api/v1/identity/providers/{id}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        Assert.Null(await host.TradeAsync(signIn.Session!));
        using var anonymous = host.Client(host.Portal);
        using var gone = await anonymous.PostAsJsonAsync($"/api/v1/identity/federation/{id}/begin", new BeginFederatedSignInRequest());
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task The_secret_is_never_shown_and_lies_sealed()
    {
        var id = await AddAsync(Request(peer.Issuer));
        using var one = await api.GetAsync(new Uri($"/api/v1/identity/providers/{id}", UriKind.Relative));
        var text = await one.Content.ReadAsStringAsync();
        var item = (await one.Content.ReadFromJsonAsync<ProviderItem>())!;
        Assert.True(item.HasSecret);
        Assert.Equal(($"{FederationHost.Portal}/signin/{id}", $"{FederationHost.Portal}/signin/{id}/callback"), (item.SignInAddress, item.RedirectUri));
        Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, await api.GetStringAsync(new Uri("/api/v1/identity/providers", UriKind.Relative)), StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=identity.provider-added"))!.Items.Count == 1, "the log says so");
        Assert.DoesNotContain(Secret, await host.Admin.GetStringAsync(new Uri("/api/v1/audit/entries?type=identity.provider-added", UriKind.Relative)), StringComparison.Ordinal);
        var row = Assert.Single(await host.RowsAsync<CustomerProvider>());
        Assert.Equal(-1, row.ClientSecret.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Secret).AsSpan(0, 8)));

        // To another issuer or client it is never posted: it has to be written anew.
        foreach (var request in new[] { Request("https://login.example.net") with { ClientSecret = null }, Request(peer.Issuer) with { ClientSecret = "", ClientId = "another" } })
        {
            using var kept = await api.PutAsJsonAsync($"/api/v1/identity/providers/{id}", request);
            Assert.Equal("/clientSecret", Assert.Single((await kept.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!).Pointer);
        }

        using var renamed = await api.PutAsJsonAsync($"/api/v1/identity/providers/{id}", Request(peer.Issuer) with { ClientSecret = null, Name = "Renamed" });
        Assert.Equal(HttpStatusCode.NoContent, renamed.StatusCode);
        Assert.Equal(Secret, (await SignInAsync(id, _ => { })).Secret);
    }

    [Fact]
    public async Task A_customers_provider_makes_no_staff_whatever_it_says_and_whatever_somebody_writes()
    {
        foreach (var role in new[] { "administrator", "viewer", "support-engineer", "nonsense" })
        {
            using var refused = await api.PostAsJsonAsync("/api/v1/identity/providers", Request(peer.Issuer) with { Roles = [new GroupRole("ops", role)] });
            Assert.Equal(("unknown-role", "/roles/0/role"), (await refused.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!.Select(error => (error.Code, error.Pointer)).Single());
        }

        // It says that it is staff's; also when the very row says so.
        var id = await AddAsync(Request(peer.Issuer));
        await ChangeRowAsync(id, """{"ops":"administrator","admins":"administrator","*":"customer-viewer"}""");
        var (_, _, answer) = await SignInAsync(id, claims => (claims["groups"], claims["roles"], claims["kind"], claims["customerId"]) = (new[] { "ops", "admins", "administrator" }, new[] { "administrator" }, "staff", ""));
        var traded = (await host.TradeAsync(answer!.Session!))!;
        Assert.Equal(("customerUser", customer), (traded.Principal.Kind, traded.Principal.CustomerId));
        Assert.DoesNotContain("*", traded.Principal.Scopes);
        Assert.DoesNotContain("system:read", traded.Principal.Scopes);
    }

    [Fact]
    public async Task A_subject_of_a_customers_provider_is_never_the_staff_of_the_same_issuer_nor_another_customers_user()
    {
        var begun = await host.BeginAsync("corp");
        peer.IdToken = peer.Sign(peer.Claims(begun.Address, "mission-control-corp", DateTimeOffset.UtcNow));
        using var staff = await host.FinishAsync("corp", begun.Browser, StateOf(begun), "a code", peer.Issuer);
        staff.EnsureSuccessStatusCode();
        var other = (await host.CreateCustomerAsync("Other Ltd")).Id;
        using var added = await host.Admin.PostAsJsonAsync("/api/v1/identity/providers", Request(peer.Issuer) with { CustomerId = other });
        var theirs = (await added.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AddedProvider>())!.Id.ToString();

        await SignInAsync(await AddAsync(Request(peer.Issuer)), _ => { });
        await SignInAsync(theirs, _ => { });

        Assert.Equal([(Guid?)null, customer, other], (await host.RowsAsync<Person>()).Where(person => person.EmailKey is null).OrderBy(person => person.Id).Select(person => person.CustomerId));
        Assert.Single(await host.RowsAsync<FederatedIdentity>(), identity => identity.ProviderId == "corp");
    }

    [Fact]
    public async Task Others_see_and_change_nothing_of_it_and_nobody_sets_one_that_gives_more_than_they_may()
    {
        var id = await AddAsync(Request(peer.Issuer));
        var other = (await host.CreateCustomerAsync("Other Ltd")).Id;
        var stranger = await SomebodySignedIn.InviteAsync(host, "admin@other.example", "customer-administrator", other);
        using var theirs = await stranger.ApiAsync();
        using var got = await theirs.GetAsync(new Uri($"/api/v1/identity/providers/{id}", UriKind.Relative));
        using var put = await theirs.PutAsJsonAsync($"/api/v1/identity/providers/{id}", Request("https://evil.example"));
        using var tested = await theirs.PostAsync(new Uri($"/api/v1/identity/providers/{id}/test", UriKind.Relative), null);
        using var deleted = await theirs.DeleteAsync(new Uri($"/api/v1/identity/providers/{id}", UriKind.Relative));
        Assert.All([got, put, tested, deleted], answer => Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode));
        Assert.Empty((await theirs.GetFromJsonAsync<Page<ProviderItem>>("/api/v1/identity/providers"))!.Items);
        using var named = await theirs.PostAsJsonAsync("/api/v1/identity/providers", Request(peer.Issuer) with { CustomerId = customer });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, named.StatusCode);

        // A security officer manages people, but may not act on clusters: it cannot become who may by setting a provider.
        var officer = await SomebodySignedIn.InviteAsync(host, "officer@vendor.example", "security-officer");
        using var own = await officer.ApiAsync();
        using var beyond = await own.PostAsJsonAsync("/api/v1/identity/providers", Request(peer.Issuer) with { CustomerId = customer });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, beyond.StatusCode);
        using var changed = await own.PutAsJsonAsync($"/api/v1/identity/providers/{id}", Request("https://evil.example") with { Roles = [new GroupRole("*", "customer-viewer")] });
        Assert.Equal(HttpStatusCode.Conflict, changed.StatusCode);
        using var staffs = await host.Admin.PostAsJsonAsync("/api/v1/identity/providers", Request(peer.Issuer));
        Assert.Equal("/customerId", Assert.Single((await staffs.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!).Pointer);
    }

    [Fact]
    public async Task Another_issuer_signs_out_whom_the_one_before_signed_in()
    {
        var id = await AddAsync(Request(peer.Issuer));
        var (_, _, answer) = await SignInAsync(id, _ => { });
        using var changed = await api.PutAsJsonAsync($"/api/v1/identity/providers/{id}", Request("https://login.example.net"));
        Assert.Equal(HttpStatusCode.NoContent, changed.StatusCode);
        Assert.Null(await host.TradeAsync(answer!.Session!));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_provider_that_is_removed_or_changed_while_it_is_asked_signs_nobody_in(bool removed)
    {
        var id = await AddAsync(Request(peer.Issuer));
        var begun = await host.BeginAsync(id);
        peer.IdToken = peer.Sign(peer.Claims(begun.Address, "mission-control-acme", DateTimeOffset.UtcNow));
        var (asked, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        peer.Instead["/token"] = async context =>
        {
            asked.TrySetResult();
            await goOn.Task;
            await context.Response.WriteAsJsonAsync(new { id_token = peer.IdToken });
        };
        var finishing = host.FinishAsync(id, begun.Browser, StateOf(begun), "a code", peer.Issuer);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        using var change = removed ? await api.DeleteAsync(new Uri($"/api/v1/identity/providers/{id}", UriKind.Relative))
            : await api.PutAsJsonAsync($"/api/v1/identity/providers/{id}", Request(peer.Issuer) with { Roles = [new GroupRole("nobody", "customer-viewer")] });
        change.EnsureSuccessStatusCode();
        goOn.SetResult();

        using var answer = await finishing;
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.DoesNotContain((await api.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people"))!.Items, person => person.IsFederated);
    }

    [Fact]
    public async Task What_is_no_issuer_is_refused()
    {
        foreach (var issuer in new[] { "http://login.example.com", "https://user@login.example.com", "https://login.example.com?x=1", "https://login.example.com#x", "file:///etc/passwd", "login.example.com" })
        {
            using var refused = await api.PostAsJsonAsync("/api/v1/identity/providers", Request(issuer));
            Assert.Equal((issuer, "not-an-issuer"), (issuer, Assert.Single((await refused.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!).Code));
        }
    }

    [Fact]
    public async Task A_password_never_counts_as_a_second_factor()
    {
        using var refused = await api.PostAsJsonAsync("/api/v1/identity/providers", Request(peer.Issuer) with { RequiredAmr = "otp pwd", Scopes = "profile" });
        Assert.Equal(["/scopes", "/requiredAmr"], (await refused.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!.Select(error => error.Pointer));
    }

    [Fact]
    public async Task Roles_without_a_group_or_twice_are_refused()
    {
        foreach (var roles in new[] { """[{"role":"customer-viewer"}]""", """[{"group":" ","role":"customer-viewer"}]""", """[null]""", """[{"group":"a"}]""", """[{"group":"a","role":"customer-viewer"},{"group":"a","role":"customer-administrator"}]""", "[]" })
        {
            using var body = new StringContent($$"""{"name":"x","issuer":"https://login.example.com","clientId":"x","roles":{{roles}}}""", Encoding.UTF8, "application/json");
            using var refused = await api.PostAsync(new Uri("/api/v1/identity/providers", UriKind.Relative), body);
            Assert.True((int)refused.StatusCode is >= 400 and <= 422, $"{roles}: {refused.StatusCode}");
        }
    }

    [Fact]
    public async Task A_test_of_the_connection_says_what_is_good_and_what_is_not()
    {
        var id = await AddAsync(Request(peer.Issuer));
        var good = await TestAsync(id);
        Assert.True(good.Succeeded);
        Assert.Equal(["discovery", "keys", "pkce", "iss", "redirect-uri"], good.Checks.Select(check => check.Code));
        Assert.Contains($"/signin/{id}/callback", good.Checks[^1].Detail, StringComparison.Ordinal);

        foreach (var (code, spoil) in new (string, Action)[]
        {
            ("issuer-differs", () => peer.Discovery["issuer"] = "https://login.example.com"),
            ("no-pkce", () => (peer.Discovery["issuer"], peer.Discovery["code_challenge_methods_supported"]) = (peer.Issuer, new[] { "plain" })),
            ("no-code-flow", () => (peer.Discovery["code_challenge_methods_supported"], peer.Discovery["response_types_supported"]) = (new[] { "S256" }, new[] { "id_token" })),
            ("endpoint-missing", () => (peer.Discovery["response_types_supported"], peer.Discovery["token_endpoint"]) = (new[] { "code" }, "http://login.example.com/token")),
            ("no-keys", () =>
            {
                peer.Discovery["token_endpoint"] = $"{peer.Issuer}/token";
                peer.Instead["/jwks"] = context => context.Response.WriteAsync("""{"keys":[{"kty":"oct","kid":"first","k":"AAAA"}]}""");
            }),
            ("not-a-discovery-document", () => peer.Instead["/.well-known/openid-configuration"] = context => context.Response.WriteAsync("<html>")),
            ("redirect", () => peer.Instead["/.well-known/openid-configuration"] = DishonestProvider.RedirectTo($"{peer.Issuer}/elsewhere")),
            ("not-reachable", () => peer.Instead["/.well-known/openid-configuration"] = context => { context.Response.StatusCode = 500; return Task.CompletedTask; }),
            ("too-large", () => peer.Instead["/.well-known/openid-configuration"] = async context =>
            {
                for (var i = 0; i < 40; i++)
                {
                    await context.Response.Body.WriteAsync(new byte[64 * 1024], context.RequestAborted);
                }
            }),
        })
        {
            spoil();
            var bad = await TestAsync(id);
            Assert.False(bad.Succeeded);
            Assert.Equal(code, Assert.Single(bad.Checks).Code);

            // Nobody is sent to such a provider.
            using var anonymous = host.Client(host.Portal);
            using var begun = await anonymous.PostAsJsonAsync($"/api/v1/identity/federation/{id}/begin", new BeginFederatedSignInRequest());
            Assert.Equal(HttpStatusCode.Conflict, begun.StatusCode);
        }

        Assert.False(peer.Asked.ContainsKey("/elsewhere"));
    }

    [Fact]
    public async Task What_resolves_to_loopback_or_a_private_network_is_never_asked()
    {
        // The same names as everywhere, on a host that was not told to trust loopback.
        await using var plain = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Identity:PortalAddress"] = FederationHost.Portal, ["Identity:CaFile"] = authority.CaFile, ["Identity:AllowedNetworks:0"] = "127.0.0.0/8" });
        var theirs = (await plain.CreateCustomerAsync()).Id;
        var port = new Uri(peer.Issuer).Port;
        foreach (var issuer in new[] { $"https://localhost:{port}", $"https://127.0.0.1:{port}", $"https://[::1]:{port}", $"https://[::ffff:127.0.0.1]:{port}", $"https://0.0.0.0:{port}", "https://169.254.169.254", "https://10.0.0.1", "https://192.168.1.1", "https://[fe80::1]", "https://[fc00::1]", $"https://2130706433:{port}" })
        {
            using var added = await plain.Admin.PostAsJsonAsync("/api/v1/identity/providers", Request(issuer) with { CustomerId = theirs });
            var id = (await added.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AddedProvider>())!.Id;
            using var tested = await plain.Admin.PostAsync(new Uri($"/api/v1/identity/providers/{id}/test", UriKind.Relative), null);
            var check = Assert.Single((await tested.Content.ReadFromJsonAsync<ProviderTest>())!.Checks);
            Assert.True(check.Code == "forbidden-address", $"{issuer}: {check.Code} {check.Detail}");
            using var removed = await plain.Admin.DeleteAsync(new Uri($"/api/v1/identity/providers/{id}", UriKind.Relative));
            removed.EnsureSuccessStatusCode();
        }

        Assert.Empty(peer.Asked);
    }

    [Fact]
    public async Task Whom_a_provider_signs_in_is_put_into_no_group()
    {
        await SignInAsync(await AddAsync(Request(peer.Issuer)), _ => { });
        var person = Assert.Single((await api.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people"))!.Items, one => one.IsFederated);

        using var refused = await api.PostAsJsonAsync("/api/v1/identity/groups", new SetGroupRequest("Everybody", ["customer-viewer"], [person.Id]));

        var error = Assert.Single((await refused.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!);
        Assert.Equal(("/members/0", "federated"), (error.Pointer, error.Code));
        Assert.Contains("Its provider's groups give it its roles", error.Detail, StringComparison.Ordinal);
        Assert.Empty((await api.GetFromJsonAsync<Page<GroupItem>>("/api/v1/identity/groups"))!.Items);
    }

    private SetProviderRequest Request(string issuer) =>
        new("Acme sign-in", issuer, "mission-control-acme", Secret, [new GroupRole("ops", "customer-administrator"), new GroupRole("*", "customer-viewer")], "openid profile email groups", RequiredAmr: "otp hwk");

    private async Task<string> AddAsync(SetProviderRequest request)
    {
        using var added = await api.PostAsJsonAsync("/api/v1/identity/providers", request);
        return (await added.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AddedProvider>())!.Id.ToString();
    }

    private async Task<ProviderTest> TestAsync(string id)
    {
        using var tested = await api.PostAsync(new Uri($"/api/v1/identity/providers/{id}/test", UriKind.Relative), null);
        return (await tested.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ProviderTest>())!;
    }

    private async Task<(HttpStatusCode Status, string? Secret, FederatedSignIn? SignIn)> SignInAsync(string id, Action<Dictionary<string, object>> change)
    {
        string? authorization = null;
        peer.Instead["/token"] = context =>
        {
            authorization = context.Request.Headers.Authorization.ToString();
            return context.Response.WriteAsJsonAsync(new { id_token = peer.IdToken });
        };
        var begun = await host.BeginAsync(id);
        var claims = peer.Claims(begun.Address, "mission-control-acme", DateTimeOffset.UtcNow);
        change(claims);
        peer.IdToken = peer.Sign(claims);
        using var answer = await host.FinishAsync(id, begun.Browser, StateOf(begun), "a code", peer.Issuer);
        answer.EnsureSuccessStatusCode();
        var basic = Encoding.UTF8.GetString(Convert.FromBase64String(authorization!["Basic ".Length..])).Split(':');
        return (answer.StatusCode, WebUtility.UrlDecode(basic[1]), await answer.Content.ReadFromJsonAsync<FederatedSignIn>());
    }

    private static string StateOf(BegunFederatedSignIn begun) => HttpUtility.ParseQueryString(new Uri(begun.Address).Query)["state"]!;

    // As somebody who can write to the database would.
    private async Task ChangeRowAsync(string id, string roles)
    {
        var key = Guid.Parse(id);
        await using var scope = Microsoft.Extensions.DependencyInjection.ServiceProviderServiceExtensions.CreateAsyncScope(host.Services);
        var db = Microsoft.Extensions.DependencyInjection.ServiceProviderServiceExtensions.GetRequiredService<MissionControl.Platform.Data.ControlPlaneDbContext>(scope.ServiceProvider);
        Microsoft.Extensions.DependencyInjection.ServiceProviderServiceExtensions.GetRequiredService<MissionControl.Platform.Modules.ModuleScope>(scope.ServiceProvider).Enter("identity");
        db.Scope.OpenAll("a test writes");
        await using var transaction = await db.BeginWriteAsync();
        await Microsoft.EntityFrameworkCore.EntityFrameworkQueryableExtensions.ExecuteUpdateAsync(db.Set<CustomerProvider>().Where(row => row.Id == key), set => set.SetProperty(row => row.Roles, roles));
        await transaction.CommitAsync();
    }
}
