using System.Security.Claims;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Factors;
using MissionControl.Identity.Federation;
using MissionControl.Identity.Passkeys;
using MissionControl.Identity.Sessions;
using MissionControl.Platform.Data;

namespace MissionControl.Identity.People;

/// <summary>What stands beside people in a list, read for all of them at once.</summary>
internal sealed record PersonFacts(ILookup<Guid, HeldRole> Roles, HashSet<Guid> WithAuthenticator, HashSet<Guid> WithPasskey, Dictionary<Guid, int> Sessions, IReadOnlyDictionary<Guid, string> Groups)
{
    public static async Task<PersonFacts> OfAsync(ControlPlaneDbContext db, IReadOnlyList<Guid> ids, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var roles = await db.Set<HeldRole>().AsNoTracking().Where(row => ids.Contains(row.PersonId) && row.Until == null).ToListAsync(cancellationToken);
        var devices = await db.Set<Authenticator>().Where(row => ids.Contains(row.PersonId) && row.ConfirmedAt != null).Select(row => row.PersonId).ToListAsync(cancellationToken);
        var keys = await db.Set<Passkey>().Where(row => ids.Contains(row.PersonId)).Select(row => row.PersonId).Distinct().ToListAsync(cancellationToken);
        var open = await db.Set<Session>().AsNoTracking().Where(row => row.PersonId != null && ids.Contains(row.PersonId.Value) && row.EndedAt == null && row.ExpiresAt > now).ToListAsync(cancellationToken);
        return new PersonFacts(roles.ToLookup(row => row.PersonId), [.. devices], [.. keys], open.Where(row => row.IsLive(now)).CountBy(row => row.PersonId!.Value).ToDictionary(), await HeldRoles.GroupNamesAsync(db, roles, cancellationToken));
    }

    public PersonItem Describe(Person person, ClaimsPrincipal reader, DateTimeOffset now)
    {
        var beyond = PeopleApi.Beyond(reader, Roles[person.Id].Select(row => row.Role));
        var isSelf = reader.FindFirst("sub")?.Value == person.Subject;
        var isDisabled = person.DisabledAt is not null;
        return new PersonItem(
            person.Id, person.Name, person.Email, person.Kind, person.CustomerId, person.StateAt(now), HeldRoles.Now(Roles[person.Id], Groups),
            [.. WithPasskey.Contains(person.Id) ? ["passkey"] : Array.Empty<string>(), .. WithAuthenticator.Contains(person.Id) ? ["totp"] : Array.Empty<string>()], person.CreatedAt, person.LastSignInAt, Sessions.GetValueOrDefault(person.Id),
            [
                AllowedAction.Of("change-roles", beyond ?? (person.IsFederated ? PeopleApi.FederatedRoles : null)),
                AllowedAction.Of("end-sessions", beyond),
                AllowedAction.Of("recover", beyond ?? (person.IsFederated ? PeopleApi.FederatedRecovery : isDisabled ? "The person is disabled." : null)),
                AllowedAction.Of("forget-authenticator", beyond ?? ForgetAuthenticator.Hindrance(person, WithAuthenticator.Contains(person.Id) || WithPasskey.Contains(person.Id))),
                AllowedAction.Of("disable", beyond ?? (isDisabled ? "It is disabled already." : isSelf ? "Nobody disables themselves." : null)),
                AllowedAction.Of("enable", beyond ?? (isDisabled ? null : "It is not disabled.")),
            ]) { IsFederated = person.IsFederated };
    }
}
