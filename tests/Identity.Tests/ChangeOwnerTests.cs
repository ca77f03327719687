using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Testing;
using Xunit;
using static MissionControl.Identity.Tests.ProgramsHost;

namespace MissionControl.Identity.Tests;

/// <summary>Somebody else answers for a program, and nobody comes by that to a right that takes two people.</summary>
public sealed class ChangeOwnerTests : IAsyncLifetime
{
    private const string Path = "/api/v1/identity/service-accounts";
    private ProgramsHost programs = null!;

    private ControlPlane Host => programs.Host;

    public async ValueTask InitializeAsync() => programs = await ProgramsHost.StartAsync();

    public ValueTask DisposeAsync() => programs.DisposeAsync();

    [Fact]
    public async Task Somebody_else_answers_for_it_when_a_person_confirms_it_and_both_are_told()
    {
        var (_, joans, joansId) = await AdministratorAsync("joan@vendor.example");
        var (customer, account) = ((await Host.CreateCustomerAsync("Acme")).Id, await programs.MakeAsync("billing", ["licensing:read"]));
        using var theirs = await (await SomebodySignedIn.InviteAsync(Host, "ada@acme.example", "customer-administrator", customer)).ApiAsync();
        var adasId = await IdAsync(theirs);
        var (_, gones, gonesId) = await AdministratorAsync("gone@vendor.example");
        Assert.Equal("done", await CodeAsync(programs.Api.PostAsJsonAsync($"/api/v1/identity/people/{gonesId}/disable", new PersonActionRequest())));
        var token = await ReadAsync<CreatedToken>(await programs.Api.PostAsJsonAsync($"{Path}/{account.Id}/tokens", new CreateAccountTokenRequest("export")));
        await programs.KnownAsync(token.Token);

        // Nobody whom there is not, who is disabled, or another's; no reason, no change; no program, and no session by itself.
        foreach (var (owner, reason, pointer) in new (Guid?, string?, string)[]
        {
            (null, "she left", "/ownerId"), (Guid.NewGuid(), "she left", "/ownerId"), (gonesId, "she left", "/ownerId"), (adasId, "she left", "/ownerId"), (joansId, null, "/reason"), (joansId, "x", "/reason"), (joansId, new string('x', 501), "/reason"),
        })
        {
            using var answer = await ChangeAsync(programs.Api, account.Id, owner, reason);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
            Assert.Equal([pointer], (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!.Select(error => error.Pointer));
        }

        var root = (await programs.DetailAsync(account.Id)).Account.OwnerId;
        Assert.Equal("conflict", await CodeAsync(ChangeAsync(programs.Api, account.Id, root)));
        Assert.Equal("step-up-impossible", await CodeAsync(ChangeAsync(Host.Admin, account.Id, joansId)));
        using var unconfirmed = await programs.Root.ApiAsync(confirms: false);
        using (var refusal = await ChangeAsync(unconfirmed, account.Id, joansId))
        {
            var demand = (await refusal.Content.ReadFromJsonAsync<ProblemDocument>())!.StepUp!;
            Assert.Equal((StepUp.GrantScope, StepUp.ChangeOwner(account.Id, joansId, ["licensing:read"]).Digest), (demand.Purpose, demand.SubjectDigest));
            Assert.NotEqual(StepUp.ChangeOwner(account.Id, root, ["licensing:read"]).Digest, demand.SubjectDigest);
        }

        using (var stale = new HttpRequestMessage(HttpMethod.Post, $"{Path}/{account.Id}/owner") { Content = JsonContent.Create(new ChangeOwnerRequest(joansId, "she left")), Headers = { { "If-Match", "\"7\"" } } })
        {
            Assert.Equal("precondition-failed", await CodeAsync(programs.Api.SendAsync(stale)));
        }

        Assert.Equal(root, (await programs.DetailAsync(account.Id)).Account.OwnerId);
        await Eventually.TrueAsync(async () => await MailsAsync("root@vendor.example") == 2, "of the account and its token root was told");
        Assert.Equal("done", await CodeAsync(ChangeAsync(programs.Api, account.Id, joansId)));
        var after = (await programs.DetailAsync(account.Id)).Account;
        Assert.Equal((joansId, "joan", "active"), (after.OwnerId, after.OwnerName, after.State));
        Assert.Equal(["licensing:read"], after.Scopes);
        Assert.Equal(HttpStatusCode.OK, await programs.CallAsync(token.Token));

        // Both are told, root for the third time, and the log has who it was before.
        foreach (var address in new[] { "root@vendor.example", "joan@vendor.example" })
        {
            await Eventually.TrueAsync(async () => await MailsAsync(address) == (address[0] == 'r' ? 3 : 1), $"{address} is told");
        }

        AuditEntryItem? entry = null;
        await Eventually.TrueAsync(async () => (entry = (await Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=identity.service-account-owner-changed"))!.Items.SingleOrDefault()) is not null, "it is in the log");
        var change = entry!.Entry.GetProperty("changes")[0].ToString();
        Assert.True(change.Contains(root.ToString(), StringComparison.Ordinal) && change.Contains(joansId.ToString(), StringComparison.Ordinal), change);
        Assert.Equal((account.Id.ToString(), "she left"), (entry.TargetId, entry.Entry.GetProperty("reason").GetString()));
        joans.Dispose();
        gones.Dispose();
    }

    [Fact]
    public async Task Nobody_gives_an_account_away_in_order_to_grant_what_was_asked_for_it()
    {
        var (joan, joans, joansId) = await AdministratorAsync("joan@vendor.example");
        var (mary, marys, _) = await AdministratorAsync("mary@vendor.example");
        var (_, fays, faysId) = await AdministratorAsync("fay@vendor.example");
        var (_, gregs, _) = await AdministratorAsync("greg@vendor.example");
        var account = (await ReadAsync<CreatedServiceAccount>(await programs.Api.PostAsJsonAsync(Path, new CreateServiceAccountRequest("ci", [], OwnerId: joansId, Networks: Anywhere)))).Id;
        var asked = await AskAsync(marys, account);
        Assert.Equal("conflict", await GrantAsync(joans, account, asked));

        // She passes it on: what was asked for under her is withdrawn, for everybody.
        Assert.Equal("done", await CodeAsync(ChangeAsync(joans, account, faysId)));
        Assert.Equal("withdrawn", (await programs.DetailAsync(account)).Requests.Single(one => one.Id == asked).State);
        Assert.Equal("conflict", await GrantAsync(joans, account, asked));
        Assert.Equal("conflict", await GrantAsync(gregs, account, asked));

        // Asked anew, neither she nor whom she made herself, nor the owner of now grants it; the page does not offer it either.
        var again = await AskAsync(marys, account);
        Assert.Equal("conflict", await GrantAsync(joans, account, again));
        var offer = (await joans.GetFromJsonAsync<ServiceAccountDetail>($"{Path}/{account}"))!.Requests.Single(one => one.Id == again).Actions.Single(one => one.Name == "grant");
        Assert.Equal((false, "You answered for this account within the last week; somebody else grants it."), (offer.Allowed, offer.Reason));
        var twin = await SomebodySignedIn.InviteByAsync(Host, joan, "joan+2@vendor.example", "administrator");
        using var twins = await twin.ApiAsync();
        Assert.Equal("conflict", await GrantAsync(twins, account, again));
        Assert.Equal("conflict", await GrantAsync(fays, account, again));

        // There and back again is worse: it is withdrawn once more, and now both are out.
        Assert.Equal("done", await CodeAsync(ChangeAsync(fays, account, joansId)));
        var third = await AskAsync(marys, account);
        Assert.Equal("conflict", await GrantAsync(joans, account, third));
        Assert.Equal("conflict", await GrantAsync(fays, account, third));
        Assert.Empty((await programs.DetailAsync(account)).Account.Scopes);
        Assert.Equal("done", await CodeAsync(ChangeAsync(joans, account, faysId)));

        // Somebody who never had to do with it grants it; after a week she is somebody else, too.
        var fourth = await AskAsync(marys, account);
        Assert.Equal("done", await GrantAsync(gregs, account, fourth));
        Assert.Equal(["updates:write"], (await programs.DetailAsync(account)).Account.Scopes);
        programs.Time.Advance(TimeSpan.FromDays(7) + TimeSpan.FromSeconds(1));
        using var later = await AnewAsync(mary);
        using var hers = await AnewAsync(joan);
        var fifth = await AskAsync(later, account, "identity:write");
        Assert.Equal("done", await GrantAsync(hers, account, fifth));
        foreach (var client in new[] { joans, marys, fays, gregs })
        {
            client.Dispose();
        }
    }

    [Fact]
    public async Task A_customers_administrator_names_its_own_people_for_its_own_programs_only()
    {
        var (acme, other) = ((await Host.CreateCustomerAsync("Acme")).Id, (await Host.CreateCustomerAsync("Other")).Id);
        using var adas = await (await SomebodySignedIn.InviteAsync(Host, "ada@acme.example", "customer-administrator", acme)).ApiAsync();
        using var eves = await (await SomebodySignedIn.InviteAsync(Host, "eve@other.example", "customer-administrator", other)).ApiAsync();
        var (ada, eve, root) = (await IdAsync(adas), await IdAsync(eves), await IdAsync(programs.Api));
        var (theirs, staffs) = (await programs.MakeAsync("of Acme", ["fleet:read"], acme), await programs.MakeAsync("of the vendor", ["fleet:read"]));
        Assert.Equal(root, (await programs.DetailAsync(theirs.Id)).Account.OwnerId);

        Assert.Equal("not-found", await CodeAsync(ChangeAsync(adas, staffs.Id, ada)));
        Assert.Equal("not-found", await CodeAsync(ChangeAsync(eves, theirs.Id, eve)));
        Assert.Equal("invalid", await CodeAsync(ChangeAsync(adas, theirs.Id, eve)));
        Assert.Equal("done", await CodeAsync(ChangeAsync(adas, theirs.Id, ada)));
        Assert.Equal("invalid", await CodeAsync(ChangeAsync(adas, theirs.Id, root)));
        Assert.Equal("invalid", await CodeAsync(ChangeAsync(programs.Api, theirs.Id, eve)));
        Assert.Equal("invalid", await CodeAsync(ChangeAsync(programs.Api, staffs.Id, ada)));
        Assert.Equal("done", await CodeAsync(ChangeAsync(programs.Api, theirs.Id, root)));
    }

    private async Task<int> MailsAsync(string address) => (await Host.Admin.GetFromJsonAsync<Page<DeliveryItem>>("/api/v1/notifications/deliveries?channel=mail&limit=500"))!.Items.Count(one => one.Recipient == address && one.Subject == "Your account at Mission Control was changed");

    private static Task<HttpResponseMessage> ChangeAsync(HttpClient by, Guid account, Guid? owner, string? reason = "she left") => by.PostAsJsonAsync($"{Path}/{account}/owner", new ChangeOwnerRequest(owner, reason));

    private static async Task<Guid> AskAsync(HttpClient by, Guid account, string scope = "updates:write") => (await ReadAsync<AskedScope>(await by.PostAsJsonAsync($"{Path}/{account}/scope-requests", new AskScopeRequest(scope, "the program needs it")))).Id;

    private static Task<string> GrantAsync(HttpClient by, Guid account, Guid request) => CodeAsync(by.PostAsync(new Uri($"{Path}/{account}/scope-requests/{request}/grant", UriKind.Relative), null));

    private static async Task<Guid> IdAsync(HttpClient who) => (await who.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.Id;

    private async Task<(SomebodySignedIn Who, HttpClient Api, Guid Id)> AdministratorAsync(string email)
    {
        var somebody = await SomebodySignedIn.InviteAsync(Host, email, "administrator");
        var api = await somebody.ApiAsync();
        return (somebody, api, await IdAsync(api));
    }

    private static async Task<HttpClient> AnewAsync(SomebodySignedIn somebody)
    {
        using var answer = await somebody.TryAsync(code: somebody.RecoveryCodes[0]);
        somebody.Session = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedSession>())!.Session;
        return await somebody.ApiAsync();
    }
}
