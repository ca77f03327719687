using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Federation;
using MissionControl.Identity.Federation.Saml;
using MissionControl.Identity.People;
using MissionControl.Identity.Sessions;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>What somebody tries who holds an identity provider, or stands between; what is wrong with a response by itself is tried in <see cref="SamlResponseTests"/>.</summary>
public sealed class SamlAttackTests : IAsyncLifetime
{
    private readonly TestAuthority authority = new();
    private readonly ManualTime time = new(DateTimeOffset.UtcNow);
    private readonly SamlForge idp = new(DateTimeOffset.UtcNow);
    private readonly SamlForge other = new(DateTimeOffset.UtcNow, entity: "urn:example:other");
    private Dictionary<string, string?> keys = null!;
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync()
    {
        keys = SamlHost.Keys(idp);
        host = await ControlPlane.StartAsync(time: time, configuration: SamlHost.Configuration(authority, ("corp", keys), ("other", SamlHost.Keys(other))));
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        idp.Dispose();
        other.Dispose();
        authority.Dispose();
    }

    [Fact]
    public async Task An_assertion_as_it_must_be_opens_a_session_so_that_what_follows_fails_for_its_own_reason()
    {
        using var answer = await host.ForgeAsync(idp, "corp", time.GetUtcNow());
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);

