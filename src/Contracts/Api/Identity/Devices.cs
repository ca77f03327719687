using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Identity;

/// <summary>Begins to sign somebody in where no browser is, as <c>mc sign-in</c> does (the device flow of RFC 8628).</summary>
/// <param name="Agent">What asks and where, such as <c>mc on build-7</c>, of Latin letters, digits, spaces and <c>._:/@()+-</c>; whoever permits it reads it.</param>
public sealed record BeginDeviceSignInRequest(
    // A stranger's word in what somebody confirms: nothing in it ends a quotation or turns the direction of writing.
    [property: Required, StringLength(100, MinimumLength = 1), RegularExpression(@"[A-Za-z0-9][A-Za-z0-9 ._:/@()+-]*")] string? Agent);

/// <summary>A sign-in that waits for somebody to permit it in the portal.</summary>
/// <param name="DeviceCode">The program's secret: whoever holds it gets the session.</param>
/// <param name="UserCode">What the person types in the portal, such as <c>BCDF-GHJK</c>.</param>
/// <param name="VerificationUri">Where: an address of the portal.</param>
/// <param name="ExpiresAt">Until then (UTC); ten minutes.</param>
/// <param name="Interval">Seconds between two questions; whoever asks sooner is told to slow down.</param>
public sealed record DeviceSignIn(string DeviceCode, string UserCode, string VerificationUri, DateTimeOffset ExpiresAt, int Interval);

/// <summary>Asks whether it was permitted.</summary>
/// <param name="DeviceCode">As it was given.</param>
public sealed record FinishDeviceSignInRequest([property: Required, StringLength(100)] string? DeviceCode);

/// <summary>How a sign-in stands.</summary>
/// <param name="State">One of <see cref="DeviceStates"/>.</param>
/// <param name="Session">The session's secret, said once; null: not (yet) permitted.</param>
/// <param name="ExpiresAt">The session's end at the latest (UTC).</param>
public sealed record DeviceSignInAnswer(string State, string? Session = null, DateTimeOffset? ExpiresAt = null);

/// <summary>States of a sign-in where no browser is.</summary>
public static class DeviceStates
{
    /// <summary>Nobody has decided yet.</summary>
    public const string Pending = "pending";

    /// <summary>The same, and it was asked sooner than permitted: wait five seconds longer from now on.</summary>
    public const string SlowDown = "slow-down";

    /// <summary>Somebody refused it.</summary>
    public const string Denied = "denied";

    /// <summary>Somebody permitted it; the session is in the answer.</summary>
    public const string SignedIn = "signed-in";
}

/// <summary>Finds a sign-in by what the program shows.</summary>
/// <param name="UserCode">As it is shown; case, spaces and the dash do not matter.</param>
public sealed record FindDeviceRequest([property: Required, StringLength(40)] string? UserCode);

/// <summary>A program that waits to be signed in as oneself.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Agent">What it says it is, and where; a stranger may have said so.</param>
/// <param name="Address">The address that it asked from; null: unknown.</param>
/// <param name="AskedAt">When it asked (UTC).</param>
/// <param name="ExpiresAt">Until then it can be permitted (UTC).</param>
public sealed record DeviceItem(Guid Id, string Agent, string? Address, DateTimeOffset AskedAt, DateTimeOffset ExpiresAt);

/// <summary>Signs a program without a browser in as oneself.</summary>
/// <param name="Code">What the authenticator shows; null: a passkey proves it (step-up).</param>
public sealed record ApproveDeviceRequest([property: StringLength(40)] string? Code = null);

/// <summary>What a program of one's own asks one to confirm in the portal.</summary>
/// <param name="Id">Its id, as the role that demanded it said.</param>
/// <param name="Demand">What is to be confirmed, as the role that demanded it told identity; the program cannot word it.</param>
/// <param name="Session">The session that asks.</param>
/// <param name="Agent">What that session calls itself.</param>
/// <param name="AskedAt">When (UTC).</param>
/// <param name="ExpiresAt">Until then it can be answered (UTC).</param>
/// <param name="State">One of <see cref="ConfirmationStates"/>.</param>
public sealed record ConfirmationItem(Guid Id, StepUpDemand Demand, Guid Session, string? Agent, DateTimeOffset AskedAt, DateTimeOffset ExpiresAt, string State);

/// <summary>States of what a program asks one to confirm.</summary>
public static class ConfirmationStates
{
    /// <summary>Nobody answered yet.</summary>
    public const string Waiting = "waiting";

    /// <summary>It was confirmed; the program fetches its proof, once, within two minutes.</summary>
    public const string Confirmed = "confirmed";

    /// <summary>It was refused.</summary>
    public const string Refused = "refused";

    /// <summary>It is too old, or its proof was fetched.</summary>
    public const string Over = "over";
}
