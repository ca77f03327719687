using System.Text;

namespace MissionControl.Fleet.Health;

/// <summary>What must be remembered of a rule that is not plainly green: since when, and how long its thresholds have been passed.</summary>
/// <param name="Key">Rule id and resource.</param>
/// <param name="Status">As last judged; green while a threshold has not been passed for long enough.</param>
/// <param name="Since">Since when it has this status, Unix ms.</param>
/// <param name="WarningSince">Since when the warning threshold is passed, Unix ms by the cluster's clock; 0: it is not.</param>
/// <param name="CriticalSince">The same for the critical threshold.</param>
/// <param name="Value">The value last judged.</param>
internal sealed record RuleState(string Key, HealthStatus Status, long Since, long WarningSince, long CriticalSince, double Value)
{
    /// <summary>The rule it is of.</summary>
    public Rule? Rule => Rules.All.GetValueOrDefault(Key.Split(':', 2)[0]);
}

/// <summary>The rule states of a cluster as bytes; of most clusters, none.</summary>
internal static class RuleStates
{
    public static byte[] Write(IReadOnlyCollection<RuleState> states)
    {
        if (states.Count == 0)
        {
            return [];
        }

        using var buffer = new MemoryStream();
        using (var writer = new BinaryWriter(buffer, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write7BitEncodedInt(states.Count);
            foreach (var state in states)
            {
                writer.Write(state.Key);
                writer.Write((byte)state.Status);
                writer.Write7BitEncodedInt64(state.Since);
                writer.Write7BitEncodedInt64(state.WarningSince);
                writer.Write7BitEncodedInt64(state.CriticalSince);
                writer.Write(state.Value);
            }
        }

        return buffer.ToArray();
    }

    /// <summary>The same by their keys; of two under one key the last counts, as when they are read.</summary>
    public static Dictionary<string, RuleState> ByKey(IReadOnlyCollection<RuleState> states)
    {
        var byKey = new Dictionary<string, RuleState>(states.Count, StringComparer.Ordinal);
        foreach (var state in states)
        {
            byKey[state.Key] = state;
        }

        return byKey;
    }

    public static Dictionary<string, RuleState> Read(byte[] bytes)
    {
        var states = new Dictionary<string, RuleState>(StringComparer.Ordinal);
        if (bytes.Length > 0)
        {
            using var reader = new BinaryReader(new MemoryStream(bytes, writable: false), Encoding.UTF8);
            for (var left = reader.Read7BitEncodedInt(); left > 0; left--)
            {
                var key = reader.ReadString();
                states[key] = new RuleState(key, (HealthStatus)reader.ReadByte(), reader.Read7BitEncodedInt64(), reader.Read7BitEncodedInt64(), reader.Read7BitEncodedInt64(), reader.ReadDouble());
            }
        }

        return states;
    }
}
