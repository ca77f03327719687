using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Identity;

/// <summary>How a person wants pages to look, in whichever browser.</summary>
/// <param name="Theme">light or dark; null: as the system.</param>
/// <param name="Density">compact; null: cosy.</param>
/// <param name="Zone">The time zone that was chosen, by its name in the IANA database; null: the browser's.</param>
/// <param name="InUtc">Whether times are shown in UTC for now, whatever the zone.</param>
/// <param name="KeysOff">Whether short cuts on the keyboard are switched off.</param>
/// <param name="ChangedAt">When the person changed them last (UTC); null: never, and each browser has its own.</param>
public sealed record PreferencesItem(string? Theme, string? Density, string? Zone, bool InUtc, bool KeysOff, DateTimeOffset? ChangedAt);

/// <summary>Says how pages are to look, as a whole: what is left out is cleared.</summary>
/// <param name="Theme">light or dark; null: as the system.</param>
/// <param name="Density">compact; null: cosy.</param>
/// <param name="Zone">A time zone, by its name in the IANA database; null: the browser's.</param>
/// <param name="InUtc">Whether times are shown in UTC for now, whatever the zone.</param>
/// <param name="KeysOff">Whether short cuts on the keyboard are switched off.</param>
public sealed record SetPreferencesRequest(
    [property: StringLength(20)] string? Theme = null,
    [property: StringLength(20)] string? Density = null,
    [property: StringLength(64)] string? Zone = null,
    bool InUtc = false,
    bool KeysOff = false);
