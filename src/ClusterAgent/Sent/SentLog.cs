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
/// One file of JSON lines per day, kept 30 days or 500 MB.
/// </summary>
public sealed class SentLog : IDisposable
{
    private const int KeepDays = 30;
    private const long KeepBytes = 500_000_000;
    private static readonly string[] Credentials = ["token", "assertion", "proof"];
    private readonly string directory;
    private readonly TimeProvider time;
    private readonly DiskReserve? reserve;
    private FileStream? file;
    private DateOnly day;
    private long next;

    /// <summary>Opens or begins the log in a directory.</summary>
    /// <param name="directory">Its own.</param>
    /// <param name="time">Dates files and lines.</param>
    /// <param name="reserve">Room for when the disk is full.</param>
    public SentLog(string directory, TimeProvider time, DiskReserve? reserve = null)
    {
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
        var log = Open(now);
        var entry = new SentBody(next++, now, url, encoding, asSent.Length, Digest(asSent), Digest(inflated), content is null ? inflated.ToArray() : null, content);
        Append(log, entry);
        return entry.Id;
    }

    /// <summary>Adds what became of it.</summary>
    public void Answered(long id, int? status, string? outcome)
    {
        var now = time.GetUtcNow();
        try
        {
            Append(Open(now), new Answer(id, now, status, outcome));
        }
        catch (IOException full) when (DiskReserve.IsDiskFull(full))
        {
            // The body is written down; what became of it is a courtesy, and no reason to lose the answer.
        }
    }

    /// <summary>Everything in the log, oldest first, each with its outcome. A line that a crash cut off is left out.</summary>
    public static IReadOnlyList<SentBody> Read(string directory)
    {
        var bodies = new List<SentBody>();
        if (!Directory.Exists(directory))
        {
            return bodies;
        }

        foreach (var path in Files(directory))
        {
            var index = new Dictionary<long, int>();
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(stream);
            while (reader.ReadLine() is { } line)
            {
                if (Parse(line) is not { } entry)
                {
                    continue;
                }

                if (entry.TryGetProperty(nameof(SentBody.Url), out _))
                {
                    var body = entry.Deserialize<SentBody>()!;
                    index[body.Id] = bodies.Count;
                    bodies.Add(body);
                }
                else if (entry.Deserialize<Answer>() is { } answer && index.TryGetValue(answer.Id, out var at))
                {
                    bodies[at] = bodies[at] with { Status = answer.Status, Outcome = answer.Outcome };
                }
            }
        }

        return bodies;
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

    private FileStream Open(DateTimeOffset now)
    {
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        if (file is null || day != today)
        {
            file?.Dispose();
            Purge(today);
            file = DurableFile.OpenPrivate(Path.Combine(directory, $"{today.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}.ndjson"), FileMode.OpenOrCreate);
            file.Position = file.Length;
            if (file.Length > 0)
            {
                // The last line may have been cut off by a crash.
                file.Write("\n"u8);
            }

            day = today;
            next = Math.Max(next, now.ToUnixTimeMilliseconds());
        }

        return file;
    }

    private void Purge(DateOnly today)
    {
        var oldest = today.AddDays(-KeepDays).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        long total = 0;
        foreach (var path in Files(directory).Reverse().ToList())
        {
            total += new FileInfo(path).Length;
            if (total > KeepBytes || string.CompareOrdinal(Path.GetFileNameWithoutExtension(path), oldest) < 0)
            {
                File.Delete(path);
            }
        }
    }

    private static IEnumerable<string> Files(string directory) => Directory.EnumerateFiles(directory, "*.ndjson").Order(StringComparer.Ordinal);

    private void Append<T>(FileStream log, T entry)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(entry), (byte)'\n'];
        if (reserve is null)
        {
            DurableFile.Append(log, line);
        }
        else
        {
            reserve.Write(() => DurableFile.Append(log, line));
        }
    }

    private sealed record Answer(long Id, DateTimeOffset AnsweredAt, int? Status, string? Outcome);
}
