using System.Buffers;
using System.Globalization;
using System.Net;
using MissionControl.Cli.Server;
using MissionControl.Cli.SignIn;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Cli.Audit;

/// <summary>Something of a log cannot be had. Its sentence says what; it is never said of a log that all is well when this came.</summary>
internal sealed class SourceFailure(string message) : Exception(message);

/// <summary>Where a log stands as C2SP tlog-tiles lays it out: <c>checkpoint</c>, and everything else below <c>tile/</c>. Nothing is read that is longer than it may be.</summary>
internal abstract class LogSource : IDisposable
{
    /// <summary>How it is written.</summary>
    public const string Rule = "SOURCE is a directory that holds a log, a bundle of one, or the https:// address below which it is served (http:// to this machine itself), without credentials, ? and #.";

    /// <summary>Name of what the log signs.</summary>
    public const string CheckpointName = "checkpoint";

    private const string OwnLogs = "/api/v1/audit/logs/";

    // The same in every installation; by the anchor's name it is read without a sign-in, too.
    private const string FleetLog = "ad0940e4-8bac-50e2-4af3-89c966b76ba8";
    private const string AnchorLog = "578b770d-dbe4-8036-ab36-87d9ccdda72c";
    private const int OneRead = 64 * 1024;
    private const int MostPauses = 20;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    /// <summary>Whether it can be one.</summary>
    public static bool IsOne(string text) => text.Length > 0 && (!text.Contains("://", StringComparison.Ordinal) || AddressOf(text) is not null);

    /// <summary>The log at a place that is one.</summary>
    /// <param name="text">The place.</param>
    /// <param name="caFile">File with the certificates of a further CA; null: there is none.</param>
    /// <param name="token">The bearer as which it is read in place of whoever is signed in; it goes to that server and to no other. Null: none.</param>
    public static LogSource At(string text, string? caFile, string? token = null)
    {
        if (AddressOf(text) is not { } address)
        {
            return File.Exists(text) ? new BundleLog(text) : new DirectoryLog(text);
        }

        return token is null && address.AbsolutePath.StartsWith(OwnLogs, StringComparison.Ordinal) && KeptSignIn.Find() is { } kept && kept.Address.GetLeftPart(UriPartial.Authority) == address.GetLeftPart(UriPartial.Authority)
            ? new SignedInLog(new Person(kept), address, LongestWait)
            : new HttpLog(address, caFile is null ? null : CaCertificates.Read(caFile), token, LongestWait);
    }

    /// <summary>The anchor and the log of the fleet beside a log of Mission Control; null: there is none of its logs at that place, or it is the anchor itself.</summary>
    public static (LogSource Anchor, LogSource Fleet)? Beside(string text, string? caFile) =>
        AddressOf(text) is { } address && address.AbsolutePath.StartsWith(OwnLogs, StringComparison.Ordinal) && Guid.TryParse(address.AbsolutePath[OwnLogs.Length..].TrimEnd('/'), out var id) && id != Guid.Parse(AnchorLog)
            ? (At(new Uri(address, $"{OwnLogs}anchor").AbsoluteUri, caFile), At(new Uri(address, $"{OwnLogs}{FleetLog}").AbsoluteUri, caFile))
            : null;

    /// <summary>The first entry that is there: of a part of a log, not that of the log.</summary>
    public virtual long First => 0;

    /// <summary>Whether it shows the log as it was at some time: what was seen since is not in it, and nobody has taken it away.</summary>
    public virtual bool IsOfItsTime => false;

    /// <summary>What the log has signed last; null: it is not there.</summary>
    public Task<ReadOnlyMemory<byte>?> CheckpointAsync(CancellationToken cancellationToken) => ReadAsync(CheckpointName, SignedNote.MaxLength, cancellationToken);

    /// <summary>What enough witnesses have seen last, where a server of Mission Control keeps that beside what it has signed last; null: it is not there.</summary>
    public Task<ReadOnlyMemory<byte>?> WitnessedAsync(CancellationToken cancellationToken) => ReadAsync($"{CheckpointName}?witnessed=true", SignedNote.MaxLength, cancellationToken);

    /// <summary>A tile or a bundle; null: it is not there.</summary>
    public Task<ReadOnlyMemory<byte>?> TileAsync(TileId id, CancellationToken cancellationToken) =>
        ReadAsync(id.ToString(), id.Width * (id.Level == TileId.Entries ? sizeof(ushort) + TreeHash.MaxEntry : TreeHash.Size), cancellationToken);

