using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.CallHome.Credentials;
using MissionControl.CallHome.DesiredState;
using MissionControl.CallHome.Enrollment;
using MissionControl.Contracts;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Protocol.CallHome;

namespace MissionControl.CallHome.Intake;

/// <summary><c>POST /callhome/v1/checkin</c>: judged, stored, then acknowledged.</summary>
internal sealed class CheckIn(AccessTokens tokens, Handover handover, Anchors anchors, IServiceScopeFactory scopes, TimeProvider time)
{
    public static void Map(IEndpointRouteBuilder callhome)
    {
        // Resolved at the first call: mapping routes must touch no key file.
        var services = callhome.ServiceProvider;
        CheckIn? checkIn = null;
        callhome.MapPost("/checkin", context => (checkIn ??= services.GetRequiredService<CheckIn>()).HandleAsync(context))
            .AllowAnonymous().GuardsItself().DisableHttpMetrics().WithName("CheckIn").WithSummary("Hand in items and learn the desired state").ExcludeFromDescription();
    }

    private async Task HandleAsync(HttpContext context)
    {
        if (await handover.RefuseAllAsync(context)
            || await AdmitAsync(context) is not { } cluster
            || await Wire.ReadAsync(context, CheckInRequest.Parser, Limits.UsageCompressedBytes, Limits.UsageInflatedBytes) is not { } request
            || await RefuseAsync(context, cluster, request))
        {
            return;
        }

        var next = handover.NextSeconds();
        if (await handover.TakeAsync(context, cluster, request, next, isLive: true) is { } outcome)
        {
            await AnswerAsync(context, cluster, request, handover.Acknowledge(outcome, next));
        }
    }

    private async ValueTask<KnownCluster?> AdmitAsync(HttpContext context)
    {
        const string Bearer = "Bearer ";
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.Ordinal) || !tokens.TryOpen(header[Bearer.Length..], out var token))
        {
            await Problems.WriteAsync(context, ProblemCodes.AccessTokenInvalid, "Get a new access token from /callhome/v1/token.");
            return null;
        }

        if (await handover.FindAsync(token.ClusterId, context.RequestAborted) is not { } cluster)
        {
            await Problems.WriteAsync(context, ProblemCodes.AccessTokenInvalid, "The cluster is not known here. Get a new access token.");
            return null;
        }

        return await Handover.RefuseStateAsync(context, cluster) ? null : cluster;
    }

    private static async ValueTask<bool> RefuseAsync(HttpContext context, KnownCluster cluster, CheckInRequest request)
    {
        if (!Guid.TryParse(request.ClusterId, out var claimed) || claimed != cluster.Id)
        {
            await Problems.WriteAsync(context, ProblemCodes.ClusterMismatch, "The body's cluster_id is not the token's.");
            return true;
        }

        if (Wire.IsLarge(context) && !request.Items.Any(item => item.Type == "usage"))
        {
            context.Response.Headers["MC-Limits"] = Limits.Header;
            await Problems.WriteAsync(context, ProblemCodes.PayloadTooLarge, $"Only a check-in that carries usage may be that large. Limits: {Limits.Header}.");
            return true;
        }

        return false;
    }

    private async Task AnswerAsync(HttpContext context, KnownCluster cluster, CheckInRequest request, CheckInResponse response)
    {
        response.IgnoredFields.AddRange(Wire.Ignored(context));
        if (request.AnchorsVersion > 0 && request.AnchorsVersion < anchors.Version)
        {
            response.Anchors = Google.Protobuf.ByteString.CopyFrom(anchors.After(request.AnchorsVersion).Span);
        }

        var etag = ETag(cluster, request.Sections);
        if (request.DesiredEtag != etag)
        {
            response.Desired = await DesiredAsync(cluster, etag, request.Sections, context.RequestAborted);
        }

        await Wire.WriteAsync(context, response);
    }

    // What the agent understands is part of it: after an upgrade the same state is another answer.
    private static string ETag(KnownCluster cluster, IReadOnlyCollection<string> understood)
    {
        var state = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"d{cluster.DesiredRevision}-{cluster.DesiredChangedAt:x}");
        return understood.Count == 0 ? state : $"{state}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', understood.Order(StringComparer.Ordinal).Distinct()))).AsSpan(0, 4))}";
    }

    private async Task<Protocol.CallHome.DesiredState> DesiredAsync(KnownCluster cluster, string etag, IReadOnlyCollection<string> understood, CancellationToken cancellationToken)
    {
        var desired = new Protocol.CallHome.DesiredState { Etag = etag };
        if (cluster.DesiredRevision == 0)
        {
            return desired;
        }

        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var now = time.GetUtcNow();
        var sections = await db.Set<DesiredSection>().AsNoTracking().Where(row => row.ClusterId == cluster.Id && (row.NotAfter == null || row.NotAfter > now)).ToListAsync(cancellationToken);
        desired.Sections.AddRange(sections.Where(row => understood.Count == 0 || understood.Contains(row.Section)).OrderBy(row => row.Section, StringComparer.Ordinal).Select(row => new Section
        {
            Name = row.Section,
            Version = row.Version,
            NotAfterMs = row.NotAfter?.ToUnixTimeMilliseconds() ?? 0,
            Body = Google.Protobuf.ByteString.CopyFrom(row.Body),
        }));
        return desired;
    }
}
