using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;

namespace MissionControl.Contracts.Api.Identity;

/// <summary>What an authenticator is to answer (WebAuthn).</summary>
/// <param name="Challenge">Names it when the answer is sent; good once, for two minutes, from where it was asked for.</param>
/// <param name="Options">For <c>navigator.credentials.create</c> or <c>get</c>, in the JSON form of WebAuthn Level 3.</param>
public sealed record PasskeyChallenge(string Challenge, JsonNode Options);

/// <summary>Signs somebody in with a passkey.</summary>
/// <param name="Challenge">As it was given.</param>
/// <param name="Credential">What the browser's <c>navigator.credentials.get</c> gave, as JSON text.</param>
/// <param name="Agent">The browser, as it calls itself.</param>
public sealed record PasskeySignInRequest(
    [property: Required, StringLength(100)] string? Challenge, [property: Required, StringLength(PasskeyLimits.Credential)] string? Credential, [property: StringLength(500)] string? Agent = null);

/// <summary>Begins to add a passkey.</summary>
/// <param name="Name">What to call it, such as the device it is on.</param>
/// <param name="Code">What the authenticator shows; null: a passkey proves it (step-up).</param>
public sealed record BeginPasskeyRequest([property: Required, StringLength(60, MinimumLength = 1)] string? Name, [property: StringLength(40)] string? Code = null);

/// <summary>A passkey that was made.</summary>
/// <param name="Challenge">As it was given.</param>
/// <param name="Credential">What the browser's <c>navigator.credentials.create</c> gave, as JSON text.</param>
/// <param name="Name">What to call it; as it was said at the beginning, where it was.</param>
public sealed record NewPasskeyRequest(
    [property: Required, StringLength(100)] string? Challenge, [property: Required, StringLength(PasskeyLimits.Credential)] string? Credential, [property: StringLength(60)] string? Name = null);

/// <summary>Removes something that one signs in with.</summary>
/// <param name="Code">What the authenticator shows; null: a passkey proves it (step-up).</param>
public sealed record RemoveFactorRequest([property: StringLength(40)] string? Code = null);

/// <summary>A passkey.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">What its owner calls it.</param>
/// <param name="AddedAt">When it was added (UTC).</param>
/// <param name="LastUsedAt">When it was used last (UTC).</param>
/// <param name="IsSynced">Whether its maker may copy it to other devices of its owner.</param>
/// <param name="ConfirmsFrom">From then on it is good for step-up (UTC): what was just added is not.</param>
public sealed record PasskeyItem(Guid Id, string Name, DateTimeOffset AddedAt, DateTimeOffset? LastUsedAt, bool IsSynced, DateTimeOffset ConfirmsFrom);

/// <summary>Begins a step-up.</summary>
/// <param name="Audience">The role that demands it.</param>
/// <param name="Purpose">As the role said.</param>
/// <param name="SubjectDigest">As the role said.</param>
public sealed record BeginStepUpRequest([property: Required, StringLength(30)] string? Audience, [property: Required, StringLength(40)] string? Purpose, [property: Required, StringLength(43, MinimumLength = 43)] string? SubjectDigest);

/// <summary>How a step-up can be proved.</summary>
/// <param name="Challenge">Names it when the proof is sent; good once, for two minutes, in this session.</param>
/// <param name="Options">For <c>navigator.credentials.get</c>; null: no passkey of this person is good for it.</param>
/// <param name="AcceptsCode">Whether what the authenticator shows is accepted too.</param>
public sealed record StepUpChallenge(string Challenge, JsonNode? Options, bool AcceptsCode);

/// <summary>Proves a step-up.</summary>
/// <param name="Challenge">As it was given.</param>
/// <param name="Credential">What the browser's <c>navigator.credentials.get</c> gave, as JSON text.</param>
/// <param name="Code">What the authenticator shows, where that is accepted.</param>
public sealed record StepUpRequest([property: Required, StringLength(100)] string? Challenge, [property: StringLength(PasskeyLimits.Credential)] string? Credential = null, [property: StringLength(40)] string? Code = null);

/// <summary>A proof for one request.</summary>
/// <param name="Proof">Repeat the request with it as <c>MC-Step-Up</c>.</param>
/// <param name="ExpiresAt">Until then (UTC).</param>
public sealed record StepUpProof(string Proof, DateTimeOffset ExpiresAt);

/// <summary>Bounds of what browsers send.</summary>
public static class PasskeyLimits
{
    /// <summary>Characters of a credential; keys without attestation need under two thousand.</summary>
    public const int Credential = 16_000;
}
