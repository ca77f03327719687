using System.Buffers.Binary;
using System.IO.Compression;
using Google.Protobuf;
using MassTransit;
using MissionControl.Protocol.CallHome;

namespace MissionControl.Contracts.Events.CallHome;

/// <summary>One commit group of call-home items of one kind, on its way from intake to the role that owns the kind.</summary>
/// <param name="BatchId">Identity of the group.</param>
/// <param name="Kind">Item type as on the wire: health, usage, event, inventory.</param>
/// <param name="ReceivedAt">When the group was committed (UTC).</param>
[EntityName("callhome.items-received")]
[MessageUrn("callhome.items-received")]
public sealed record ItemsReceived(Guid BatchId, string Kind, DateTimeOffset ReceivedAt) : IMessage, IAttachment, IRouted
{
    /// <summary>An inflated group never exceeds this: intake closes a group at 1 MiB of bodies, plus framing.</summary>
    public const int MaxInflatedBytes = 16 * 1024 * 1024;

    private const int MaxStoredBytes = 16 * 1024;
    private const int StoredHeader = 5;
    private const byte FinalStored = 1;

    /// <summary>Raw-deflated protobuf <see cref="ReceivedItems"/>.</summary>
    public required byte[] Attachment { get; init; }

    /// <inheritdoc />
    public string Key => BatchId.ToString("N");

    /// <inheritdoc />
    public long Version => 1;

    /// <inheritdoc />
    public string Route => Kind;

    /// <summary>
    /// Deflates a group: a large one at the fastest level, for the bodies repeat each other, so that it costs little and saves two thirds;
    /// a small one as one stored block (RFC 1951, 3.2.4), since to set up a compressor would cost more than what it saves, and everybody
    /// in the group waits for it.
    /// </summary>
    public static byte[] Deflate(ReceivedItems items)
    {
        ArgumentNullException.ThrowIfNull(items);
        var size = items.CalculateSize();
        if (size <= MaxStoredBytes)
        {
            var block = new byte[StoredHeader + size];
            block[0] = FinalStored;
            BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(1), (ushort)size);
            BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(3), (ushort)~size);
            items.WriteTo(block.AsSpan(StoredHeader));
            return block;
        }

        using var buffer = new MemoryStream();
        using (var deflate = new DeflateStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        {
            items.WriteTo(deflate);
        }

        return buffer.ToArray();
    }

    /// <summary>The items of the group.</summary>
    /// <exception cref="InvalidDataException">The attachment is not what intake wrote.</exception>
    public ReceivedItems Inflate()
    {
        if (Attachment is [FinalStored, ..])
        {
            return Attachment.Length >= StoredHeader && BinaryPrimitives.ReadUInt16LittleEndian(Attachment.AsSpan(1)) == Attachment.Length - StoredHeader
                ? ReceivedItems.Parser.ParseFrom(Attachment.AsSpan(StoredHeader))
                : throw new InvalidDataException("The group was cut off.");
        }

        using var inflate = new DeflateStream(new MemoryStream(Attachment, writable: false), CompressionMode.Decompress);
        var input = CodedInputStream.CreateWithLimits(inflate, MaxInflatedBytes, recursionLimit: 32);
        return ReceivedItems.Parser.ParseFrom(input);
    }
}
