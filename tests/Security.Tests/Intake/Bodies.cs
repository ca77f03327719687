using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using Google.Protobuf;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;

namespace MissionControl.Security.Tests.Intake;

/// <summary>The routes of the door with a body that would be read by each, and ways to spoil it.</summary>
internal static class Bodies
{
    public static IReadOnlyList<(string Route, Func<TestCluster, IMessage> Message)> Routes { get; } =
    [
        ("enroll", cluster => cluster.EnrollmentRequest(Protocol.Tokens.TokenText.New('e', out _, out _))),
        ("token", cluster => new TokenRequest { Assertion = cluster.Assertion(null) }),
        ("checkin", cluster => cluster.Request(cluster.Health())),
        ("epoch", cluster => new EpochRequest { Assertion = cluster.Assertion(null, use: "epoch"), Reason = "restored" }),
        ("rotate", cluster => new RotateRequest { Assertion = cluster.Assertion(null, use: "rotate"), NewPublicKey = ByteString.CopyFrom(cluster.Key.ExportSubjectPublicKeyInfo()), Proof = ByteString.CopyFrom(new byte[64]) }),
        ("unenroll", cluster => new UnenrollRequest { Assertion = cluster.Assertion(null, use: "unenroll"), Reason = "test" }),
    ];

    public static HttpContent Protobuf(byte[] bytes, params string[] encodings) => Content(bytes, "application/x-protobuf", encodings);

    public static HttpContent Json(byte[] bytes, params string[] encodings) => Content(bytes, "application/json", encodings);

    public static HttpContent Json(string text) => Json(Encoding.UTF8.GetBytes(text));

    public static HttpContent Content(byte[] bytes, string? type, params string[] encodings)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = type is null ? null : new MediaTypeHeaderValue(type);
        foreach (var encoding in encodings)
        {
            content.Headers.ContentEncoding.Add(encoding);
        }

        return content;
    }

    /// <summary>Without Content-Length: the size shows only while it is read.</summary>
    public static HttpContent Chunked(Stream stream, string type)
    {
        var content = new StreamContent(stream);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        content.Headers.ContentLength = null;
        return content;
    }

    public static byte[] Gzip(byte[] bytes) => Squeeze(bytes, stream => new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true));

    public static byte[] Brotli(byte[] bytes) => Squeeze(bytes, stream => new BrotliStream(stream, CompressionLevel.Fastest, leaveOpen: true));

    private static byte[] Squeeze(byte[] bytes, Func<Stream, Stream> around)
    {
        using var buffer = new MemoryStream();
        using (var squeeze = around(buffer))
        {
            squeeze.Write(bytes);
        }

        return buffer.ToArray();
    }
}
