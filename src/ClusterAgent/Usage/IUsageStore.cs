using MissionControl.Protocol.Documents;

namespace MissionControl.ClusterAgent.Usage;

/// <summary>A window that Mission Control does not take.</summary>
/// <param name="Name">hour, epoch and revision.</param>
/// <param name="Problem">Code of what is wrong.</param>
public sealed record RefusedWindow(string Name, string Problem);

/// <summary>How many windows there are, by what became of them.</summary>
/// <param name="Waiting">Closed, and no receipt has named them yet.</param>
/// <param name="Settled">Named by a receipt; kept 400 days.</param>
/// <param name="Refused">Not taken.</param>
public sealed record UsageSummary(int Waiting, int Settled, IReadOnlyList<RefusedWindow> Refused);

/// <summary>Keeps the readings and the signed windows. What a method did before it returned survives a power cut where the store is a disk.</summary>
public interface IUsageStore
{
    /// <summary>The stored state, or a new one.</summary>
    UsageState Load();

    /// <summary>Replaces the state, wholly or not at all.</summary>
    void Save(UsageState state);

    /// <summary>Highest revision of an hour that was ever kept in an epoch; 0 when none was.</summary>
    long LastRevision(int hour, long epoch);

    /// <summary>Keeps a signed window that is not in the spool yet.</summary>
    void Keep(string name, ReadOnlySpan<byte> envelope);

    /// <summary>Windows that were kept and may not have reached the spool.</summary>
    IReadOnlyList<(string Name, byte[] Envelope)> NotSpooled();

    /// <summary>The window is in the spool, since now.</summary>
    void Spooled(string name, DateTimeOffset now);

    /// <summary>Windows that went into the spool before an instant, and that no receipt has named, are to be sent anew.</summary>
    /// <returns>How many.</returns>
    int OfferUnsettled(DateTimeOffset spooledBefore);

    /// <summary>A receipt named it; it is kept all the same.</summary>
    void Settle(string name);

    /// <summary>Settled windows of the hours from (inclusive) to (exclusive) are to be sent anew: Mission Control says that it lacks them.</summary>
    void OfferAgain(int fromHour, int toHour);

    /// <summary>It was not taken; it is kept and shown.</summary>
    void Refuse(string name, string problem);

    /// <summary>A refused window is to be sent once more.</summary>
    void OfferAgain(string name);

    /// <summary>Lets go of what no duty keeps: settled windows of hours before this one.</summary>
    void Forget(int beforeHour);

    /// <summary>What there is.</summary>
    UsageSummary Summary();
}

/// <summary>Names of windows.</summary>
internal static class WindowName
{
    public static string Of(UsageWindow window) => Of(window.Window, window.Epoch, window.Revision);

    public static string Of(string window, long epoch, long revision) => $"{window.Replace(":", "", StringComparison.Ordinal)}-{epoch}-{revision}";
}

/// <summary>Keeps the state and nothing else: a simulated cluster's, which needs no memory of what it sent.</summary>
public sealed class MemoryUsageStore : IUsageStore
{
    private readonly Dictionary<string, byte[]> fresh = [];
    private readonly Dictionary<string, (byte[] Envelope, DateTimeOffset At)> unsettled = [];
    private readonly Dictionary<string, string> refused = [];
    private UsageState state = new();
    private int settled;

    /// <inheritdoc />
    public UsageState Load() => state;

    /// <inheritdoc />
    public void Save(UsageState state) => this.state = state;

    // A state that was saved is never lost here, so no hour is closed twice in an epoch.
    /// <inheritdoc />
    public long LastRevision(int hour, long epoch) => 0;

    /// <inheritdoc />
    public void Keep(string name, ReadOnlySpan<byte> envelope) => fresh[name] = envelope.ToArray();

    /// <inheritdoc />
    public IReadOnlyList<(string Name, byte[] Envelope)> NotSpooled() => [.. fresh.Select(entry => (entry.Key, entry.Value))];

    /// <inheritdoc />
    public void Spooled(string name, DateTimeOffset now)
    {
        if (fresh.Remove(name, out var envelope))
        {
            unsettled[name] = (envelope, now);
        }
    }

    /// <inheritdoc />
    public int OfferUnsettled(DateTimeOffset spooledBefore)
    {
        var old = unsettled.Where(entry => entry.Value.At < spooledBefore && !refused.ContainsKey(entry.Key)).ToList();
        foreach (var (name, window) in old)
        {
            unsettled.Remove(name);
            fresh[name] = window.Envelope;
        }

        return old.Count;
    }

    /// <inheritdoc />
    public void Settle(string name) => settled += unsettled.Remove(name) | refused.Remove(name) ? 1 : 0;

    /// <inheritdoc />
    public void OfferAgain(int fromHour, int toHour)
    {
        // Nothing is kept here that could be offered.
    }

    /// <inheritdoc />
    public void Refuse(string name, string problem)
    {
        if (unsettled.ContainsKey(name))
        {
            refused[name] = problem;
        }
    }

    /// <inheritdoc />
    public void OfferAgain(string name)
    {
        if (refused.Remove(name) && unsettled.Remove(name, out var window))
        {
            fresh[name] = window.Envelope;
        }
    }

    /// <inheritdoc />
    public void Forget(int beforeHour)
    {
    }

    /// <inheritdoc />
    public UsageSummary Summary() => new(fresh.Count + unsettled.Count - refused.Count, settled, [.. refused.Select(entry => new RefusedWindow(entry.Key, entry.Value))]);
}
