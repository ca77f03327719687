using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace MissionControl.Portal.Shell;

/// <summary>Style sheets and scripts, part of this assembly: whatever way the process is started, they are there and fit the pages.</summary>
internal static class Files
{
    private static readonly Dictionary<string, StoredFile> All = Read();

    /// <summary>Address of a file; it changes with its content, so that browsers keep it for good.</summary>
    public static string Address(string name) => $"/assets/{name}?v={All[name].Version}";

    public static IResult Serve(string name, string? v, HttpContext http)
    {
        if (!All.TryGetValue(name, out var file))
        {
            return TypedResults.NotFound();
        }

        var headers = http.Response.Headers;
        if (v == file.Version)
        {
            headers.CacheControl = "public, max-age=31536000, immutable";
            headers.Remove(HeaderNames.Pragma);
        }

        headers.Vary = HeaderNames.AcceptEncoding;
        if (!http.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase))
        {
            return TypedResults.Bytes(file.Plain, file.ContentType);
        }

        headers.ContentEncoding = "gzip";
        return TypedResults.Bytes(file.Gzip.Value, file.ContentType);
    }

    private static Dictionary<string, StoredFile> Read()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var files = new Dictionary<string, StoredFile>(StringComparer.Ordinal);
        foreach (var name in assembly.GetManifestResourceNames())
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            var type = Path.GetExtension(name) switch { ".css" => "text/css; charset=utf-8", ".js" => "text/javascript; charset=utf-8", ".svg" => "image/svg+xml", _ => "application/octet-stream" };
            files[name] = new StoredFile(bytes, type, Convert.ToHexStringLower(SHA256.HashData(bytes))[..12], new Lazy<byte[]>(() => Compress(bytes)));
        }

        return files;
    }

    private static byte[] Compress(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal))
        {
            gzip.Write(bytes);
        }

        return compressed.ToArray();
    }

    private sealed record StoredFile(byte[] Plain, string ContentType, string Version, Lazy<byte[]> Gzip);
}
