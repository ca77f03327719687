using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Web;
using System.Xml.Linq;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Factors;
using MissionControl.Identity.Federation.Saml;
using MissionControl.Identity.People;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>Staff signs in by an identity provider that another made (npm's samlify), from its metadata to the roles.</summary>
public sealed class SamlTests : IAsyncLifetime
{
    private readonly TestAuthority authority = new();
    private SamlIdentityProvider peer = null!;
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync()
    {
        peer = new SamlIdentityProvider(authority);
        host = await ControlPlane.StartAsync(configuration: SamlHost.Configuration(authority, ("corp", new() { ["MetadataFile"] = peer.MetadataFile })));
        await peer.StartAsync(await MetadataAsync("corp"));
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await peer.DisposeAsync();
        authority.Dispose();
    }

    [Fact]
    public async Task Staff_is_told_by_what_it_signs_in_and_until_when_certificates_are_good()
    {
        var way = Assert.Single((await host.Admin.GetFromJsonAsync<StaffProviderList>("/api/v1/identity/staff-providers"))!.Items);
        Assert.Equal(("corp", "saml", true, true, null), (way.Id, way.Kind, way.Address.Length > 0, way.OurMetadata!.EndsWith("/federation/corp/metadata", StringComparison.Ordinal), way.LogoutAddress));
        using var answer = await host.Admin.PostAsJsonAsync("/api/v1/identity/staff-providers/corp/test", new TestStaffProviderRequest());
        var test = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ProviderTest>())!;
        Assert.True(test.Succeeded);
        Assert.Contains("certificate", test.Checks.Select(check => check.Code));
        Assert.Contains("redirect-uri", test.Checks.Select(check => check.Code));
    }

    [Fact]
    public async Task Staff_signs_in_becomes_a_person_and_its_roles_follow_its_groups()
    {
        await peer.KeepAsync(new SamlAccount("G-0001", "Grace Hopper", "grace@vendor.example", ["viewers"], "urn:test:mfa"));
        var first = (await SignInAsync("G-0001"))!;
        Assert.Equal("/clusters", first.ReturnUrl);
        var traded = (await host.TradeAsync(first.Session!))!;
        var person = (await host.PersonAsync(traded.Principal.Subject)).Person;
        Assert.Equal(("Grace Hopper", "grace@vendor.example", "staff"), (person.Name, person.Email, person.Kind));
        Assert.DoesNotContain("fleet:write", traded.Principal.Scopes);

        await peer.KeepAsync(new SamlAccount("G-0001", "Grace M. Hopper", "grace@vendor.example", ["admins"], "urn:test:mfa"));
        var second = (await host.TradeAsync((await SignInAsync("G-0001"))!.Session!))!;
        Assert.Equal(traded.Principal.Subject, second.Principal.Subject);
        Assert.Equal(["administrator"], (await host.PersonAsync(traded.Principal.Subject)).Person.Roles.Select(role => role.Name));

        await peer.KeepAsync(new SamlAccount("G-0001", "Grace M. Hopper", "grace@vendor.example", ["nobody"], "urn:test:mfa"));
        using var none = await TryAsync("G-0001");
        Assert.Equal(HttpStatusCode.Unauthorized, none.StatusCode);
        Assert.Null(await host.TradeAsync(first.Session!));

        // The log says by what.
        await Eventually.TrueAsync(async () =>
        {
            var page = await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=identity.signed-in&limit=100");
            return page!.Items.Count(entry => entry.Entry.GetProperty("actor").GetProperty("auth").GetString() == "saml") == 2;
        }, "both sign-ins are in the log");
    }

    [Fact]
    public async Task A_second_factor_that_the_assertion_does_not_prove_is_asked_for_here()
    {
        await peer.KeepAsync(new SamlAccount("joan", "Joan Clarke", null, ["viewers"]));
        var begun = await host.BeginAsync("corp");
        var post = await peer.SignInAsync(begun.Address, "joan");
        using var answer = await host.BringAsync("corp", begun.Browser, post.RelayState, post.Response);
        var pending = (await answer.Content.ReadFromJsonAsync<FederatedSignIn>())!;
        Assert.Equal(("authenticator", null), (pending.Needs, pending.Session));
        using var anonymous = host.Client(host.Portal);
        var joan = new SomebodySignedIn(host, "") { Secret = pending.TotpSecret! };
        using var proven = await anonymous.PostAsJsonAsync("/api/v1/identity/federation/prove", new ProveFederatedSignInRequest(begun.Browser, joan.Code()));
        var opened = (await proven.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<FederatedSignIn>())!;
        Assert.NotNull(await host.TradeAsync(opened.Session!));
        Assert.Equal(10, opened.RecoveryCodes!.Count);
        Assert.Single(await host.RowsAsync<Authenticator>());
    }

    [Fact]
    public async Task The_request_names_us_our_address_and_what_is_wanted_and_carries_no_address_to_return_to()
    {
        var begun = await host.BeginAsync("corp", "/fleet?x=1");
        Assert.True(begun.ComesAsForm);
        var query = HttpUtility.ParseQueryString(new Uri(begun.Address).Query);
        var request = Inflate(query["SAMLRequest"]!);
        Assert.Equal(("AuthnRequest", "2.0", $"{peer.Address}/sso", $"{FederationHost.Portal}/signin/corp/acs"), (request.Name.LocalName, request.Attribute("Version")!.Value, request.Attribute("Destination")!.Value, request.Attribute("AssertionConsumerServiceURL")!.Value));
        Assert.Equal(begun.Expected("corp").RequestId, request.Attribute("ID")!.Value);
        Assert.Equal($"{FederationHost.Portal}/api/v1/identity/federation/corp/metadata", request.Elements().First().Value);
        Assert.Contains("urn:test:mfa", request.ToString(), StringComparison.Ordinal);
        Assert.Contains(SamlNames.Persistent, request.ToString(), StringComparison.Ordinal);
        Assert.Equal(43, query["RelayState"]!.Length);
        Assert.DoesNotContain("fleet", begun.Address + request, StringComparison.Ordinal);
        Assert.DoesNotContain(begun.Browser, begun.Address + request, StringComparison.Ordinal);
        Assert.NotEqual(query["RelayState"], (await host.BeginAsync("corp")).StateOf());
    }

    [Fact]
    public async Task Our_metadata_says_who_we_are_and_demands_signed_assertions_and_only_a_provider_that_speaks_SAML_has_some()
    {
        XNamespace md = SamlNames.Metadata;
        var root = XDocument.Parse(await MetadataAsync("corp")).Root!;
        Assert.Equal(("EntityDescriptor", $"{FederationHost.Portal}/api/v1/identity/federation/corp/metadata"), (root.Name.LocalName, root.Attribute("entityID")!.Value));
        var role = root.Element(md + "SPSSODescriptor")!;
        Assert.Equal("true", role.Attribute("WantAssertionsSigned")!.Value);
        Assert.Equal((SamlNames.Post, $"{FederationHost.Portal}/signin/corp/acs"), (role.Element(md + "AssertionConsumerService")!.Attribute("Binding")!.Value, role.Element(md + "AssertionConsumerService")!.Attribute("Location")!.Value));
        using var anonymous = host.Client(host.Portal);
        using var unknown = await anonymous.GetAsync(new Uri("/api/v1/identity/federation/nobody/metadata", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["logout_token"] = "a.b.c" });
        using var logout = await anonymous.PostAsync(new Uri("/api/v1/identity/federation/corp/backchannel-logout", UriKind.Relative), form);
        Assert.Equal(HttpStatusCode.NotFound, logout.StatusCode);
    }

    [Fact]
    public async Task What_is_changed_on_its_way_is_not_taken_and_the_person_is_told_nothing_of_why()
    {
        await peer.KeepAsync(new SamlAccount("eve", "Eve", null, ["viewers"], "urn:test:mfa"));
        var begun = await host.BeginAsync("corp");
        var post = await peer.SignInAsync(begun.Address, "eve");
        var text = Encoding.UTF8.GetString(Convert.FromBase64String(post.Response));
        Assert.Contains("viewers", text, StringComparison.Ordinal);
        using var answer = await host.BringAsync("corp", begun.Browser, post.RelayState, SamlForge.Encode(text.Replace("viewers", "admins", StringComparison.Ordinal)));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal(Federation.FinishSignIn.NotGood, await answer.DetailAsync());
        Assert.Contains("DigestValue", (await host.RefusalsAsync(1))[0], StringComparison.Ordinal);
        Assert.Empty(await host.RowsAsync<Person>());

        // That was this attempt; the good one comes too late.
        using var late = await host.BringAsync("corp", begun.Browser, post.RelayState, post.Response);
        Assert.Equal(HttpStatusCode.Unauthorized, late.StatusCode);
        Assert.Empty(await host.RowsAsync<Person>());
    }

    private async Task<string> MetadataAsync(string provider)
    {
        using var anonymous = host.Client(host.Portal);
        return await anonymous.GetStringAsync(new Uri($"/api/v1/identity/federation/{provider}/metadata", UriKind.Relative));
    }

    private async Task<HttpResponseMessage> TryAsync(string login)
    {
        var begun = await host.BeginAsync("corp");
        var post = await peer.SignInAsync(begun.Address, login);
        Assert.Equal($"{FederationHost.Portal}/signin/corp/acs", post.Address.ToString());
        return await host.BringAsync("corp", begun.Browser, post.RelayState, post.Response);
    }

    private async Task<FederatedSignIn?> SignInAsync(string login)
    {
        using var answer = await TryAsync(login);
        Assert.True(answer.IsSuccessStatusCode, $"{await answer.Content.ReadAsStringAsync()} {(answer.IsSuccessStatusCode ? "" : (await host.RefusalsAsync(1))[0])}");
        return await answer.Content.ReadFromJsonAsync<FederatedSignIn>();
    }

    private static XElement Inflate(string text)
    {
        using var inflated = new DeflateStream(new MemoryStream(Convert.FromBase64String(text)), CompressionMode.Decompress);
        return XDocument.Load(inflated).Root!;
    }
}
