namespace MissionControl.ClusterAgent;

/// <summary>Files that survive a power cut: written aside, fsynced, renamed; readable by this user only.</summary>
internal static class DurableFile
{
    private const UnixFileMode PrivateDirectory = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public static void CreateDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, PrivateDirectory);
        }
    }

    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = path + ".tmp";
        try
        {
            using (var file = OpenPrivate(temporary, FileMode.Create))
            {
                file.Write(bytes);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (IOException)
        {
            // On a full disk every byte counts.
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Puts a file in place of another, and returns once that survives a power cut.</summary>
    public static void Move(string from, string to)
    {
        File.Move(from, to, overwrite: true);

        // Journalling file systems write the new name down with the next sync of the file that bears it.
        using var file = OpenPrivate(to, FileMode.Open);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Adds a whole record at the end of a file or nothing at all, so that what a full disk cut off cannot hide what follows.</summary>
    public static void Append(FileStream file, ReadOnlySpan<byte> record)
    {
        var end = file.Length;
        file.Position = end;
        try
        {
            file.Write(record);
            file.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
            file.SetLength(end);
            throw;
        }
    }

    // Unbuffered: a buffer that a full disk refused would be written again, and refused again, when the file is closed.
    public static FileStream OpenPrivate(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.Read, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode is (FileMode.Create or FileMode.CreateNew or FileMode.OpenOrCreate))
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }
}
