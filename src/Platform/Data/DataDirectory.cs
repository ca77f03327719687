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

    /// <summary>
    /// Takes the directory for this process alone, until the result is disposed or the process ends, however it ends; null while
    /// another has it. Two processes over one embedded database would each believe that they are its only writer.
    /// </summary>
    public IDisposable? TryClaim()
    {
        try
        {
            return new FileStream(PathOf("missioncontrol.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

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
        var temporary = $"{path}.{Environment.ProcessId}.new";
        File.Delete(temporary);
        using (var file = CreatePrivateFile(temporary))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Makes a file that only this user reads.</summary>
    /// <exception cref="IOException">It exists.</exception>
    public static FileStream CreatePrivateFile(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
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
