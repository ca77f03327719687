using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MissionControl.Trust;

/// <summary>
/// A file that only this user reads, and that comes to be once and whole: of several processes that make it at the same time one wins,
/// the others find its file, and nobody ever sees half of it or another one in its place.
/// </summary>
public static partial class OnceFile
{
    /// <summary>Writes it, durably.</summary>
    /// <returns>False when there is one already; it stays as it is.</returns>
    /// <exception cref="IOException">The disk is full, or the directory cannot be written to.</exception>
    public static bool TryWrite(string path, ReadOnlySpan<byte> content)
    {
        if (File.Exists(path))
        {
            return false;
        }

        // Not the process's number: in a container that is 1 for everybody, and what a killed start left would stop every later one.
        var temporary = $"{path}.{RandomNumberGenerator.GetHexString(16, lowercase: true)}.tmp";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            using (var file = new FileStream(temporary, options))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            return TryName(temporary, path);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    // File.Move looks whether there is a file and then renames, also over one that came in between; link(2) does both at once.
    private static bool TryName(string temporary, string path)
    {
        if (!OperatingSystem.IsWindows() && link(temporary, path) == 0)
        {
            return true;
        }

        if (File.Exists(path))
        {
            return false;
        }

        // Windows, or a file system that knows no second names.
        try
        {
            File.Move(temporary, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string existing, string made);
}
