using System.Security.Cryptography;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Protocol.Licenses;
using MissionControl.Trust.Envelopes;

namespace MissionControl.ClusterAgent.Licenses;

/// <summary>
/// Holds the cluster's licence and what is known of the time: the highest serial, and the latest instant that was ever reached. One thread
/// brings news, any number may ask.
/// </summary>
public sealed class LicenseKeeper
{
    // A monotonic clock may run this much too fast, and no more: so what it says has passed really has.
    private const double Slowest = 0.999;

    /// <summary>How often the time is written down while nothing else happens.</summary>
    private static readonly TimeSpan WriteEvery = TimeSpan.FromMinutes(10);

    private readonly string data;
    private readonly IAgentIdentity identity;
    private readonly TimeProvider time;
    private volatile Known known;
    private HeldLicense held;

    /// <summary>Loads what is held in an agent's directory.</summary>
    /// <param name="data">The directory.</param>
    /// <param name="identity">Whose licence it must be, and what is trusted.</param>
    /// <param name="time">The clock, and how it passes.</param>
    /// <param name="reached">An instant that is known to have been reached, such as the end of the newest usage; null: none is.</param>
    public LicenseKeeper(string data, IAgentIdentity identity, TimeProvider time, DateTimeOffset? reached = null)
    {
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(time);
        (this.data, this.identity, this.time) = (data, identity, time);
        held = HeldLicense.Read(data);
        known = Load(held, identity.Enrollment?.ClusterId ?? Guid.Empty, time.GetUtcNow()) with { Since = time.GetTimestamp() };

        // Since a clock was put right what usage says of the time may be of the wrong one; what is held has been written down anew.
        known = known with { Mark = Later(known.Mark, held.ClockFrom is null ? reached ?? known.Mark : known.Mark) };
    }

    /// <summary>Why the licence that is held is not believed; null when nothing is wrong with it.</summary>
    public string? Problem => known.Problem;

    /// <summary>Whether the clock was put back behind what was reached.</summary>
    public bool IsRolledBack => LicenseRules.IsRolledBack(Knowledge(known));

    /// <summary>Checks the licence; from any thread.</summary>
    public LicenseVerdict Check(LicenseQuestion question)
    {
        var now = known;
        var knowledge = Knowledge(now);
        return now.Lease is null ? LicenseRules.None(LicenseRules.Reached(knowledge)) : LicenseRules.Check(now.Lease.Lease, knowledge, question);
    }

    /// <summary>How the licence in a directory stands, looked at beside a running agent.</summary>
    /// <param name="data">The agent's directory.</param>
    /// <param name="cluster">Its cluster.</param>
    /// <param name="now">By the clock.</param>
    /// <param name="problem">Why what is held is not believed; null: nothing is wrong with it.</param>
    public static LicenseVerdict CheckIn(string data, Guid cluster, DateTimeOffset now, out string? problem)
    {
        var found = Load(HeldLicense.Read(data), cluster, now);
        var knowledge = new LicenseKnowledge(now, found.Mark, found.Contact);
        problem = found.Problem;
        return found.Lease is null ? LicenseRules.None(LicenseRules.Reached(knowledge)) : LicenseRules.Check(found.Lease.Lease, knowledge, LicenseQuestion.Plain);
    }

    /// <summary>The clock says a time.</summary>
    /// <param name="now">By Mission Control's clock, where it is known.</param>
    /// <param name="believed">Whether that time is held to have been reached. A clock that is only this machine's may be wrong, and set right in a moment.</param>
    public void Observe(DateTimeOffset now, bool believed = true) => Set(known with { Mark = believed ? Later(Mark(known), now) : Mark(known), Now = now, Since = time.GetTimestamp() }, force: false);

    /// <summary>Mission Control was heard of.</summary>
    /// <param name="at">When, by its clock; long ago, where a person carried its word here.</param>
    public void Heard(DateTimeOffset at) => Set(known with { Mark = Later(Mark(known), at), Now = Passed(known), Since = time.GetTimestamp(), Contact = Later(known.Contact ?? at, at) }, force: known.Contact is null);

