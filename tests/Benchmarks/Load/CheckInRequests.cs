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
    private readonly Guid clusterId;
    private readonly long epoch;
    private readonly byte[] body;
    private readonly int envelope;
    private readonly int itemAt;
    private Layout layout;
    private long next;
    private long windowTurn = -1;
    private Func<byte[]>? signWindow;

    /// <param name="clusterId">The cluster.</param>
    /// <param name="epoch">Its epoch.</param>
    /// <param name="bearer">Its access token.</param>
    /// <param name="desiredEtag">Of the desired state it holds.</param>
    /// <param name="first">Its next number.</param>
    public CheckInRequests(Guid clusterId, long epoch, string bearer, string desiredEtag, long first)
    {
        this.clusterId = clusterId;
        this.epoch = epoch;
        next = Math.Max(first, FirstWide);
        var health = Sample.Bytes(clusterId);
        var head = new CheckInRequest
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
        using var whole = new MemoryStream();
        whole.Write(head);
        whole.WriteByte(0x18);
        whole.Write(new byte[SequenceBytes]);
        whole.WriteByte(0x2A);
        WriteVarint(whole, (int)item.Length);
        (envelope, itemAt) = (head.Length, (int)whole.Length);
        item.WriteTo(whole);
        body = whole.ToArray();
        layout = Assemble(bearer);
    }

    /// <summary>What the agent says that it understands.</summary>
    public static IReadOnlyList<string> Understood { get; } = ["receipts", "inventory", "credentials"];

    public int BodyBytes => body.Length;

    /// <summary>Check-ins written so far.</summary>
    public long Sent { get; private set; }

    /// <summary>Usage windows written so far: one at most.</summary>
    public int Windows { get; private set; }

    /// <summary>The number of the last health written.</summary>
    public long LastHealth { get; private set; }

    /// <summary>A check-in of its own turn, counted from 0, brings a usage window besides.</summary>
    /// <param name="turn">The turn.</param>
    /// <param name="sign">Makes the signed window.</param>
    public void BringWindow(long turn, Func<byte[]> sign) => (windowTurn, signWindow) = (turn, sign);

    /// <summary>From now on with another access token; may be called while another thread writes.</summary>
    public void Renew(string bearer) => Volatile.Write(ref layout, Assemble(bearer));

    public int Write(Span<byte> destination)
    {
        var now = Volatile.Read(ref layout);
        if (Sent == windowTurn)
        {
            return WriteWithWindow(now.Bearer, destination);
        }

        now.Request.CopyTo(destination);
        Fixed(destination.Slice(now.LowestKept, SequenceBytes), next);
        Fixed(destination.Slice(now.Sequence, SequenceBytes), next);
        Fixed(destination.Slice(now.Sequence + SequenceBytes + 9, TimeBytes), Now());
        LastHealth = next++;
        Sent++;
        return now.Request.Length;
    }

    private static byte[] Head(string bearer, int length) => Encoding.ASCII.GetBytes(
        $"POST /callhome/v1/checkin HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {bearer}\r\nContent-Type: application/x-protobuf\r\nContent-Length: {length}\r\n\r\n");

    private Layout Assemble(string bearer)
    {
        var head = Head(bearer, body.Length);
        return new Layout(bearer, [.. head, .. body], head.Length + envelope + 1, head.Length + itemAt + 1);
    }

    private int WriteWithWindow(string bearer, Span<byte> destination)
    {
        var now = Now();
        var both = new CheckInRequest
        {
            ClusterId = clusterId.ToString("D"),
            Epoch = epoch,
            LowestKept = next,
            Spool = new SpoolState { Items = 2, OldestAtMs = now },
            SentAtMs = now,
            AgentVersion = "1.0.0",
            Sections = { Understood },
            Items =
            {
                new Item { Seq = next, Type = "health", AtMs = now, Body = ByteString.CopyFrom(Sample.Bytes(clusterId)) },
                new Item { Seq = next + 1, Type = "usage", AtMs = now, Body = ByteString.CopyFrom(signWindow!()) },
            },
        }.ToByteArray();
        var head = Head(bearer, both.Length);
        head.CopyTo(destination);
        both.CopyTo(destination[head.Length..]);
        LastHealth = next;
        next += 2;
        Sent++;
        Windows++;
        return head.Length + both.Length;
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

    /// <summary>A request as bytes, with the places of what changes.</summary>
    private sealed record Layout(string Bearer, byte[] Request, int LowestKept, int Sequence);
}
