using System.Text;
using Google.Protobuf;
using MissionControl.Protocol.CallHome;

namespace MissionControl.Benchmarks.Load;

/// <summary>
/// Check-ins of one cluster, each with the next number and time: the bytes are put together once and three fields written over, so
/// that the load generator costs as little as possible of the processor that it shares with the server.
/// </summary>
internal sealed class CheckInRequests
{
    private const int SequenceBytes = 5;
    private const int TimeBytes = 6;

    // From here numbers take five bytes and can be written over; what is below counts as dropped by then.
    private const long FirstWide = 1L << 28;
    private readonly byte[] request;
    private readonly int lowestKept;
    private readonly int sequence;
    private readonly int time;
    private long next;

    /// <param name="clusterId">The cluster.</param>
    /// <param name="epoch">Its epoch.</param>
    /// <param name="bearer">Its access token.</param>
    /// <param name="desiredEtag">Of the desired state it holds.</param>
    /// <param name="first">Its next number.</param>
    public CheckInRequests(Guid clusterId, long epoch, string bearer, string desiredEtag, long first)
    {
        next = Math.Max(first, FirstWide);
        var health = Sample.Bytes(clusterId);
        var envelope = new CheckInRequest
        {
            ClusterId = clusterId.ToString("D"),
            Epoch = epoch,
            Spool = new SpoolState { Items = 1, Bytes = health.Length, OldestAtMs = Now() },
            SentAtMs = Now(),
            DesiredEtag = desiredEtag,
            AgentVersion = "1.0.0",
            Sections = { Understood },
        }.ToByteArray();

        // lowest_kept (3), then the one item (5) with seq (1), type (2), at_ms (3) and body (4). The numbers are varints of a fixed width.
        using var item = new MemoryStream();
        item.WriteByte(0x08);
        item.Write(new byte[SequenceBytes]);
        item.Write([0x12, 6, .. "health"u8, 0x18]);
        item.Write(new byte[TimeBytes]);
        item.WriteByte(0x22);
        WriteVarint(item, health.Length);
        item.Write(health);
        using var body = new MemoryStream();
        body.Write(envelope);
        body.WriteByte(0x18);
        body.Write(new byte[SequenceBytes]);
        body.WriteByte(0x2A);
        WriteVarint(body, (int)item.Length);
        var itemAt = (int)body.Length;
        item.WriteTo(body);

        var head = Encoding.ASCII.GetBytes(
            $"POST /callhome/v1/checkin HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {bearer}\r\nContent-Type: application/x-protobuf\r\nContent-Length: {body.Length}\r\n\r\n");
        request = [.. head, .. body.ToArray()];
        BodyBytes = (int)body.Length;
        lowestKept = head.Length + envelope.Length + 1;
        sequence = head.Length + itemAt + 1;
        time = sequence + SequenceBytes + 9;
    }

    /// <summary>What the agent says that it understands.</summary>
    public static string Understood => "receipts";

    public int BodyBytes { get; }

    /// <summary>Check-ins written so far.</summary>
    public long Sent { get; private set; }

    /// <summary>The number of the last item written.</summary>
    public long Last => next - 1;

    public int Write(Span<byte> destination)
    {
        request.CopyTo(destination);
        Fixed(destination.Slice(lowestKept, SequenceBytes), next);
        Fixed(destination.Slice(sequence, SequenceBytes), next);
        Fixed(destination.Slice(time, TimeBytes), Now());
        next++;
        Sent++;
        return request.Length;
    }

    private static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    private static void WriteVarint(Stream stream, int value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            stream.WriteByte((byte)(value | 0x80));
        }

        stream.WriteByte((byte)value);
    }

    private static void Fixed(Span<byte> destination, long value)
    {
        for (var i = 0; i < destination.Length; i++, value >>= 7)
        {
            destination[i] = (byte)((value & 0x7F) | (i < destination.Length - 1 ? 0x80L : 0));
        }
    }
}
