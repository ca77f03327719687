using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MissionControl.Protocol.Documents;

/// <summary>Why a usage window is not taken; <see cref="Code"/> stands in docs/protocol.md.</summary>
/// <param name="Code">Kebab-case.</param>
/// <param name="Detail">What to change.</param>
public sealed record WindowProblem(string Code, string Detail);

/// <summary>
/// The complete statement of what a cluster used in one UTC hour: absolute values, so that whoever gets it twice, late or out of
/// order counts it once. A meter that a higher revision leaves out is withdrawn; zero is written <c>"0"</c>.
/// </summary>
/// <param name="V">Schema version, 1.</param>
/// <param name="Cluster">The cluster's id.</param>
/// <param name="Epoch">The epoch it was made in.</param>
/// <param name="Window">First instant of the hour, <c>yyyy-MM-ddTHH:00:00Z</c>.</param>
/// <param name="Len">Seconds, always 3600.</param>
/// <param name="Revision">From 1, rising within epoch and hour.</param>
/// <param name="CollectedAt">When it was closed, by the cluster's best clock (UTC).</param>
/// <param name="Complete">False when something of the hour could not be observed, or dimensions had to be dropped.</param>
/// <param name="Meters">The cells, at most 10,000; meter and dimensions stand once.</param>
/// <param name="Supersedes"><c>sha256:</c> of the payload of the revision before.</param>
/// <param name="Prev"><c>sha256:</c> of the payload of the hour before.</param>
/// <param name="Product">Version of the product.</param>
public sealed record UsageWindow(
    int V, string Cluster, long Epoch, string Window, int Len, long Revision, string CollectedAt, bool Complete, IReadOnlyList<UsageCell> Meters,
    string? Supersedes = null, string? Prev = null, string? Product = null)
{
    /// <summary>DSSE payload type.</summary>
    public const string PayloadType = "application/vnd.missioncontrol.usage-window+json";

    /// <summary>Most cells of a window.</summary>
    public const int MaxCells = 10_000;

    /// <summary>Largest payload, in bytes.</summary>
    public const int MaxBytes = 2 * 1024 * 1024;

    /// <summary>Largest revision: with the epoch it makes one rank of 63 bits.</summary>
    public const long MaxRevision = (1L << 31) - 1;

    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");
    private const string InstantFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <summary>The hour, as whole hours since 1970-01-01T00:00Z. Only of a checked window.</summary>
    [JsonIgnore]
    public int Hour => TryHour(Window, out var hour) ? hour : throw new FormatException("The window is not a whole hour.");

    /// <summary>When it was closed. Only of a checked window.</summary>
    [JsonIgnore]
    public DateTimeOffset Collected => TryInstant(CollectedAt, out var at) ? at : throw new FormatException("collectedAt is not an instant.");

    /// <summary>First instant of an hour.</summary>
    public static DateTimeOffset StartOf(int hour) => DateTimeOffset.FromUnixTimeSeconds(hour * 3600L);

    /// <summary>The hour that an instant lies in.</summary>
    public static int HourOf(DateTimeOffset instant) => (int)Math.Floor(instant.ToUnixTimeSeconds() / 3600.0);

    /// <summary>An instant as signed documents write it.</summary>
    public static string Text(DateTimeOffset instant) => instant.UtcDateTime.ToString(InstantFormat, CultureInfo.InvariantCulture);

    /// <summary>Reads a whole hour as signed documents write it.</summary>
    public static bool TryHour(string text, out int hour)
    {
        hour = 0;
        if (!TryInstant(text, out var start) || start.ToUnixTimeSeconds() % 3600 != 0)
        {
            return false;
        }

        hour = HourOf(start);
        return true;
    }

    /// <summary><c>sha256:</c> and the digest of a payload: the identity of a window's bytes, whoever signs them anew.</summary>
    public static string Digest(ReadOnlySpan<byte> payload) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(payload))}";

    /// <summary>The bytes to sign.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, DocumentJson.Options);

    /// <summary>Reads a verified payload and checks all that can be said of it alone; never throws on bad input.</summary>
    public static UsageWindow? Read(ReadOnlySpan<byte> payload, out WindowProblem? problem)
    {
        UsageWindow? window;
        try
        {
            window = JsonSerializer.Deserialize<UsageWindow>(payload, DocumentJson.Options);
        }
        catch (JsonException exception)
        {
            problem = new WindowProblem("window-malformed", $"The payload is not a usage window: {exception.Message}");
            return null;
        }

        problem = window is null ? new WindowProblem("window-malformed", "The payload is null.") : window.Check();
        return problem is null ? window : null;
    }

    private WindowProblem? Check()
    {
        if (V != 1 || !Guid.TryParseExact(Cluster, "D", out _) || Epoch is < 1 or > int.MaxValue || Revision is < 1 or > MaxRevision || Product is { Length: > 100 } || !IsDigest(Supersedes) || !IsDigest(Prev))
        {
            return new WindowProblem("window-malformed", "A window has v 1, a cluster id, an epoch and a revision from 1, a product of at most 100 characters, and digests written sha256:<64 hex>.");
        }

        if (!TryInstant(Window, out _) || !TryInstant(CollectedAt, out _))
        {
            return new WindowProblem("window-malformed", "window and collectedAt are instants written yyyy-MM-ddTHH:mm:ssZ.");
        }

        if (!TryHour(Window, out _) || Len != 3600)
        {
            return new WindowProblem("window-misaligned", "A window is one whole UTC hour: it begins at minute 0 and second 0, and len is 3600.");
        }

        if (Meters.Count > MaxCells)
        {
            return new WindowProblem("too-many-cells", $"At most {MaxCells} cells; drop dimensions and set complete to false.");
        }

        var seen = new HashSet<(string, long)>(Meters.Count);
        foreach (var cell in Meters)
        {
            if (cell is null)
            {
                return new WindowProblem("window-malformed", "A cell is null.");
            }

            if (cell.Check() is { } problem)
            {
                return problem;
            }

            if (!seen.Add((cell.Meter, cell.DimensionHash)))
            {
                return new WindowProblem("cell-twice", $"Meter {cell.Meter} stands twice with the same dimensions.");
            }
        }

        return null;
    }

    private static bool IsDigest(string? text) => text is null || (text.Length == 71 && text.StartsWith("sha256:", StringComparison.Ordinal) && !text.AsSpan(7).ContainsAnyExcept(Hex));

    internal static bool TryInstant(string text, out DateTimeOffset instant) =>
        DateTimeOffset.TryParseExact(text, InstantFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out instant) && instant.Year is >= 2000 and < 2200;
}

