using System.Buffers.Binary;
using System.IO.Compression;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Cli.Audit;

/// <summary>
/// A log, or a part of one, in one file: a ZIP of what a directory would hold. Nothing of it is ever written anywhere, and of no file
/// in it more is read than what it is may have; what has another name than a bundle's files have is no bundle.
/// </summary>
internal sealed class BundleLog : LogSource
{
    /// <summary>Names of what is beside the log itself.</summary>
    private const string SlotProofName = "slot-proof";
    private const string WitnessedName = "checkpoint.witnessed";
    private const string Anchor = "anchor/";
    private const string Fleet = "fleet/";
    private const uint EndSignature = 0x06054b50;
    private const int EndLength = 22;
    private const int LongestComment = ushort.MaxValue;
    private const int MostNames = 20_000;
    private const int MostOfNames = 16 * 1024 * 1024;
    private static readonly string[] Others = ["README.txt", "log.vkey", "policy"];
    private readonly string path;
    private readonly string folder;
    private readonly Lazy<Dictionary<string, ZipArchiveEntry>> files;
    private FileStream? stream;
    private ZipArchive? zip;

    /// <summary>Prepares it; nothing is read yet.</summary>
    public BundleLog(string path) => (this.path, folder, files) = (path, "", new Lazy<Dictionary<string, ZipArchiveEntry>>(Open));

    private BundleLog(BundleLog whole, string folder) => (path, this.folder, files) = (whole.path, folder, whole.files);

    /// <inheritdoc />
    public override bool IsOfItsTime => true;

    /// <inheritdoc />
    public override long First => files.Value.Keys.Where(name => name.StartsWith(folder, StringComparison.Ordinal)).Select(name => TileId.TryParse(name[folder.Length..], out var id) && id.Level == TileId.Entries ? id.Index : long.MaxValue)
        .DefaultIfEmpty(long.MaxValue).Min() is var least && least == long.MaxValue ? 0 : least * TileId.FullWidth;

    /// <summary>The anchor and the log of the fleet, as far as they are in the same file.</summary>
    public (LogSource Anchor, LogSource Fleet) Beside() => (new BundleLog(this, Anchor), new BundleLog(this, Fleet));

    public override void Dispose()
    {
        zip?.Dispose();
        stream?.Dispose();
        base.Dispose();
    }

    public override Task<ReadOnlyMemory<byte>?> ReadAsync(string path, int longest, CancellationToken cancellationToken)
    {
        // As it is asked for at a server.
        var name = path == "anchor" || path.StartsWith("anchor?", StringComparison.Ordinal) ? SlotProofName : path.StartsWith($"{CheckpointName}?", StringComparison.Ordinal) ? WitnessedName : path;
        return Task.FromResult(files.Value.TryGetValue(folder + name, out var entry) ? Read(entry, longest) : (ReadOnlyMemory<byte>?)null);
    }

    // In one go: an archive is read from one place at a time, and a walk asks for several.
    private ReadOnlyMemory<byte> Read(ZipArchiveEntry entry, int longest)
    {
        try
        {
            // What it says of its length is not believed, and never room for more than it may have.
            var content = new byte[(int)Math.Clamp(entry.Length, 0, longest) + 1];
            using var from = entry.Open();
            return content.AsMemory(0, from.ReadAtLeast(content, content.Length, throwOnEndOfStream: false));
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or NotSupportedException)
        {
            throw new SourceFailure($"{entry.FullName} in {this.path} cannot be read: {exception.Message}");
        }
    }

    private Dictionary<string, ZipArchiveEntry> Open()
    {
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            RequireFew(stream);
            zip = new ZipArchive(stream, ZipArchiveMode.Read);
            var found = new Dictionary<string, ZipArchiveEntry>(StringComparer.Ordinal);
            foreach (var entry in zip.Entries)
            {
                if (!IsName(entry.FullName) || !found.TryAdd(entry.FullName, entry))
                {
                    throw new SourceFailure($"{path} is no bundle: what it calls {entry.FullName} is in none, or in it twice.");
                }
            }

            return found;
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new SourceFailure($"{path} is no bundle: {exception.Message}");
        }
    }

    private static bool IsName(string name)
    {
        var rest = name.StartsWith(Anchor, StringComparison.Ordinal) ? name[Anchor.Length..] : name.StartsWith(Fleet, StringComparison.Ordinal) ? name[Fleet.Length..] : name;
        return rest is CheckpointName or WitnessedName or SlotProofName || TileId.TryParse(rest, out _) || (rest.Length == name.Length && Others.Contains(name));
    }

    // A reader of archives takes all names into memory before anybody is asked: how many they are is looked at before (APPNOTE 4.3.16).
    private static void RequireFew(FileStream file)
    {
        var tail = new byte[(int)Math.Min(file.Length, EndLength + LongestComment)];
        file.Seek(-tail.Length, SeekOrigin.End);
        file.ReadExactly(tail);
        Span<byte> signature = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(signature, EndSignature);
        var at = tail.AsSpan().LastIndexOf(signature);
        if (at < 0 || tail.Length - at < EndLength)
        {
            throw new InvalidDataException("it is no ZIP file, or not all of one.");
        }

        if (BinaryPrimitives.ReadUInt16LittleEndian(tail.AsSpan(at + 10)) > MostNames || BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(at + 12)) > MostOfNames || BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(at + 16)) == uint.MaxValue)
        {
            throw new InvalidDataException("it has more files than a bundle can have.");
        }
    }
}
