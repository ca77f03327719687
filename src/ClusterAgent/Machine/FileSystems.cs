using System.Runtime.InteropServices;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Machine;

/// <summary>The local file systems that hold data, each once, with room, inodes, and whether they are read-only and encrypted.</summary>
internal static partial class FileSystems
{
    private const int MostDisks = 64;
    private static readonly HashSet<string> Real = ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs"];

    public static IReadOnlyList<Disk> Read() => File.Exists("/proc/self/mountinfo") ? Read(File.ReadAllLines("/proc/self/mountinfo")) : [];

    /// <summary>Reads lines of the form "36 35 98:0 / /mnt rw,noatime master:1 - ext3 /dev/root rw".</summary>
    internal static IReadOnlyList<Disk> Read(IEnumerable<string> mountInfo)
    {
        var mounts = new List<Mount>();
        foreach (var line in mountInfo)
        {
            var fields = line.Split(' ');
            var dash = Array.IndexOf(fields, "-");
            if (dash < 6 || fields.Length < dash + 4)
            {
                continue;
            }

            var mount = new Mount(fields[2], Unescape(fields[4]), fields[dash + 1], Unescape(fields[dash + 2]), fields[5].Split(',').Contains("ro") || fields[dash + 3].Split(',').Contains("ro"));
            // A container's root is an overlay over a disk that it cannot see.
            if (Real.Contains(mount.Type) || (mount.Type == "overlay" && mount.Path == "/"))
            {
                mounts.Add(mount);
            }
        }

        // A device that is mounted at several places is one disk; its shortest path is what people know it by.
        return [.. mounts.GroupBy(mount => mount.Type == "overlay" ? mount.Path : mount.Device).Select(group => group.MinBy(mount => mount.Path.Length)!).OrderBy(mount => mount.Path, StringComparer.Ordinal).Take(MostDisks).Select(Measure).OfType<Disk>()];
    }

    /// <summary>Whether what lies under a device is encrypted: dm-crypt at any depth; null when the device is not to be seen.</summary>
    internal static bool? IsEncrypted(string device, string blockDevices)
    {
        var directory = Path.Combine(blockDevices, device);
        return Directory.Exists(directory) ? IsEncryptedAt(directory, depth: 0) : null;
    }

    private static bool IsEncryptedAt(string device, int depth)
    {
        var uuid = Path.Combine(device, "dm", "uuid");
        if (File.Exists(uuid) && File.ReadAllText(uuid).StartsWith("CRYPT-", StringComparison.Ordinal))
        {
            return true;
        }

        var below = Path.Combine(device, "slaves");
        var slaves = depth < 8 && Directory.Exists(below) ? Directory.GetDirectories(below) : [];
        return slaves.Length > 0 && slaves.All(slave => IsEncryptedAt(slave, depth + 1));
    }

    private static Disk? Measure(Mount mount)
    {
        var stat = default(Stat);
        if (!OperatingSystem.IsLinux() || !System.Environment.Is64BitProcess || StatVfs(mount.Path, ref stat) != 0 || stat.Blocks == 0)
        {
            return null;
        }

        var disk = new Disk
        {
            Mount = mount.Path,
            Purpose = mount.Path == "/" ? "system" : mount.Path.StartsWith("/var/log", StringComparison.Ordinal) ? "log" : "data",
            TotalBytes = (long)(stat.Blocks * stat.FragmentSize),
            // What only root may fill is not free for the product.
            UsedBytes = (long)((stat.Blocks - stat.BlocksAvailable) * stat.FragmentSize),
            ReadOnly = mount.ReadOnly,
        };
        if (stat.Files > 0)
        {
            disk.InodesUsedPercent = 100.0 * (stat.Files - stat.FilesFree) / stat.Files;
        }

        if (IsEncrypted(mount.Device, "/sys/dev/block") is { } encrypted)
        {
            disk.Encrypted = encrypted;
        }

        return disk;
    }

    // The kernel writes space, tab, newline and backslash as three octal digits.
    private static string Unescape(string text)
    {
        for (var at = text.IndexOf('\\', StringComparison.Ordinal); at >= 0 && at + 3 < text.Length; at = text.IndexOf('\\', at + 1))
        {
            if (TryOctal(text.AsSpan(at + 1, 3), out var character))
            {
                text = string.Concat(text.AsSpan(0, at), [character], text.AsSpan(at + 4));
            }
        }

        return text;
    }

    private static bool TryOctal(ReadOnlySpan<char> digits, out char character)
    {
        character = '\0';
        foreach (var digit in digits)
        {
            if (digit is < '0' or > '7')
            {
                return false;
            }

            character = (char)((character * 8) + (digit - '0'));
        }

        return true;
    }

    private sealed record Mount(string Device, string Path, string Type, string Source, bool ReadOnly);

    [LibraryImport("libc", EntryPoint = "statvfs", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatVfs(string path, ref Stat stat);

    /// <summary>struct statvfs of 64-bit Linux, with room for what follows.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    private struct Stat
    {
        public ulong BlockSize;
        public ulong FragmentSize;
        public ulong Blocks;
        public ulong BlocksFree;
        public ulong BlocksAvailable;
        public ulong Files;
        public ulong FilesFree;
        public ulong FilesAvailable;
    }
}
