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

    /// <summary>Raw-deflated protobuf <see cref="ReceivedItems"/>.</summary>
    public required byte[] Attachment { get; init; }

    /// <inheritdoc />
    public string Key => BatchId.ToString("N");

    /// <inheritdoc />
    public long Version => 1;

    /// <inheritdoc />
    public string Route => Kind;

    /// <summary>Deflates a group at the fastest level: the bodies repeat each other, so it costs little and saves two thirds.</summary>
    public static byte[] Deflate(ReceivedItems items)
    {
        ArgumentNullException.ThrowIfNull(items);
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
        using var inflate = new DeflateStream(new MemoryStream(Attachment, writable: false), CompressionMode.Decompress);
        var input = CodedInputStream.CreateWithLimits(inflate, MaxInflatedBytes, recursionLimit: 32);
        return ReceivedItems.Parser.ParseFrom(input);
    }
}
