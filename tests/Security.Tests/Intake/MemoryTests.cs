using Google.Protobuf;
using Xunit;

namespace MissionControl.Security.Tests.Intake;

[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class Alone;

/// <summary>What the worst bodies make this process allocate; runs while nothing else does.</summary>
[Collection("alone")]
public sealed class MemoryTests(SecurityFixture fixture)
{
    /// <summary>Six times the largest body there is: the buffers that it grows through, and what the test itself sends.</summary>
    private const int Budget = 48 * 1024 * 1024;

    private static readonly Dictionary<string, Func<HttpContent>> Bombs = new()
    {
        ["a gzip bomb"] = () => Bodies.Protobuf(Bodies.Gzip(new byte[100 * 1024 * 1024]), "gzip"),
        ["a brotli bomb"] = () => Bodies.Protobuf(Bodies.Brotli(new byte[256 * 1024 * 1024]), "br"),
        ["a gzip bomb as JSON"] = () => Bodies.Json(Bodies.Gzip(Enumerable.Repeat((byte)'[', 64 * 1024 * 1024).ToArray()), "gzip"),
        ["millions of empty items"] = () => Bodies.Protobuf(Bodies.Gzip([.. Head(), .. Repeat([0x2a, 0x00], 4_000_000)]), "gzip"),
        ["millions of dropped ranges"] = () => Bodies.Protobuf(Bodies.Gzip([.. Head(), .. Field(4, Repeat([0x22, 0x00], 4_000_000))]), "gzip"),
        ["millions of empty names of sections"] = () => Bodies.Protobuf(Bodies.Gzip([.. Head(), .. Repeat([0x52, 0x00], 4_000_000)]), "gzip"),
        ["millions of empty names of sections in JSON"] = () => Bodies.Json(Bodies.Gzip([.. "{\"desiredEtag\":\""u8, .. Noise(), .. "\",\"sections\":["u8, .. Repeat("\"\","u8.ToArray(), 2_000_000), .. "\"\"]}"u8]), "gzip"),
        ["millions of empty items in JSON"] = () => Bodies.Json(Bodies.Gzip([.. "{\"desiredEtag\":\""u8, .. Noise(), .. "\",\"items\":["u8, .. Repeat("{},"u8.ToArray(), 2_000_000), .. "{}]}"u8]), "gzip"),
    };

    public static TheoryData<string> Names => [.. Bombs.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_small_body_never_becomes_a_large_one_in_memory(string name)
    {
        using var cluster = await fixture.EnrollAsync();
        await cluster.CheckInAsync(cluster.Health(1));
        using var content = Bombs[name]();
        Assert.InRange((await content.ReadAsByteArrayAsync()).Length, 1, 1024 * 1024);
        var before = GC.GetTotalAllocatedBytes(precise: true);

        using var response = await cluster.SendAsync("checkin", content);

        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        Assert.NotNull(await Answers.DocumentedAsync(response, name));
        Assert.True(allocated < Budget, $"{name} made the process allocate {allocated >> 20} MiB");
        Assert.Equal(2, (await cluster.CheckInAsync(cluster.Health(2))).Ack);
    }

    // Text that hardly compresses comes first and keeps the whole below the door's ratio, as an attacker would.
    private static byte[] Head() => Field(7, Noise());

    private static byte[] Field(int number, byte[] content)
    {
        using var buffer = new MemoryStream();
        using (var output = new CodedOutputStream(buffer, leaveOpen: true))
        {
            output.WriteTag(number, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(content));
        }

        return buffer.ToArray();
    }

    private static byte[] Repeat(byte[] part, int times)
    {
        var bytes = new byte[part.Length * times];
        for (var i = 0; i < times; i++)
        {
            part.CopyTo(bytes, i * part.Length);
        }

        return bytes;
    }

    private static byte[] Noise()
    {
        var random = new Random(7);
        var bytes = new byte[150_000];
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[random.Next(64)];
        }

        return bytes;
    }
}
