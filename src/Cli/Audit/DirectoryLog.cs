using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Cli.Audit;

/// <summary>A log in a directory.</summary>
internal sealed class DirectoryLog(string root) : LogSource
{
    /// <summary>Where something stands that is called so in a log.</summary>
    public string PathOf(string name) => Path.Combine(root, name);

    /// <summary>Whether it is there.</summary>
    public bool Has(string name) => File.Exists(PathOf(name));

    /// <summary>Makes the folder where something is to stand, and says where that is.</summary>
    public string Prepare(string name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        return PathOf(name);
    }

    /// <summary>
    /// A copy that was behind each time that its log was pruned has a hole for each. Where the last one ends the log begins now, and what
    /// the copy has before it is more than anybody else has. To ask here costs nothing, so all is asked, from the end.
    /// </summary>
    public override Task<long?> GoesOnAsync(long missing, long size, CancellationToken cancellationToken)
    {
        var first = ((size - 1) / TileId.FullWidth) + 1;
        while (first > missing && (Has($"{TileId.At(TileId.Entries, first - 1, size)}") || Has($"{new TileId(TileId.Entries, first - 1, TileId.FullWidth)}")))
        {
            first--;
        }

        return Task.FromResult(first * TileId.FullWidth < size ? first * TileId.FullWidth : (long?)null);
    }

    public override async Task<ReadOnlyMemory<byte>?> ReadAsync(string path, int longest, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = new FileStream(PathOf(path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return await ReadAsync(file, longest, cancellationToken);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SourceFailure($"{path} cannot be read: {exception.Message}");
        }
    }
}
