using System.Globalization;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Identity.Leaks;

/// <summary>What happened to a leaked token, in words: reported, verified, found again, dead, told, used since, closed.</summary>
internal static class LeakTimeline
{
    public static IEnumerable<LeakStep> Of(LeakIncident leak, IReadOnlyList<LeakPlace> places, IReadOnlyList<UsedToken> uses) => Steps(leak, places, uses).OrderBy(step => step.At);

    private static IEnumerable<LeakStep> Steps(LeakIncident leak, IReadOnlyList<LeakPlace> places, IReadOnlyList<UsedToken> uses)
    {
        yield return new LeakStep(leak.ReportedAt, "reported", $"Reported by {Who(leak.Source)}.");
        if (leak.VerifiedAt is { } verified)
        {
            yield return new LeakStep(verified, "verified", "It is a token of this installation, with the right secret.");
            yield return new LeakStep(leak.DeadAt ?? verified, "dead", leak.Outcome switch
            {
                "was-used" => "A cluster had enrolled with it by then; it is good once, and worth nothing since.",
                "was-revoked" => "It had been revoked already.",
                "was-expired" => "It had expired already.",
                _ when leak.Kind == "c" => "Ended because of the leak, with every access token of its cluster from before, within seconds. The cluster gets another by its key, which did not leak.",
                _ => "Revoked because of the leak. Every role refuses it within two seconds.",
            });
            if (leak.SuccessorId is { } successor)
            {
                yield return new LeakStep(verified, "rotated", $"It had been rotated before: mca_{successor} took its place, and is not ended by this. Whoever had the old one could have made it; look whether the owner did.");
            }
        }

        foreach (var place in places.Where(place => place.FoundAt > leak.ReportedAt))
        {
            yield return new LeakStep(place.FoundAt, "found-again", $"Found again by {Who(place.Reporter)}.");
        }

        if (leak.ToldAt is { } told)
        {
            yield return new LeakStep(told, "told", leak switch
            {
                { OwnerId: not null, CustomerId: not null } => "Its owner, the customer's security contacts and the vendor's were told.",
                { OwnerId: not null } => "Its owner and the vendor's security contacts were told.",
                { CustomerId: not null } => "The customer's security contacts and the vendor's were told.",
                _ => "The vendor's security contacts were told.",
            });
        }

        foreach (var use in uses.Where(use => use.LastAt > leak.ReportedAt))
        {
            yield return new LeakStep(use.LastAt, "used-since", string.Create(CultureInfo.InvariantCulture, $"Last tried from {use.Address}; from there {use.Accepted} calls were let in and {use.Refused} refused in all."));
        }

        if (leak.ClosedAt is { } closed)
        {
            yield return new LeakStep(closed, "closed", leak.ClosedBecause switch
            {
                "contained" => "Closed: the token is replaced, and what it did is known.",
                "test" => "Closed: it was meant to be found.",
                _ => "Closed: nothing more can be known.",
            });
        }
    }

    private static string Who(string reporter) => reporter switch
    {
        "github" => "GitHub's secret scanning",
        "gitlab" => "GitLab's secret detection",
        "person" => "somebody who was signed in",
        _ => "somebody who was not signed in",
    };
}
