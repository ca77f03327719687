using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;

namespace MissionControl.Platform.Tests;

/// <summary>The walk's ways through people: each has somebody of its own, since a code of an authenticator counts once.</summary>
public sealed partial class AuditWalkTests
{
    private const string New = "quite another long password";
    private int people;

    private Dictionary<string, (string Type, Func<Task<string>> Act)> PeopleScenarios() => new()
    {
        ["InvitePerson"] = ("identity.person-invited", async () => (await SomebodySignedIn.InvitedAsync(host.Admin, Address(), "viewer")).Id.ToString()),
        ["RevokeInvitation"] = ("identity.invitation-revoked", async () =>
        {
            var invited = await SomebodySignedIn.InvitedAsync(host.Admin, Address(), "viewer");
            await PostAsync($"/api/v1/identity/invitations/{invited.Id}/revoke");
            return invited.Id.ToString();
        }),
        ["OpenInvitation"] = ("identity.invitation-opened", async () =>
        {
            var invited = await SomebodySignedIn.InvitedAsync(host.Admin, Address(), "viewer");
            await PostAsync("/api/v1/identity/invitations/open", new OpenInvitationRequest(invited.Code));
            return invited.Id.ToString();
        }),
        ["AcceptInvitation"] = ("identity.invitation-accepted", async () =>
        {
            var address = Address();
            var invited = await SomebodySignedIn.InvitedAsync(host.Admin, address, "viewer");
            await SomebodySignedIn.AcceptAsync(host, invited.Code!, address);
            return invited.Id.ToString();
        }),
        ["SignIn"] = ("identity.signed-in", () => WithPersonAsync(async (somebody, _) => (await somebody.TryAsync(code: somebody.RecoveryCodes[0])).EnsureSuccessStatusCode())),
        ["SignInWithPasskey"] = ("identity.signed-in", () => WithPersonAsync(async (somebody, _) =>
        {
            using var anonymous = host.Client(host.Portal);
            using var begun = await anonymous.PostAsync(new Uri("/api/v1/identity/sign-in/passkey/begin", UriKind.Relative), null);
            var asked = (await begun.Content.ReadFromJsonAsync<PasskeyChallenge>())!;
            (await anonymous.PostAsJsonAsync("/api/v1/identity/sign-in/passkey", new PasskeySignInRequest(asked.Challenge, somebody.Passkey.Get(asked.Options)))).EnsureSuccessStatusCode();
        })),
        ["AddMyPasskey"] = ("identity.passkey-added", () => AsPersonAsync((_, api) => AddPasskeyAsync(api))),
        ["RemoveMyPasskey"] = ("identity.passkey-removed", () => AsPersonAsync(async (_, api) =>
        {
            await AddPasskeyAsync(api);
            var key = (await api.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.Passkeys[^1];
            (await api.PostAsJsonAsync($"/api/v1/identity/me/passkeys/{key.Id}/remove", new RemoveFactorRequest())).EnsureSuccessStatusCode();
        })),
        ["RemoveMyAuthenticator"] = ("identity.authenticator-removed", () => AsPersonAsync(async (_, api) => (await api.PostAsJsonAsync("/api/v1/identity/me/authenticator/remove", new RemoveFactorRequest())).EnsureSuccessStatusCode())),
        ["ProveStepUp"] = ("identity.step-up-proven", () => AsPersonAsync((_, api) => AddPasskeyAsync(api))),
        ["ApproveDevice"] = ("identity.device-approved", () => AsPersonAsync(async (_, api) => await DecideAsync(api, "approve"))),
        ["DenyDevice"] = ("identity.device-denied", () => AsPersonAsync(async (_, api) => await DecideAsync(api, "deny"))),
        ["FinishDeviceSignIn"] = ("identity.signed-in", () => AsPersonAsync(async (_, api) => await PostAsync("/api/v1/identity/sign-in/device", new FinishDeviceSignInRequest(await DecideAsync(api, "approve"))))),
        ["AnswerConfirmation"] = ("identity.confirmation-given", () => WithPersonAsync((somebody, _) => ConfirmAsync(somebody, async (api, asked) =>
        {
            using var begun = await api.PostAsJsonAsync("/api/v1/identity/me/step-up/begin", new BeginStepUpRequest(asked.Demand.Audience, asked.Demand.Purpose, asked.Demand.SubjectDigest));
            var challenge = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<StepUpChallenge>())!;
            (await api.PostAsJsonAsync($"/api/v1/identity/me/confirmations/{asked.Id}/answer", new StepUpRequest(challenge.Challenge, somebody.Passkey.Get(challenge.Options!)))).EnsureSuccessStatusCode();
        }))),
        ["RefuseConfirmation"] = ("identity.confirmation-refused", () => WithPersonAsync((somebody, _) => ConfirmAsync(somebody, async (api, asked) =>
            (await api.PostAsync(new Uri($"/api/v1/identity/me/confirmations/{asked.Id}/refuse", UriKind.Relative), null)).EnsureSuccessStatusCode()))),
        ["ChangePersonRoles"] = ("identity.person-roles-changed", () => WithPersonAsync(async (_, id) => (await host.Admin.PutAsJsonAsync($"/api/v1/identity/people/{id}/roles", new ChangeRolesRequest(["billing"]))).EnsureSuccessStatusCode())),
        ["CreateGroup"] = ("identity.group-created", async () => (await GroupAsync()).ToString()),
        ["ChangeGroup"] = ("identity.group-changed", async () =>
        {
            var id = await GroupAsync();
            using var change = new HttpRequestMessage(HttpMethod.Put, new Uri($"/api/v1/identity/groups/{id}", UriKind.Relative)) { Content = JsonContent.Create(new SetGroupRequest(Address(), ["billing"], [])) };
            change.Headers.TryAddWithoutValidation("If-Match", "*");
            (await host.Admin.SendAsync(change)).EnsureSuccessStatusCode();
            return id.ToString();
        }),
        ["RemoveGroup"] = ("identity.group-removed", async () =>
        {
            var id = await GroupAsync();
            await PostAsync($"/api/v1/identity/groups/{id}/remove", new GroupActionRequest());
            return id.ToString();
        }),
        ["DisablePerson"] = ("identity.person-disabled", () => WithPersonAsync((_, id) => PostAsync($"/api/v1/identity/people/{id}/disable", new PersonActionRequest()))),
        ["EnablePerson"] = ("identity.person-enabled", () => WithPersonAsync(async (_, id) =>
        {
            await PostAsync($"/api/v1/identity/people/{id}/disable", new PersonActionRequest());
            await PostAsync($"/api/v1/identity/people/{id}/enable", new PersonActionRequest());
        })),
        ["EndPersonSessions"] = ("identity.person-signed-out", () => WithPersonAsync((_, id) => PostAsync($"/api/v1/identity/people/{id}/end-sessions", new PersonActionRequest()))),
        ["EndPersonSession"] = ("identity.session-ended", () => WithPersonAsync(async (_, id) =>
        {
            var one = (await host.Admin.GetFromJsonAsync<List<SessionItem>>($"/api/v1/identity/people/{id}/sessions"))!.Single();
            await PostAsync($"/api/v1/identity/people/{id}/sessions/{one.Id}/end", new PersonActionRequest());
        })),
        ["RecoverPerson"] = ("identity.recovery-begun", () => WithPersonAsync((_, id) => PostAsync($"/api/v1/identity/people/{id}/recover", new PersonActionRequest()))),
        ["EndMySession"] = ("identity.session-ended", () => AsPersonAsync(async (_, api) =>
        {
            var own = (await api.GetFromJsonAsync<List<SessionItem>>("/api/v1/identity/me/sessions"))!.Single();
            (await api.PostAsync(new Uri($"/api/v1/identity/me/sessions/{own.Id}/end", UriKind.Relative), null)).EnsureSuccessStatusCode();
        })),
        ["EndMyOtherSessions"] = ("identity.person-signed-out", () => AsPersonAsync(async (_, api) => (await api.PostAsync(new Uri("/api/v1/identity/me/sessions/end-others", UriKind.Relative), null)).EnsureSuccessStatusCode())),
        ["SetMyPreferences"] = ("identity.preferences-changed", () => AsPersonAsync(async (_, api) => (await api.PutAsJsonAsync("/api/v1/identity/me/preferences", new SetPreferencesRequest("dark"))).EnsureSuccessStatusCode())),
        ["ChangeMyPassword"] = ("identity.password-changed", () => AsPersonAsync(async (somebody, api) =>
            (await api.PostAsJsonAsync("/api/v1/identity/me/password", new ChangePasswordRequest(SomebodySignedIn.Password, New, somebody.Code(1)))).EnsureSuccessStatusCode())),
        ["RenewMyRecoveryCodes"] = ("identity.recovery-codes-renewed", () => AsPersonAsync(async (somebody, api) => (await api.PostAsJsonAsync("/api/v1/identity/me/recovery-codes", new ProofRequest(somebody.Code(1)))).EnsureSuccessStatusCode())),
        ["BeginMyAuthenticator"] = ("identity.authenticator-begun", () => AsPersonAsync(async (_, api) => (await api.PostAsync(new Uri("/api/v1/identity/me/authenticator", UriKind.Relative), null)).EnsureSuccessStatusCode())),
        ["ConfirmMyAuthenticator"] = ("identity.authenticator-changed", () => AsPersonAsync(async (somebody, api) =>
        {
            using var begun = await api.PostAsync(new Uri("/api/v1/identity/me/authenticator", UriKind.Relative), null);
            var other = new SomebodySignedIn(host, somebody.Email) { Secret = (await begun.Content.ReadFromJsonAsync<NewAuthenticator>())!.Secret };
            (await api.PostAsJsonAsync("/api/v1/identity/me/authenticator/confirm", new ConfirmAuthenticatorRequest(somebody.RecoveryCodes[0], other.Code()))).EnsureSuccessStatusCode();
        })),
    };

