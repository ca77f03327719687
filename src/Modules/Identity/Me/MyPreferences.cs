using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Me;

/// <summary><c>/api/v1/identity/me/preferences</c>: how pages look to oneself, in whichever browser.</summary>
internal static class MyPreferences
{
    public static void Map(IEndpointRouteBuilder me)
    {
        me.MapGet("/preferences", GetAsync).WithName("GetMyPreferences").WithSummary("How one wants pages to look").Produces<PreferencesItem>();
        me.MapPut("/preferences", SetAsync).WithName("SetMyPreferences").WithSummary("Say how pages are to look, as a whole; the last one counts").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> GetAsync([AsParameters] Asking ask, CancellationToken cancellationToken)
    {
        if (await ask.FindAsync() is not { } self)
        {
            return Asking.NoPerson();
        }

        var kept = await ask.Db.Set<Preferences>().AsNoTracking().SingleOrDefaultAsync(row => row.PersonId == self.Person.Id, cancellationToken);
        return TypedResults.Ok(kept is null ? new PreferencesItem(null, null, null, false, false, null) : new PreferencesItem(kept.Theme, kept.Density, kept.Zone, kept.InUtc, kept.KeysOff, kept.ChangedAt));
    }

    private static async Task<IResult> SetAsync(SetPreferencesRequest request, [AsParameters] Asking ask, CancellationToken cancellationToken)
    {
        var mistakes = Mistakes(request).ToList();
        return mistakes.Count > 0 ? Problems.Invalid(mistakes) : await ask.ChangeAsync(async self =>
        {
            var kept = await ask.Db.Set<Preferences>().SingleOrDefaultAsync(row => row.PersonId == self.Person.Id, cancellationToken);
            var before = kept ?? ask.Db.Add(new Preferences { PersonId = self.Person.Id }).Entity;
            var changes = Changes(before, request).ToList();
            if (kept is null || changes.Count > 0)
            {
                (before.Theme, before.Density, before.Zone, before.InUtc, before.KeysOff, before.ChangedAt) = (request.Theme, request.Density, request.Zone, request.InUtc, request.KeysOff, ask.Time.GetUtcNow());
                ask.Events.Audit(self.Person.Fact("identity.preferences-changed") with { Changes = changes });
            }

            return TypedResults.NoContent();
        });
    }

    private static IEnumerable<FieldError> Mistakes(SetPreferencesRequest request)
    {
        if (request.Theme is not (null or "light" or "dark"))
        {
            yield return new FieldError("/theme", "unknown-theme", "A theme is light or dark; none is as the system.");
        }

        if (request.Density is not (null or "compact"))
        {
            yield return new FieldError("/density", "unknown-density", "A density is compact; none is cosy.");
        }

        // Its form alone: the rules of zones are with whoever draws times, and a name that one does not know yet another one may.
        if (request.Zone is { } zone && (zone.Length == 0 || !char.IsAsciiLetter(zone[0]) || zone.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('/' or '_' or '+' or '-'))))
        {
            yield return new FieldError("/zone", "unknown-zone", "A zone is named as in the IANA database, such as Europe/Berlin; none is the browser's.");
        }
    }

    private static IEnumerable<AuditChange> Changes(Preferences before, SetPreferencesRequest request)
    {
        if (before.Theme != request.Theme)
        {
            yield return Change.Replace("/theme", before.Theme, request.Theme);
        }

        if (before.Density != request.Density)
        {
            yield return Change.Replace("/density", before.Density, request.Density);
        }

        // That it changed, and not to which: where somebody is, is their own, and the log never forgets.
        if (before.Zone != request.Zone)
        {
            yield return Change.Replace("/zone", null, null);
        }

        if (before.InUtc != request.InUtc)
        {
            yield return Change.Replace("/inUtc", before.InUtc, request.InUtc);
        }

        if (before.KeysOff != request.KeysOff)
        {
            yield return Change.Replace("/keysOff", before.KeysOff, request.KeysOff);
        }
    }
}
