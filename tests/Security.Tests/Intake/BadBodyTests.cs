using System.Text;
using Google.Protobuf;
using Xunit;

namespace MissionControl.Security.Tests.Intake;

/// <summary>Every way to spoil a body, on every route of the door, in both encodings: the documented refusal, and the sender's next good check-in is taken.</summary>
public sealed class BadBodyTests(SecurityFixture fixture)
{
    private const string Malformed = "malformed-body";

    // From a good message to content that must be refused; null: any documented answer will do.
    private static readonly Dictionary<string, (string? Code, Func<IMessage, HttpContent> Spoil)> Cases = new()
    {
        ["no media type"] = ("unsupported-media-type", good => Bodies.Content(good.ToByteArray(), null)),
        ["another media type"] = ("unsupported-media-type", good => Bodies.Content(good.ToByteArray(), "text/plain")),
        ["deflate"] = ("unsupported-encoding", good => Bodies.Protobuf(good.ToByteArray(), "deflate")),
        ["two encodings"] = ("unsupported-encoding", good => Bodies.Protobuf(Bodies.Gzip(Bodies.Gzip(good.ToByteArray())), "gzip", "gzip")),
        ["empty"] = (null, _ => Bodies.Protobuf([])),
        ["cut off"] = (Malformed, good => Bodies.Protobuf(good.ToByteArray()[..^1])),
        ["random"] = (Malformed, _ => Bodies.Protobuf([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3])),
        ["a length beyond the end"] = (Malformed, _ => Bodies.Protobuf([0x0a, 0xff, 0xff, 0xff, 0xff, 0x07])),
        ["a text that is not UTF-8"] = (null, good => Bodies.Protobuf([.. good.ToByteArray(), 0x0a, 2, 0xc3, 0x28])),
        ["nested groups"] = (Malformed, _ => Bodies.Protobuf(Enumerable.Repeat((byte)0xfb, 20_000).ToArray())),
        ["field number zero"] = (Malformed, _ => Bodies.Protobuf([0x00, 0x01])),
        ["gzip cut off"] = (Malformed, good => Bodies.Protobuf(Bodies.Gzip(good.ToByteArray())[..^6], "gzip")),
        ["gzip with a wrong checksum"] = (Malformed, good => Bodies.Protobuf(Changed(Bodies.Gzip(good.ToByteArray()), ^6), "gzip")),
        ["gzip that is none"] = (Malformed, good => Bodies.Protobuf(good.ToByteArray(), "gzip")),
        ["brotli cut off"] = (null, good => Bodies.Protobuf(Bodies.Brotli(good.ToByteArray())[..^3], "br")),
        ["brotli that is none"] = (Malformed, _ => Bodies.Protobuf([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "br")),
        ["json: nothing"] = (Malformed, _ => Bodies.Json("")),
        ["json: null"] = (Malformed, _ => Bodies.Json("null")),
        ["json: a list"] = (Malformed, _ => Bodies.Json("[]")),
        ["json: cut off"] = (Malformed, good => Bodies.Json(Text(good)[..^1])),
        ["json: something follows"] = (Malformed, good => Bodies.Json(Text(good) + "{}")),
        ["json: a comment"] = (Malformed, _ => Bodies.Json("{/* */}")),
        ["json: a trailing comma"] = (Malformed, _ => Bodies.Json("""{"a":1,}""")),
        ["json: a key twice"] = (Malformed, _ => Bodies.Json("""{"unknown":1,"unknown":1}""")),
        ["json: NaN"] = (Malformed, _ => Bodies.Json("""{"unknown":NaN}""")),
        ["json: Infinity"] = (Malformed, _ => Bodies.Json("""{"unknown":Infinity}""")),
        ["json: too deep"] = (Malformed, _ => Bodies.Json(string.Concat(Enumerable.Repeat("""{"a":""", 5_000)) + "1" + new string('}', 5_000))),
        ["json: half a surrogate pair"] = (Malformed, _ => Bodies.Json("""{"assertion":"\ud800","token":"\ud800","clusterId":"\ud800"}""")),
        ["json: not UTF-8 in a text"] = (Malformed, _ => Bodies.Json([.. "{\"assertion\":\""u8, 0xc3, 0x28, .. "\",\"token\":\""u8, 0xc3, 0x28, .. "\",\"clusterId\":\""u8, 0xc3, 0x28, .. "\"}"u8])),
        ["json: not UTF-8 in a key"] = (Malformed, _ => Bodies.Json([.. "{\""u8, 0xc3, 0x28, .. "\":1}"u8])),
        ["json: UTF-16"] = (Malformed, good => Bodies.Json(Encoding.Unicode.GetBytes(Text(good)))),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_spoiled_body_is_refused_by_name_on_every_route(string name)
    {
        var (code, spoil) = Cases[name];
        using var cluster = await fixture.EnrollAsync();
        foreach (var (route, message) in Bodies.Routes)
        {
            using var content = spoil(message(cluster));
            using var response = await cluster.SendAsync(route, content);
            var got = await Answers.DocumentedAsync(response, $"{name} on {route}");
            Assert.True(got is not null || route == "checkin", $"{name} on {route} was taken");
            Assert.True(code is null || got == code, $"{name} on {route}: expected {code}, got {got}");
        }

        Assert.Equal(1, (await cluster.CheckInAsync(cluster.Health(1))).Ack);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_beyond_the_limit_is_refused_before_it_is_sent_or_while_it_comes(bool withLength)
    {
        using var cluster = await fixture.EnrollAsync();
        foreach (var (route, _) in Bodies.Routes)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/callhome/v1/{route}") { Content = withLength ? Bodies.Protobuf(new byte[(1024 * 1024) + 1]) : Bodies.Chunked(new MemoryStream(new byte[3 * 1024 * 1024]), "application/x-protobuf") };
            request.Headers.ExpectContinue = true;
            request.Headers.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", cluster.AccessToken);
            try
            {
                using var response = await cluster.Http.SendAsync(request);
                await Answers.RefusedAsync("payload-too-large", response, route);
            }
            catch (HttpRequestException) when (!withLength)
            {
                // The connection was closed under the sender, who went on sending.
            }
        }

        // Over a connection of its own: the others were closed.
        using var after = await fixture.EnrollAsync();
        Assert.Equal(1, (await after.CheckInAsync(after.Health(1))).Ack);
    }

    [Fact]
    public async Task Every_value_of_another_type_in_json_gets_a_documented_answer()
    {
        using var cluster = await fixture.EnrollAsync();
        foreach (var (route, message) in Bodies.Routes)
        {
            foreach (var (what, json) in Fuzz.JsonMutations.Of(Text(message(cluster))))
            {
                using var content = Bodies.Json(json);
                using var response = await cluster.SendAsync(route, content);
                await Answers.DocumentedAsync(response, $"{route}: {what}");
            }
        }
    }

    private static string Text(IMessage message) => JsonFormatter.Default.Format(message);

    private static byte[] Changed(byte[] bytes, Index at)
    {
        bytes[at] ^= 0xff;
        return bytes;
    }
}
