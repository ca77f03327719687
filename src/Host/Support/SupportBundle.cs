using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MissionControl.Host.Support;

/// <summary>A file of a bundle.</summary>
/// <param name="Name">Its name in it.</param>
/// <param name="Size">Its bytes.</param>
/// <param name="Sha256">Their digest, in hexadecimal.</param>
/// <param name="Tokens">Tokens that were cut out of it.</param>
/// <param name="Others">Other texts that were cut out of it.</param>
internal sealed record BundledFile(string Name, long Size, string Sha256, int Tokens, int Others);

/// <summary>What is not in a bundle.</summary>
/// <param name="What">A file of it, or one that was to come into it.</param>
/// <param name="Why">The reason, in words.</param>
/// <param name="Failed">True when it was wanted and could not be had.</param>
internal sealed record LeftOut(string What, string Why, bool Failed);

/// <summary>What is in a bundle and what is not.</summary>
internal sealed record BundleManifest(int Version, DateTimeOffset MadeAt, IReadOnlyList<BundledFile> Files, IReadOnlyList<LeftOut> LeftOut);

/// <summary>
/// The one way into a bundle: the archive is known to nobody else, and everything written to it, names and manifest included, passes the
/// mask. A test holds that nothing else in the host writes an archive.
/// </summary>
internal sealed class SupportBundle(Stream target, SupportMask mask, DateTimeOffset madeAt) : IDisposable
{
    /// <summary>Bytes at the end of a log that come into a bundle.</summary>
    public const int MostOfLog = 8 * 1024 * 1024;

    /// <summary>Characters of a line that come into a bundle.</summary>
    public const int MostOfLine = 16 * 1024;

    // Longer than any token and any secret: what the end of a window may have cut in two is not shown.
    private const int Overlap = 4 * 1024;

    // Owner only, as the bundle itself; a regular file.
    private const int Mode = (0x8000 | 0x180) << 16;

    /// <summary>How JSON is written in and about a bundle: to be read by people.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ZipArchive archive = new(target, ZipArchiveMode.Create, leaveOpen: true);
    private readonly List<BundledFile> files = [];
    private readonly List<LeftOut> leftOut = [];

    /// <summary>Adds a document.</summary>
    public void AddJson(string name, object value)
    {
        var count = new Counts();
        Write(name, count, writer => writer.WriteLine(Masked(value, count)!.ToJsonString(Json)));
    }

    /// <summary>Adds the end of a log, or says why not.</summary>
    public void AddLog(string path)
    {
        var number = files.Count(file => file.Name.StartsWith("logs/", StringComparison.Ordinal)) + 1;
        var name = $"logs/{number:00}-{string.Concat(Masked(Path.GetFileName(path), new Counts()).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_'))}";
        try
        {
            using var log = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var text = LastOf(log);
            if (text.AsSpan().Count('\uFFFD') > text.Length / 10)
            {
                throw new IOException("it holds no text; unpack it first if it is packed.");
            }

            var count = new Counts();
            Write(name, count, writer => WriteLines(text, writer, count));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            LeaveOut(path, exception.Message, failed: true);
        }
    }

    /// <summary>Says that something is not in it, and why.</summary>
    public void LeaveOut(string what, string why, bool failed) => leftOut.Add(new LeftOut(Masked(what, new Counts()), Masked(why, new Counts()), failed));

    /// <summary>Ends it with the manifest.</summary>
    public BundleManifest Finish()
    {
        var manifest = new BundleManifest(1, madeAt, [.. files], [.. leftOut]);

        // Names and reasons have passed the mask, and digests are nobody's secrets.
        Write("manifest.json", new Counts(), writer => writer.WriteLine(JsonSerializer.Serialize(manifest, Json)));
        archive.Dispose();
        return manifest;
    }

    public void Dispose() => archive.Dispose();

