using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Leaks;

/// <summary>
/// Takes callhome's word on enrolment tokens and clusters' access tokens: what is real becomes an incident and is told, what is not leaves no trace. What was
/// judged before stays as it is, so that a second answer, or a late one, changes nothing.
/// </summary>
internal sealed class TakeJudgement(ControlPlaneDbContext db, IEvents events, TimeProvider time) : IMessageHandler<LeakedTokensJudged>
{
    public async Task HandleAsync(LeakedTokensJudged message, MessageContext context, CancellationToken cancellationToken)
    {
        var ids = message.Tokens.Select(one => one.IncidentId).ToList();
        var waiting = await db.Set<LeakIncident>().Where(row => ids.Contains(row.Id) && row.Outcome == null).ToDictionaryAsync(row => row.Id, cancellationToken);
        var unknown = message.Tokens.Where(one => one.Outcome == "unknown" && waiting.ContainsKey(one.IncidentId)).Select(one => one.IncidentId).ToList();
        await db.Set<LeakPlace>().Where(row => unknown.Contains(row.IncidentId)).ExecuteDeleteAsync(cancellationToken);
        db.RemoveRange(unknown.Select(id => waiting[id]));

        var real = new List<LeakIncident>();
        foreach (var one in message.Tokens.Where(one => one.Outcome != "unknown"))
        {
            if (waiting.GetValueOrDefault(one.IncidentId) is { } incident)
            {
                incident.Confirm(one.Outcome, one.CustomerId, one.ClusterId, one.Name, one.UsedAt, message.OccurredAt);
                events.Audit(LeakLetters.Fact(incident));
                real.Add(incident);
            }
        }

        await LeakLetters.SendAsync(db, events, real, time.GetUtcNow(), cancellationToken);
    }
}
