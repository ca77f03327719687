using MissionControl.Platform.Data;
using MissionControl.Platform.Security;

namespace MissionControl.CallHome.Credentials;

/// <summary>
/// The symmetric keys that all callhome replicas share: access tokens are sealed by them, nonces made by keys derived from them. The
/// newest active one seals; every other still opens, because what it sealed lives ten minutes at most.
/// </summary>
internal sealed class SealingKeys
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(2);
    private readonly string first;
    private readonly TimeProvider time;
    private readonly Lock sync = new();
    private Ring ring;
    private long readAt;

    public SealingKeys(DataDirectory data, CallHomeOptions options, TimeProvider time)
    {
        this.time = time;
        first = options.SealingKeyFile ?? data.PathOf("keys/token-sealing.key");
        if (options.SealingKeyFile is null)
        {
            KeyFiles.MakeSymmetric(first, time.GetUtcNow());
        }

        ring = Read(null);
    }

    /// <summary>Key in force first, then the others, newest first. The same list until something changes.</summary>
    public IReadOnlyList<byte[]> Current
    {
        get
        {
            var known = Volatile.Read(ref ring);
            if (time.GetElapsedTime(Interlocked.Read(ref readAt)) <= Freshness)
            {
                return known.Keys;
            }

            lock (sync)
            {
                Volatile.Write(ref ring, Read(ring));
                return ring.Keys;
            }
        }
    }

    private Ring Read(Ring? known)
    {
        var files = KeyFiles.Of(first);
        var inForce = KeyFiles.InForce(files, time.GetUtcNow()) ?? throw new InvalidDataException($"{first} is missing.");
        Interlocked.Exchange(ref readAt, time.GetTimestamp());
        var order = string.Join('\n', files.Reverse().Where(file => file != inForce).Prepend(inForce).Select(file => file.Path));
        return known?.Order == order ? known : new Ring(order, [.. order.Split('\n').Select(KeyFiles.LoadSymmetric)]);
    }

    private sealed record Ring(string Order, IReadOnlyList<byte[]> Keys);
}
