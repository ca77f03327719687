using System.Security.Cryptography;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Licenses;

/// <summary>What an agent does for its licence between check-ins: tells the keeper the time, brings it leases, and says what is wrong.</summary>
internal sealed class LicenseDuty(LicenseKeeper keeper, CallHomeClient client, IClusterSource source, DiskReserve? reserve, bool offline)
{
    private bool rollbackTold;
    private string? refused;

    /// <summary>Why the lease that came last, or the one that is held, is not believed; null when it is.</summary>
    public string? Problem => refused ?? keeper.Problem;

    /// <summary>Looks at the clock.</summary>
    public void Observe()
    {
        // A machine that starts with a clock in the future has lost nothing as soon as Mission Control says what time it is.
        StoreTime(() => keeper.Observe(client.ServerNow, believed: offline || client.ClockOffset is not null));
        if (!keeper.IsRolledBack)
        {
            rollbackTold = false;
        }
        else if (!rollbackTold)
        {
            rollbackTold = true;
            source.Tell("license-clock-rollback", "severe", "The clock was put back behind what it showed before; the licence is judged by the later time.");
        }
    }

    /// <summary>Mission Control was heard of.</summary>
    public void Heard(DateTimeOffset at) => StoreTime(() => keeper.Heard(at));

    /// <summary>Takes a file that a person brought, if it is a lease.</summary>
    /// <exception cref="CryptographicException">It is a lease, and not to be taken.</exception>
    public bool Takes(byte[] file)
    {
        if (!VerifiedLease.IsOne(file))
        {
            return false;
        }

        Store(() => keeper.Take(file));
        refused = null;
        return true;
    }

    /// <summary>Takes what Mission Control wants held.</summary>
    public void Apply(Section? section)
    {
        if (section is null)
        {
            return;
        }

        try
        {
            refused = null;
            Store(() => keeper.Take(section.Body.Span));
        }
        catch (CryptographicException exception)
        {
            refused = exception.Message;
        }
    }

    // What is known of the time is written down again and again: a full disk may keep it from that for a while.
    private void StoreTime(Action write)
    {
        try
        {
            Store(write);
        }
        catch (IOException full) when (DiskReserve.IsDiskFull(full))
        {
            // Known in memory until there is room.
        }
    }

    private void Store(Action write) => DiskReserve.Write(reserve, write);
}
