using System.Security.Cryptography;

namespace MissionControl.ClusterAgent;

/// <summary>
/// Room that is set aside while there is some, and given up when the disk is full, so that usage can still be written then. It must be
/// real blocks: a sparse file reserves nothing.
/// </summary>
public sealed class DiskReserve
{
    private const int Bytes = 4 * 1024 * 1024;
    private readonly string file;

    /// <summary>Sets the room aside if it can.</summary>
    public DiskReserve(string directory)
    {
        DurableFile.CreateDirectory(directory);
        file = PathIn(directory);
        Restore();
    }

    /// <summary>The disk was full and has not had room again since.</summary>
    public bool IsSpent => !File.Exists(file);

    /// <summary>Whether the disk of an agent's directory was or is full, looked at beside a running agent.</summary>
    public static bool IsSpentIn(string directory) => !File.Exists(PathIn(directory));

    /// <summary>Writes; on a full disk gives up the reserve and tries once more.</summary>
    /// <exception cref="IOException">It failed for another reason, or the disk is full all the same.</exception>
    public void Write(Action write)
    {
        ArgumentNullException.ThrowIfNull(write);
        try
        {
            write();
        }
        catch (IOException full) when (IsDiskFull(full) && !IsSpent)
        {
            File.Delete(file);
            write();
        }
    }

    /// <summary>Writes by a reserve where there is one.</summary>
    /// <exception cref="IOException">It failed.</exception>
    public static void Write(DiskReserve? reserve, Action write)
    {
        ArgumentNullException.ThrowIfNull(write);
        if (reserve is null)
        {
            write();
        }
        else
        {
            reserve.Write(write);
        }
    }

    /// <summary>Sets the room aside again if there is enough, with as much to spare.</summary>
    public void Restore()
    {
        if (IsSpent && new DriveInfo(Path.GetDirectoryName(file)!).AvailableFreeSpace > 2 * Bytes)
        {
            try
            {
                DurableFile.Write(file, RandomNumberGenerator.GetBytes(Bytes));
            }
            catch (IOException full) when (IsDiskFull(full))
            {
                // Somebody else was faster; the next time, then.
            }
        }
    }

    /// <summary>Whether a write failed for want of room.</summary>
    public static bool IsDiskFull(IOException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);

        // ENOSPC and EDQUOT, which the platform passes through.
        return exception.HResult is 28 or 122;
    }

    private static string PathIn(string directory) => Path.Combine(directory, "disk-reserve");
}
