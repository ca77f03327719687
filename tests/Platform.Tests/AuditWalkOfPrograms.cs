using System.Net.Http.Json;
using System.Security.Cryptography;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;

namespace MissionControl.Platform.Tests;

/// <summary>The walk's ways through programs: made, switched, given what they prove themselves with, and rights by two people.</summary>
public sealed partial class AuditWalkTests
{
    private const string Accounts = "/api/v1/identity/service-accounts";

    private Dictionary<string, (string Type, Func<Task<string>> Act)> ProgramScenarios() => new()
    {
        ["CreateServiceAccount"] = ("identity.service-account-created", () => WithProgramAsync((_, _) => Task.CompletedTask)),
        ["DisableServiceAccount"] = ("identity.service-account-disabled", () => WithProgramAsync((api, id) => DoneAsync(api, $"{id}/disable", new ServiceAccountActionRequest()))),
        ["EnableServiceAccount"] = ("identity.service-account-enabled", () => WithProgramAsync(async (api, id) =>
        {
            await DoneAsync(api, $"{id}/disable", new ServiceAccountActionRequest());
            await DoneAsync(api, $"{id}/enable", new ServiceAccountActionRequest());
        })),
        ["ChangeServiceAccountOwner"] = ("identity.service-account-owner-changed", () => WithProgramAsync(async (api, id) =>
        {
            var other = await SomebodySignedIn.InviteAsync(host, Address(), "viewer");
            using var others = await other.ApiAsync();
            var owner = (await others.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.Id;
            await DoneAsync(api, $"{id}/owner", new ChangeOwnerRequest(owner, "the walk says so"));
        })),
        ["TakeServiceAccountScope"] = ("identity.service-account-scope-taken", () => WithProgramAsync((api, id) => DoneAsync(api, $"{id}/take-scope", new TakeScopeRequest("fleet:read")))),
        ["AskServiceAccountScope"] = ("identity.scope-asked", () => WithProgramAsync((api, id) => AskAsync(api, id))),
        ["GrantServiceAccountScope"] = ("identity.scope-granted", () => WithProgramAsync(async (api, id) =>
        {
            var asked = await AskAsync(api, id);
            var other = await SomebodySignedIn.InviteAsync(host, Address(), "security-officer");
            using var others = await other.ApiAsync();
            await DoneAsync(others, $"{id}/scope-requests/{asked}/grant", null);
        })),
        ["RefuseServiceAccountScope"] = ("identity.scope-refused", () => WithProgramAsync(async (api, id) => await DoneAsync(api, $"{id}/scope-requests/{await AskAsync(api, id)}/refuse", new ServiceAccountActionRequest()))),
        ["WithdrawServiceAccountScope"] = ("identity.scope-withdrawn", () => WithProgramAsync(async (api, id) => await DoneAsync(api, $"{id}/scope-requests/{await AskAsync(api, id)}/withdraw", null))),
        ["CreateServiceAccountToken"] = ("identity.token-created", () => MadeAsync("tokens", new CreateAccountTokenRequest("walk"))),
        ["CreateClientSecret"] = ("identity.client-secret-created", () => MadeAsync("secrets", new CreateClientSecretRequest())),
        ["AddClientKey"] = ("identity.client-key-added", () => WithProgramAsync((api, id) => AddKeyAsync(api, id))),
        ["RevokeClientKey"] = ("identity.client-key-revoked", () => WithProgramAsync(async (api, id) => await DoneAsync(api, $"{id}/keys/{await AddKeyAsync(api, id)}/revoke", null))),
    };

    private async Task<string> WithProgramAsync(Func<HttpClient, Guid, Task> act)
    {
        var officer = await SomebodySignedIn.InviteAsync(host, Address(), "security-officer");
        using var api = await officer.ApiAsync();
        using var made = await api.PostAsJsonAsync(Accounts, new CreateServiceAccountRequest("walk", ["fleet:read"], Networks: ["127.0.0.0/8"]));
        var id = (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedServiceAccount>())!.Id;
        await act(api, id);
        return id.ToString();
    }

    private async Task<string> MadeAsync(string what, object request)
    {
        var id = "";
        await WithProgramAsync(async (api, account) =>
        {
            using var content = JsonContent.Create(request, request.GetType());
            using var made = await api.PostAsync(new Uri($"{Accounts}/{account}/{what}", UriKind.Relative), content);
            id = (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedToken>())!.Id;
        });
        return id;
    }

    private static async Task<Guid> AskAsync(HttpClient api, Guid account)
    {
        using var asked = await api.PostAsJsonAsync($"{Accounts}/{account}/scope-requests", new AskScopeRequest("identity:write", "the walk says so"));
        return (await asked.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AskedScope>())!.Id;
    }

    private static async Task<Guid> AddKeyAsync(HttpClient api, Guid account)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var added = await api.PostAsJsonAsync($"{Accounts}/{account}/keys", new AddClientKeyRequest("walk", key.ExportSubjectPublicKeyInfoPem()));
        return (await added.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AddedClientKey>())!.Id;
    }

    private static async Task DoneAsync(HttpClient api, string path, object? body)
    {
        using var content = body is null ? null : JsonContent.Create(body, body.GetType());
        (await api.PostAsync(new Uri($"{Accounts}/{path}", UriKind.Relative), content)).EnsureSuccessStatusCode();
    }
}
