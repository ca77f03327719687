using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MissionControl.CallHome.Clusters;
using MissionControl.CallHome.Credentials;
using MissionControl.CallHome.DesiredState;
using MissionControl.CallHome.Enrollment;
using MissionControl.Contracts;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Protocol.CallHome;

namespace MissionControl.CallHome.Intake;

/// <summary><c>POST /callhome/v1/checkin</c>: judged, stored, then acknowledged.</summary>
internal sealed class CheckIn(
    AccessTokens tokens, ClusterDirectory directory, GroupCommit intake, CloneAlarm clones, Anchors anchors, IServiceScopeFactory scopes, IOptions<CallHomeOptions> options, TimeProvider time)
{
    private readonly CallHomeOptions settings = options.Value;

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
        if (directory.IsStale)
        {
            await Problems.WriteAsync(context, ProblemCodes.StorageUnavailable, "This replica cannot tell which clusters are suspended. Keep the items and try again.");
            return;
        }

        if (intake.Depth >= GroupCommit.QueueCapacity)
        {
            await ShedAsync(context);
            return;
        }

        if (await AdmitAsync(context) is not { } cluster
            || await Wire.ReadAsync(context, CheckInRequest.Parser, Limits.UsageCompressedBytes, Limits.UsageInflatedBytes) is not { } request
            || await RefuseAsync(context, cluster, request))
        {
            return;
        }

        var next = NextSeconds();
        var submission = Submit(cluster, request, next, time.GetUtcNow());
        if (!intake.TrySubmit(submission))
        {
            await ShedAsync(context);
            return;
        }

        var outcome = await submission.Done.Task;
        await AnswerAsync(context, cluster, request, outcome, next);
    }

    private static Submission Submit(KnownCluster cluster, CheckInRequest request, int next, DateTimeOffset now)
    {
        var items = new SubmittedItem[request.Items.Count];
        var bytes = 0;
        for (var i = 0; i < items.Length; i++)
        {
            var item = request.Items[i];
            items[i] = new SubmittedItem { Item = item, Digest = Door.Digest(item), Refusal = Door.Judge(item, cluster, now) };
            bytes += item.Body.Length;
        }

        return new Submission(cluster, request.Epoch, request.LowestKept, request.Spool?.Dropped ?? [], items, bytes, next);
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

        if (!directory.TryGet(token.ClusterId, out var cluster))
        {
            // Enrolled a moment ago through another replica.
            await directory.RefreshAsync(time.GetUtcNow().AddMinutes(-15), context.RequestAborted);
            if (!directory.TryGet(token.ClusterId, out cluster))
            {
                await Problems.WriteAsync(context, ProblemCodes.AccessTokenInvalid, "The cluster is not known here. Get a new access token.");
                return null;
            }
        }

        switch (cluster.State)
        {
            case ClusterState.Suspended:
                await Problems.WriteAsync(context, ProblemCodes.ClusterSuspended, "Keep the items; ask for the state once an hour.");
                return null;
            case ClusterState.Decommissioned:
                await Problems.WriteAsync(context, ProblemCodes.ClusterDecommissioned, "This cluster was decommissioned. Stop calling home; to come back, enrol anew.");
                return null;
            default:
                return cluster;
        }
    }

    private static async ValueTask<bool> RefuseAsync(HttpContext context, KnownCluster cluster, CheckInRequest request)
    {
        if (!Guid.TryParse(request.ClusterId, out var claimed) || claimed != cluster.Id)
        {
            await Problems.WriteAsync(context, ProblemCodes.ClusterMismatch, "The body's cluster_id is not the token's.");
            return true;
        }

        if (Door.Check(request) is { Count: > 0 } errors)
        {
            await Problems.WriteAsync(context, ProblemCodes.Invalid, "Correct the fields named in errors.", errors);
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

    private async Task AnswerAsync(HttpContext context, KnownCluster cluster, CheckInRequest request, IntakeOutcome outcome, int next)
    {
        switch (outcome.Kind)
        {
            case IntakeVerdict.Unavailable:
                await Problems.WriteAsync(context, ProblemCodes.StorageUnavailable, "Nothing of this check-in was stored. Keep the items and send them again.");
                return;
            case IntakeVerdict.UnknownEpoch:
                await Problems.WriteAsync(context, ProblemCodes.UnknownEpoch, $"Epoch {request.Epoch} was never issued; {cluster.Epoch} is in force.");
                return;
            case IntakeVerdict.StaleEpoch:
                await clones.RaiseAsync(cluster, $"epoch {request.Epoch} spoke while {cluster.Epoch} is in force", context.RequestAborted);
                await Problems.WriteAsync(context, ProblemCodes.StaleEpoch, $"Epoch {cluster.Epoch} is in force. Ask /callhome/v1/epoch for a new one; if this machine is a copy, stop it.");
                return;
            case IntakeVerdict.CloneSuspected:
                await clones.RaiseAsync(cluster, "a number came again with other bytes", context.RequestAborted);
                await Problems.WriteAsync(context, ProblemCodes.CloneSuspected, "A number of this check-in was used before with other bytes. Ask /callhome/v1/epoch for a new epoch; if this machine is a copy, stop it.");
                return;
        }

        var response = new CheckInResponse
        {
            Ack = outcome.State!.Ack,
            ServerTimeMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            NextS = next,
            JitterPercent = settings.JitterPercent,
            Drain = new Drain { MaxItems = intake.Depth > GroupCommit.QueueCapacity / 4 ? 20 : Limits.Items, MinGapS = intake.Depth > GroupCommit.QueueCapacity / 4 ? 10 : 1 },
        };
        response.Refusals.AddRange(outcome.Refusals);
        response.IgnoredFields.AddRange(Wire.Ignored(context));
        if (outcome.Skipped)
        {
            // Numbers that the cluster holds to be settled and this server never saw: it was restored from a backup, or the agent's
            // reserve was cut off by a crash. What is told only once is asked for again.
            response.Want.Add("resync");
        }

        response.AcceptedAboveAck.AddRange(outcome.State.Above);
        if (request.AnchorsVersion > 0 && request.AnchorsVersion < anchors.Version)
        {
            response.Anchors = Google.Protobuf.ByteString.CopyFrom(anchors.After(request.AnchorsVersion).Span);
        }

        var etag = ETag(cluster);
        if (request.DesiredEtag != etag)
        {
            response.Desired = await DesiredAsync(cluster, etag, context.RequestAborted);
        }

        await Wire.WriteAsync(context, response);
    }

    private static string ETag(KnownCluster cluster) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"d{cluster.DesiredRevision}-{cluster.DesiredChangedAt:x}");

    private async Task<Protocol.CallHome.DesiredState> DesiredAsync(KnownCluster cluster, string etag, CancellationToken cancellationToken)
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
        desired.Sections.AddRange(sections.OrderBy(row => row.Section, StringComparer.Ordinal).Select(row => new Section
        {
            Name = row.Section,
            Version = row.Version,
            NotAfterMs = row.NotAfter?.ToUnixTimeMilliseconds() ?? 0,
            Body = Google.Protobuf.ByteString.CopyFrom(row.Body),
        }));
        return desired;
    }

    /// <summary>Under load the server stretches the interval instead of letting clusters find out by time-outs.</summary>
    private int NextSeconds()
    {
        var load = (double)intake.Depth / GroupCommit.QueueCapacity;
        var factor = load switch { < 0.25 => 1, < 0.5 => 2, _ => 5 };
        return Math.Min(3600, settings.IntervalSeconds * factor);
    }

    private static Task ShedAsync(HttpContext context)
    {
        // Spread by the server, so that those refused together do not come back together.
        context.Response.Headers.RetryAfter = System.Security.Cryptography.RandomNumberGenerator.GetInt32(5, 31).ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Problems.WriteAsync(context, ProblemCodes.Overloaded, "Keep the items and come back after Retry-After.");
    }
}
