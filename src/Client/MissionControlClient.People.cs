using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Client;

public sealed partial class MissionControlClient
{
    private const string Identity = "/api/v1/identity";

    /// <summary>How one can sign in.</summary>
    public Task<SignInOptions> GetSignInOptionsAsync(CancellationToken cancellationToken) => GetAsync<SignInOptions>($"{Identity}/sign-in", cancellationToken);

    /// <summary>Signs a person in.</summary>
    /// <exception cref="ApiException">Something of it is not right, or there were too many tries.</exception>
    public Task<CreatedSession> SignInAsync(SignInRequest request, CancellationToken cancellationToken) => SendAsync<CreatedSession>(HttpMethod.Post, $"{Identity}/sign-in", request, null, cancellationToken);

    /// <summary>Asks for a passkey, of nobody by name.</summary>
    public Task<PasskeyChallenge> BeginPasskeySignInAsync(CancellationToken cancellationToken) => SendAsync<PasskeyChallenge>(HttpMethod.Post, $"{Identity}/sign-in/passkey/begin", null, null, cancellationToken);

    /// <summary>Signs a person in with a passkey.</summary>
    /// <exception cref="ApiException">It is not known, or not good.</exception>
    public Task<CreatedSession> SignInWithPasskeyAsync(PasskeySignInRequest request, CancellationToken cancellationToken) => SendAsync<CreatedSession>(HttpMethod.Post, $"{Identity}/sign-in/passkey", request, null, cancellationToken);

    /// <summary>Asks how to confirm what a role demanded.</summary>
    /// <exception cref="ApiException">Nothing that the person has confirms it.</exception>
    public Task<StepUpChallenge> BeginStepUpAsync(BeginStepUpRequest request, CancellationToken cancellationToken) => SendAsync<StepUpChallenge>(HttpMethod.Post, $"{Identity}/me/step-up/begin", request, null, cancellationToken);

    /// <summary>Proves it.</summary>
    /// <exception cref="ApiException">It is no proof.</exception>
    public Task<StepUpProof> ProveStepUpAsync(StepUpRequest request, CancellationToken cancellationToken) => SendAsync<StepUpProof>(HttpMethod.Post, $"{Identity}/me/step-up", request, null, cancellationToken);
    /// <summary>A provider, for whoever wants to sign in by it.</summary>
    public Task<SignInProvider> GetSignInProviderAsync(string provider, CancellationToken cancellationToken) => GetAsync<SignInProvider>($"{Identity}/federation/{Uri.EscapeDataString(provider)}", cancellationToken);

    /// <summary>Begins to sign in at a provider.</summary>
    public Task<BegunFederatedSignIn> BeginFederatedSignInAsync(string provider, BeginFederatedSignInRequest request, CancellationToken cancellationToken) =>
        SendAsync<BegunFederatedSignIn>(HttpMethod.Post, $"{Identity}/federation/{Uri.EscapeDataString(provider)}/begin", request, null, cancellationToken);

    /// <summary>Brings what the provider answered.</summary>
    public Task<FederatedSignIn> FinishFederatedSignInAsync(string provider, FinishFederatedSignInRequest request, CancellationToken cancellationToken) =>
        SendAsync<FederatedSignIn>(HttpMethod.Post, $"{Identity}/federation/{Uri.EscapeDataString(provider)}/finish", request, null, cancellationToken);

    /// <summary>What a sign-in at a provider still needs.</summary>
    public Task<FederatedSignIn> GetPendingSignInAsync(string browser, CancellationToken cancellationToken) =>
        SendAsync<FederatedSignIn>(HttpMethod.Post, $"{Identity}/federation/pending", new FederatedSignInRequest(browser), null, cancellationToken);

    /// <summary>Asks for a passkey, to prove the second factor that the provider did not.</summary>
    public Task<PasskeyChallenge> BeginFederatedPasskeyAsync(string browser, CancellationToken cancellationToken) =>
        SendAsync<PasskeyChallenge>(HttpMethod.Post, $"{Identity}/federation/passkey", new FederatedSignInRequest(browser), null, cancellationToken);

    /// <summary>Proves the second factor that the provider did not.</summary>
    public Task<FederatedSignIn> ProveFederatedSignInAsync(ProveFederatedSignInRequest request, CancellationToken cancellationToken) =>
        SendAsync<FederatedSignIn>(HttpMethod.Post, $"{Identity}/federation/prove", request, null, cancellationToken);

    /// <summary>Signs in with name and password of a directory; the second factor is proved as after a provider.</summary>
    public Task<BegunDirectorySignIn> SignInByDirectoryAsync(string directory, DirectorySignInRequest request, CancellationToken cancellationToken) =>
        SendAsync<BegunDirectorySignIn>(HttpMethod.Post, $"{Identity}/federation/{Uri.EscapeDataString(directory)}/directory-sign-in", request, null, cancellationToken);

