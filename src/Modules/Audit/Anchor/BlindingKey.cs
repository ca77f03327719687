using System.Security.Cryptography;
using System.Text;
using MissionControl.Platform.Data;
using MissionControl.Platform.Security;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Anchor;

/// <summary>
/// The key from which the blinding of every slot comes, readable by this role alone and not in the database: with a copy of that, who
/// has no key sees of the slot trees what the public sees. Each log's own key is made from it and the log's origin, and is told to
/// nobody; whoever may read a log is told what blinds its slot in the epoch that is asked for, which is worth nothing in any other.
/// </summary>
internal sealed class BlindingKey(DataDirectory data, TimeProvider time)
{
    private readonly string first = MakeFirst(data, time);

    /// <summary>The key that is in force at an instant: that of an epoch's time blinds it.</summary>
    public byte[] At(DateTimeOffset instant) => KeyFiles.LoadSymmetric((KeyFiles.InForce(KeyFiles.Of(first), instant) ?? throw new InvalidOperationException($"No key of {first} is in force at {instant:u}.")).Path);

    /// <summary>What blinds the slot of a log in an epoch.</summary>
    public static byte[] Blind(ReadOnlySpan<byte> key, string origin, long epoch) =>
        Epoch.Blind(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"mc-blinding/v1\0{origin}")), epoch);

    private static string MakeFirst(DataDirectory data, TimeProvider time)
    {
        var path = data.PathOf("keys/log-blinding.key");
        KeyFiles.MakeSymmetric(path, time.GetUtcNow());
        return path;
    }
}