    private void Write(string name, Counts count, Action<TextWriter> write)
    {
        using var content = new MemoryStream();
        using (var writer = new StreamWriter(content, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" })
        {
            write(writer);
        }

        var bytes = content.GetBuffer().AsSpan(0, (int)content.Length);
        var entry = archive.CreateEntry(name);
        (entry.ExternalAttributes, entry.LastWriteTime) = (Mode, madeAt);
        using var stream = entry.Open();
        stream.Write(bytes);
        files.Add(new BundledFile(name, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)), count.Tokens, count.Others));
    }

    private void WriteLines(string text, TextWriter writer, Counts count)
    {
        var inKey = false;
        using var lines = new StringReader(text);
        while (lines.ReadLine() is { } line)
        {
            // A private key goes on over lines, and a line of it looks like nothing.
            var begins = line.Contains("-----BEGIN ", StringComparison.Ordinal) && line.Contains("PRIVATE KEY-----", StringComparison.Ordinal);
            var ends = line.Contains("-----END ", StringComparison.Ordinal);
            writer.WriteLine(inKey ? $"{SupportMask.Cut}" : Line(line, count));
            inKey = (inKey || begins) && !ends;
        }
    }

    private string Line(string line, Counts count)
    {
        if (line.Length <= MostOfLine + Overlap)
        {
            return Masked(line, count);
        }

        var masked = Masked(line[..(MostOfLine + Overlap)], count);
        return $"{masked[..Math.Clamp(masked.Length - Overlap, 0, MostOfLine)]} (cut: {line.Length} characters)";
    }

    /// <summary>The end of a log, from the beginning of a line on: what the bound cuts off could have been the beginning of a token.</summary>
    private static string LastOf(FileStream log)
    {
        if (!log.CanSeek)
        {
            throw new IOException("it is no file.");
        }

        var head = new byte[4];
        log.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);

        // Whole characters of every encoding.
        var from = (Math.Max(0, log.Length - MostOfLog) + 3) / 4 * 4;
        log.Position = from;
        var bytes = new byte[Math.Min(MostOfLog, log.Length - from)];
        var read = log.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        var text = EncodingOf(head).GetString(bytes, 0, read).TrimStart('\uFEFF').Replace("\0", "", StringComparison.Ordinal);
        if (from == 0)
        {
            return text;
        }

        var line = text.IndexOf('\n', StringComparison.Ordinal);
        return line >= 0 ? text[(line + 1)..] : throw new IOException($"no line ends within its last {MostOfLog} bytes.");
    }

    private static Encoding EncodingOf(ReadOnlySpan<byte> head) => head switch
    {
        [0xFF, 0xFE, 0, 0, ..] => Encoding.UTF32,
        [0, 0, 0xFE, 0xFF, ..] => new UTF32Encoding(bigEndian: true, byteOrderMark: true),
        [0xFF, 0xFE, ..] => Encoding.Unicode,
        [0xFE, 0xFF, ..] => Encoding.BigEndianUnicode,
        _ => Encoding.UTF8,
    };

    private JsonNode? Masked(object value, Counts count) => Masked(JsonSerializer.SerializeToNode(value, Json), count);

    // Before they are escaped, so that no secret is missed for a character that JSON writes otherwise.
    private JsonNode? Masked(JsonNode? node, Counts count) => node switch
    {
        JsonObject members => Masked(members, count),
        JsonArray items => new JsonArray([.. items.Select(item => Masked(item, count))]),
        JsonValue value when value.GetValueKind() == JsonValueKind.String => JsonValue.Create(Masked(value.GetValue<string>(), count)),
        _ => node?.DeepClone(),
    };

    private JsonObject Masked(JsonObject members, Counts count)
    {
        var masked = new JsonObject();
        foreach (var (name, value) in members)
        {
            // Two that differ in what was cut are two still.
            var left = Masked(name, count);
            while (masked.ContainsKey(left))
            {
                left += SupportMask.Cut;
            }

            masked[left] = Masked(value, count);
        }

        return masked;
    }

    private string Masked(string text, Counts count)
    {
        var masked = mask.Apply(text, out var tokens, out var others);
        (count.Tokens, count.Others) = (count.Tokens + tokens, count.Others + others);
        return masked;
    }

    private sealed class Counts
    {
        public int Tokens { get; set; }

        public int Others { get; set; }
    }
}