    /// <summary>Customers' providers, by name.</summary>
    public Task<Page<ProviderItem>> ListProvidersAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<ProviderItem>>($"{Identity}/providers{query}", cancellationToken);

    /// <summary>One provider.</summary>
    public Task<ProviderItem> GetProviderAsync(Guid id, CancellationToken cancellationToken) => GetAsync<ProviderItem>($"{Identity}/providers/{id}", cancellationToken);

    /// <summary>Lets a customer's users sign in by its own provider.</summary>
    public Task<AddedProvider> AddProviderAsync(SetProviderRequest request, Precondition? precondition, CancellationToken cancellationToken) => SendAsync<AddedProvider>(HttpMethod.Post, $"{Identity}/providers", request, precondition, cancellationToken);

    /// <summary>Changes a provider.</summary>
    public Task ChangeProviderAsync(Guid id, SetProviderRequest request, CancellationToken cancellationToken) => SendAsync(HttpMethod.Put, $"{Identity}/providers/{id}", request, null, cancellationToken);

    /// <summary>Removes a provider.</summary>
    public Task RemoveProviderAsync(Guid id, CancellationToken cancellationToken) => SendAsync(HttpMethod.Delete, $"{Identity}/providers/{id}", null, null, cancellationToken);

    /// <summary>Fetches the metadata of an identity provider, to be looked at and set.</summary>
    public Task<FetchedMetadata> FetchSamlMetadataAsync(FetchMetadataRequest request, CancellationToken cancellationToken) => SendAsync<FetchedMetadata>(HttpMethod.Post, $"{Identity}/providers/metadata", request, null, cancellationToken);

    /// <summary>By what staff signs in besides passkeys and passwords.</summary>
    public Task<StaffProviderList> ListStaffProvidersAsync(CancellationToken cancellationToken) => GetAsync<StaffProviderList>($"{Identity}/staff-providers", cancellationToken);

    /// <summary>Asks a provider or a directory of staff what it answers.</summary>
    public Task<ProviderTest> TestStaffProviderAsync(string provider, TestStaffProviderRequest request, CancellationToken cancellationToken) =>
        SendAsync<ProviderTest>(HttpMethod.Post, $"{Identity}/staff-providers/{Uri.EscapeDataString(provider)}/test", request, null, cancellationToken);

    /// <summary>Asks a provider what it publishes.</summary>
    public Task<ProviderTest> TestProviderAsync(Guid id, CancellationToken cancellationToken) => SendAsync<ProviderTest>(HttpMethod.Post, $"{Identity}/providers/{id}/test", null, null, cancellationToken);

    /// <summary>What an invitation is for.</summary>
    /// <exception cref="ApiException">The code is not good.</exception>
    public Task<OpenedInvitation> OpenInvitationAsync(OpenInvitationRequest request, CancellationToken cancellationToken) =>
        SendAsync<OpenedInvitation>(HttpMethod.Post, $"{Identity}/invitations/open", request, null, cancellationToken);

    /// <summary>Becomes the invited person, and signs it in.</summary>
    public Task<AcceptedInvitation> AcceptInvitationAsync(AcceptInvitationRequest request, CancellationToken cancellationToken) =>
        SendAsync<AcceptedInvitation>(HttpMethod.Post, $"{Identity}/invitations/accept", request, null, cancellationToken);

    /// <summary>Invites somebody.</summary>
    public Task<CreatedInvitation> InviteAsync(InviteRequest request, CancellationToken cancellationToken) => SendAsync<CreatedInvitation>(HttpMethod.Post, $"{Identity}/invitations", request, null, cancellationToken);

    /// <summary>Invitations, newest first.</summary>
    public Task<Page<InvitationItem>> ListInvitationsAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<InvitationItem>>($"{Identity}/invitations{query}", cancellationToken);

