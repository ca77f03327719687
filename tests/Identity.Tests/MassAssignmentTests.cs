using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Web;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.People;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>What nobody says of themselves, put beside what they may say: roles, scopes, kind, customer and all that a person's row holds. None of it is taken.</summary>
public sealed class MassAssignmentTests : IAsyncLifetime
{
    private readonly TestAuthority authority = new();
    private DishonestProvider peer = null!;
    private ControlPlane host = null!;
    private Guid customer;
    private Guid root;

    public async ValueTask InitializeAsync()
    {
        peer = await DishonestProvider.StartAsync(authority);
        host = await ControlPlane.StartAsync(configuration: FederationHost.Configuration(authority));
        customer = (await host.CreateCustomerAsync()).Id;
        await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        root = (await PersonAsync("root@vendor.example")).Id;
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await peer.DisposeAsync();
        authority.Dispose();
    }

    [Fact]
    public async Task Whoever_accepts_an_invitation_becomes_what_it_says_and_nothing_more()
    {
        var code = (await SomebodySignedIn.InvitedAsync(host.Admin, "eve@acme.example", "customer-viewer", customer)).Code!;
        using var anonymous = host.Client(host.Portal);
        using var open = await anonymous.PostAsync(new Uri("/api/v1/identity/invitations/open", UriKind.Relative), Greedy(new OpenInvitationRequest(code)));
        var opened = (await open.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<OpenedInvitation>())!;
        var eve = new SomebodySignedIn(host, "eve@acme.example") { Secret = opened.TotpSecret };

        // The address and the name are the invitation's, too, where it has them.
        using var accepted = await anonymous.PostAsync(new Uri("/api/v1/identity/invitations/accept", UriKind.Relative), Greedy(new AcceptInvitationRequest(code, SomebodySignedIn.Password, eve.Code(), "root@vendor.example", "Root")));
        eve.Session = (await accepted.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AcceptedInvitation>())!.Session;
        await StillAsync(eve, "customer-viewer");
        Assert.Equal("root@vendor.example", (await PersonAsync("root@vendor.example")).Email);
    }

