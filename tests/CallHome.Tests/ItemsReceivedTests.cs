using System.IO.Compression;
using Google.Protobuf;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Protocol.CallHome;
using Xunit;

namespace MissionControl.CallHome.Tests;

public sealed class ItemsReceivedTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16 * 1024)]
    [InlineData(1024 * 1024)]
    public void A_group_of_any_size_comes_out_as_it_went_in_and_is_deflate_to_every_other_reader(int bytes)
    {
        var items = new ReceivedItems();
        var body = new byte[512];
        for (var i = 0; i * body.Length < bytes; i++)
        {
            // Every body another, so that nothing passes by being the same as its neighbour.
            BitConverter.TryWriteBytes(body, i);
            items.Items.Add(new ReceivedItem { ClusterId = ByteString.CopyFrom(Guid.NewGuid().ToByteArray()), Seq = i + 1, Body = ByteString.CopyFrom(body) });
        }

        var message = Message(ItemsReceived.Deflate(items));

        Assert.Equal(items, message.Inflate());
        using var inflate = new DeflateStream(new MemoryStream(message.Attachment), CompressionMode.Decompress);
        Assert.Equal(items, ReceivedItems.Parser.ParseFrom(inflate));
    }

    [Fact]
    public void A_small_group_that_is_cut_off_is_refused_wherever_it_was_cut()
    {
        var items = new ReceivedItems { Items = { new ReceivedItem { Seq = 1, Body = ByteString.CopyFrom(new byte[100]) } } };
        var whole = ItemsReceived.Deflate(items);

        for (var length = 1; length < whole.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => Message(whole[..length]).Inflate());
        }
    }

    private static ItemsReceived Message(byte[] attachment) => new(Guid.NewGuid(), "event", DateTimeOffset.UnixEpoch) { Attachment = attachment };
}
