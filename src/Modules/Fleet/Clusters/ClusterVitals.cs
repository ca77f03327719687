using MissionControl.Contracts.Api.Fleet;
using Wire = MissionControl.Protocol.CallHome.Health;

namespace MissionControl.Fleet.Clusters;

/// <summary>
/// What a list shows of a cluster's newest message besides its judgement. It differs with every check-in, so it is read out of the
/// message for the rows of a page, and no check-in writes it a second time.
/// </summary>
internal static class ClusterVitals
{
    /// <summary>The summary with what the message says; a cluster without one stays without.</summary>
    public static ClusterSummary Of(byte[]? body, ClusterSummary cluster)
    {
        if (body is not { Length: > 0 })
        {
            return cluster;
        }

        var health = Wire.Parser.ParseFrom(body);
        var disks = health.Nodes.SelectMany(node => node.Disks).Where(disk => disk is { HasTotalBytes: true, HasUsedBytes: true, TotalBytes: > 0 }).ToList();
        return cluster with
        {
            WorstDiskPercent = disks.Count == 0 ? null : Math.Round(disks.Max(disk => 100.0 * disk.UsedBytes / disk.TotalBytes), 2),
            LastBackup = health.Backup is { HasLastSuccessMs: true } backup ? DateTimeOffset.FromUnixTimeMilliseconds(backup.LastSuccessMs) : null,
            CertificateUntil = health.Certificates.Count == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(health.Certificates.Min(certificate => certificate.NotAfterMs)),
        };
    }
}
