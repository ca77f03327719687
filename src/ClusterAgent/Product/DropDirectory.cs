using System.Text;
using System.Text.Json;

namespace MissionControl.ClusterAgent.Product;

/// <summary>
/// Reads files of JSON lines that the product drops, in the order of their names. The product writes a file aside and renames it to
/// *.ndjson; the agent deletes what it has taken in. What it cannot read goes to the subdirectory <c>rejected</c>.
/// </summary>
public sealed class DropDirectory(string directory, TimeProvider time) : IProduct
{
    private const int MostBytes = 4 * 1024 * 1024;
    private const int MostRejected = 100;
    private static readonly TimeSpan Stale = TimeSpan.FromMinutes(10);
    private readonly List<string> taken = [];
    private ProductDocument? state;
    private string? stateFile;
    private DateTimeOffset stateAt;

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
                try
                {
                    Take(file, events);
                    taken.Add(file);
                }
                catch (Exception exception) when (exception is JsonException or ProductException)
                {
                    rejected = $"{Path.GetFileName(file)} was rejected: {exception.Message}";
                    Reject(file);
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
        foreach (var line in File.ReadLines(file, Encoding.UTF8).Where(line => line.Length > 0))
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

    private void Reject(string file)
    {
        var rejects = Path.Combine(directory, "rejected");
        Directory.CreateDirectory(rejects);
        File.Move(file, Path.Combine(rejects, Path.GetFileName(file)), overwrite: true);
        foreach (var old in Directory.EnumerateFiles(rejects).Order(StringComparer.Ordinal).SkipLast(MostRejected).ToList())
        {
            File.Delete(old);
        }
    }
}
