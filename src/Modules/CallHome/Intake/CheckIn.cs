using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.CallHome.Credentials;
using MissionControl.CallHome.DesiredState;
using MissionControl.Contracts;
using MissionControl.Platform.Http;
using MissionControl.Platform.Telemetry;
using MissionControl.Protocol.CallHome;

namespace MissionControl.CallHome.Intake;

/// <summary><c>POST /callhome/v1/checkin</c>: judged, stored, then acknowledged.</summary>
internal sealed class CheckIn(AccessTokens tokens, Handover handover, CheckInLimiter limiter, Wanted wanted, [FromKeyedServices("callhome")] WorkMeter work, TimeProvider time)
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
        var began = time.GetTimestamp();
        if (await handover.RefuseAllAsync(context)
            || await AdmitAsync(context) is not { } cluster
            || await limiter.RefuseAsync(context, cluster)
            || await Wire.ReadAsync(context, CheckInRequest.Parser, Limits.UsageCompressedBytes, Limits.UsageInflatedBytes) is not { } request
            || await RefuseAsync(context, cluster, request))
        {
            return;
        }

        var next = handover.NextSeconds();
        if (await handover.TakeAsync(context, cluster, request, next) is { } outcome)
        {
            // What was turned away, as under load, costs no more than having asked.
            limiter.Pay(cluster, request.Items.Count);
            await AnswerAsync(context, cluster, request, handover.Acknowledge(outcome, next));
            work.Count(time.GetElapsedTime(began));
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

        if (await handover.FindAsync(token.ClusterId, token.Generation, context.RequestAborted) is not { } cluster)
        {
            await Problems.WriteAsync(context, ProblemCodes.AccessTokenInvalid, "The cluster is not known here. Get a new access token.");
            return null;
        }

        if (token.Generation < cluster.AccessGeneration)
        {
            await Problems.WriteAsync(context, ProblemCodes.AccessTokenInvalid, "The cluster was enrolled anew since, or this token leaked. Get a new access token.");
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
        await wanted.AddAsync(response, cluster, request, context.RequestAborted);
        await Wire.WriteAsync(context, response);
    }
}
