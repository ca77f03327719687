using System.Security.Cryptography;
using Google.Protobuf;
using MissionControl.ClusterAgent.Spool;
using MissionControl.ClusterAgent.Usage;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent;

/// <summary>Brings what is to be told into the spool. On a full disk health gives way to usage, and usage waits in the product's counters.</summary>
internal sealed class Collector(IClusterSource source, ISpool spool, UsageRecorder? usage, DiskReserve? reserve, TimeProvider time)
{
    private static readonly TimeSpan InventoryInterval = TimeSpan.FromDays(1);
    private byte[]? inventory;
    private long inventoryAt;
    private bool wasShort;

    /// <summary>What could not be written the last time, and why; null when everything could.</summary>
    public string? StorageProblem { get; private set; }

    /// <summary>The inventory is to be told anew.</summary>
    public void WantInventory() => inventory = null;

    /// <summary>Reads the counters, and closes the hours that have ended.</summary>
    public async Task ReadUsageAsync(DateTimeOffset serverNow, CancellationToken cancellationToken)
    {
        await source.RefreshAsync(cancellationToken);
        StorageProblem = null;
        Store(() => usage?.Observe(serverNow), "usage; it waits in the product's counters");
    }

    /// <summary>Reads everything.</summary>
    public async Task CollectAsync(DateTimeOffset serverNow, int intervalSeconds, TimeSpan? clockOffset, CallHomeHealth callHome, CancellationToken cancellationToken)
    {
        await ReadUsageAsync(serverNow, cancellationToken);
        var isShort = Shortage();
        if (isShort)
        {
            spool.Drop("health", keep: 0, "disk-full");
        }
        else
        {
            KeepInventory(serverNow);
        }

        var offset = clockOffset ?? TimeSpan.Zero;
        var events = source.Events;
        if (events.Count == 0 || Store(() => KeepEvents(events, offset), "events"))
        {
            source.EventsKept();
        }

        var health = source.Health(intervalSeconds, clockOffset);
        health.CallHome = callHome;
        callHome.SpoolDroppingUsage = false;
        Store(() => spool.Add("health", serverNow.ToUnixTimeMilliseconds(), health.ToByteArray()), "health");
    }

    private void KeepEvents(IReadOnlyList<Happened> events, TimeSpan offset)
    {
        foreach (var happened in events)
        {
            spool.Add("event", happened.AtMs + (long)offset.TotalMilliseconds, happened.Event.ToByteArray());
        }
    }

    // Complete each time, so the newest is all that anybody needs: on change, and once a day.
    private void KeepInventory(DateTimeOffset serverNow)
    {
        if (source.Inventory() is not { } now)
        {
            return;
        }

        var body = now.ToByteArray();
        var digest = SHA256.HashData(body);
        if (inventory is not null && inventory.AsSpan().SequenceEqual(digest) && time.GetElapsedTime(inventoryAt) < InventoryInterval)
        {
            return;
        }

        if (Store(() => spool.Add("inventory", serverNow.ToUnixTimeMilliseconds(), body), "the inventory"))
        {
            spool.Drop("inventory", keep: 1, "superseded");
            (inventory, inventoryAt) = (digest, time.GetTimestamp());
        }
    }

    private bool Shortage()
    {
        reserve?.Restore();
        var isShort = reserve?.IsSpent ?? false;
        if (isShort && !wasShort)
        {
            source.Tell("agent-disk-full", "warning", "The disk of the agent's directory is full. Usage is kept; health is not kept while it cannot be sent.");
        }

        if (isShort)
        {
            StorageProblem ??= "The disk of the agent's directory is full; the agent lives on its reserve.";
        }

        wasShort = isShort;
        return isShort;
    }

    private bool Store(Action write, string what)
    {
        try
        {
            if (reserve is null)
            {
                write();
            }
            else
            {
                reserve.Write(write);
            }

            return true;
        }
        catch (IOException full) when (DiskReserve.IsDiskFull(full))
        {
            StorageProblem = $"The disk of the agent's directory is full; not written: {what}.";
            return false;
        }
    }
}
