using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace MissionControl.Identity.SignIn;

/// <summary>A file of stolen passwords, looked up where it lies: it may be tens of gigabytes long.</summary>
internal sealed class BreachedPasswords(string? file) : IDisposable
{
    private const int DigestLength = 40;

    /// <summary>Longer than any line.</summary>
    private const int Window = 256;

    private readonly SafeFileHandle? lines = string.IsNullOrEmpty(file) ? null : File.OpenHandle(file);

    /// <summary>Whether it holds a password.</summary>
    public bool Holds(string password)
    {
        if (lines is null)
        {
            return false;
        }

#pragma warning disable CA5350 // The form of the public list; it protects nothing.
        var wanted = Encoding.ASCII.GetBytes(Convert.ToHexString(SHA1.HashData(Encoding.UTF8.GetBytes(password))));
#pragma warning restore CA5350
        Span<byte> window = stackalloc byte[Window];

        // The line, if there is one, begins at low or after it and before high; low is always the beginning of a line.
        var (low, high) = (0L, RandomAccess.GetLength(lines));
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            var begin = middle == low ? low : AfterNewLine(window, middle - 1);
            var line = begin < high ? window[..RandomAccess.Read(lines, window, begin)] : [];
            if (line.Length < DigestLength)
            {
                high = middle;
                continue;
            }

            switch (line[..DigestLength].SequenceCompareTo(wanted))
            {
                case 0:
                    return true;
                case < 0:
                    low = AfterNewLine(window, begin);
                    break;
                default:
                    high = middle;
                    break;
            }
        }

        return false;
    }

    public void Dispose() => lines?.Dispose();

    private long AfterNewLine(Span<byte> window, long from)
    {
        var end = window[..RandomAccess.Read(lines!, window, from)].IndexOf((byte)'\n');
        return end < 0 ? long.MaxValue : from + end + 1;
    }
}
