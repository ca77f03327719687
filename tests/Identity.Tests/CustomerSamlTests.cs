using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Http;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.People;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>Identity providers that customers set for their own users by SAML, and what one of them could try with it.</summary>
public sealed class CustomerSamlTests : IAsyncLifetime
{
    private readonly TestAuthority authority = new();
    private readonly ManualTime time = new(DateTimeOffset.UtcNow);
    private readonly SamlForge idp = new(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(31));
    private DishonestProvider publisher = null!;
    private ControlPlane host = null!;
    private Guid customer;
    private HttpClient api = null!;

    public async ValueTask InitializeAsync()
    {
        publisher = await DishonestProvider.StartAsync(authority);
        host = await ControlPlane.StartAsync(time: time, configuration: SamlHost.Configuration(authority, ("corp", SamlHost.Keys(idp))));
        customer = (await host.CreateCustomerAsync()).Id;
        api = await (await SomebodySignedIn.InviteAsync(host, "admin@acme.example", "customer-administrator", customer)).ApiAsync();
    }

    public async ValueTask DisposeAsync()
    {
        api.Dispose();
        await host.DisposeAsync();
        await publisher.DisposeAsync();
        idp.Dispose();
        authority.Dispose();
    }

    [Fact]
    public async Task A_customers_administrator_sets_a_provider_by_its_metadata_and_its_users_sign_in()
    {
        var id = await AddAsync(Request());
        var item = (await api.GetFromJsonAsync<ProviderItem>($"/api/v1/identity/providers/{id}"))!;
        Assert.Equal((SamlForge.Entity, "https://idp.example.com/sso", "good", $"{FederationHost.Portal}/signin/{id}/acs"), (item.Issuer, item.Saml!.ProviderAddress, Assert.Single(item.Saml.Certificates).State, item.RedirectUri));
        using var answer = await host.ForgeAsync(idp, id, time.GetUtcNow(), "lin", "ops");
        var signIn = (await answer.Content.ReadFromJsonAsync<FederatedSignIn>())!;
        var traded = (await host.TradeAsync(signIn.Session!))!;
        Assert.Equal(("customerUser", customer), (traded.Principal.Kind, traded.Principal.CustomerId));
        Assert.Contains("identity:write", traded.Principal.Scopes);

        // Removed while somebody is on the way, nobody of it stays signed in or comes back.
        var begun = await host.BeginAsync(id);
        using var removed = await api.DeleteAsync(new Uri($"/api/v1/identity/providers/{id}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        Assert.Null(await host.TradeAsync(signIn.Session!));
        using var late = await host.BringAsync(id, begun.Browser, begun.StateOf(), SamlForge.Encode(idp.Sign(idp.Response(time.GetUtcNow(), begun.Expected(id), id: "_late"))));
        Assert.Equal(HttpStatusCode.NotFound, late.StatusCode);
    }

    [Fact]
    public async Task A_customers_provider_makes_no_staff_and_no_user_of_another_customer_under_the_very_same_entity_id()
    {
        var theirs = await AddAsync(Request());
        var other = (await host.CreateCustomerAsync("Other Ltd")).Id;
        using var added = await host.Admin.PostAsJsonAsync("/api/v1/identity/providers", Request() with { CustomerId = other });
        var others = (await added.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AddedProvider>())!.Id.ToString();
        foreach (var provider in new[] { "corp", theirs, others })
        {
            using var answer = await host.ForgeAsync(idp, provider, time.GetUtcNow(), group: "admins", id: "_the-same");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        var people = (await host.RowsAsync<Person>()).Where(person => person.IsFederated).ToList();
        Assert.Equal([null, customer, other], people.Select(person => person.CustomerId).OrderBy(id => id is null ? 0 : id == customer ? 1 : 2));
        Assert.Equal(["staff"], people.Where(person => person.CustomerId is null).Select(person => person.Kind));
        var held = await host.RowsAsync<HeldRole>();
        Assert.Equal("administrator", Assert.Single(held, role => role.PersonId == people.Single(person => person.CustomerId is null).Id).Role);
        Assert.All(held.Where(role => people.Any(person => person.CustomerId is not null && person.Id == role.PersonId)), role => Assert.Equal("customer-viewer", role.Role));

        // An assertion for the one is none for the other, whose audience and address are its own.
        var begun = await host.BeginAsync(others);
        using var crossed = await host.BringAsync(others, begun.Browser, begun.StateOf(), SamlForge.Encode(idp.Sign(idp.Response(time.GetUtcNow(), begun.Expected(theirs), id: "_crossed"))));
        Assert.Equal(HttpStatusCode.Unauthorized, crossed.StatusCode);
        foreach (var role in new[] { "administrator", "viewer" })
        {
            using var refused = await api.PostAsJsonAsync("/api/v1/identity/providers", Request() with { Roles = [new GroupRole("ops", role)] });
            Assert.Equal("unknown-role", Assert.Single(await ErrorsAsync(refused)).Code);
        }
    }

    private static readonly (string How, string Code)[] Mistakes =
    [
        ("", "required"),
        ("no xml", "not-xml"),
        ("<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>", "not-xml"),
        ("<a/>", "not-metadata"),
        ("<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'/>", "not-metadata"),
        ("no role", "no-identity-provider"),
        ("no certificate", "no-certificate"),
        ("a certificate that is none", "certificate"),
        ("an RSA key of 1024 bits", "weak-key"),
        ("no address", "no-address"),
        ("an address of script", "no-address"),
        ("an address over http", "no-address"),
        ("signed requests", "wants-signed-requests"),
        ("an end", "metadata-ended"),
        ("no entity id", "entity-id"),
    ];

    [Fact]
    public async Task Metadata_that_is_not_good_says_what_is_wrong_with_it()
    {
        var good = Metadata(idp);
        using var weak = System.Security.Cryptography.RSA.Create(1024);
        using var small = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=weak", weak, System.Security.Cryptography.HashAlgorithmName.SHA256, System.Security.Cryptography.RSASignaturePadding.Pkcs1).CreateSelfSigned(time.GetUtcNow(), time.GetUtcNow().AddDays(1));
        foreach (var (how, code) in Mistakes)
        {
            var text = how switch
            {
                "no role" => good.Replace("IDPSSODescriptor", "SPSSODescriptor", StringComparison.Ordinal),
                "no certificate" => good.Replace("use=\"signing\"", "use=\"encryption\"", StringComparison.Ordinal),
                "a certificate that is none" => good.Replace(Convert.ToBase64String(idp.Certificate.RawData), "AAAA", StringComparison.Ordinal),
                "an RSA key of 1024 bits" => good.Replace(Convert.ToBase64String(idp.Certificate.RawData), Convert.ToBase64String(small.RawData), StringComparison.Ordinal),
                "no address" => good.Replace("HTTP-Redirect", "SOAP", StringComparison.Ordinal),
                "an address of script" => good.Replace("https://idp.example.com/sso", "javascript:alert(1)", StringComparison.Ordinal),
                "an address over http" => good.Replace("https://idp.example.com/sso", "http://idp.example.com/sso", StringComparison.Ordinal),
                "signed requests" => good.Replace("WantAuthnRequestsSigned=\"false\"", "WantAuthnRequestsSigned=\"true\"", StringComparison.Ordinal),
                "an end" => good.Replace("entityID=", "validUntil=\"2020-01-01T00:00:00Z\" entityID=", StringComparison.Ordinal),
                "no entity id" => good.Replace(SamlForge.Entity, "", StringComparison.Ordinal),
                _ => how,
            };
            using var refused = await api.PostAsJsonAsync("/api/v1/identity/providers", Request() with { Saml = new SetSaml(text) });
            Assert.Equal((how, HttpStatusCode.UnprocessableEntity), (how, refused.StatusCode));
            Assert.Equal((how, "/saml/metadata", code), (await ErrorsAsync(refused)).Select(error => (how, error.Pointer, error.Code)).Single());
        }
    }

    [Fact]
    public async Task What_is_confirmed_covers_the_certificates_and_a_kind_stays_what_it_is()
    {
        var id = await AddAsync(Request());
        using var plain = host.Client(host.Portal, await TokenAsync());
        using var next = new SamlForge(time.GetUtcNow());
        using var unproven = await plain.PutAsJsonAsync($"/api/v1/identity/providers/{id}", Request() with { Saml = new SetSaml(Metadata(next)) });
        var asked = (await unproven.Content.ReadFromJsonAsync<ProblemDocument>())!;
        Assert.Equal("step-up-required", asked.Code);
        Assert.Contains(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(next.Certificate.RawData))[..16], asked.StepUp!.Text, StringComparison.Ordinal);
        using var other = await plain.PutAsJsonAsync($"/api/v1/identity/providers/{id}", Request() with { Saml = new SetSaml(Metadata(idp)) });
        Assert.NotEqual(asked.StepUp.SubjectDigest, (await other.Content.ReadFromJsonAsync<ProblemDocument>())!.StepUp!.SubjectDigest);
        using var named = await plain.PutAsJsonAsync($"/api/v1/identity/providers/{id}", Request() with { Saml = new SetSaml(Metadata(next), null, "uid") });
        Assert.NotEqual(asked.StepUp.SubjectDigest, (await named.Content.ReadFromJsonAsync<ProblemDocument>())!.StepUp!.SubjectDigest);

        using var changed = await api.PutAsJsonAsync($"/api/v1/identity/providers/{id}", Request() with { Saml = new SetSaml(Metadata(next)) });
        Assert.Equal(HttpStatusCode.NoContent, changed.StatusCode);
        using var rotatedOut = await host.ForgeAsync(idp, id, time.GetUtcNow());
        using var rotatedIn = await host.ForgeAsync(next, id, time.GetUtcNow());
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (rotatedOut.StatusCode, rotatedIn.StatusCode));

        // Without metadata what is known stays.
        using var renamed = await api.PutAsJsonAsync($"/api/v1/identity/providers/{id}", Request() with { Name = "Renamed", Saml = new SetSaml() });
        Assert.Equal(HttpStatusCode.NoContent, renamed.StatusCode);
        using var stays = await host.ForgeAsync(next, id, time.GetUtcNow());
        Assert.Equal(HttpStatusCode.OK, stays.StatusCode);

        using var openId = await api.PutAsJsonAsync($"/api/v1/identity/providers/{id}", Request() with { Saml = null, Issuer = "https://login.example.com", ClientId = "x" });
        Assert.Equal("another-kind", Assert.Single(await ErrorsAsync(openId)).Code);
        using var password = await api.PutAsJsonAsync($"/api/v1/identity/providers/{id}", Request() with { RequiredAcr = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport" });
        Assert.Equal("proves-nothing", Assert.Single(await ErrorsAsync(password)).Code);
    }

    [Fact]
    public async Task A_test_tells_of_certificates_that_end_and_of_metadata_that_is_another_one_now()
    {
        publisher.Instead["/metadata"] = context => context.Response.WriteAsync(Metadata(idp));
        var id = await AddAsync(Request() with { Saml = new SetSaml(Metadata(idp), $"{publisher.Issuer}/metadata") });
        var good = await TestAsync(id);
        Assert.True(good.Succeeded);
        Assert.Equal(["certificate", "metadata", "redirect-uri"], good.Checks.Select(check => check.Code));

        using var brief = new SamlForge(time.GetUtcNow(), time.GetUtcNow().AddDays(3));
        var second = await AddAsync(Request() with { Saml = new SetSaml(Metadata(brief)) });
        var soon = await TestAsync(second);
        Assert.True(soon.Succeeded);
        Assert.Equal(("certificate", "warning"), (soon.Checks[0].Code, soon.Checks[0].Outcome));

        using var next = new SamlForge(time.GetUtcNow());
        publisher.Instead["/metadata"] = context => context.Response.WriteAsync(Metadata(next));
        time.Advance(TimeSpan.FromDays(4));
        api.DefaultRequestHeaders.Authorization = new("Bearer", await TokenAsync());
        var first = await TestAsync(id);
        Assert.True(first.Succeeded);
        Assert.Equal([("certificate", "warning"), ("metadata-differs", "warning"), ("redirect-uri", "passed")], first.Checks.Select(check => (check.Code, check.Outcome)));
        var ended = await TestAsync(second);
        Assert.False(ended.Succeeded);
        Assert.Contains(ended.Checks, check => check is { Code: "no-certificate", Outcome: "failed" });
    }

    [Fact]
    public async Task Metadata_is_fetched_through_the_guarded_client_alone()
    {
        publisher.Instead["/metadata"] = context => context.Response.WriteAsync(Metadata(idp));
        var found = (await (await FetchAsync($"{publisher.Issuer}/metadata")).Content.ReadFromJsonAsync<FetchedMetadata>())!;
        Assert.Equal((SamlForge.Entity, Metadata(idp)), (found.EntityId, found.Metadata));
        publisher.Instead["/elsewhere"] = DishonestProvider.RedirectTo("https://169.254.169.254/");
        publisher.Instead["/large"] = context => context.Response.WriteAsync(new string('a', 2 * 1024 * 1024));
        publisher.Instead["/longish"] = context => context.Response.WriteAsync(new string('a', 300 * 1024));
        foreach (var (address, code) in new[]
        {
            ($"{publisher.Issuer}/elsewhere", "redirect"), ($"{publisher.Issuer}/large", "too-large"), ($"{publisher.Issuer}/longish", "too-large"), ($"{publisher.Issuer}/nothing", "not-reachable"),
            ("https://169.254.169.254/latest/meta-data", "forbidden-address"), ("https://[::ffff:10.0.0.1]/", "forbidden-address"), ("https://0x7f.1:1/", "not-reachable"), ("http://idp.example.com/", "not-https"), ("file:///etc/passwd", "not-https"), ("nonsense", "not-https"),
        })
        {
            using var refused = await FetchAsync(address);
            Assert.Equal((address, code), (address, Assert.Single(await ErrorsAsync(refused)).Code));
        }
    }

    internal static string Metadata(SamlForge forge) => $"""
        <md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{forge.EntityId}"><md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{Convert.ToBase64String(forge.Certificate.RawData)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>
        """;

    private static async Task<IReadOnlyList<FieldError>> ErrorsAsync(HttpResponseMessage answer) => (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!;

    private SetProviderRequest Request() => new("Acme", null, null, null, [new GroupRole("ops", "customer-administrator"), new GroupRole("*", "customer-viewer")], RequiredAcr: "urn:test:mfa", Saml: new SetSaml(Metadata(idp)));

    private async Task<string> TokenAsync()
    {
        var somebody = await SomebodySignedIn.InviteAsync(host, $"{Guid.NewGuid():N}@acme.example", "customer-administrator", customer);
        var token = (await host.TradeAsync(somebody.Session))!.AccessToken;
        using var client = host.Client(host.Portal, token);
        await Eventually.TrueAsync(async () => (await client.GetAsync(new Uri("/api/v1/identity/providers", UriKind.Relative))).IsSuccessStatusCode, "identity knows who was invited");
        return token;
    }

    private async Task<string> AddAsync(SetProviderRequest request)
    {
        using var added = await api.PostAsJsonAsync("/api/v1/identity/providers", request);
        Assert.True(added.IsSuccessStatusCode, await added.Content.ReadAsStringAsync());
        return (await added.Content.ReadFromJsonAsync<AddedProvider>())!.Id.ToString();
    }

    private Task<HttpResponseMessage> FetchAsync(string address) => api.PostAsJsonAsync("/api/v1/identity/providers/metadata", new FetchMetadataRequest(address));

    private async Task<ProviderTest> TestAsync(string id)
    {
        using var tested = await api.PostAsync(new Uri($"/api/v1/identity/providers/{id}/test", UriKind.Relative), null);
        return (await tested.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ProviderTest>())!;
    }
}
