using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Identity;

/// <summary>Signs somebody of staff in by a directory.</summary>
/// <param name="Name">The name there.</param>
/// <param name="Password">The password there; it goes to the directory and is kept nowhere.</param>
/// <param name="ReturnUrl">Where to go afterwards: a path of the portal.</param>
public sealed record DirectorySignInRequest(
    [property: Required, StringLength(200, MinimumLength = 1)] string? Name,
    [property: Required, StringLength(500, MinimumLength = 1)] string? Password,
    [property: StringLength(2000)] string? ReturnUrl = null);

/// <summary>The password was right; a second factor is still to be proved.</summary>
/// <param name="Browser">The browser's own secret, for its cookie: with it the sign-in is finished as one at a provider is.</param>
/// <param name="ExpiresAt">Until then (UTC).</param>
public sealed record BegunDirectorySignIn(string Browser, DateTimeOffset ExpiresAt);
