namespace MissionControl.Platform.Data;

/// <summary>Where this process keeps files: the embedded database, keys, certificates. Made with mode 0700 when absent.</summary>
public sealed class DataDirectory
{
    /// <summary>Takes the directory, making it when needed.</summary>
    public DataDirectory(string root)
    {
        Root = Path.GetFullPath(root);
        CreatePrivate(Root);
    }

    /// <summary>Absolute path of the directory.</summary>
    public string Root { get; }

    /// <summary>Absolute path of a file below the directory; its parent is made when absent.</summary>
    public string PathOf(string relative)
    {
        var path = Path.GetFullPath(Path.Combine(Root, relative));
        CreatePrivate(Path.GetDirectoryName(path)!);
        return path;
    }

    /// <summary>
    /// Writes a file that only this user reads, whole or not at all: a process killed on the way leaves no half key behind that
    /// would keep every later start from succeeding.
    /// </summary>
    public static void WritePrivate(string path, ReadOnlySpan<byte> bytes)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var temporary = $"{path}.{Environment.ProcessId}.new";
        File.Delete(temporary);
        using (var file = new FileStream(temporary, options))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    private static void CreatePrivate(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
