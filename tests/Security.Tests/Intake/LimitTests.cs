using System.Net.Http.Headers;
using System.Text;
using Google.Protobuf;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Intake;

/// <summary>The limits of a check-in, at the byte: as it comes and as it is inflated, with usage and without, in every form.</summary>
public sealed class LimitTests(SecurityFixture fixture)
{
    private const int KiB = 1024;

    [Theory]
    [InlineData(false, false, false)]
    [InlineData(false, false, true)]
    [InlineData(false, true, false)]
    [InlineData(false, true, true)]
    [InlineData(true, false, false)]
    [InlineData(true, false, true)]
    [InlineData(true, true, false)]
    [InlineData(true, true, true)]
    public async Task What_comes_may_be_as_large_as_the_limit_and_not_a_byte_larger(bool usage, bool json, bool gzip)
    {
        var limit = usage ? 1024 * KiB : 64 * KiB;
        await AtTheEdgeAsync(usage, json, gzip, (cluster, over) => gzip ? Named(Bodies.Gzip(Text(Message(cluster, usage), json)), limit + over) : Exactly(cluster, usage, json, limit + over));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task What_is_inflated_may_be_as_large_as_the_limit_and_not_a_byte_larger(bool usage, bool json)
    {
        var limit = usage ? 8 * 1024 * KiB : 512 * KiB;
        await AtTheEdgeAsync(usage, json, gzip: true, (cluster, over) => Bodies.Gzip(Exactly(cluster, usage, json, limit + over)));
    }

    private async Task AtTheEdgeAsync(bool usage, bool json, bool gzip, Func<TestCluster, int, byte[]> body)
    {
        using var cluster = await fixture.EnrollAsync();
        string[] encodings = gzip ? ["gzip"] : [];
        foreach (var over in new[] { 1, 0 })
        {
            using var content = json ? Bodies.Json(body(cluster, over), encodings) : Bodies.Protobuf(body(cluster, over), encodings);
            using var request = new HttpRequestMessage(HttpMethod.Post, "/callhome/v1/checkin") { Content = content };

            // Refused by its length it is never asked for; sent all the same, it would meet a closed connection.
            request.Headers.ExpectContinue = true;
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", cluster.AccessToken);
            using var response = await cluster.Http.SendAsync(request);
            Assert.Equal(over == 1 ? "payload-too-large" : null, await Answers.DocumentedAsync(response, $"usage {usage}, {over} over"));
        }

        // What was refused has settled nothing, and what was taken has.
        Assert.Equal(2, (await cluster.CheckInAsync(cluster.Health(2))).Ack);
    }

    // A window that nobody signed: the door looks at it, refuses it for good, and takes the rest.
    private static CheckInRequest Message(TestCluster cluster, bool usage, string padding = "")
    {
        var request = cluster.Request(usage ? new Item { Seq = 1, Type = "usage", Body = ByteString.CopyFromUtf8("{}") } : cluster.Health(1));
        request.DesiredEtag = padding;
        return request;
    }

    private static byte[] Exactly(TestCluster cluster, bool usage, bool json, int length)
    {
        // The head of the padding hardly compresses, which keeps the whole below the door's ratio.
        var padding = new StringBuilder(Noise(usage ? 150_000 : 15_000));
        padding.Append('x', length - 1000 - padding.Length);
        var request = Message(cluster, usage, padding.ToString());
        request.DesiredEtag += new string('x', length - Text(request, json).Length);
        var bytes = Text(request, json);
        Assert.Equal(length, bytes.Length);
        return bytes;
    }

    private static byte[] Text(CheckInRequest request, bool json) => json ? Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(request)) : request.ToByteArray();

    // The same content with a file name in its head (RFC 1952, FNAME), so that it has any length.
    private static byte[] Named(byte[] gzip, int length)
    {
        byte[] head = [.. gzip[..10]];
        head[3] |= 8;
        return [.. head, .. Enumerable.Repeat((byte)'n', length - gzip.Length - 1), 0, .. gzip[10..]];
    }

    private static string Noise(int length)
    {
        var random = new Random(7);
        return string.Create(length, random, (span, source) =>
        {
            foreach (ref var c in span)
            {
                c = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[source.Next(64)];
            }
        });
    }
}
