using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;

namespace MissionControl.ClusterAgent.Sent;

/// <summary>A body that left this machine.</summary>
/// <param name="Id">Rises with every body.</param>
/// <param name="At">When it left (UTC).</param>
/// <param name="Url">Where to.</param>
/// <param name="Encoding">gzip, or null.</param>
/// <param name="Bytes">Length as sent.</param>
/// <param name="Sha256">Of the bytes as sent: what a proxy that inspects TLS captures.</param>
/// <param name="InflatedSha256">Of the bytes before compression.</param>
/// <param name="Body">The bytes before compression; null when they hold a credential.</param>
/// <param name="Content">What was said, credentials withheld; for bodies that hold one.</param>
/// <param name="Status">HTTP status of the answer; null while there is none.</param>
/// <param name="Outcome">Problem code, or why there was no answer.</param>
public sealed record SentBody(
    long Id, DateTimeOffset At, Uri Url, string? Encoding, int Bytes, string Sha256, string InflatedSha256, byte[]? Body, JsonElement? Content, int? Status = null, string? Outcome = null);

/// <summary>
/// What the customer can read: every body, written before it leaves, with its digest, time, address and outcome; never a credential.
/// Files of JSON lines, one a day and further ones when it is full; the oldest go after 30 days, or when all are 500 MB.
/// </summary>
public sealed class SentLog : IDisposable
{
    private const int KeepDays = 30;
    private const int Parts = 32;
    private const string Dates = "yyyy-MM-dd";
    private static readonly string[] Credentials = ["token", "assertion", "proof"];
    private readonly string directory;
    private readonly TimeProvider time;
    private readonly DiskReserve? reserve;
    private readonly long keepBytes;
    private FileStream? file;
    private DateOnly day;
    private long last;

    /// <summary>Opens or begins the log in a directory.</summary>
    /// <param name="directory">Its own.</param>
    /// <param name="time">Dates files and lines.</param>
    /// <param name="reserve">Room for when the disk is full.</param>
    /// <param name="keepBytes">How much is kept; a file holds a 32nd of it.</param>
    public SentLog(string directory, TimeProvider time, DiskReserve? reserve = null, long keepBytes = 500_000_000)
    {
        this.keepBytes = keepBytes;
        this.directory = directory;
        this.time = time;
        this.reserve = reserve;
        DurableFile.CreateDirectory(directory);
    }

    /// <summary>Writes a body down, durably, before it leaves.</summary>
    /// <returns>Its id, for <see cref="Answered"/>.</returns>
    /// <exception cref="IOException">It could not be written down, and so must not leave.</exception>
    public long Leaves(Uri url, IMessage message, ReadOnlySpan<byte> inflated, ReadOnlySpan<byte> asSent, string? encoding)
    {
        ArgumentNullException.ThrowIfNull(message);
        var content = Withheld(message);
        var now = time.GetUtcNow();
        last = Math.Max(last + 1, now.ToUnixTimeMilliseconds());
        var entry = new SentBody(last, now, url, encoding, asSent.Length, Digest(asSent), Digest(inflated), content is null ? inflated.ToArray() : null, content);
        Append(now, entry);
        return entry.Id;
    }

    /// <summary>Adds what became of it.</summary>
    public void Answered(long id, int? status, string? outcome)
    {
        var now = time.GetUtcNow();
        try
        {
            Append(now, new Answer(id, now, status, outcome));
        }
        catch (IOException full) when (DiskReserve.IsDiskFull(full))
        {
            // The body is written down; what became of it is a courtesy, and no reason to lose the answer.
        }
    }

    /// <summary>
    /// Everything in the log, oldest first, each with its outcome, read as it is asked for: all of it at once may be more than there is
    /// memory for. A line that a crash cut off is left out.
    /// </summary>
    public static IEnumerable<SentBody> Read(string directory)
    {
        // An agent sends one body after the other, so the answer stands before the next body, at times in the next file.
        SentBody? held = null;
        foreach (var entry in Directory.Exists(directory) ? Files(directory).SelectMany(Lines).Select(Parse) : [])
        {
            if (entry is not { ValueKind: JsonValueKind.Object } known)
            {
                continue;
            }

            if (!known.TryGetProperty(nameof(SentBody.Url), out _))
            {
                held = known.Deserialize<Answer>() is { } answer && answer.Id == held?.Id ? held with { Status = answer.Status, Outcome = answer.Outcome } : held;
                continue;
            }

            if (held is not null)
            {
                yield return held;
            }

            held = known.Deserialize<SentBody>();
        }

        if (held is not null)
        {
            yield return held;
        }
    }

