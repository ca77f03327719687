using MissionControl.Trust.Envelopes;

namespace MissionControl.Platform.Security;

/// <summary>The signing keys of one use. A rotation on disk is noticed within seconds; no restart is needed.</summary>
public sealed class SignerRing : IDisposable
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(2);
    private readonly string first;
    private readonly TimeProvider time;
    private readonly Lock sync = new();
    private readonly Dictionary<string, EcdsaSigner> loaded = new(StringComparer.Ordinal);
    private IReadOnlyList<KeyFile> files = [];
    private long readAt;

    /// <summary>Takes the ring whose first key stands at a path, making that key when none of the ring is in force.</summary>
    public SignerRing(string first, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        this.first = first;
        this.time = time;
        if (KeyFiles.InForce(KeyFiles.Of(first), time.GetUtcNow()) is null)
        {
            EcdsaSigner.LoadOrCreate(first).Dispose();
        }

        Read();
    }

    /// <summary>The key in force now. Hold on to it for one document: id and signature must be of one key.</summary>
    public EcdsaSigner Current
    {
        get
        {
            lock (sync)
            {
                Refresh();
                return Load(KeyFiles.InForce(files, time.GetUtcNow())!);
            }
        }
    }

    /// <summary>Every key of the ring, oldest first: what signed before, what signs, and what will.</summary>
    public IReadOnlyList<EcdsaSigner> All
    {
        get
        {
            lock (sync)
            {
                Refresh();
                return [.. files.Select(Load)];
            }
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var signer in loaded.Values)
        {
            signer.Dispose();
        }
    }

    private void Refresh()
    {
        if (time.GetElapsedTime(readAt) > Freshness)
        {
            Read();
        }
    }

    private void Read()
    {
        files = KeyFiles.Of(first);
        readAt = time.GetTimestamp();
    }

    private EcdsaSigner Load(KeyFile file)
    {
        if (!loaded.TryGetValue(file.Path, out var signer))
        {
            loaded[file.Path] = signer = EcdsaSigner.Load(file.Path);
        }

        return signer;
    }
}
