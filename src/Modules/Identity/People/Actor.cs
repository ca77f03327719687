using System.Globalization;
using System.Security.Claims;
using Microsoft.EntityFrameworkCore;
using MissionControl.Platform.Data;

namespace MissionControl.Identity.People;

/// <summary>
/// The person who makes a call. The other roles learn of a changed person by message; identity itself asks its own table, in the
/// transaction of what the call changes: else somebody who was stopped a second ago could leave a way back.
/// </summary>
internal static class Actor
{
    private const string Prefix = "person:";

    /// <summary>The person that a caller is; null: an API token.</summary>
    public static Guid? IdOf(ClaimsPrincipal caller) =>
        caller.FindFirst("sub")?.Value is { } subject && subject.StartsWith(Prefix, StringComparison.Ordinal) && Guid.TryParse(subject[Prefix.Length..], out var id) ? id : null;

    /// <summary>Whether the caller still is who its token says, within the open transaction, which nobody stops it in until it ends.</summary>
    public static Task<bool> StandsAsync(ControlPlaneDbContext db, ClaimsPrincipal caller, CancellationToken cancellationToken) => StandsAsync(db, caller, [], cancellationToken);

    /// <summary>The same, for a change of others: all are locked in one order, so that two who change each other wait instead of blocking each other.</summary>
    public static async Task<bool> StandsAsync(ControlPlaneDbContext db, ClaimsPrincipal caller, IReadOnlyList<Guid> others, CancellationToken cancellationToken)
    {
        var id = IdOf(caller);
        await LockAsync(db, id is { } own ? [.. others, own] : others, cancellationToken);
        if (id is null)
        {
            return true;
        }

        var stamp = long.Parse(caller.FindFirst("stamp")!.Value, CultureInfo.InvariantCulture);
        return await db.Set<Person>().AnyAsync(row => row.Id == id && row.DisabledAt == null && row.Stamp == stamp, cancellationToken);
    }

    /// <summary>Keeps everybody else from changing these people until the open transaction ends.</summary>
    public static Task LockAsync(ControlPlaneDbContext db, IReadOnlyList<Guid> ids, CancellationToken cancellationToken) =>
        ids.Count == 0 ? Task.CompletedTask : db.Dialect.LockRowsAsync(db, "identity_person", ["id"], [.. ids.Distinct().Order().Select(one => new object?[] { one })], cancellationToken);
}