    /// <summary>Makes an invitation worth nothing.</summary>
    public Task RevokeInvitationAsync(Guid id, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{Identity}/invitations/{id}/revoke", null, null, cancellationToken);

    /// <summary>The roles that people can hold.</summary>
    public Task<IReadOnlyList<RoleItem>> ListRolesAsync(CancellationToken cancellationToken) => GetAsync<IReadOnlyList<RoleItem>>($"{Identity}/roles", cancellationToken);

    /// <summary>People, by name.</summary>
    public Task<Page<PersonItem>> ListPeopleAsync(string query, CancellationToken cancellationToken) => GetAsync<Page<PersonItem>>($"{Identity}/people{query}", cancellationToken);

    /// <summary>One person.</summary>
    public Task<PersonDetail> GetPersonAsync(Guid id, CancellationToken cancellationToken) => GetAsync<PersonDetail>($"{Identity}/people/{id}", cancellationToken);

    /// <summary>Says which roles a person holds from now on.</summary>
    public Task ChangePersonRolesAsync(Guid id, ChangeRolesRequest request, CancellationToken cancellationToken) => SendAsync(HttpMethod.Put, $"{Identity}/people/{id}/roles", request, null, cancellationToken);

    /// <summary>Does something to a person: <c>disable</c>, <c>enable</c>, <c>end-sessions</c> or <c>forget-authenticator</c>.</summary>
    public Task ActOnPersonAsync(Guid id, string action, PersonActionRequest request, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{Identity}/people/{id}/{action}", request, null, cancellationToken);

    /// <summary>Gives a person a way back.</summary>
    public Task<CreatedInvitation> RecoverPersonAsync(Guid id, PersonActionRequest request, CancellationToken cancellationToken) =>
        SendAsync<CreatedInvitation>(HttpMethod.Post, $"{Identity}/people/{id}/recover", request, null, cancellationToken);

    /// <summary>Browsers that a person is signed in with.</summary>
    public Task<IReadOnlyList<SessionItem>> ListPersonSessionsAsync(Guid id, CancellationToken cancellationToken) => GetAsync<IReadOnlyList<SessionItem>>($"{Identity}/people/{id}/sessions", cancellationToken);

    /// <summary>Signs one browser of a person out.</summary>
    public Task EndPersonSessionAsync(Guid id, Guid session, PersonActionRequest request, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{Identity}/people/{id}/sessions/{session}/end", request, null, cancellationToken);

    /// <summary>Oneself.</summary>
    public Task<MeItem> GetMeAsync(CancellationToken cancellationToken) => GetAsync<MeItem>($"{Identity}/me", cancellationToken);

    /// <summary>Browsers that one is signed in with.</summary>
    public Task<IReadOnlyList<SessionItem>> ListMySessionsAsync(CancellationToken cancellationToken) => GetAsync<IReadOnlyList<SessionItem>>($"{Identity}/me/sessions", cancellationToken);

    /// <summary>Signs one browser out.</summary>
    public Task EndMySessionAsync(Guid id, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{Identity}/me/sessions/{id}/end", null, null, cancellationToken);

    /// <summary>Signs all other browsers out.</summary>
    public Task EndMyOtherSessionsAsync(CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{Identity}/me/sessions/end-others", null, null, cancellationToken);

    /// <summary>How one wants pages to look.</summary>
    public Task<PreferencesItem> GetMyPreferencesAsync(CancellationToken cancellationToken) => GetAsync<PreferencesItem>($"{Identity}/me/preferences", cancellationToken);

    /// <summary>Says how pages are to look, as a whole.</summary>
    public Task SetMyPreferencesAsync(SetPreferencesRequest request, CancellationToken cancellationToken) => SendAsync(HttpMethod.Put, $"{Identity}/me/preferences", request, null, cancellationToken);

    /// <summary>Changes one's password.</summary>
    public Task ChangeMyPasswordAsync(ChangePasswordRequest request, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{Identity}/me/password", request, null, cancellationToken);

    /// <summary>New recovery codes.</summary>
    public Task<RecoveryCodesItem> RenewMyRecoveryCodesAsync(string? code, CancellationToken cancellationToken) =>
        SendAsync<RecoveryCodesItem>(HttpMethod.Post, $"{Identity}/me/recovery-codes", new ProofRequest(code), null, cancellationToken);

    /// <summary>Asks for a new passkey.</summary>
    public Task<PasskeyChallenge> BeginMyPasskeyAsync(BeginPasskeyRequest request, CancellationToken cancellationToken) => SendAsync<PasskeyChallenge>(HttpMethod.Post, $"{Identity}/me/passkeys/begin", request, null, cancellationToken);

    /// <summary>Adds the passkey that was asked for.</summary>
    public Task<PasskeyItem> AddMyPasskeyAsync(NewPasskeyRequest request, CancellationToken cancellationToken) => SendAsync<PasskeyItem>(HttpMethod.Post, $"{Identity}/me/passkeys", request, null, cancellationToken);

    /// <summary>Removes a passkey.</summary>
    public Task RemoveMyPasskeyAsync(Guid id, RemoveFactorRequest request, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{Identity}/me/passkeys/{id}/remove", request, null, cancellationToken);

    /// <summary>Signs in with passkeys only from now on.</summary>
    public Task RemoveMyAuthenticatorAsync(RemoveFactorRequest request, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{Identity}/me/authenticator/remove", request, null, cancellationToken);

    /// <summary>Begins to change the authenticator.</summary>
    public Task<NewAuthenticator> BeginMyAuthenticatorAsync(CancellationToken cancellationToken) => SendAsync<NewAuthenticator>(HttpMethod.Post, $"{Identity}/me/authenticator", null, null, cancellationToken);

    /// <summary>Puts the new authenticator in place of the old one.</summary>
    public Task ConfirmMyAuthenticatorAsync(ConfirmAuthenticatorRequest request, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"{Identity}/me/authenticator/confirm", request, null, cancellationToken);
}