        // By AD FS's and Entra's word for the method as well, and by no other context.
        using var methods = await host.ForgeAsync(idp, "corp", time.GetUtcNow(), context: "urn:other", change: text => text.Replace("Name=\"displayName\"", $"Name=\"{SamlNames.MicrosoftMethods}\"", StringComparison.Ordinal).Replace(">Mallory<", ">otp<", StringComparison.Ordinal));
        Assert.NotNull((await methods.Content.ReadFromJsonAsync<FederatedSignIn>())!.Session);
        using var password = await host.ForgeAsync(idp, "corp", time.GetUtcNow(), context: "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport");
        Assert.Equal("authenticator", (await password.Content.ReadFromJsonAsync<FederatedSignIn>())!.Needs);
    }

    [Fact]
    public async Task A_response_is_good_once_in_the_browser_whose_request_it_answers()
    {
        var (begun, response) = await AnsweredAsync();
        using var first = await host.BringAsync("corp", begun.Browser, begun.StateOf(), response);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        using var again = await host.BringAsync("corp", begun.Browser, begun.StateOf(), response);
        Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);

        // Under another sign-in of the same browser's owner: the request is another one.
        var second = await host.BeginAsync("corp");
        using var replayed = await host.BringAsync("corp", second.Browser, second.StateOf(), response);
        Assert.Equal(HttpStatusCode.Unauthorized, replayed.StatusCode);
        Assert.Contains("InResponseTo", (await host.RefusalsAsync(1))[0], StringComparison.Ordinal);
        Assert.Single(await host.RowsAsync<Session>(), session => session.PersonId is not null);
    }

    [Fact]
    public async Task Of_fifty_who_bring_the_same_response_at_once_one_gets_a_session()
    {
        var (begun, response) = await AnsweredAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => host.BringAsync("corp", begun.Browser, begun.StateOf(), response)));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.All(answers.Where(answer => answer.StatusCode != HttpStatusCode.OK), answer => Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode));
        Assert.Single(await host.RowsAsync<Session>(), session => session.PersonId is not null);
        Array.ForEach(answers, answer => answer.Dispose());
    }

    [Fact]
    public async Task An_assertion_of_one_id_is_taken_once_also_where_its_provider_signs_it_for_fifty_requests()
    {
        var begun = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => host.BeginAsync("corp")));
        var answers = await Task.WhenAll(begun.Select(one => host.BringAsync("corp", one.Browser, one.StateOf(), SamlForge.Encode(idp.Sign(idp.Response(time.GetUtcNow(), one.Expected("corp"), id: "_the-same"))))));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.All(await host.RefusalsAsync(49), why => Assert.Contains("taken already", why, StringComparison.Ordinal));
        Assert.Single(await host.RowsAsync<ConsumedAssertion>());
        Array.ForEach(answers, answer => answer.Dispose());

        // Ids are each provider's own.
        using var others = await host.ForgeAsync(other, "other", time.GetUtcNow(), id: "_the-same");
        Assert.Equal(HttpStatusCode.OK, others.StatusCode);
    }

    [Fact]
    public async Task Another_browsers_response_signs_nobody_in_as_its_owner()
    {
        // Login CSRF: the attacker's own answer in a victim's browser, with the victim's state, the attacker's, or an address in its place.
        var (attackers, response) = await AnsweredAsync();
        var victims = await host.BeginAsync("corp");
        foreach (var (state, code) in new[] { (victims.StateOf(), HttpStatusCode.Unauthorized), (attackers.StateOf(), HttpStatusCode.Unauthorized), ("https://evil.example/", HttpStatusCode.Unauthorized) })
        {
            using var answer = await host.BringAsync("corp", victims.Browser, state, response);
            Assert.Equal(code, answer.StatusCode);
        }

        using var nobodys = await host.BringAsync("corp", "", attackers.StateOf(), response);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, nobodys.StatusCode);
        Assert.Empty(await host.RowsAsync<Person>());
    }

    [Fact]
    public async Task A_response_for_one_provider_is_worth_nothing_at_another()
    {
        // The mix-up, each way: another's response at the address that was asked, and the one's response at another address.
        var begun = await host.BeginAsync("corp");
        using var signedByOther = await host.BringAsync("corp", begun.Browser, begun.StateOf(), SamlForge.Encode(other.Sign(other.Response(time.GetUtcNow(), begun.Expected("corp")))));
        Assert.Equal(HttpStatusCode.Unauthorized, signedByOther.StatusCode);

        var second = await host.BeginAsync("corp");
        using var elsewhere = await host.BringAsync("other", second.Browser, second.StateOf(), SamlForge.Encode(idp.Sign(idp.Response(time.GetUtcNow(), second.Expected("corp")))));
        Assert.Equal(HttpStatusCode.Unauthorized, elsewhere.StatusCode);

        // It says that it is the other one: only its own certificates sign for that name.
        using var pretender = new SamlForge(time.GetUtcNow(), entity: other.EntityId);
        using var pretended = await host.ForgeAsync(pretender, "other", time.GetUtcNow());
        Assert.Equal(HttpStatusCode.Unauthorized, pretended.StatusCode);
        using var named = await host.ForgeAsync(idp, "corp", time.GetUtcNow(), change: text => text.Replace(idp.EntityId, other.EntityId, StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Unauthorized, named.StatusCode);
        Assert.Empty(await host.RowsAsync<Person>());
    }

    [Fact]
    public async Task The_same_NameID_of_another_provider_and_whoever_claims_somebodys_mail_address_is_another_person()
    {
        var invited = await SomebodySignedIn.InviteAsync(host, "mallory@example.com", "administrator");
        using var first = await host.ForgeAsync(idp, "corp", time.GetUtcNow());
        using var second = await host.ForgeAsync(other, "other", time.GetUtcNow());
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (first.StatusCode, second.StatusCode));
        var people = await host.RowsAsync<Person>();
        Assert.Equal(3, people.Count(person => person.Email == invited.Email));
        Assert.Equal(2, (await host.RowsAsync<FederatedIdentity>()).Select(identity => identity.PersonId).Distinct().Count());
        Assert.Single(people, person => person.EmailKey is not null && person.Email == invited.Email);
    }

    [Fact]
    public async Task Who_is_stopped_here_is_not_signed_in_by_its_provider()
    {
        using var first = await host.ForgeAsync(idp, "corp", time.GetUtcNow());
        var subject = (await host.TradeAsync((await first.Content.ReadFromJsonAsync<FederatedSignIn>())!.Session!))!.Principal.Subject;
        using var stopped = await host.Admin.PostAsJsonAsync($"/api/v1/identity/people/{subject["person:".Length..]}/disable", new PersonActionRequest());
        stopped.EnsureSuccessStatusCode();
        using var again = await host.ForgeAsync(idp, "corp", time.GetUtcNow());
        Assert.Equal((HttpStatusCode.Unauthorized, FederatedPeople.Disabled), (again.StatusCode, await again.DetailAsync()));
    }

    [Fact]
    public async Task A_session_is_not_longer_than_its_provider_wants()
    {
        var ends = time.GetUtcNow().AddMinutes(20);
        string Ending(string text) => text.Replace("SessionIndex=", $"SessionNotOnOrAfter=\"{SamlForge.At(ends)}\" SessionIndex=", StringComparison.Ordinal);
        using var answer = await host.ForgeAsync(idp, "corp", time.GetUtcNow(), change: Ending);
        var opened = (await answer.Content.ReadFromJsonAsync<FederatedSignIn>())!;
        Assert.Equal(ends, opened.ExpiresAt, TimeSpan.FromMilliseconds(1));

        // Nor by way of the second factor here.
        var begun = await host.BeginAsync("corp");
        using var half = await host.BringAsync("corp", begun.Browser, begun.StateOf(), SamlForge.Encode(idp.Sign(Ending(idp.Response(time.GetUtcNow(), begun.Expected("corp"), subject: "joan", context: "urn:other", id: "_half")))));
        var joan = new SomebodySignedIn(host, "") { Secret = (await half.Content.ReadFromJsonAsync<FederatedSignIn>())!.TotpSecret! };
        using var anonymous = host.Client(host.Portal);
        using var proven = await anonymous.PostAsJsonAsync("/api/v1/identity/federation/prove", new ProveFederatedSignInRequest(begun.Browser, joan.Code()));
        Assert.Equal(ends, (await proven.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<FederatedSignIn>())!.ExpiresAt, TimeSpan.FromMilliseconds(1));
        time.Advance(TimeSpan.FromMinutes(20));
        Assert.Null(await host.TradeAsync(opened.Session!));
    }

    [Fact]
    public async Task A_certificate_that_is_changed_in_its_file_counts_at_once_and_one_that_is_gone_signs_nobody_in()
    {
        using var next = new SamlForge(time.GetUtcNow());
        await File.WriteAllTextAsync(keys["CertificateFile"]!, $"{idp.Certificate.ExportCertificatePem()}\n{next.Certificate.ExportCertificatePem()}\n");
        using var old = await host.ForgeAsync(idp, "corp", time.GetUtcNow());
        using var both = await host.ForgeAsync(next, "corp", time.GetUtcNow());
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (old.StatusCode, both.StatusCode));

        await File.WriteAllTextAsync(keys["CertificateFile"]!, next.Certificate.ExportCertificatePem());
        using var gone = await host.ForgeAsync(idp, "corp", time.GetUtcNow());
        using var stays = await host.ForgeAsync(next, "corp", time.GetUtcNow());
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (gone.StatusCode, stays.StatusCode));

        // Read in the middle of being written it signs nobody in, and says so.
        await File.WriteAllTextAsync(keys["CertificateFile"]!, "");
        using var anonymous = host.Client(host.Portal);
        using var empty = await anonymous.PostAsJsonAsync("/api/v1/identity/federation/corp/begin", new BeginFederatedSignInRequest());
        Assert.Equal(HttpStatusCode.Conflict, empty.StatusCode);
    }

    [Fact]
    public async Task A_response_beyond_all_size_is_refused_before_it_is_read()
    {
        var begun = await host.BeginAsync("corp");
        using var huge = await host.BringAsync("corp", begun.Browser, begun.StateOf(), new string('A', 360_001));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, huge.StatusCode);
        using var none = await host.BringAsync("corp", begun.Browser, begun.StateOf(), null);
        Assert.Equal(HttpStatusCode.Unauthorized, none.StatusCode);
    }

    private async Task<(BegunFederatedSignIn Begun, string Response)> AnsweredAsync()
    {
        var begun = await host.BeginAsync("corp");
        return (begun, SamlForge.Encode(idp.Sign(idp.Response(time.GetUtcNow(), begun.Expected("corp")))));
    }
}
