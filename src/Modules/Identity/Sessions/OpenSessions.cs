using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Sessions;

/// <summary>The browsers that a person is signed in with, and the end of one of them, whoever asks.</summary>
internal static class OpenSessions
{
    private const int Most = 200;

    /// <summary>What is live, newest first.</summary>
    /// <param name="db">The tables.</param>
    /// <param name="personId">Whose they are.</param>
    /// <param name="asking">The session that asks.</param>
    /// <param name="now">The instant.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<IReadOnlyList<SessionItem>> ListAsync(ControlPlaneDbContext db, Guid personId, Guid? asking, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var open = await db.Set<Session>().AsNoTracking().Where(row => row.PersonId == personId && row.EndedAt == null && row.ExpiresAt > now).OrderByDescending(row => row.CreatedAt).Take(Most).ToListAsync(cancellationToken);
        return [.. open.Where(row => row.IsLive(now)).Select(row => new SessionItem(row.Id, row.CreatedAt, row.SeenAt, row.ExpiresAt, row.Agent, row.Factors ?? "", row.Id == asking))];
    }

    /// <summary>Ends one, and the programs that were permitted in it, within the open transaction. What was traded for it is refused by every role within five seconds: the person's stamp rises, and its other sessions trade anew.</summary>
    /// <returns>False: the person has no such session, or it has ended.</returns>
    public static async Task<bool> EndAsync(ControlPlaneDbContext db, IEvents events, Person person, Guid id, string? reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (await db.Set<Session>().Where(row => (row.Id == id || row.OpenerId == id) && row.PersonId == person.Id && row.EndedAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, now), cancellationToken) == 0)
        {
            return false;
        }

        person.Renew();
        events.Publish(person.ToEvent());
        events.Audit(person.Fact("identity.session-ended") with { Reason = reason, Changes = [Change.Remove("/session", id)] });
        return true;
    }
}
