namespace MissionControl.ClusterAgent.Spool;

/// <summary>Items that the server does not want yet, and that rest for a while before they are offered again.</summary>
internal sealed class RestingItems(TimeProvider time)
{
    private static readonly TimeSpan For = TimeSpan.FromMinutes(15);
    private readonly Dictionary<long, long> since = [];

    public int Count => since.Count;

    public void Rest(long seq) => since[seq] = time.GetTimestamp();

    public void Clear() => since.Clear();

    /// <summary>Those that rest now.</summary>
    public HashSet<long> Now()
    {
        foreach (var seq in since.Where(entry => time.GetElapsedTime(entry.Value) >= For).Select(entry => entry.Key).ToList())
        {
            since.Remove(seq);
        }

        return [.. since.Keys];
    }
}
