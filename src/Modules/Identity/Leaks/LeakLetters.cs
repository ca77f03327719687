using System.Globalization;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Leaks;

/// <summary>
/// Tells those whom a leaked token concerns: who made it, the customer's security contacts, and the vendor's with its security officers. One mail for all tokens of
/// one report, customer and owner. Where a token was found stands in the portal alone: a stranger wrote it, and nobody puts an address of
/// theirs into a mail of ours.
/// </summary>
internal static class LeakLetters
{
    /// <summary>Tokens that a mail names.</summary>
    private const int Named = 10;

    /// <summary>What the audit log learns of an incident that is confirmed.</summary>
    public static AuditFact Fact(LeakIncident incident) => incident.Fact("identity.token-leaked") with
    {
        Changes = [Change.Add("/incident", incident.Id), Change.Add("/source", incident.Source), Change.Add("/outcome", incident.Outcome)],
        Personal = incident.Url is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["url"] = incident.Url },
    };

    /// <summary>Adds the mails of confirmed incidents to what is saved next.</summary>
    public static async Task SendAsync(ControlPlaneDbContext db, IEvents events, IReadOnlyList<LeakIncident> incidents, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var ids = incidents.Select(one => one.OwnerId).OfType<Guid>().Distinct().ToList();
        var owners = ids.Count == 0 ? [] : await db.Set<Person>().AsNoTracking().Where(row => ids.Contains(row.Id) && row.DisabledAt == null && row.Email != "").ToDictionaryAsync(row => row.Id, row => row.Email, cancellationToken);
        foreach (var ofCustomer in incidents.GroupBy(one => one.CustomerId))
        {
            var told = new List<Recipient> { new("vendor", "security"), new("role", "security-officer") };
            if (ofCustomer.Key is not null)
            {
                told.Add(new Recipient("contact", "security"));
            }

            events.Publish(Letter(ofCustomer.Key, told, [.. ofCustomer], "all", now));
            foreach (var ofOwner in ofCustomer.Where(one => one.OwnerId is { } owner && owners.ContainsKey(owner)).GroupBy(one => one.OwnerId!.Value))
            {
                events.Publish(Letter(ofCustomer.Key, [new Recipient("address", owners[ofOwner.Key])], [.. ofOwner], "owner", now));
            }
        }

        foreach (var incident in incidents)
        {
            incident.Told(now);
        }
    }

    private static SendNotification Letter(Guid? customer, IReadOnlyList<Recipient> recipients, IReadOnlyList<LeakIncident> incidents, string whom, DateTimeOffset now)
    {
        var names = incidents.Take(Named).Select(one => one.Name is null ? one.Loggable : $"{one.Loggable} ({one.Name})");
        var alive = incidents.Count(one => one.Outcome == LeakIncident.Revoked);
        return new SendNotification(Guid.CreateVersion7(now), customer, recipients, "token-leaked", new Dictionary<string, string>
        {
            ["tokens"] = string.Join(", ", names) + (incidents.Count > Named ? string.Create(CultureInfo.InvariantCulture, $" and {incidents.Count - Named} more") : ""),
            ["finder"] = incidents[0].Source switch
            {
                "github" => "GitHub's secret scanning", "gitlab" => "GitLab's secret detection", "person" => "somebody who is signed in to Mission Control", _ => "somebody who had it and did not say who they are",
            },
            ["done"] = alive == incidents.Count ? "What used it is refused from now on." : alive == 0 ? "It was worth nothing any more already." : "What was still good is refused from now on.",
        }, "critical", $"token-leaked/{incidents[0].Id:N}/{whom}");
    }
}