    [Fact]
    public async Task Whoever_changes_their_password_or_adds_a_passkey_changes_nothing_else()
    {
        var eve = await SomebodySignedIn.InviteAsync(host, "eve@acme.example", "customer-viewer", customer);
        using var api = await eve.ApiAsync();
        using var begun = await api.PostAsync(new Uri("/api/v1/identity/me/passkeys/begin", UriKind.Relative), Greedy(new BeginPasskeyRequest("laptop")));
        var asked = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
        using var key = new SoftPasskey { Domain = "control.example.com", Origin = FederationHost.Portal };
        using var added = await api.PostAsync(new Uri("/api/v1/identity/me/passkeys", UriKind.Relative), Greedy(new NewPasskeyRequest(asked.Challenge, key.Create(asked.Options))));
        var item = (await added.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyItem>())!;
        Assert.Equal(TimeSpan.FromHours(24), item.ConfirmsFrom - item.AddedAt);
        Assert.Equal(2, (await api.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.Passkeys.Count);

        using var changed = await api.PostAsync(new Uri("/api/v1/identity/me/password", UriKind.Relative), Greedy(new ChangePasswordRequest(SomebodySignedIn.Password, "quite another long password", eve.Code(1))));
        Assert.Equal(HttpStatusCode.NoContent, changed.StatusCode);
        await StillAsync(eve, "customer-viewer");
        Assert.Equal("customer-viewer", Assert.Single((await PersonAsync(eve.Email)).Roles).Name);
    }

    [Fact]
    public async Task Whoever_makes_a_token_makes_their_own_with_rights_of_theirs()
    {
        var eve = await SomebodySignedIn.InviteAsync(host, "eve@acme.example", "customer-administrator", customer);
        using var api = await eve.ApiAsync();
        using var made = await api.PostAsync(new Uri("/api/v1/identity/tokens", UriKind.Relative), Greedy(new CreateTokenRequest("mine", ["fleet:read"], Networks: ["127.0.0.0/8"]), except: ["scopes", "customerId", "name"]));
        var token = (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedToken>())!;
        var item = (await api.GetFromJsonAsync<TokenItem>($"/api/v1/identity/tokens/{token.Id}"))!;
        Assert.Equal(((Guid?)customer, (Guid?)(await PersonAsync(eve.Email)).Id, (Guid?)null), (item.CustomerId, item.PersonId, item.AccountId));
        Assert.Equal(["fleet:read"], item.Scopes);
        foreach (var (request, why) in new[] { (new CreateTokenRequest("all", ["*"]), "every right"), (new CreateTokenRequest("theirs", ["fleet:read"], Guid.CreateVersion7()), "another customer"), (new CreateTokenRequest("system", ["system:read"]), "a right of staff") })
        {
            using var refused = await api.PostAsJsonAsync("/api/v1/identity/tokens", request);
            Assert.True((int)refused.StatusCode is 403 or 404 or 422, $"{why}: {(int)refused.StatusCode}");
        }
    }

    [Fact]
    public async Task A_customers_administrator_invites_users_of_that_customer_whatever_else_stands_there()
    {
        var eve = await SomebodySignedIn.InviteAsync(host, "eve@acme.example", "customer-administrator", customer);
        using var api = await eve.ApiAsync();
        using var invited = await api.PostAsync(new Uri("/api/v1/identity/invitations", UriKind.Relative), Greedy(new InviteRequest("friend@acme.example", "Friend", ["customer-viewer"]), except: ["roles", "customerId", "email", "name"]));
        Assert.Equal(HttpStatusCode.Created, invited.StatusCode);
        var item = (await host.Admin.GetFromJsonAsync<Page<InvitationItem>>("/api/v1/identity/invitations"))!.Items.Single(one => one.Email == "friend@acme.example");
        Assert.Equal(("customerUser", (Guid?)customer, false), (item.Kind, item.CustomerId, item.IsRecovery));
        Assert.Equal(["customer-viewer"], item.Roles);
        foreach (var request in new[] { new InviteRequest("friend@vendor.example", "Friend", ["administrator"]), new InviteRequest("friend@vendor.example", "Friend", ["customer-viewer", "viewer"]), new InviteRequest("friend@vendor.example", "Friend", ["customer-viewer"], Guid.CreateVersion7()) })
        {
            using var refused = await api.PostAsJsonAsync("/api/v1/identity/invitations", request);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        }
    }

    [Fact]
    public async Task Whoever_comes_from_a_provider_is_what_the_provider_and_the_code_say()
    {
        using var set = await host.Admin.PostAsJsonAsync("/api/v1/identity/providers", new SetProviderRequest("Acme", peer.Issuer, "acme", null, [new GroupRole("*", "customer-viewer")], RequiredAmr: "otp", CustomerId: customer));
        var provider = (await set.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AddedProvider>())!.Id.ToString();
        var begun = await host.BeginAsync(provider);
        var claims = peer.Claims(begun.Address, "acme", DateTimeOffset.UtcNow);
        claims["amr"] = new[] { "pwd" };
        peer.IdToken = peer.Sign(claims);
        using var anonymous = host.Client(host.Portal);
        using var finished = await anonymous.PostAsync(
            new Uri($"/api/v1/identity/federation/{provider}/finish", UriKind.Relative), Greedy(new FinishFederatedSignInRequest(begun.Browser, HttpUtility.ParseQueryString(new Uri(begun.Address).Query)["state"], "a code", peer.Issuer)));
        var waiting = (await finished.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<FederatedSignIn>())!;
        Assert.Equal(("authenticator", (string?)null), (waiting.Needs, waiting.Session));

        var mallory = new SomebodySignedIn(host, "mallory") { Secret = waiting.TotpSecret! };
        using var proved = await anonymous.PostAsync(new Uri("/api/v1/identity/federation/prove", UriKind.Relative), Greedy(new ProveFederatedSignInRequest(begun.Browser, mallory.Code())));
        mallory.Session = (await proved.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<FederatedSignIn>())!.Session!;
        await StillAsync(mallory, "customer-viewer");
    }

    /// <summary>A request with all besides that its sender would like to be.</summary>
    private StringContent Greedy(object request, string[]? except = null)
    {
        var body = JsonSerializer.SerializeToNode(request, request.GetType(), JsonSerializerOptions.Web)!.AsObject();
        foreach (var (name, value) in new (string, JsonNode?)[]
        {
            ("roles", new JsonArray("administrator")), ("role", "administrator"), ("scopes", new JsonArray("*")), ("scope", "*"), ("kind", "staff"), ("customerId", Guid.CreateVersion7().ToString()), ("personId", root.ToString()), ("id", root.ToString()),
            ("subject", Person.SubjectOf(root)), ("owner", Person.SubjectOf(root)), ("ownerId", root.ToString()), ("accountId", Guid.CreateVersion7().ToString()), ("stamp", 99), ("version", 99), ("isAdministrator", true), ("isRecovery", true), ("isProven", true),
            ("needs", null), ("factors", "hwk mfa"), ("confirmsFrom", "2020-01-01T00:00:00Z"), ("addedAt", "2020-01-01T00:00:00Z"), ("createdAt", "2020-01-01T00:00:00Z"), ("disabledAt", null), ("isFederated", false), ("providerId", "corp"),
        })
        {
            if (!body.ContainsKey(name) && except?.Contains(name) != true)
            {
                body[name] = value;

                // As a serializer of another language might write it.
                body[char.ToUpperInvariant(name[0]) + name[1..]] = value?.DeepClone();
            }
        }

        return new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
    }

    private async Task StillAsync(SomebodySignedIn somebody, string role)
    {
        var principal = (await somebody.TradeAsync())!.Principal;
        Assert.Equal(("customerUser", (Guid?)customer), (principal.Kind, principal.CustomerId));
        Assert.Equal(RoleBook.ScopesOf([role]).Split(' ').Order(), principal.Scopes.Order());
        Assert.NotEqual(Person.SubjectOf(root), principal.Subject);
        var row = Assert.Single(await host.RowsAsync<Person>(), person => person.Subject == principal.Subject);
        Assert.InRange(row.Stamp, 1, 10);
        Assert.Equal([role], (await host.RowsAsync<HeldRole>()).Where(held => held.PersonId == row.Id).Select(held => held.Role));
        Assert.Equal(["administrator"], (await host.RowsAsync<HeldRole>()).Where(held => held.PersonId == root).Select(held => held.Role));
    }

    private async Task<PersonItem> PersonAsync(string email) => (await host.Admin.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?limit=500"))!.Items.Single(person => person.Email == email);
}
