using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Notifications.Channels;
using MissionControl.Notifications.Endpoints;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;

namespace MissionControl.Notifications.Deliveries;

/// <summary>
/// Sends what is due: to each receiver one thing after the other, to several at once. An attempt is claimed before it is made, so that of
/// two replicas one makes it; whoever dies in the middle of it leaves the claim to end, and the receiver gets the same id again.
/// </summary>
internal sealed partial class SendDue(IServiceScopeFactory scopes, Ways ways, TimeProvider time, ILogger<SendDue> logger) : Sweeper("notifications.send-due", "notifications", TimeSpan.FromSeconds(1))
{
    private const int Batch = 200;
    private const int Receivers = 16;

    /// <summary>Longer than any attempt takes.</summary>
    private static readonly TimeSpan Claim = TimeSpan.FromMinutes(2);

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        var now = time.GetUtcNow();
        var due = await db.Set<Delivery>().AsNoTracking().Where(row => row.State == DeliveryState.Waiting && row.NextAt <= now).OrderBy(row => row.NextAt).ThenBy(row => row.Id).Take(Batch).ToListAsync(cancellationToken);
        if (due.Count == 0)
        {
            return;
        }

        var ids = due.Where(row => row.Channel != "mail").Select(row => Guid.Parse(row.Recipient)).Distinct().ToList();
        var endpoints = await db.Set<OutboundEndpoint>().AsNoTracking().Where(row => ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id.ToString(), cancellationToken);

        // All mails have one receiver: the mail server.
        var groups = due.GroupBy(row => row.Channel == "mail" ? row.Channel : row.Recipient);
        await Parallel.ForEachAsync(groups, new ParallelOptions { MaxDegreeOfParallelism = Receivers, CancellationToken = cancellationToken },
            async (group, token) => await SendAsync([.. group], endpoints.GetValueOrDefault(group.Key), token));
    }

    private async Task SendAsync(List<Delivery> due, OutboundEndpoint? endpoint, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("notifications");
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var way = ways.To(due[0].Channel, endpoint);
        foreach (var (index, delivery) in due.Index())
        {
            if (!await ClaimAsync(db, delivery, cancellationToken))
            {
                continue;
            }

            var attempt = await way.SendAsync(delivery, cancellationToken);
            await EndAsync(db, delivery, attempt, cancellationToken);
            if (attempt.End is AttemptEnd.Away or AttemptEnd.Gone)
            {
                await AfterAsync(db, due.Skip(index + 1), endpoint, attempt, cancellationToken);
                return;
            }
        }
    }

    private async Task<bool> ClaimAsync(ControlPlaneDbContext db, Delivery delivery, CancellationToken cancellationToken)
    {
        var until = time.GetUtcNow() + Claim;
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var claimed = await db.Set<Delivery>().Where(row => row.Id == delivery.Id && row.State == DeliveryState.Waiting && row.Attempts == delivery.Attempts && row.NextAt == delivery.NextAt)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.Attempts, delivery.Attempts + 1).SetProperty(row => row.NextAt, until), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return claimed == 1;
    }

    private async Task EndAsync(ControlPlaneDbContext db, Delivery delivery, Attempt attempt, CancellationToken cancellationToken)
    {
        var (now, attempts) = (time.GetUtcNow(), delivery.Attempts + 1);
        var pause = attempt.End is AttemptEnd.Later or AttemptEnd.Away ? delivery.PauseAfter(attempts, attempt.Pause, now) : null;
        var state = attempt.End == AttemptEnd.Sent ? DeliveryState.Sent : pause is null ? DeliveryState.Failed : DeliveryState.Waiting;
        var (next, ended, error) = (now + pause, state == DeliveryState.Waiting ? (DateTimeOffset?)null : now, Cut(attempt.Error));
        var body = state == DeliveryState.Sent ? [] : delivery.Body;

        // What a receiver has is told even if this process is about to end.
        await using var transaction = await db.BeginWriteAsync(cancellationToken: CancellationToken.None);
        await db.Set<Delivery>().Where(row => row.Id == delivery.Id && row.Attempts == attempts).ExecuteUpdateAsync(set => set
            .SetProperty(row => row.State, state).SetProperty(row => row.NextAt, next).SetProperty(row => row.EndedAt, ended).SetProperty(row => row.Error, error).SetProperty(row => row.Body, body), CancellationToken.None);
        await transaction.CommitAsync(CancellationToken.None);
        if (state == DeliveryState.Failed)
        {
            LogFailed(logger, delivery.Channel, delivery.Id, attempts, error);
        }
    }

    /// <summary>The receiver answers nobody: what else is for it is not tried against the same wall; one that wants nothing more is disabled.</summary>
    private async Task AfterAsync(ControlPlaneDbContext db, IEnumerable<Delivery> rest, OutboundEndpoint? endpoint, Attempt attempt, CancellationToken cancellationToken)
    {
        var ids = rest.Select(row => row.Id).ToList();
        var (now, next) = (time.GetUtcNow(), time.GetUtcNow() + TimeSpan.FromSeconds(10));
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        await db.Set<Delivery>().Where(row => ids.Contains(row.Id) && row.State == DeliveryState.Waiting && row.NextAt <= now).ExecuteUpdateAsync(set => set.SetProperty(row => row.NextAt, next), cancellationToken);
        if (attempt.End == AttemptEnd.Gone && endpoint is not null)
        {
            await db.Set<OutboundEndpoint>().Where(row => row.Id == endpoint.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.IsDisabled, true).SetProperty(row => row.Why, attempt.Error), cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    private static string? Cut(string? error) => error is { Length: > 300 } ? error[..300] : error;

    [LoggerMessage(5001, LogLevel.Warning, "The {Channel} delivery {Id} failed after {Attempts} attempts: {Error}")]
    private static partial void LogFailed(ILogger logger, string channel, Guid id, int attempts, string? error);
}
