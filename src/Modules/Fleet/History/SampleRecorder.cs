using MissionControl.Fleet.Health;
using Wire = MissionControl.Protocol.CallHome.Health;

namespace MissionControl.Fleet.History;

/// <summary>
/// Adds the samples of a group to a cluster's open block, and seals it when its hour is over or it has grown large. Samples that come
/// late get blocks of their own, so that the open one goes on.
/// </summary>
internal sealed class SampleRecorder(StoredHealth state)
{
    /// <summary>Beyond this an open block is sealed early, so that the row which every check-in writes stays within a page.</summary>
    public const int MaxOpenBytes = 2048;

    private readonly List<object?[]> closed = [];

    // Each with the rank of its last sample: no other block of its hour has that one, so that no two are taken for the same.
    private Dictionary<DateTimeOffset, (SampleBlock Block, long Rank)>? late;
    private SampleBlock open = SampleBlock.Open(state.Samples);

    /// <summary>Adds a sample.</summary>
    /// <param name="at">When it was measured.</param>
    /// <param name="rank">Rank of its item.</param>
    /// <param name="values">What was measured.</param>
    public void Add(DateTimeOffset at, long rank, IReadOnlyList<SampleValue> values)
    {
        var hour = HistoryBlock.HourOf(state.ClusterId, at);
        if (open.Count > 0 && hour < state.SamplesFrom)
        {
            late ??= [];
            if (!late.TryGetValue(hour, out var entry))
            {
                entry.Block = new SampleBlock();
                entry.Block.TryAdd(at, values);
            }
            else if (!entry.Block.TryAdd(at, values))
            {
                Close(hour, entry.Rank, entry.Block);
                entry.Block = new SampleBlock();
                entry.Block.TryAdd(at, values);
            }

            late[hour] = (entry.Block, rank);
            return;
        }

        if (open.Count > 0 && (hour > state.SamplesFrom || open.Size > MaxOpenBytes || !open.TryAdd(at, values)))
        {
            Close(state.SamplesFrom, rank, open);
            open = new SampleBlock();
        }

        if (open.Count == 0)
        {
            open.TryAdd(at, values);
            state.SamplesFrom = hour;
        }
    }

    /// <summary>Puts the open block back into the row and hands over the rows of what is closed.</summary>
    public IReadOnlyList<object?[]> Finish()
    {
        state.Samples = open.ToBytes();
        foreach (var (hour, (block, rank)) in late ?? [])
        {
            Close(hour, rank, block);
        }

        return closed;
    }

    /// <summary>What is kept of a message. Percentages of disks to a hundredth, of CPU and memory to a tenth.</summary>
    public static List<SampleValue> Values(Wire health, HealthStatus status)
    {
        var values = new List<SampleValue>(4 + (health.Nodes.Count * 6))
        {
            new("health", 0, status == HealthStatus.Unknown ? null : status switch { HealthStatus.Green => 0, HealthStatus.Yellow => 1, _ => 2 }),
            new("nodes-up", 0, health.Nodes.Count(node => node.State is "running")),
            new("nodes-all", 0, Math.Max(health.Nodes.Count, health.HasExpectedNodes ? health.ExpectedNodes : 0)),
        };
        if (health.CallHome is { HasSpoolItems: true } callHome)
        {
            values.Add(new("spool-items", 0, callHome.SpoolItems));
        }

        if (health.Replication is { HasLagS: true } replication)
        {
            values.Add(new("replication-lag", 1, replication.LagS));
        }

        foreach (var node in health.Nodes)
        {
            if (node.HasCpuPercent)
            {
                values.Add(new($"cpu:{node.Id}", 1, node.CpuPercent));
            }

            if (node is { HasMemoryTotalBytes: true, HasMemoryUsedBytes: true, MemoryTotalBytes: > 0 })
            {
                values.Add(new($"memory:{node.Id}", 1, 100.0 * node.MemoryUsedBytes / node.MemoryTotalBytes));
            }

            if (node.HasLoad1)
            {
                values.Add(new($"load:{node.Id}", 2, node.Load1));
            }

            if (node.HasHeapUsedPercent)
            {
                values.Add(new($"heap:{node.Id}", 1, node.HeapUsedPercent));
            }

            if (node.HasClockOffsetMs)
            {
                values.Add(new($"clock:{node.Id}", 0, node.ClockOffsetMs));
            }

            foreach (var disk in node.Disks)
            {
                if (disk is { HasTotalBytes: true, HasUsedBytes: true, TotalBytes: > 0 })
                {
                    values.Add(new($"disk:{node.Id}{disk.Mount}", 2, 100.0 * disk.UsedBytes / disk.TotalBytes));
                }

                if (disk.HasInodesUsedPercent)
                {
                    values.Add(new($"inodes:{node.Id}{disk.Mount}", 1, disk.InodesUsedPercent));
                }
            }
        }

        return values;
    }

    private void Close(DateTimeOffset hour, long part, SampleBlock block) =>
        closed.Add([state.ClusterId, hour.ToUnixTimeMilliseconds(), part, state.CustomerId, block.Count, block.Seal()]);
}
