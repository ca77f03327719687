using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Commands.CallHome;
using MissionControl.Licensing.Ledger;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Licensing.Licenses;

/// <summary>The key that signs leases, readable by this role alone; its public half stands in the anchor document.</summary>
internal sealed class LeaseKey(DataDirectory data, TimeProvider time) : IDisposable
{
    private readonly SignerRing ring = new(data.PathOf("keys/lease.pem"), time);

    public ISigner Signer => ring.Current;

    public void Dispose() => ring.Dispose();
}

/// <summary>Signs leases and hands them to callhome, for each cluster its licence's; the caller saves.</summary>
internal sealed class LeaseSigning(LeaseKey key, TimeProvider time)
{
    /// <summary>
    /// Signs what licences are now. Clusters that were decommissioned stay with their licence, for what they used counts, and are told
    /// that it is theirs no more.
    /// </summary>
    /// <param name="licenses">Tracked, each with the rows of its clusters.</param>
    /// <param name="db">Where they are tracked.</param>
    /// <param name="events">Takes the leases to callhome.</param>
    /// <param name="resetClock">The clusters' record of the time is void.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task SignAsync(IReadOnlyList<(License License, IReadOnlyList<LicensedCluster> Clusters)> licenses, ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken, bool resetClock = false)
    {
        var (keys, gone) = await KeysAsync(db, [.. licenses.SelectMany(one => one.Clusters)], cancellationToken);

        // What is being changed is not in the database yet.
        var usage = licenses is [var (alone, its)]
            ? await LicenseUsage.ReadAsync(db, alone, its, time.GetUtcNow(), cancellationToken)
            : await LicenseUsage.ReadAsync(db, [.. licenses.Select(one => one.License)], time.GetUtcNow(), cancellationToken);
        foreach (var (license, clusters) in licenses.Where(one => one.Clusters.Count > 0))
        {
            var now = time.GetUtcNow();

            // A cluster may miss the lease that brought it: each that follows says it again.
            var clockFrom = resetClock ? UsageWindow.Text(now) : license.ReadLease()?.ClockFrom;
            var (present, former) = (clusters.Where(one => !gone.Contains(one.ClusterId)).ToList(), clusters.Where(one => gone.Contains(one.ClusterId)).ToList());
            if (former.Count > 0)
            {
                var end = Of(license, former, keys, [], LicenseStatus.Revoked, now) with { ClockFrom = clockFrom };
                var signed = Dsse.Sign(LicenseLease.PayloadType, end.ToBytes(), key.Signer);
                HandOver(former, end.Serial, signed, events);
                if (present.Count == 0)
                {
                    license.Signed(end, signed, now);
                    license.Rest();
                    continue;
                }
            }

            var lease = Of(license, present, keys, usage.Limits(license), license.Status, now) with { ClockFrom = clockFrom };
            var envelope = Dsse.Sign(LicenseLease.PayloadType, lease.ToBytes(), key.Signer);
            license.Signed(lease, envelope, now);
            HandOver(present, lease.Serial, envelope, events);
        }
    }

    /// <summary>Tells clusters that a licence is theirs no more.</summary>
    public async Task ReleaseAsync(License license, IReadOnlyList<LicensedCluster> clusters, ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        if (clusters.Count == 0)
        {
            return;
        }

        var (keys, _) = await KeysAsync(db, clusters, cancellationToken);
        var lease = Of(license, clusters, keys, [], LicenseStatus.Revoked, time.GetUtcNow());
        HandOver(clusters, lease.Serial, Dsse.Sign(LicenseLease.PayloadType, lease.ToBytes(), key.Signer), events);
        foreach (var cluster in clusters)
        {
            cluster.LicenseId = null;
        }
    }

    private static void HandOver(IReadOnlyList<LicensedCluster> clusters, long serial, byte[] envelope, IEvents events)
    {
        foreach (var cluster in clusters)
        {
            cluster.Serial = serial;
            cluster.Version++;
            events.Publish(new SetDesiredState(cluster.ClusterId, "lease", null, envelope, serial));
        }
    }

    private static LicenseLease Of(License license, IReadOnlyList<LicensedCluster> clusters, Dictionary<Guid, IReadOnlyList<string>> keys, IReadOnlyList<LeaseLimit> limits, LicenseStatus status, DateTimeOffset now)
    {
        // The instant, so that a ledger restored from a backup goes on above what clusters hold; and above all that they were given.
        var serial = Math.Max(now.ToUnixTimeMilliseconds(), Math.Max(license.Serial, clusters.Max(cluster => cluster.Serial)) + 1);
        var until = now.AddDays(license.LeaseDays);
        return license.ToLease(
            serial, status, [.. clusters.OrderBy(cluster => cluster.ClusterId).Select(cluster => new LeaseCluster(cluster.ClusterId.ToString("D"), keys.GetValueOrDefault(cluster.ClusterId, [])))], limits, now,
            until < license.NotAfter ? until : license.NotAfter);
    }

    private async Task<(Dictionary<Guid, IReadOnlyList<string>> Keys, HashSet<Guid> Gone)> KeysAsync(ControlPlaneDbContext db, IReadOnlyList<LicensedCluster> clusters, CancellationToken cancellationToken)
    {
        var (ids, now) = (clusters.Select(cluster => cluster.ClusterId).ToList(), time.GetUtcNow());
        var rows = await db.Set<LedgerCluster>().AsNoTracking().Where(row => ids.Contains(row.Id)).ToListAsync(cancellationToken);
        return (
            rows.ToDictionary(row => row.Id, row => (IReadOnlyList<string>)[.. row.ReadKeys().Where(one => one.NotAfter is null || one.NotAfter > now).OrderBy(one => one.NotBefore).Select(one => one.Kid).TakeLast(10)]),
            [.. rows.Where(row => row.State == "decommissioned").Select(row => row.Id)]);
    }
}
