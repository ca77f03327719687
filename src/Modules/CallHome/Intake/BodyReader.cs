using System.Buffers;
using System.IO.Compression;
using Microsoft.AspNetCore.Http;

namespace MissionControl.CallHome.Intake;

/// <summary>A body in a rented buffer, or the reason why there is none.</summary>
internal readonly struct BodyRead(byte[]? buffer, int length, long compressed, string? refusal) : IDisposable
{
    public ReadOnlyMemory<byte> Bytes => buffer.AsMemory(0, length);

    /// <summary>Bytes after inflating.</summary>
    public int Length => length;

    /// <summary>Bytes as they came.</summary>
    public long Compressed => compressed;

    /// <summary>Problem code; null when the body is there.</summary>
    public string? Refusal => refusal;

    public void Dispose()
    {
        if (buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>
/// Reads a request body with its limits counted while inflating, so that 5 bytes that claim to be 500 MB cost 5 bytes: refused
/// by Content-Length first, by what has come then, by the ratio last.
/// </summary>
internal static class BodyReader
{
    public const string TooLarge = "payload-too-large";
    public const string UnsupportedEncoding = "unsupported-encoding";
    public const string Malformed = "malformed-body";

    public static async ValueTask<BodyRead> ReadAsync(HttpRequest request, int maxCompressed, int maxInflated, CancellationToken cancellationToken)
    {
        if (request.ContentLength > maxCompressed)
        {
            return new BodyRead(null, 0, 0, TooLarge);
        }

        var encoding = request.Headers.ContentEncoding.ToString();
        if (encoding is "" or "identity")
        {
            try
            {
                return await FillAsync(request.Body, (int)(request.ContentLength ?? 4096), maxCompressed, null, cancellationToken);
            }
            catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status413PayloadTooLarge)
            {
                // The server's own limit is as large as ours and may be reached first.
                return new BodyRead(null, 0, 0, TooLarge);
            }
        }

        var counted = new CountingStream(request.Body, maxCompressed, isGzip: encoding == "gzip");
        Stream? inflate = encoding switch
        {
            "gzip" => new GZipStream(counted, CompressionMode.Decompress),
            "br" => new BrotliStream(counted, CompressionMode.Decompress),
            _ => null,
        };
        if (inflate is null)
        {
            return new BodyRead(null, 0, 0, UnsupportedEncoding);
        }

        await using (inflate)
        {
            try
            {
                return await FillAsync(inflate, 16 * 1024, maxInflated, counted, cancellationToken);
            }
            catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status413PayloadTooLarge)
            {
                return new BodyRead(null, 0, 0, TooLarge);
            }
            catch (Exception exception) when (exception is InvalidDataException or InvalidOperationException)
            {
                return new BodyRead(null, 0, 0, counted.Exceeded ? TooLarge : Malformed);
            }
        }
    }

    private static async ValueTask<BodyRead> FillAsync(Stream stream, int expected, int limit, CountingStream? compressed, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(expected + 1, 1024));
        var length = 0;
        try
        {
            while (true)
            {
                if (length == buffer.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent(Math.Min(buffer.Length * 2, limit + 1));
                    buffer.AsSpan(0, length).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }

                var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken);
                if (read == 0)
                {
                    if (compressed is { IsGzip: true } && compressed.LastFourBytes != (uint)length)
                    {
                        // The stream ends before its trailer: what was inflated is only the beginning (RFC 1952 §2.3.1, ISIZE).
                        throw new InvalidDataException("The compressed body is cut off.");
                    }

                    return new BodyRead(buffer, length, compressed?.Total ?? length, null);
                }

                length += read;
                if (length > limit || (compressed is not null && length > 64 * 1024 && length > compressed.Total * Limits.Ratio))
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    return new BodyRead(null, 0, 0, TooLarge);
                }
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    /// <summary>Counts compressed bytes and ends the stream with an error past the limit.</summary>
    private sealed class CountingStream(Stream inner, int limit, bool isGzip) : Stream
    {
        public bool IsGzip => isGzip;

        /// <summary>The last four bytes read, as a little-endian number: in gzip the inflated length.</summary>
        public uint LastFourBytes { get; private set; }

        public long Total { get; private set; }

        public bool Exceeded => Total > limit;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            Total += read;
            foreach (var b in buffer.Span[Math.Max(0, read - 4)..read])
            {
                LastFourBytes = (LastFourBytes >> 8) | ((uint)b << 24);
            }

            return Exceeded ? throw new InvalidDataException("The compressed body exceeds its limit.") : read;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Bodies are read asynchronously.");

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
