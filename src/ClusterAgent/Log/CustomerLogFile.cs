using System.IO.Compression;
using System.Text.Json;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.ClusterAgent.Log;

/// <summary>The customer's audit log as it was taken out of Mission Control: the lines of an export (jsonl), a bundle, or the directory of a mirror.</summary>
/// <param name="Vendor">What it says was done to the cluster.</param>
/// <param name="Entries">How many entries were read.</param>
/// <param name="Since">When its first entry was recorded; null: it begins with the first one of the log, or has none.</param>
internal sealed record CustomerLogFile(VendorSide Vendor, long Entries, DateTimeOffset? Since)
{
    /// <summary>Reads one.</summary>
    /// <exception cref="InvalidDataException">It is none, has a hole or a damaged entry, or is of another log: nothing can be said by it.</exception>
    public static CustomerLogFile Read(string path, Guid cluster)
    {
        var (vendor, count, next, since) = (new VendorSide(cluster), 0L, -1L, (DateTimeOffset?)null);
        try
        {
            foreach (var (index, json) in Directory.Exists(path) ? OfTiles(DirectoryTiles(path)) : IsZip(path) ? OfZip(path) : OfLines(path))
            {
                using var owned = json;
                var entry = json.RootElement.TryGetProperty("entry", out var inner) ? inner : json.RootElement;
                if (json.RootElement.TryGetProperty("damaged", out _))
                {
                    throw new InvalidDataException($"Entry {index} of {path} is damaged.");
                }

                if (next >= 0 && index != next)
                {
                    throw new InvalidDataException($"In {path} entry {index} follows {next - 1}: take it out without a filter, from one log, in its order.");
                }

                if (entry.GetProperty("log").GetString() != "customer")
                {
                    throw new InvalidDataException($"{path} is not of a customer's log.");
                }

                since = next < 0 && index > 0 ? entry.GetProperty("recordedAt").GetDateTimeOffset() : since;
                next = index + 1;
                count++;
                vendor.Add(entry);
            }
        }
        catch (Exception exception) when (exception is FormatException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"{path} cannot be read: {exception.Message}", exception);
        }

        return count > 0 ? new CustomerLogFile(vendor, count, since) : throw new InvalidDataException($"{path} has no entry.");
    }

    private static bool IsZip(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> begin = stackalloc byte[4];
        return file.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false) == begin.Length && begin.SequenceEqual("PK\u0003\u0004"u8);
    }

    private static IEnumerable<(long Index, JsonDocument Json)> OfLines(string path)
    {
        foreach (var line in File.ReadLines(path).Where(line => line.Length > 0))
        {
            var json = JsonDocument.Parse(line);
            yield return (json.RootElement.GetProperty("index").GetInt64(), json);
        }
    }

    private static IEnumerable<(long Index, JsonDocument Json)> OfZip(string path)
    {
        using var zip = ZipFile.OpenRead(path);
        foreach (var one in OfTiles(zip.Entries.Select(file => (file.FullName, (Func<Stream>)file.Open))))
        {
            yield return one;
        }
    }

    private static IEnumerable<(string Name, Func<Stream> Open)> DirectoryTiles(string path) =>
        Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Select(file => (Path.GetRelativePath(path, file).Replace('\\', '/'), (Func<Stream>)(() => File.OpenRead(file))));

    // Of a bundle that is not full the widest: a mirror keeps those of before.
    private static IEnumerable<(long Index, JsonDocument Json)> OfTiles(IEnumerable<(string Name, Func<Stream> Open)> files)
    {
        var tiles = files.Select(file => (IsTile: TileId.TryParse(file.Name, out var tile), Tile: tile, file.Open)).Where(one => one.IsTile && one.Tile.Level == TileId.Entries).GroupBy(one => one.Tile.Index).OrderBy(group => group.Key);
        foreach (var one in tiles.Select(group => group.MaxBy(one => one.Tile.Width)))
        {
            using var content = new MemoryStream();
            using (var stream = one.Open())
            {
                stream.CopyTo(content);
            }

            var entries = Split(content.ToArray());
            for (var i = 0; i < entries.Count; i++)
            {
                yield return ((one.Tile.Index * TileId.FullWidth) + i, JsonDocument.Parse(entries[i]));
            }
        }
    }

    private static List<byte[]> Split(ReadOnlySpan<byte> bundle)
    {
        var entries = new List<byte[]>();
        while (EntryBundle.TryRead(ref bundle, out var entry))
        {
            entries.Add(entry.ToArray());
        }

        return bundle.IsEmpty ? entries : throw new FormatException("A bundle of entries is cut off.");
    }
}