    /// <summary>
    /// Where the entries go on behind some that are not there, if the last ones are: of a log that was pruned. In few questions, since
    /// what was pruned is all that comes before.
    /// </summary>
    /// <param name="missing">A bundle that is not there.</param>
    /// <param name="size">How many entries the log has.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The first entry from there on, a multiple of 256; null: the last are not there, either.</returns>
    public virtual async Task<long?> GoesOnAsync(long missing, long size, CancellationToken cancellationToken)
    {
        var there = (size - 1) / TileId.FullWidth;
        if (there == missing || !await HasAsync(there))
        {
            return null;
        }

        while (there - missing > 1)
        {
            var middle = missing + ((there - missing) / 2);
            (missing, there) = await HasAsync(middle) ? (missing, middle) : (middle, there);
        }

        return there * TileId.FullWidth;

        async Task<bool> HasAsync(long index) => await LogWalk.ReadAsync(TileId.At(TileId.Entries, index, size), TileAsync, cancellationToken) is not null;
    }

    /// <summary>Puts a proof together from the tiles, each as wide as it is now: one as wide as it was need not be there any more.</summary>
    /// <param name="plan">What it consists of.</param>
    /// <param name="size">How many entries the log has.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ArgumentException">A tile is shorter than it must be.</exception>
    public async Task<TreeHash[]> ResolveAsync(ProofPlan plan, long size, CancellationToken cancellationToken)
    {
        var tiles = new Dictionary<TileId, ReadOnlyMemory<byte>>();
        foreach (var id in plan.Tiles)
        {
            var content = await LogWalk.ReadAsync(TileId.At(id.Level, id.Index, size), TileAsync, cancellationToken) ?? throw new SourceFailure($"{id} is not there.");
            tiles.Add(id, content[..(id.Width * TreeHash.Size)]);
        }

        return plan.Resolve(id => tiles[id]);
    }

    /// <inheritdoc />
    public virtual void Dispose()
    {
    }

    /// <summary>Reads what is there under a name, and of what is too long one byte more than it may have: whoever judges it sees that.</summary>
    public abstract Task<ReadOnlyMemory<byte>?> ReadAsync(string path, int longest, CancellationToken cancellationToken);

    /// <summary>Asks, and asks again as long as the server is busy and says when: a large log is read for longer than a caller may at once.</summary>
    /// <param name="ask">Asks once; its token ends it when one answer takes too long.</param>
    /// <param name="longestWait">How long that is.</param>
    /// <param name="told">Status and <c>Retry-After</c> of an answer.</param>
    /// <param name="cancellationToken">Ends it.</param>
    protected static async Task<T> PatientlyAsync<T>(Func<CancellationToken, Task<T>> ask, TimeSpan longestWait, Func<T, (HttpStatusCode Status, string? RetryAfter)> told, CancellationToken cancellationToken)
    {
        for (var pauses = 0; ; pauses++)
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            end.CancelAfter(longestWait);
            var answer = await ask(end.Token);
            var (status, retryAfter) = told(answer);
            if (status is not (HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable) || pauses == MostPauses || !int.TryParse(retryAfter, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || TimeSpan.FromSeconds(seconds) > LongestPause)
            {
                return answer;
            }

            await Task.Delay(TimeSpan.FromSeconds(Math.Max(1, seconds)), cancellationToken);
        }
    }

    /// <summary>Reads a stream to its end, or to one byte more than it may have.</summary>
    protected static async Task<ReadOnlyMemory<byte>?> ReadAsync(Stream stream, int longest, CancellationToken cancellationToken)
    {
        using var all = new MemoryStream();
        var some = ArrayPool<byte>.Shared.Rent(OneRead);
        try
        {
            int read;
            while (all.Length <= longest && (read = await stream.ReadAsync(some.AsMemory(0, (int)Math.Min(OneRead, longest + 1 - all.Length)), cancellationToken)) > 0)
            {
                all.Write(some, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(some);
        }

        return all.GetBuffer().AsMemory(0, (int)all.Length);
    }

    private static Uri? AddressOf(string text) =>
        text.Contains("://", StringComparison.Ordinal) && Uri.TryCreate(text, UriKind.Absolute, out var address) && ServerAddress.IsSafe(address) && address is { Query: "", Fragment: "", UserInfo: "" }
            ? new Uri(address.GetLeftPart(UriPartial.Path).TrimEnd('/') + '/')
            : null;
}