/// <summary>One quantity of a window.</summary>
/// <param name="Meter">Key of the meter, <c>[a-z][a-z0-9_]{0,62}</c>.</param>
/// <param name="Version">Version of the meter's definition, from 1.</param>
/// <param name="Dimensions">At most 8, such as <c>env</c>; values of at most 100 characters.</param>
/// <param name="Quantity">Decimal text, never negative.</param>
public sealed record UsageCell(
    [property: JsonPropertyName("k")] string Meter,
    [property: JsonPropertyName("ver")] int Version,
    [property: JsonPropertyName("dim")] IReadOnlyDictionary<string, string> Dimensions,
    [property: JsonPropertyName("q")] string Quantity)
{
    private static readonly SearchValues<char> KeyCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");
    private const int MaxDimensions = 8;
    private string? dimensionText;
    private long? dimensionHash;

    /// <summary>The dimensions as JSON with sorted keys: one text for one set.</summary>
    [JsonIgnore]
    public string DimensionText => dimensionText ??= Canonical(Dimensions);

    /// <summary>First 64 bits of SHA-256 over <see cref="DimensionText"/>; part of a cell's key.</summary>
    [JsonIgnore]
    public long DimensionHash => dimensionHash ??= Hash(DimensionText);

    /// <summary>The dimension <c>env</c>, which the product gives; empty when there is none.</summary>
    [JsonIgnore]
    public string Environment => Dimensions.TryGetValue("env", out var environment) ? environment : "";

    /// <summary>What is wrong with its form; null when nothing is.</summary>
    public WindowProblem? Check()
    {
        if (!IsKey(Meter, 63) || Version < 1)
        {
            return new WindowProblem("meter-malformed", "A meter's key is written [a-z][a-z0-9_]{0,62}; its version is at least 1.");
        }

        if (Dimensions is null || Dimensions.Count > MaxDimensions || Dimensions.Any(pair => !IsKey(pair.Key, 40) || pair.Value is not { Length: >= 1 and <= 100 } || pair.Value.Contains('\0', StringComparison.Ordinal)))
        {
            return new WindowProblem("dimension-malformed", $"Meter {Meter}: at most {MaxDimensions} dimensions, keys written [a-z][a-z0-9_]{{0,39}}, values of 1 to 100 characters without NUL.");
        }

        return Documents.Quantity.IsWellFormed(Quantity)
            ? null
            : new WindowProblem("quantity-malformed", $"Meter {Meter}: a quantity is text, (0|[1-9][0-9]{{0,17}})(\\.[0-9]{{1,9}})?, never negative.");
    }

    internal static bool IsKey(string? key, int most) =>
        key is { Length: >= 1 } && key.Length <= most && key[0] is >= 'a' and <= 'z' && !key.AsSpan().ContainsAnyExcept(KeyCharacters);

    private static long Hash(string text)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return BinaryPrimitives.ReadInt64BigEndian(hash);
    }

    private static string Canonical(IReadOnlyDictionary<string, string> dimensions) =>
        JsonSerializer.Serialize(new SortedDictionary<string, string>(dimensions.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal), DocumentJson.Options);
}
