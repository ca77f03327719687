using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using MissionControl.CallHome.Clusters;
using MissionControl.Contracts;
using MissionControl.Platform.Http;
using MissionControl.Protocol.CallHome;

namespace MissionControl.CallHome.Intake;

/// <summary>What a check-in and a part of a bundle have in common once their sender is known: judged at the door, committed with others, then answered.</summary>
internal sealed class Handover(ClusterDirectory directory, GroupCommit intake, CloneAlarm clones, IOptions<CallHomeOptions> options, TimeProvider time)
{
    private readonly CallHomeOptions settings = options.Value;

    /// <summary>Answers when nothing can be taken now; false when it can.</summary>
    public async ValueTask<bool> RefuseAllAsync(HttpContext context)
    {
        if (directory.IsStale)
        {
            await Problems.WriteAsync(context, ProblemCodes.StorageUnavailable, "This replica cannot tell which clusters are suspended. Keep the items and try again.");
            return true;
        }

        if (intake.Depth >= GroupCommit.QueueCapacity)
        {
            await ShedAsync(context);
            return true;
        }

        return false;
    }

    /// <summary>The cluster, also one that enrolled, or enrolled anew, a moment ago through another replica; null when there is none.</summary>
    /// <param name="id">Which.</param>
    /// <param name="generation">The generation of its access token.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<KnownCluster?> FindAsync(Guid id, long generation, CancellationToken cancellationToken)
    {
        if (directory.TryGet(id, out var cluster) && generation <= cluster.AccessGeneration)
        {
            return cluster;
        }

        await CatchUpAsync(cancellationToken);
        return directory.TryGet(id, out cluster) ? cluster : null;
    }

    // What another replica wrote within the time that any poll may be late.
    private Task CatchUpAsync(CancellationToken cancellationToken) => directory.RefreshAsync(time.GetUtcNow().AddMinutes(-15), cancellationToken);

    /// <summary>Answers a cluster that may not speak; false when it may.</summary>
    public static async ValueTask<bool> RefuseStateAsync(HttpContext context, KnownCluster cluster)
    {
        switch (cluster.State)
        {
            case ClusterState.Suspended:
                await Problems.WriteAsync(context, ProblemCodes.ClusterSuspended, "Keep the items; ask for the state once an hour.");
                return true;
            case ClusterState.Decommissioned:
                await Problems.WriteAsync(context, ProblemCodes.ClusterDecommissioned, "This cluster was decommissioned. Stop calling home; to come back, enrol anew.");
                return true;
            default:
                return false;
        }
    }

    /// <summary>Takes what passes the door. Null when the whole was refused, and the answer is written.</summary>
    /// <param name="context">Whom to answer.</param>
    /// <param name="cluster">The sender.</param>
    /// <param name="request">What it said.</param>
    /// <param name="next">The interval that the answer hands out.</param>
    /// <param name="isCarried">Somebody carried it here, it may be old: that it speaks in an old epoch is then no sign of a copy.</param>
    public async Task<IntakeOutcome?> TakeAsync(HttpContext context, KnownCluster cluster, CheckInRequest request, int next, bool isCarried = false)
    {
        if (Door.Check(request) is { Count: > 0 } errors)
        {
            await Problems.WriteAsync(context, ProblemCodes.Invalid, "Correct the fields named in errors.", errors);
            return null;
        }

        if (request.Epoch > cluster.Epoch)
        {
            // Another replica may have granted it a moment ago; to call it unknown would make the agent ask for one more.
            await CatchUpAsync(context.RequestAborted);
        }

        var submission = Submit(cluster, request, next, isCarried, time.GetUtcNow());
        if (!intake.TrySubmit(submission))
        {
            await ShedAsync(context);
            return null;
        }

        var outcome = await submission.Done;
        switch (outcome.Kind)
        {
            case IntakeVerdict.Unavailable:
                await Problems.WriteAsync(context, ProblemCodes.StorageUnavailable, "Nothing of this was stored. Keep the items and send them again.");
                return null;
            case IntakeVerdict.UnknownEpoch:
                await Problems.WriteAsync(context, ProblemCodes.UnknownEpoch, $"Epoch {request.Epoch} was never issued; {cluster.Epoch} is in force.");
                return null;
            case IntakeVerdict.StaleEpoch:
                // While nobody has spoken in the epoch in force, its answer may have been lost on the way to this very sender.
                if (!isCarried && outcome.State!.Epoch == cluster.Epoch)
                {
                    await clones.RaiseAsync(cluster, $"epoch {request.Epoch} spoke while {cluster.Epoch} is in force", context.RequestAborted);
                }

                await Problems.WriteAsync(context, ProblemCodes.StaleEpoch, $"Epoch {cluster.Epoch} is in force. Ask /callhome/v1/epoch for a new one; if this machine is a copy, stop it.");
                return null;
            case IntakeVerdict.CloneSuspected:
                await clones.RaiseAsync(cluster, "a number came again with other bytes", context.RequestAborted);
                await Problems.WriteAsync(context, ProblemCodes.CloneSuspected, "A number was used before with other bytes. Ask /callhome/v1/epoch for a new epoch; if this machine is a copy, stop it.");
                return null;
            default:
                return outcome;
        }
    }

    /// <summary>The acknowledgement, after the commit.</summary>
    public CheckInResponse Acknowledge(IntakeOutcome outcome, int next)
    {
        var isBusy = intake.Depth > GroupCommit.QueueCapacity / 4;
        var response = new CheckInResponse
        {
            Ack = outcome.State!.Ack,
            ServerTimeMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            NextS = next,
            JitterPercent = settings.JitterPercent,
            Drain = new Drain { MaxItems = isBusy ? 20 : Limits.Items, MinGapS = isBusy ? 10 : 1 },
        };
        response.Refusals.AddRange(outcome.Refusals);
        if (outcome.Skipped)
        {
            // Numbers that the cluster holds to be settled and this server never saw: it was restored from a backup, or the agent's
            // reserve was cut off by a crash. What is told only once is asked for again.
            response.Want.Add("resync");
        }

        response.AcceptedAboveAck.AddRange(outcome.State.Above);
        return response;
    }

    /// <summary>Under load the server stretches the interval instead of letting clusters find out by time-outs.</summary>
    public int NextSeconds()
    {
        var load = (double)intake.Depth / GroupCommit.QueueCapacity;
        var factor = load switch { < 0.25 => 1, < 0.5 => 2, _ => 5 };
        return Math.Min(3600, settings.IntervalSeconds * factor);
    }

    /// <summary>Answers that there is too much to do.</summary>
    public static Task ShedAsync(HttpContext context)
    {
        // Spread by the server, so that those refused together do not come back together.
        context.Response.Headers.RetryAfter = System.Security.Cryptography.RandomNumberGenerator.GetInt32(5, 31).ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Problems.WriteAsync(context, ProblemCodes.Overloaded, "Keep the items and come back after Retry-After.");
    }

    private static Submission Submit(KnownCluster cluster, CheckInRequest request, int next, bool isCarried, DateTimeOffset now)
    {
        var items = new SubmittedItem[request.Items.Count];
        var bytes = 0;
        for (var i = 0; i < items.Length; i++)
        {
            var item = request.Items[i];
            items[i] = new SubmittedItem { Item = item, Digest = Door.Digest(item), Refusal = Door.Judge(item, cluster, now) };
            bytes += item.Body.Length;
        }

        return new Submission(cluster, request.Epoch, request.LowestKept, request.Spool?.Dropped ?? [], items, bytes, next, isCarried ? request.SentAtMs : 0);
    }
}
