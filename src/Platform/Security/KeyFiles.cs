using System.Globalization;
using System.Security.Cryptography;
using MissionControl.Trust;

namespace MissionControl.Platform.Security;

/// <summary>A private key on disk.</summary>
/// <param name="Path">Its file.</param>
/// <param name="ActiveFrom">From when it signs or seals; the first one of a use from the beginning of time.</param>
public sealed record KeyFile(string Path, DateTimeOffset ActiveFrom);

/// <summary>
/// The private keys of one use: <c>receipt.pem</c>, and after a rotation beside it <c>receipt.20260301T120000Z.pem</c>, which takes
/// over at the instant in its name. Nothing else says which key is in force, so that a copied directory is a whole key ring, and
/// replicas that share it change over together.
/// </summary>
public static class KeyFiles
{
    private const string InstantForm = "yyyyMMdd'T'HHmmss'Z'";
    private const int SymmetricSize = 32;

    /// <summary>All keys of a use, oldest first; empty when there is none.</summary>
    /// <param name="first">Path of the first key, which has no instant in its name.</param>
    public static IReadOnlyList<KeyFile> Of(string first)
    {
        var (directory, name, extension) = Split(first);
        return Directory.Exists(directory)
            ? [.. Directory.EnumerateFiles(directory, $"{name}*{extension}").Select(path => Read(path, name, extension)).OfType<KeyFile>().OrderBy(key => key.ActiveFrom)]
            : [];
    }

    /// <summary>Where the key that takes over at an instant belongs.</summary>
    public static string PathOf(string first, DateTimeOffset activeFrom)
    {
        var (directory, name, extension) = Split(first);
        return Path.Combine(directory, $"{name}.{activeFrom.UtcDateTime.ToString(InstantForm, CultureInfo.InvariantCulture)}{extension}");
    }

    /// <summary>The key in force: the newest that is active.</summary>
    public static KeyFile? InForce(IReadOnlyList<KeyFile> keys, DateTimeOffset now) => keys.LastOrDefault(key => key.ActiveFrom <= now);

    /// <summary>Makes the first symmetric key of a use when none of it is in force; of two processes that race one wins.</summary>
    public static void MakeSymmetric(string first, DateTimeOffset now)
    {
        if (InForce(Of(first), now) is null)
        {
            TryWrite(first, NewSymmetric());
        }
    }

    /// <summary>A new symmetric key.</summary>
    public static byte[] NewSymmetric() => RandomNumberGenerator.GetBytes(SymmetricSize);

    /// <summary>Reads a symmetric key.</summary>
    /// <exception cref="InvalidDataException">The file does not hold exactly one.</exception>
    public static byte[] LoadSymmetric(string path)
    {
        var stored = File.ReadAllBytes(path);
        return stored.Length == SymmetricSize ? stored : throw new InvalidDataException($"{path} must hold exactly {SymmetricSize} bytes.");
    }

    /// <summary>Writes a file that only this user reads; it comes to be whole or not at all, and never replaces another key.</summary>
    /// <returns>False when there is one already.</returns>
    public static bool TryWrite(string path, ReadOnlySpan<byte> content) => OnceFile.TryWrite(path, content);

    /// <summary>Writes a file that only this user reads, durably, over an older one.</summary>
    internal static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        WritePrivate(temporary, content);
        File.Move(temporary, path, overwrite: true);
    }

    private static void WritePrivate(string path, ReadOnlySpan<byte> content)
    {
        File.Delete(path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
        file.Write(content);
        file.Flush(flushToDisk: true);
    }

    private static KeyFile? Read(string path, string name, string extension)
    {
        var rest = Path.GetFileName(path)[name.Length..^extension.Length];
        return rest.Length == 0
            ? new KeyFile(path, DateTimeOffset.UnixEpoch)
            : DateTimeOffset.TryParseExact(rest, $"'.'{InstantForm}", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant) ? new KeyFile(path, instant) : null;
    }

    private static (string Directory, string Name, string Extension) Split(string first) =>
        (Path.GetDirectoryName(Path.GetFullPath(first))!, Path.GetFileNameWithoutExtension(first), Path.GetExtension(first));
}