    /// <summary>
    /// Takes a lease: a newer one than is held, signed by a key for leases, for this cluster and a key of its own. What takes a licence
    /// away needs not name the key: whoever replaces it is not to escape that.
    /// </summary>
    /// <exception cref="CryptographicException">It is not; what is held stays in force.</exception>
    public void Take(ReadOnlySpan<byte> envelope)
    {
        if (held.Lease is { } same && known.Lease is not null && envelope.SequenceEqual(same))
        {
            return;
        }

        var enrollment = identity.Enrollment ?? throw new CryptographicException("This agent is not enrolled.");
        var fresh = VerifiedLease.Open(envelope, enrollment.Anchors, enrollment.ClusterId);
        var own = KeyIds.Of(identity.Key.ExportSubjectPublicKeyInfo());
        if (fresh.Lease.Status == "active" && !fresh.Lease.Clusters.Single(one => one.Cluster == enrollment.ClusterId.ToString("D")).Keys.Contains(own))
        {
            throw new CryptographicException($"The licence names none of this cluster's keys, which is {own} now.");
        }

        // What a key signed that is no longer trusted does not stand in the way of what a trusted one signs.
        if (known.Lease is { } before && fresh.Lease.Serial <= before.Lease.Serial && Anchors.KeysFor(Anchors.Verify(enrollment.Anchors!), "lease")(before.KeyId) is not null)
        {
            throw new CryptographicException($"The licence of serial {fresh.Lease.Serial} is not newer than {before.Lease.Serial}, which is held.");
        }

        var issued = LicenseLease.Instant(fresh.Lease.IssuedAt);
        held = held with { Lease = envelope.ToArray(), Anchors = enrollment.Anchors };
        var taken = known with { Lease = fresh, Problem = null, Contact = Later(known.Contact ?? issued, issued), Mark = Later(Mark(known), issued), Now = Passed(known), Since = time.GetTimestamp() };
        if (fresh.Lease.ClockFrom is { } from && (held.ClockFrom is not { } applied || LicenseLease.Instant(from) > LicenseLease.Instant(applied)))
        {
            // Every later lease repeats it, so that one that was never seen is not missed.
            held = held with { ClockFrom = from };
            taken = taken with { Contact = issued, Mark = Later(issued, LicenseLease.Instant(from)), Now = time.GetUtcNow() };
        }

        Set(taken, force: true);
    }

    private static Known Load(HeldLicense held, Guid cluster, DateTimeOffset now)
    {
        var contact = held.ContactMs == 0 ? (DateTimeOffset?)null : DateTimeOffset.FromUnixTimeMilliseconds(held.ContactMs);
        var mark = DateTimeOffset.FromUnixTimeMilliseconds(held.HighWaterMs);
        if (held.Lease is null)
        {
            return new Known(null, null, contact, mark, now, 0);
        }

        try
        {
            var lease = VerifiedLease.Open(held.Lease, held.Anchors, cluster);
            return new Known(lease, null, contact, Later(mark, LicenseLease.Instant(lease.Lease.IssuedAt)), now, 0);
        }
        catch (CryptographicException exception)
        {
            return new Known(null, exception.Message, contact, mark, now, 0);
        }
    }

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private LicenseKnowledge Knowledge(Known at) => new(Passed(at), Mark(at), at.Contact);

    // Put back in small steps between two observations the clock would stand still; time goes on all the same.
    private DateTimeOffset Mark(Known at) => at.Mark + (time.GetElapsedTime(at.Since) * Slowest);

    private DateTimeOffset Passed(Known at) => at.Now + time.GetElapsedTime(at.Since);

    private void Set(Known next, bool force)
    {
        known = next;
        if (force || next.Mark - DateTimeOffset.FromUnixTimeMilliseconds(held.HighWaterMs) >= WriteEvery)
        {
            held = held with { HighWaterMs = next.Mark.ToUnixTimeMilliseconds(), ContactMs = next.Contact?.ToUnixTimeMilliseconds() ?? 0 };
            held.Write(data);
        }
    }

    /// <summary>What is known at one moment.</summary>
    private sealed record Known(VerifiedLease? Lease, string? Problem, DateTimeOffset? Contact, DateTimeOffset Mark, DateTimeOffset Now, long Since);
}
