using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;

namespace MissionControl.Audit.Guard;

/// <summary>What the file of heads is.</summary>
internal enum GuardState
{
    /// <summary>It is there, and nobody without the key wrote to it.</summary>
    Good,

    /// <summary>It is not there: a first start, or a new disk.</summary>
    Missing,

    /// <summary>Somebody changed it, or put an older one in its place, or its key is not here.</summary>
    Damaged,
}

/// <summary>What was read.</summary>
/// <param name="State">What the file is.</param>
/// <param name="Heads">What it says, log by log.</param>
/// <param name="Id">Whose memory it is.</param>
/// <param name="Problem">What is wrong with it, or what was and is mended; null: nothing.</param>
internal sealed record GuardReading(GuardState State, IReadOnlyDictionary<Guid, KnownHead> Heads, Guid Id, string? Problem);

/// <summary>
/// The largest signed head of each log, kept outside the database, so that a database from a backup, whose checkpoints went back with
/// it, is seen to be one. Written durably before a checkpoint can be seen by anybody. Sealed by a key that is derived from the logs':
/// whoever can write the file alone can only put an older one in its place. Several processes may share one file; a lock beside it lets
/// them take turns, and each reads what the others appended.
/// </summary>
internal sealed class HeadGuard : IDisposable
{
    private const string HeadsLabel = "mission-control/audit-heads/v1";
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim turn = new(1);
    private readonly string path;
    private readonly LogKey key;
    private readonly TimeProvider time;
    private HeadFile? file;

    // What this process has seen last, also when the file is gone or spoilt since: it never goes back.
    private long generation;

    public HeadGuard(DataDirectory data, IOptions<AuditOptions> options, LogKey key, TimeProvider time)
    {
        (this.key, this.time) = (key, time);
        path = options.Value.GuardPath is { Length: > 0 } given ? Path.GetFullPath(given) : data.PathOf("audit/heads");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Place = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{Environment.MachineName}/{path}")).AsSpan(0, 16), bigEndian: true);
    }

    /// <summary>Where the file is, for whoever cannot read which one it is: this machine, and its path there.</summary>
    public Guid Place { get; }

    /// <summary>Reads what is there now.</summary>
    public Task<GuardReading> ReadAsync(CancellationToken cancellationToken) => InTurnAsync(static reading => reading, cancellationToken);

    /// <summary>
    /// Remembers further heads, durably, of the logs alone of which the file still says what they were looked at against: of any other
    /// somebody else has signed meanwhile, and what was looked at is not all that is signed. Refuses when the file is not good.
    /// </summary>
    /// <returns>The logs that the file speaks for as wanted now.</returns>
    /// <exception cref="InvalidOperationException">It is missing or damaged.</exception>
    public async Task<IReadOnlySet<Guid>> AddAsync(IReadOnlyDictionary<Guid, KnownHead> known, IReadOnlyCollection<KeyValuePair<Guid, KnownHead>> heads, CancellationToken cancellationToken)
    {
        var kept = new HashSet<Guid>();
        await InTurnAsync(reading => Add(reading, known, heads, kept), cancellationToken);
        return kept;
    }

    /// <summary>Writes the file anew: it says this, and nothing else.</summary>
    public Task MakeAsync(IReadOnlyCollection<KeyValuePair<Guid, KnownHead>> heads, CancellationToken cancellationToken) => InTurnAsync(
        reading =>
        {
            Write(reading.Id == Guid.Empty ? Guid.CreateVersion7(time.GetUtcNow()) : reading.Id, Math.Max(generation, file?.Generation ?? 0) + 1, heads);
            return reading;
        },
        cancellationToken);

    /// <inheritdoc />
    public void Dispose() => turn.Dispose();

    private async Task<GuardReading> InTurnAsync(Func<GuardReading, GuardReading> work, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            await using var others = await LockAsync(cancellationToken);
            return work(CatchUp());
        }
        finally
        {
            turn.Release();
        }
    }

    private GuardReading Add(GuardReading reading, IReadOnlyDictionary<Guid, KnownHead> known, IReadOnlyCollection<KeyValuePair<Guid, KnownHead>> heads, HashSet<Guid> kept)
    {
        if (reading.State != GuardState.Good)
        {
            throw new InvalidOperationException($"The file of signed heads {path} is {reading.State}.");
        }

        // What is remembered already is no news; a memory never goes back, nor has it two roots for one size.
        var still = heads.Where(pair => file!.Heads.TryGetValue(pair.Key, out var head) ? (known.TryGetValue(pair.Key, out var before) && head == before && head.Size < pair.Value.Size) || head == pair.Value : !known.ContainsKey(pair.Key)).ToList();
        kept.UnionWith(still.Select(pair => pair.Key));
        var further = still.Where(pair => !file!.Heads.TryGetValue(pair.Key, out var head) || head != pair.Value).ToList();
        if (further.Count == 0)
        {
            return reading;
        }

        var end = file!.End;
        try
        {
            var bytes = file.Append(further);
            if (file.IsLong)
            {
                Write(file.Id, file.Generation + 1, file.Heads);
                return reading;
            }

            using var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.Read);
            stream.SetLength(end);
            stream.Position = end;
            stream.Write(bytes);
            stream.Flush(flushToDisk: true);
        }
        catch
        {
            // What is on the disk now is read again.
            Forget();
            throw;
        }

        return reading;
    }

    private GuardReading CatchUp()
    {
        try
        {
            var isGone = !File.Exists(path);
            if (isGone)
            {
                if (file is null)
                {
                    return new GuardReading(GuardState.Missing, new Dictionary<Guid, KnownHead>(), Guid.Empty, null);
                }

                // It was taken away from under a process that knows what it said.
                Write(file.Id, file.Generation + 1, file.Heads);
            }

            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file is null || !file.IsSame(stream))
            {
                stream.Position = 0;
                var other = HeadFile.Open(stream, key.Derived(HeadsLabel));
                if (other.Generation <= generation)
                {
                    throw new DamagedHeadsException("it is an older copy of what this process has seen");
                }

                other.ReadOn(stream);
                (file, generation) = (other, other.Generation);
            }
            else
            {
                file.ReadOn(stream);
            }

            if (!file.IsOf(key.Derived(HeadsLabel)[^1]))
            {
                // The log's key was rotated, and the old one may be deleted.
                Write(file.Id, file.Generation + 1, file.Heads);
            }

            return new GuardReading(GuardState.Good, new Dictionary<Guid, KnownHead>(file.Heads), file.Id, isGone ? "it was taken away" : null);
        }
        catch (DamagedHeadsException damage)
        {
            // Looked at anew the next time: somebody may have mended it.
            return new GuardReading(GuardState.Damaged, new Dictionary<Guid, KnownHead>(file?.Heads ?? []), file?.Id ?? Guid.Empty, damage.Message);
        }
    }

    private void Write(Guid id, long next, IReadOnlyCollection<KeyValuePair<Guid, KnownHead>> heads)
    {
        var made = HeadFile.Make(key.Derived(HeadsLabel)[^1], id, next, heads, out var bytes);
        DataDirectory.WritePrivate(path, bytes);
        (file, generation) = (made, next);
    }

    private void Forget()
    {
        generation = file is null ? generation : file.Generation - 1;
        file = null;
    }

    private async Task<FileStream> LockAsync(CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream($"{path}.lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (time.GetElapsedTime(since) < LockPatience && File.Exists($"{path}.lock"))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
            }
        }
    }
}
