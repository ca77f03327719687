using Google.Protobuf;
using MissionControl.ClusterAgent.Machine;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.ClusterAgent.CallHome;

/// <summary>The way in for a cluster without a connection: its items in a file that its key has signed and a person carries.</summary>
public static class Bundle
{
    private const int MostItems = 500;
    private const int MostBytes = 1024 * 1024;

    /// <summary>Writes the items, an envelope a line, each a check-in of its own; so what is cut off on the way spoils one part and not the rest.</summary>
    /// <param name="file">Where to.</param>
    /// <param name="identity">Whose key signs; enrolled.</param>
    /// <param name="items">Lowest number first: everything below the first is acknowledged or dropped.</param>
    /// <param name="time">Dates the parts.</param>
    /// <returns>How many items.</returns>
    public static int Write(Stream file, IAgentIdentity identity, IEnumerable<Item> items, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(time);
        var enrollment = identity.Enrollment ?? throw new InvalidOperationException("This agent is not enrolled.");
        using var signer = EcdsaSigner.From(identity.Key);
        var written = 0;
        long lowest = 0;
        foreach (var part in Parts(items))
        {
            lowest = lowest == 0 ? part[0].Seq : lowest;
            var checkIn = new CheckInRequest
            {
                ClusterId = enrollment.ClusterId.ToString("D"),
                Epoch = enrollment.Epoch,
                LowestKept = lowest,
                Items = { part },
                SentAtMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
                AgentVersion = LinuxMachine.Version,
                AnchorsVersion = Anchors.VersionOf(enrollment.Anchors),
                Sections = { Agent.Understood },
            };
            file.Write(Dsse.Sign(BundlePart.PayloadType, checkIn.ToByteArray(), signer));
            file.Write("\n"u8);
            written += part.Count;
        }

        return written;
    }

    private static IEnumerable<List<Item>> Parts(IEnumerable<Item> items)
    {
        var part = new List<Item>();
        var bytes = 0;
        foreach (var item in items)
        {
            if (part.Count > 0 && (part.Count == MostItems || bytes + item.Body.Length > MostBytes))
            {
                yield return part;
                (part, bytes) = ([], 0);
            }

            part.Add(item);
            bytes += item.Body.Length;
        }

        if (part.Count > 0)
        {
            yield return part;
        }
    }
}
