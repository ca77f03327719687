namespace MissionControl.ClusterAgent.Spool;

/// <summary>FNV-1a over a record, to tell a whole one from a torn one; nobody attacks their own spool.</summary>
internal static class Checksum
{
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var hash = 2166136261u;
        foreach (var b in bytes)
        {
            hash = (hash ^ b) * 16777619u;
        }

        return hash;
    }
}
