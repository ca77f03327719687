using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Client;

public sealed partial class MissionControlClient
{
    /// <summary>Begins to sign somebody in where no browser is.</summary>
    public Task<DeviceSignIn> BeginDeviceSignInAsync(BeginDeviceSignInRequest request, CancellationToken cancellationToken) => SendAsync<DeviceSignIn>(HttpMethod.Post, $"{Identity}/sign-in/device/begin", request, null, cancellationToken);

    /// <summary>Asks whether somebody permitted it; the session is in the answer that says so, once.</summary>
    /// <exception cref="ApiException">There is no such sign-in, it is too old, or its session was given out already.</exception>
    public Task<DeviceSignInAnswer> FinishDeviceSignInAsync(string deviceCode, CancellationToken cancellationToken) =>
        SendAsync<DeviceSignInAnswer>(HttpMethod.Post, $"{Identity}/sign-in/device", new FinishDeviceSignInRequest(deviceCode), null, cancellationToken);

    /// <summary>The program that shows a code and waits for somebody.</summary>
    public Task<DeviceItem> FindDeviceAsync(string userCode, CancellationToken cancellationToken) => SendAsync<DeviceItem>(HttpMethod.Post, $"{Identity}/me/devices/find", new FindDeviceRequest(userCode), null, cancellationToken);

    /// <summary>Signs it in as oneself.</summary>
    /// <param name="id">The program.</param>
    /// <param name="code">What the authenticator shows; null: a passkey proves it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task ApproveDeviceAsync(Guid id, string? code, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{Identity}/me/devices/{id}/approve", new ApproveDeviceRequest(code), null, cancellationToken);

    /// <summary>Refuses it.</summary>
    public Task DenyDeviceAsync(Guid id, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{Identity}/me/devices/{id}/deny", null, null, cancellationToken);

    /// <summary>What a program of one's own asks one to confirm, and how that stands.</summary>
    /// <exception cref="ApiException">404: there is none, or the role's message is still on its way.</exception>
    public Task<ConfirmationItem> GetConfirmationAsync(Guid id, CancellationToken cancellationToken) => GetAsync<ConfirmationItem>($"{Identity}/me/confirmations/{id}", cancellationToken);

    /// <summary>Confirms it, by the answer to a step-up that was begun for the same demand.</summary>
    /// <exception cref="ApiException">It proves nothing, or the confirmation waits no more.</exception>
    public Task AnswerConfirmationAsync(Guid id, StepUpRequest answer, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{Identity}/me/confirmations/{id}/answer", answer, null, cancellationToken);

    /// <summary>Refuses it.</summary>
    public Task RefuseConfirmationAsync(Guid id, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, $"{Identity}/me/confirmations/{id}/refuse", null, null, cancellationToken);

    /// <summary>The proof for the program whose session asked, once.</summary>
    /// <exception cref="ApiException">409: it was not confirmed, or the proof was fetched already.</exception>
    public Task<StepUpProof> TakeConfirmationAsync(Guid id, CancellationToken cancellationToken) => SendAsync<StepUpProof>(HttpMethod.Post, $"{Identity}/me/confirmations/{id}/proof", null, null, cancellationToken);
}