    // What is added is confirmed by what is there.
    private static async Task AddPasskeyAsync(HttpClient api)
    {
        using var begun = await api.PostAsJsonAsync("/api/v1/identity/me/passkeys/begin", new BeginPasskeyRequest("another"));
        var asked = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
        var domain = asked.Options["rp"]!["id"]!.GetValue<string>();
        using var key = new SoftPasskey { Domain = domain, Origin = domain == "localhost" ? "https://localhost:8443" : ControlAddress.TrimEnd('/') };
        (await api.PostAsJsonAsync("/api/v1/identity/me/passkeys", new NewPasskeyRequest(asked.Challenge, key.Create(asked.Options)))).EnsureSuccessStatusCode();
    }

    // A program that waits is permitted or refused.
    private async Task<string> DecideAsync(HttpClient api, string decision)
    {
        using var begun = await host.Admin.PostAsJsonAsync("/api/v1/identity/sign-in/device/begin", new BeginDeviceSignInRequest("mc on walk"));
        var waiting = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<DeviceSignIn>())!;
        using var found = await api.PostAsJsonAsync("/api/v1/identity/me/devices/find", new FindDeviceRequest(waiting.UserCode));
        var device = (await found.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<DeviceItem>())!;
        (await api.PostAsJsonAsync($"/api/v1/identity/me/devices/{device.Id}/{decision}", new ApproveDeviceRequest())).EnsureSuccessStatusCode();
        return waiting.DeviceCode;
    }

    // What somebody's program asks them to confirm.
    private static async Task ConfirmAsync(SomebodySignedIn somebody, Func<HttpClient, ConfirmationItem, Task> act)
    {
        using var api = await somebody.ApiAsync(confirms: false);
        await act(api, await SomebodySignedIn.AskedInPortalAsync(api));
    }

    private async Task<Guid> GroupAsync()
    {
        using var made = await host.Admin.PostAsJsonAsync("/api/v1/identity/groups", new SetGroupRequest(Address(), ["viewer"], []));
        return (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedGroup>())!.Id;
    }

    private string Address() => $"somebody{++people}@vendor.example";

    private async Task<string> WithPersonAsync(Func<SomebodySignedIn, Guid, Task> act)
    {
        var somebody = await SomebodySignedIn.InviteAsync(host, Address(), "viewer");
        var id = (await host.Admin.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?limit=500"))!.Items.Single(person => person.Email == somebody.Email).Id;
        await act(somebody, id);
        return id.ToString();
    }

    private Task<string> AsPersonAsync(Func<SomebodySignedIn, HttpClient, Task> act) => WithPersonAsync(async (somebody, _) =>
    {
        using var api = await somebody.ApiAsync();
        await act(somebody, api);
    });
}
