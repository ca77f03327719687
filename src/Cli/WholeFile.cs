namespace MissionControl.Cli;

/// <summary>A file that is there whole or not at all: it is written aside and put in the place of the one before, and whoever reads at that moment reads one of them.</summary>
internal static class WholeFile
{
    /// <summary>Writes it, durably.</summary>
    /// <param name="path">Where; its folder is there.</param>
    /// <param name="content">What.</param>
    /// <param name="mode">Who may read and write it; null: whoever may by the user's mask.</param>
    public static void Write(string path, ReadOnlySpan<byte> content, UnixFileMode? mode = null)
    {
        var aside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetRandomFileName());
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = mode;
        }

        try
        {
            using (var file = new FileStream(aside, options))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(aside, path, overwrite: true);
        }
        catch
        {
            File.Delete(aside);
            throw;
        }
    }
}
