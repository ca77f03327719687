using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Client;

public sealed partial class MissionControlClient
{
    private const string ServiceAccounts = "/api/v1/identity/service-accounts";

    /// <summary>Service accounts, by name.</summary>
    public Task<Page<ServiceAccountItem>> ListServiceAccountsAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<ServiceAccountItem>>($"{ServiceAccounts}{query}", cancellationToken);

    /// <summary>One service account with all that it has.</summary>
    public Task<ServiceAccountDetail> GetServiceAccountAsync(Guid id, CancellationToken cancellationToken) => GetAsync<ServiceAccountDetail>($"{ServiceAccounts}/{id}", cancellationToken);

    /// <summary>Makes a service account.</summary>
    public Task<CreatedServiceAccount> CreateServiceAccountAsync(CreateServiceAccountRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<CreatedServiceAccount>(HttpMethod.Post, ServiceAccounts, request, precondition, cancellationToken);

    /// <summary>Stops a service account.</summary>
    public Task DisableServiceAccountAsync(Guid id, ServiceAccountActionRequest request, Precondition? precondition, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{ServiceAccounts}/{id}/disable", request, precondition, cancellationToken);

    /// <summary>Lets a service account call again.</summary>
    public Task EnableServiceAccountAsync(Guid id, ServiceAccountActionRequest request, Precondition? precondition, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{ServiceAccounts}/{id}/enable", request, precondition, cancellationToken);

    /// <summary>Says who else answers for a service account.</summary>
    public Task ChangeServiceAccountOwnerAsync(Guid id, ChangeOwnerRequest request, Precondition? precondition, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{ServiceAccounts}/{id}/owner", request, precondition, cancellationToken);

    /// <summary>Takes a right from a service account.</summary>
    public Task TakeServiceAccountScopeAsync(Guid id, TakeScopeRequest request, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{ServiceAccounts}/{id}/take-scope", request, null, cancellationToken);

    /// <summary>Asks a right for a service account.</summary>
    public Task<AskedScope> AskServiceAccountScopeAsync(Guid id, AskScopeRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<AskedScope>(HttpMethod.Post, $"{ServiceAccounts}/{id}/scope-requests", request, precondition, cancellationToken);

    /// <summary>Grants a right that somebody else asked for.</summary>
    public Task GrantServiceAccountScopeAsync(Guid id, Guid request, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{ServiceAccounts}/{id}/scope-requests/{request}/grant", null, null, cancellationToken);

    /// <summary>Refuses a right that somebody asked for.</summary>
    public Task RefuseServiceAccountScopeAsync(Guid id, Guid request, ServiceAccountActionRequest because, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"{ServiceAccounts}/{id}/scope-requests/{request}/refuse", because, null, cancellationToken);

    /// <summary>Withdraws what one asked for.</summary>
    public Task WithdrawServiceAccountScopeAsync(Guid id, Guid request, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{ServiceAccounts}/{id}/scope-requests/{request}/withdraw", null, null, cancellationToken);

    /// <summary>Makes an API token of a service account.</summary>
    public Task<CreatedToken> CreateServiceAccountTokenAsync(Guid id, CreateAccountTokenRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<CreatedToken>(HttpMethod.Post, $"{ServiceAccounts}/{id}/tokens", request, precondition, cancellationToken);

    /// <summary>Makes a client secret of a service account.</summary>
    public Task<CreatedToken> CreateClientSecretAsync(Guid id, CreateClientSecretRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<CreatedToken>(HttpMethod.Post, $"{ServiceAccounts}/{id}/secrets", request, precondition, cancellationToken);

    /// <summary>Registers a public key of a service account.</summary>
    public Task<AddedClientKey> AddClientKeyAsync(Guid id, AddClientKeyRequest request, Precondition? precondition, CancellationToken cancellationToken) =>
        SendAsync<AddedClientKey>(HttpMethod.Post, $"{ServiceAccounts}/{id}/keys", request, precondition, cancellationToken);

    /// <summary>Ends a public key of a service account.</summary>
    public Task RevokeClientKeyAsync(Guid id, Guid key, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{ServiceAccounts}/{id}/keys/{key}/revoke", null, null, cancellationToken);
}
