using System.Text;
using System.Text.Json;

namespace MissionControl.ClusterAgent.Product;

/// <summary>
/// Reads files of JSON lines that the product drops, in the order of their names. The product writes a file aside and renames it to
/// *.ndjson; the agent deletes what it has taken in. What it cannot read is told, and then goes to the subdirectory <c>rejected</c>,
/// with the reason beside it. Links are neither followed nor written through: whoever may drop files there need not be who the agent is.
/// </summary>
public sealed class DropDirectory(string directory, TimeProvider time) : IProduct
{
    private const int MostBytes = 4 * 1024 * 1024;
    private const int MostRejected = 100;
    private const string Rejects = "rejected";
    private const string Reason = ".reason";
    private static readonly TimeSpan Stale = TimeSpan.FromMinutes(10);
    private readonly List<string> taken = [];

    // Told, and moved once that is in the spool: whatever ends the agent in between, it is told again.
    private readonly Dictionary<string, Refused> refused = new(StringComparer.Ordinal);
    private ProductDocument? state;
    private string? stateFile;
    private DateTimeOffset stateAt;

    /// <inheritdoc />
    public Action<string, string, string>? Tell { get; set; }

    /// <summary>The files that were rejected and are still there, the oldest name first, each with the reason.</summary>
    public static IReadOnlyList<(string Name, string Reason)> RejectedIn(string directory)
    {
        var rejects = Path.Combine(directory, Rejects);
        return !Directory.Exists(rejects) || IsLink(rejects) ? [] : [.. Directory.EnumerateFiles(rejects, "*.ndjson").Order(StringComparer.Ordinal)
            .Select(file => (Path.GetFileName(file), File.Exists(file + Reason) && !IsLink(file + Reason) ? Text(file + Reason) : ""))];
    }

    /// <inheritdoc />
    public Task<ProductReading> ReadAsync(CancellationToken cancellationToken)
    {
        taken.Clear();
        var events = new List<ProductEvent>();
        string? rejected = null;
        try
        {
            foreach (var file in Directory.EnumerateFiles(directory, "*.ndjson").Order(StringComparer.Ordinal).ToList())
            {
                if (IsLink(file))
                {
                    rejected = $"{Path.GetFileName(file)} is a link, and links are not followed.";
                    continue;
                }

                if (refused.TryGetValue(file, out var known) && known.Is(file))
                {
                    rejected = known.Why;
                    continue;
                }

                try
                {
                    Take(file, events);
                    taken.Add(file);
                }
                catch (Exception exception) when (exception is JsonException or ProductException)
                {
                    rejected = $"{Path.GetFileName(file)} was rejected: {exception.Message}";
                    refused[file] = Refused.Now(file, rejected);
                    Tell?.Invoke("product-file-rejected", "warning", rejected);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ProductException($"The drop directory cannot be read: {exception.Message}");
        }

        if (state is null)
        {
            throw new ProductException(rejected ?? "The product has dropped no state yet.");
        }

        var age = time.GetUtcNow() - stateAt;
        return age > Stale
            ? throw new ProductException($"The newest state is {age.TotalMinutes:0} minutes old.")
            : Task.FromResult(new ProductReading(state, age < TimeSpan.Zero ? TimeSpan.Zero : age, events));
    }

    /// <inheritdoc />
    public void Kept()
    {
        // The file with the newest state stays until a newer one comes: after a restart it is read again.
        foreach (var file in taken.Where(file => file != stateFile))
        {
            File.Delete(file);
        }

        taken.Clear();
        foreach (var (file, rejected) in refused.ToList())
        {
            if (!rejected.Is(file) || Reject(file, rejected.Why))
            {
                refused.Remove(file);
            }
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
    }

    private void Take(string file, List<ProductEvent> events)
    {
        if (new FileInfo(file).Length > MostBytes)
        {
            throw new ProductException($"The file has more than {MostBytes} bytes.");
        }

        var found = new List<ProductEvent>();
        ProductDocument? newest = null;
        foreach (var line in Text(file).Split('\n', '\r').Where(line => line.Length > 0))
        {
            var entry = JsonSerializer.Deserialize(line, ProductJson.Default.DropLine) ?? throw new ProductException("A line is null.");
            if (entry.Event is { } happened)
            {
                found.Add(ProductRules.ErrorOf(happened) is { } error ? throw new ProductException(error) : happened);
            }

            newest = entry.State?.Checked() ?? newest;
        }

        events.AddRange(found);
        if (newest is not null)
        {
            (state, stateFile) = (newest, file);
            stateAt = newest.At ?? File.GetLastWriteTimeUtc(file);
            events.AddRange(newest.Events);
        }
    }

    // At most what the file had when it was opened, and never more than is read of any, whatever it turned into since it was looked at.
    private static string Text(string file)
    {
        // A pipe and a device have no length, and opening one may take for ever.
        if (new FileInfo(file).Length == 0)
        {
            return "";
        }

        using var stream = File.OpenRead(file);
        var bytes = new byte[Math.Min(stream.Length, MostBytes)];
        using var reader = new StreamReader(new MemoryStream(bytes, 0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)), Encoding.UTF8);
        return reader.ReadToEnd();
    }

    private static bool IsLink(string path) => new FileInfo(path).LinkTarget is not null;

    private bool Reject(string file, string why)
    {
        try
        {
            var rejects = Path.Combine(directory, Rejects);
            if (IsLink(rejects))
            {
                return false;
            }

            Directory.CreateDirectory(rejects);
            var kept = Path.Combine(rejects, Path.GetFileName(file));
            File.Delete(kept + Reason);
            using (var reason = new StreamWriter(new FileStream(kept + Reason, FileMode.CreateNew, FileAccess.Write)))
            {
                reason.Write(why);
            }

            File.Move(file, kept, overwrite: true);
            foreach (var old in Directory.EnumerateFiles(rejects, "*.ndjson").Order(StringComparer.Ordinal).SkipLast(MostRejected).ToList())
            {
                File.Delete(old);
                File.Delete(old + Reason);
            }

            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It stays where it is, and was told once.
            return false;
        }
    }

    /// <summary>A file that could not be read, as it was then: another of the same name is another file.</summary>
    private readonly record struct Refused(DateTime WrittenAt, long Length, string Why)
    {
        public static Refused Now(string file, string why) => new(File.GetLastWriteTimeUtc(file), new FileInfo(file).Length, why);

        public bool Is(string file) => File.Exists(file) && Now(file, Why) == this;
    }
}
