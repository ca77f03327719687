using System.Buffers;
using System.Text;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.ClusterAgent.Log;

/// <summary>
/// A log of the agent's own as files, as C2SP tlog-tiles lays them out. The checkpoint is written last and is what counts: what a crash
/// left behind beyond it was never said to be there, and is written over.
/// </summary>
internal static class LogFiles
{
    private const string CheckpointName = "checkpoint";

    /// <summary>The newest checkpoint and all entries below it, verified; null: there is no such log.</summary>
    /// <exception cref="InvalidDataException">The entries are not those that were signed, or cannot be read.</exception>
    public static (Checkpoint Checkpoint, string Note, List<byte[]> Entries)? Read(string directory)
    {
        var file = Path.Combine(directory, CheckpointName);
        if (!File.Exists(file))
        {
            return null;
        }

        try
        {
            return ReadOnce(directory, file);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            // Beside a running agent, which takes away what is not full any more.
            return ReadOnce(directory, file);
        }
    }

    private static (Checkpoint, string, List<byte[]>) ReadOnce(string directory, string file)
    {
        try
        {
            var note = SignedNote.Parse(File.ReadAllBytes(file));
            var (checkpoint, entries, range) = (Checkpoint.Parse(note.Text), new List<byte[]>(), new CompactRange());
            for (long index = 0; index * TileId.FullWidth < checkpoint.Size; index++)
            {
                var tile = TileId.At(TileId.Entries, index, checkpoint.Size);
                ReadOnlySpan<byte> bundle = File.ReadAllBytes(Path.Combine(directory, $"{tile}"));
                for (var i = 0; i < tile.Width && EntryBundle.TryRead(ref bundle, out var entry); i++)
                {
                    entries.Add(entry.ToArray());
                    range.Append(TreeHash.OfLeaf(entry));
                }
            }

            return range.Size == checkpoint.Size && range.Root == checkpoint.Root
                ? (checkpoint, note.ToString(), entries)
                : throw new InvalidDataException($"The entries in {directory} are not those that were signed.");
        }
        catch (FormatException exception)
        {
            throw new InvalidDataException($"{file} cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Writes what the newest entry changes, then its checkpoint, and returns once that survives a power cut.</summary>
    /// <param name="directory">The log.</param>
    /// <param name="entries">All entries, the newest last.</param>
    /// <param name="note">The checkpoint.</param>
    public static void Write(string directory, IReadOnlyList<byte[]> entries, SignedNote note)
    {
        var index = (entries.Count - 1) / TileId.FullWidth;
        var (bundle, hashes) = (new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>());
        foreach (var entry in entries.Skip(index * TileId.FullWidth))
        {
            EntryBundle.Write(bundle, entry);
            hashes.Write(TreeHash.OfLeaf(entry).Span);
        }

        Put(directory, TileId.At(TileId.Entries, index, entries.Count), bundle.WrittenSpan);
        Put(directory, TileId.At(0, index, entries.Count), hashes.WrittenSpan);
        if (entries.Count % TileId.FullWidth == 0)
        {
            Put(directory, TileId.At(1, 0, entries.Count), Roots(entries));
        }

        var file = Path.Combine(directory, CheckpointName);
        DurableFile.Write($"{file}.next", Encoding.UTF8.GetBytes(note.ToString()));
        DurableFile.Move($"{file}.next", file);
        Forget(directory, index, entries.Count - (index * TileId.FullWidth));
    }

    private static byte[] Roots(IReadOnlyList<byte[]> entries) => [.. entries.Chunk(TileId.FullWidth).SelectMany(chunk =>
    {
        var range = new CompactRange();
        foreach (var entry in chunk)
        {
            range.Append(TreeHash.OfLeaf(entry));
        }

        return range.Root.Span.ToArray();
    })];

    private static void Put(string directory, TileId tile, ReadOnlySpan<byte> content)
    {
        var file = Path.Combine(directory, $"{tile}");
        DurableFile.CreateDirectory(Path.GetDirectoryName(file)!);
        DurableFile.Write(file, content);
    }

    // Of what is not full the newest two widths: the one before is what a reader beside the agent may just be at.
    private static void Forget(string directory, int index, int width)
    {
        foreach (var level in new[] { TileId.Entries, 0 })
        {
            if (width > 2)
            {
                File.Delete(Path.Combine(directory, $"{new TileId(level, index, width - 2)}"));
            }
            else if (index > 0 && Path.GetDirectoryName(Path.Combine(directory, $"{new TileId(level, index - 1, 1)}")) is { } before && Directory.Exists(before))
            {
                Directory.Delete(before, recursive: true);
            }
        }
    }
}
