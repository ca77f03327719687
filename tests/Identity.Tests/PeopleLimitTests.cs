using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Federation;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>A customer's provider that says a new subject each time.</summary>
public sealed class PeopleLimitTests : IAsyncLifetime
{
    private readonly TestAuthority authority = new();
    private readonly ManualTime time = new(DateTimeOffset.UtcNow);
    private readonly SamlForge idp = new(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(31));
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync()
    {
        var settings = SamlHost.Configuration(authority, ("corp", SamlHost.Keys(idp)));
        settings["Identity:MostFederatedPeople"] = "2";
        host = await ControlPlane.StartAsync(time: time, configuration: settings);
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        idp.Dispose();
        authority.Dispose();
    }

    [Fact]
    public async Task A_customers_providers_make_so_many_people_and_no_more_and_the_log_is_told_once_an_hour()
    {
        var (acme, other) = ((await host.CreateCustomerAsync("Acme")).Id, (await host.CreateCustomerAsync("Other")).Id);
        using var adas = await (await SomebodySignedIn.InviteAsync(host, "ada@acme.example", "customer-administrator", acme)).ApiAsync();
        var (one, second, theirs) = (await AddAsync(acme), await AddAsync(acme), await AddAsync(other));
        Assert.Equal(HttpStatusCode.OK, await SignInAsync(one, "lin"));
        Assert.Equal(HttpStatusCode.OK, await SignInAsync(one, "ann"));

        // A third is one too many, by whichever provider of the customer, also when one of the two is disabled; who is known comes in.
        var lin = (await adas.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?limit=500"))!.Items.First(person => person.IsFederated);
        using var disabled = await adas.PostAsJsonAsync($"/api/v1/identity/people/{lin.Id}/disable", new PersonActionRequest());
        disabled.EnsureSuccessStatusCode();
        foreach (var (provider, subject) in new[] { (one, "mallory-1"), (one, "mallory-2"), (second, "mallory-3") })
        {
            using var refused = await host.ForgeAsync(idp, provider, time.GetUtcNow(), subject);
            Assert.Equal((HttpStatusCode.Unauthorized, PeopleLimit.Reached), (refused.StatusCode, (await refused.Content.ReadFromJsonAsync<ProblemDocument>())!.Detail));
        }

        Assert.Equal(HttpStatusCode.OK, await SignInAsync(second, "ann"));
        Assert.Equal(3, (await adas.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?limit=500"))!.Items.Count);

        // Another customer and staff have nothing to do with it.
        Assert.Equal(HttpStatusCode.OK, await SignInAsync(theirs, "eve"));
        foreach (var subject in new[] { "joan", "mary", "fay" })
        {
            Assert.Equal(HttpStatusCode.OK, await SignInAsync("corp", subject));
        }

        await ToldAsync(acme, 1);
        time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(HttpStatusCode.Unauthorized, await SignInAsync(one, "mallory-4"));
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(HttpStatusCode.Unauthorized, await SignInAsync(one, "mallory-5"));
        Assert.Equal(HttpStatusCode.Unauthorized, await SignInAsync(one, "mallory-6"));
        await ToldAsync(acme, 2);
        await ToldAsync(other, 0);
    }

    private async Task<HttpStatusCode> SignInAsync(string provider, string subject)
    {
        using var answer = await host.ForgeAsync(idp, provider, time.GetUtcNow(), subject);
        return answer.StatusCode;
    }

    private async Task<string> AddAsync(Guid customer)
    {
        using var added = await host.Admin.PostAsJsonAsync("/api/v1/identity/providers", new SetProviderRequest("Sign-in", null, null, null, [new GroupRole("*", "customer-viewer")], CustomerId: customer, RequiredAcr: "urn:test:mfa", Saml: new SetSaml(CustomerSamlTests.Metadata(idp))));
        return (await ProgramsHost.ReadAsync<AddedProvider>(added)).Id.ToString();
    }

    /// <summary>Entries of one producer come in order: what is added after them comes after them.</summary>
    private async Task ToldAsync(Guid customer, int times)
    {
        var last = await AddAsync(customer);
        var entries = $"/api/v1/audit/entries?customer={customer}&limit=500";
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>(entries))!.Items.Any(entry => entry.TargetId == last), "the log has what came after");
        Assert.Equal(times, (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>(entries))!.Items.Count(entry => entry.Type == "identity.sign-in-refused"));
    }
}
