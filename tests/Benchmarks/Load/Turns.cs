namespace MissionControl.Benchmarks.Load;

/// <summary>Shares clusters out among connections.</summary>
internal static class Turns
{
    /// <summary>A connection's share, in turn: no cluster ever has two check-ins under way.</summary>
    public static Func<Span<byte>, int> Of(IReadOnlyList<CheckInRequests> requests, int connection, int connections)
    {
        var own = requests.Where((_, i) => i % connections == connection).ToArray();
        var turn = 0;
        return destination => own[turn++ % own.Length].Write(destination);
    }
}
