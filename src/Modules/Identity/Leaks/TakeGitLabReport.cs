using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using MissionControl.Contracts;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Identity.Leaks;

/// <summary>
/// <c>/api/v1/identity/leaks/gitlab/v1</c>: GitLab's Token Revocation API, by which a GitLab of the vendor's or a customer's own reports what
/// its secret detection found. Whoever sends the shared secret may; it makes nothing worth nothing but what is sent whole.
/// </summary>
internal static class TakeGitLabReport
{
    private static readonly Finder GitLab = new("gitlab", new AuditActor("system", "gitlab", "sharedSecret"));

    /// <summary>As GitLab names what the rules of docs/leaks find.</summary>
    private static readonly IReadOnlyList<string> Types = [.. TokenKind.All.Select(kind => $"gitleaks_rule_id_mission-control-{kind.Name.Replace(' ', '-').ToLowerInvariant()}")];

    public static void Map(IEndpointRouteBuilder leaks)
    {
        var gitlab = leaks.MapGroup("/gitlab/v1");
        gitlab.MapGet("/revocable_token_types", ListTypes).OpenToAll("the shared secret is the credential").WithName("ListRevocableTokenTypes").WithSummary("The types of tokens that GitLab may report").Produces<RevocableTypes>();
        gitlab.MapPost("/revoke_tokens", TakeAsync).OpenToAll("the shared secret is the credential").WithName("TakeGitLabReport")
            .WithSummary("Tokens that a GitLab's secret detection found").Accepts<IReadOnlyList<GitLabFind>>("application/json").Produces(StatusCodes.Status204NoContent);
    }

    private static IResult ListTypes(HttpRequest request, IOptions<LeakOptions> options) => Refusal(request, options.Value) ?? TypedResults.Ok(new RevocableTypes(Types));

    private static async Task<IResult> TakeAsync(HttpContext http, IOptions<LeakOptions> options, ReportBody body, ControlPlaneDbContext db, IEvents events, TimeProvider time) => Refusal(http.Request, options.Value) ?? await body.ReadAsync(http, async bytes =>
    {
        if (ReportBody.Parse<GitLabFind>(bytes, out var tooMany) is not { } finds)
        {
            return tooMany ? ReportBody.TooLarge() : Problems.Of(ProblemCodes.Malformed, "The body is no array of {type, token, location}.");
        }

        if (finds.FirstOrDefault(find => find.Token is null || !Types.Contains(find.Type)) is not null)
        {
            return Problems.Of(ProblemCodes.Malformed, "A find lacks its token, or is of a type that revocable_token_types does not name.");
        }

        await TakeLeaks.ApplyAsync(db, events, finds.Select(find => new Find(find.Token!, Place.Of("repository", find.Location))), GitLab, time, CancellationToken.None);
        return TypedResults.NoContent();
    });

    /// <summary>Null when the shared secret is right, compared in one and the same time; without one in the configuration there is no such address.</summary>
    private static IResult? Refusal(HttpRequest request, LeakOptions options)
    {
        if (options.ReadGitLabToken() is not { } secret)
        {
            return Problems.NotFound();
        }

        var sent = request.Headers.Authorization.ToString();
        sent = sent.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? sent["Bearer ".Length..] : sent;
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(sent)), SHA256.HashData(Encoding.UTF8.GetBytes(secret)))
            ? null
            : Problems.Of(ProblemCodes.ReportUnsigned, "Send the shared secret as Authorization.");
    }
}

/// <summary>The types of tokens that GitLab may report.</summary>
internal sealed record RevocableTypes(IReadOnlyList<string> Types);

/// <summary>A token that GitLab found.</summary>
internal sealed record GitLabFind(string? Type, string? Token, string? Location);
