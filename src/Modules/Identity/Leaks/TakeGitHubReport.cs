using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Contracts;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Leaks;

/// <summary>
/// <c>/api/v1/identity/leaks/github</c>: the endpoint of GitHub's secret scanning partner programme. The signature is over the bytes as
/// they came and is checked before anything of them is read. A report bears neither time nor number, so that it can be sent again by
/// whoever saw it: that changes nothing.
/// </summary>
internal static class TakeGitHubReport
{
    private static readonly Finder GitHub = new("github", new AuditActor("system", "github", "signature"));

    public static void Map(IEndpointRouteBuilder leaks) => leaks.MapPost("/github", TakeAsync).OpenToAll("the report bears GitHub's signature").WithName("TakeGitHubReport")
        .WithSummary("Tokens that GitHub's secret scanning found, signed by it").Accepts<IReadOnlyList<GitHubFind>>("application/json").Produces<IReadOnlyList<GitHubLabel>>();

    private static async Task<IResult> TakeAsync(HttpContext http, GitHubKeys keys, ReportBody body, ControlPlaneDbContext db, IEvents events, TimeProvider time)
    {
        if (!keys.IsOn)
        {
            return Problems.NotFound();
        }

        // The names have no case; GitHub wrote them both ways.
        var id = http.Request.Headers["Github-Public-Key-Identifier"].ToString();
        var signature = new byte[100];
        if (id.Length is 0 or > 128 || !Convert.TryFromBase64String(http.Request.Headers["Github-Public-Key-Signature"].ToString(), signature, out var length))
        {
            return Unsigned();
        }

        // The key first: a stranger who names none that exists is not read.
        if (await keys.FindAsync(id, http.RequestAborted) is not { } key)
        {
            return keys.AreCurrent ? Unsigned() : Problems.Of(ProblemCodes.ScannerKeysUnavailable, "GitHub's keys cannot be had at present. Send the report again after Retry-After.");
        }

        return await body.ReadAsync(http, async bytes =>
        {
            if (!GitHubKeys.Verifies(key, bytes.Span, signature.AsSpan(0, length)))
            {
                return Unsigned();
            }

            if (ReportBody.Parse<GitHubFind>(bytes, out var tooMany) is not { } finds)
            {
                return tooMany ? ReportBody.TooLarge() : Problems.Of(ProblemCodes.Malformed, "The body is no array of {token, type, url, source}.");
            }

            // What was signed and read is carried through, whether the caller still waits or not: it would only send it again.
            var judged = await TakeLeaks.ApplyAsync(db, events, finds.Where(find => find.Token is not null).Select(find => new Find(find.Token!, Place.Of(find.Source, find.Url))), GitHub, time, CancellationToken.None);
            return TypedResults.Ok<IReadOnlyList<GitHubLabel>>([.. finds.Where(find => find.Token is not null).DistinctBy(find => (find.Token, find.Type))
                .Select(find => (Find: find, Label: LabelOf(judged[find.Token!].Verdict))).Where(one => one.Label is not null)
                .Select(one => new GitHubLabel(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(one.Find.Token!))), one.Find.Type ?? "", one.Label!))]);
        });
    }

    /// <summary>What GitHub learns. Of tokens that only another role can judge, nothing; of a known id with a wrong secret, that it is no token.</summary>
    private static string? LabelOf(Verdict verdict) => verdict switch
    {
        Verdict.Leaked or Verdict.Gone => "true_positive",
        Verdict.NotOurs => "false_positive",
        _ => null,
    };

    private static IResult Unsigned() => Problems.Of(ProblemCodes.ReportUnsigned, "The report does not bear a signature of GitHub's secret scanning over exactly this body.");
}

/// <summary>A token that GitHub found.</summary>
internal sealed record GitHubFind(string? Token, string? Type, string? Url, string? Source);

/// <summary>What became of it; the token itself is not said again.</summary>
internal sealed record GitHubLabel([property: JsonPropertyName("token_hash")] string TokenHash, [property: JsonPropertyName("token_type")] string TokenType, [property: JsonPropertyName("label")] string Label);