    /// <inheritdoc />
    public void Dispose() => file?.Dispose();

    /// <summary><c>sha256:</c> and the digest.</summary>
    public static string Digest(ReadOnlySpan<byte> bytes) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes))}";

    /// <summary>gzip as the agent sends it.</summary>
    public static byte[] Compress(ReadOnlySpan<byte> bytes)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return buffer.ToArray();
    }

    // A message with a credential is written as JSON with the credential left out; all others are kept byte for byte.
    private static JsonElement? Withheld(IMessage message)
    {
        if (!message.Descriptor.Fields.InDeclarationOrder().Any(field => Credentials.Contains(field.Name)))
        {
            return null;
        }

        var json = JsonSerializer.SerializeToNode(JsonSerializer.Deserialize<JsonElement>(JsonFormatter.Default.Format(message)))!;
        return Withhold(json) ? json.Deserialize<JsonElement>() : null;
    }

    // At any depth: further keys bring proofs of their own.
    private static bool Withhold(JsonNode? node)
    {
        var withheld = false;
        foreach (var inner in node is JsonArray items ? items : [])
        {
            withheld |= Withhold(inner);
        }

        var members = node as JsonObject;
        foreach (var (name, value) in members?.ToList() ?? [])
        {
            var isCredential = Credentials.Contains(name);
            if (isCredential)
            {
                members![name] = "(withheld)";
            }

            withheld |= isCredential || Withhold(value);
        }

        return withheld;
    }

    private static JsonElement? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<JsonElement>(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // The file of the day that has room for so many bytes more.
    private FileStream Open(DateTimeOffset now, int bytes)
    {
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        if (file is not null && day == today && HasRoom(file.Length, bytes))
        {
            return file;
        }

        file?.Dispose();
        file = null;
        var date = today.ToString(Dates, CultureInfo.InvariantCulture);
        var part = Files(directory).Where(path => DateOf(path) == date).Select(PartOf).Append(1).Max();
        var newest = new FileInfo(PathOf(date, part));
        var path = newest.Exists && !HasRoom(newest.Length, bytes) ? PathOf(date, part + 1) : newest.FullName;
        Purge(today, path);
        var opened = DurableFile.OpenPrivate(path, FileMode.OpenOrCreate);
        try
        {
            if (opened.Length > 0)
            {
                // The last line may have been cut off by a crash.
                opened.Position = opened.Length;
                opened.Write("\n"u8);
            }
        }
        catch (IOException)
        {
            opened.Dispose();
            throw;
        }

        day = today;
        return file = opened;
    }

    // An empty file takes a line of any length.
    private bool HasRoom(long length, int bytes) => length == 0 || length + bytes < keepBytes / Parts;

    // File by file, the oldest first, until there is room for one more that is full.
    private void Purge(DateOnly today, string current)
    {
        var oldest = today.AddDays(-KeepDays).ToString(Dates, CultureInfo.InvariantCulture);
        var total = keepBytes / Parts;
        foreach (var path in Files(directory).Reverse().Where(path => path != current).ToList())
        {
            total += new FileInfo(path).Length;
            if (total > keepBytes || string.CompareOrdinal(DateOf(path), oldest) < 0)
            {
                File.Delete(path);
            }
        }
    }

    // The underscore sorts behind the dot, so that a day's first file comes before its others.
    private string PathOf(string date, int part) => Path.Combine(directory, part == 1 ? $"{date}.ndjson" : string.Create(CultureInfo.InvariantCulture, $"{date}_{part:0000}.ndjson"));

    private static string DateOf(string path) => Path.GetFileNameWithoutExtension(path).Split('_')[0];

    private static int PartOf(string path) => int.TryParse(Path.GetFileNameWithoutExtension(path).Split('_')[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var part) ? part : 1;

    private static IEnumerable<string> Files(string directory) => Directory.EnumerateFiles(directory, "*.ndjson").Order(StringComparer.Ordinal);

    private static IEnumerable<string> Lines(string path)
    {
        // The agent that runs beside the reader may have thrown the oldest file away meanwhile.
        using var reader = File.Exists(path) ? new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)) : StreamReader.Null;
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }

    private void Append<T>(DateTimeOffset now, T entry)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(entry), (byte)'\n'];
        if (reserve is null)
        {
            DurableFile.Append(Open(now, line.Length), line);
        }
        else
        {
            reserve.Write(() => DurableFile.Append(Open(now, line.Length), line));
        }
    }

    private sealed record Answer(long Id, DateTimeOffset AnsweredAt, int? Status, string? Outcome);
}
