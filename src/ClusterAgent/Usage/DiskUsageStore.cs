using System.Globalization;
using System.Text;

namespace MissionControl.ClusterAgent.Usage;

/// <summary>
/// One file per window, in a directory that says what became of it, so that the customer can look: <c>waiting</c>, <c>settled</c>,
/// <c>refused</c>. A window is written and fsynced as <c>.new</c> before the state that closed its hour is, and loses the suffix once
/// it is in the spool: whatever crashes, it is sent at least once, and the ledger counts it once.
/// </summary>
public sealed class DiskUsageStore : IUsageStore
{
    private const string Fresh = ".new";
    private const string Kept = ".json";
    private const string Reason = ".why";
    private readonly string stateFile;
    private readonly string waiting;
    private readonly string settled;
    private readonly string refused;

    /// <summary>Opens or begins the store in a directory.</summary>
    public DiskUsageStore(string directory)
    {
        DurableFile.CreateDirectory(directory);
        stateFile = Path.Combine(directory, "state.json");
        waiting = Make(directory, "waiting");
        settled = Make(directory, "settled");
        refused = Make(directory, "refused");
    }

    /// <inheritdoc />
    public UsageState Load() => File.Exists(stateFile) ? UsageState.FromBytes(File.ReadAllBytes(stateFile)) : new UsageState();

    /// <inheritdoc />
    public void Save(UsageState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        DurableFile.Write(stateFile, state.ToBytes());
    }

    /// <inheritdoc />
    public long LastRevision(int hour, long epoch)
    {
        var prefix = $"{WindowName.Of(Protocol.Documents.UsageWindow.Text(Protocol.Documents.UsageWindow.StartOf(hour)), epoch, 0)[..^1]}";
        return new[] { waiting, settled, refused }
            .SelectMany(directory => Directory.EnumerateFiles(directory, prefix + "*.*").Where(file => !file.EndsWith(".tmp", StringComparison.Ordinal)))
            .Select(file => long.Parse(NameOf(file)[prefix.Length..], CultureInfo.InvariantCulture))
            .DefaultIfEmpty(0).Max();
    }

    /// <inheritdoc />
    public void Keep(string name, ReadOnlySpan<byte> envelope) => DurableFile.Write(Path.Combine(waiting, name + Fresh), envelope);

    /// <inheritdoc />
    public IReadOnlyList<(string Name, byte[] Envelope)> NotSpooled() =>
        [.. Directory.EnumerateFiles(waiting, "*" + Fresh).Order(StringComparer.Ordinal).Select(file => (NameOf(file), File.ReadAllBytes(file)))];

    /// <inheritdoc />
    public void Spooled(string name, DateTimeOffset now)
    {
        var fresh = Path.Combine(waiting, name + Fresh);
        File.SetLastWriteTimeUtc(fresh, now.UtcDateTime);
        File.Move(fresh, Path.Combine(waiting, name + Kept), overwrite: true);
    }

    /// <inheritdoc />
    public int OfferUnsettled(DateTimeOffset spooledBefore)
    {
        var old = Directory.EnumerateFiles(waiting, "*" + Kept).Where(file => File.GetLastWriteTimeUtc(file) < spooledBefore.UtcDateTime).ToList();
        old.ForEach(file => File.Move(file, Path.ChangeExtension(file, Fresh), overwrite: true));
        return old.Count;
    }

    /// <inheritdoc />
    public void Settle(string name)
    {
        if (Move(waiting, name + Kept, settled, name + Kept) || Move(refused, name + Kept, settled, name + Kept))
        {
            File.Delete(Path.Combine(refused, name + Reason));
        }
    }

    /// <inheritdoc />
    public void OfferAgain(int fromHour, int toHour)
    {
        var (from, to) = (NameAt(fromHour), NameAt(toHour));
        foreach (var file in Directory.EnumerateFiles(settled, "*" + Kept).Where(file => string.CompareOrdinal(NameOf(file), from) >= 0 && string.CompareOrdinal(NameOf(file), to) < 0).ToList())
        {
            File.Move(file, Path.Combine(waiting, NameOf(file) + Fresh), overwrite: true);
        }
    }

    /// <inheritdoc />
    public void Refuse(string name, string problem)
    {
        if (Move(waiting, name + Kept, refused, name + Kept))
        {
            DurableFile.Write(Path.Combine(refused, name + Reason), Encoding.UTF8.GetBytes(problem));
        }
    }

    /// <inheritdoc />
    public void OfferAgain(string name)
    {
        if (Move(refused, name + Kept, waiting, name + Fresh))
        {
            File.Delete(Path.Combine(refused, name + Reason));
        }
    }

    /// <inheritdoc />
    public void Forget(int beforeHour)
    {
        var bound = NameAt(beforeHour);
        foreach (var file in Directory.EnumerateFiles(settled).Where(file => string.CompareOrdinal(NameOf(file), bound) < 0).ToList())
        {
            File.Delete(file);
        }
    }

    /// <inheritdoc />
    public UsageSummary Summary() => new(
        Directory.EnumerateFiles(waiting).Count(file => !file.EndsWith(".tmp", StringComparison.Ordinal)), Directory.EnumerateFiles(settled, "*" + Kept).Count(),
        [.. Directory.EnumerateFiles(refused, "*" + Kept).Order(StringComparer.Ordinal).Select(file => new RefusedWindow(NameOf(file), Why(NameOf(file))))]);

    /// <summary>Where the windows of an hour begin in the order of names.</summary>
    private static string NameAt(int hour) => WindowName.Of(Protocol.Documents.UsageWindow.Text(Protocol.Documents.UsageWindow.StartOf(hour)), 0, 0);

    private string Why(string name)
    {
        var file = Path.Combine(refused, name + Reason);
        return File.Exists(file) ? File.ReadAllText(file) : "unknown";
    }

    private static bool Move(string from, string name, string to, string newName)
    {
        var file = Path.Combine(from, name);
        if (!File.Exists(file))
        {
            return false;
        }

        File.Move(file, Path.Combine(to, newName), overwrite: true);
        return true;
    }

    private static string NameOf(string file)
    {
        var name = Path.GetFileName(file);
        return name[..name.LastIndexOf('.')];
    }

    private static string Make(string directory, string name)
    {
        var path = Path.Combine(directory, name);
        DurableFile.CreateDirectory(path);
        return path;
    }
}
