using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using MissionControl.Contracts;

namespace MissionControl.Platform.Http;

/// <summary>Optimistic concurrency over HTTP: the version is the ETag, a change names it in If-Match (RFC 9110 §13).</summary>
public static class Etags
{
    /// <summary>The ETag of a version.</summary>
    public static string Of(long version) => $"\"{version}\"";

    /// <summary>The weak ETag of an answer, made of all that it depends on.</summary>
    public static string OfText(string all) => $"W/\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)).AsSpan(0, 16))}\"";

    /// <summary>Whether If-None-Match names the tag: the caller has the answer (304).</summary>
    public static bool IsKnown(HttpRequest request, string tag)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.GetTypedHeaders().IfNoneMatch is { Count: > 0 } known && EntityTagHeaderValue.TryParse(tag, out var ours) && known.Any(one => one.Equals(EntityTagHeaderValue.Any) || one.Compare(ours, useStrongComparison: false));
    }

    /// <summary>Null when If-Match names the version; else the problem to answer with: 428 without it, 412 when it moved.</summary>
    public static IResult? Mismatch(HttpRequest request, long version)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.Headers.IfMatch.Count == 0
            ? Problems.Of(ProblemCodes.PreconditionRequired, "Read the resource and send its ETag in If-Match, so that nobody's change is overwritten unseen.")
            : Moved(request, version);
    }

    /// <summary>Null when If-Match is absent or names the version; else 412: for switches that are thrown in need, too, without reading first.</summary>
    public static IResult? Moved(HttpRequest request, long version)
    {
        ArgumentNullException.ThrowIfNull(request);
        var match = request.Headers.IfMatch.ToString();
        return match is "" or "*" || match == Of(version)
            ? null
            : Problems.Of(ProblemCodes.PreconditionFailed, $"The resource has ETag {Of(version)} now. Read it again and decide anew.");
    }
}
