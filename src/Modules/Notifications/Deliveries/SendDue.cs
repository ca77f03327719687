using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Notifications.Channels;
using MissionControl.Notifications.Endpoints;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;

namespace MissionControl.Notifications.Deliveries;

/// <summary>
/// Sends what is due: to each receiver one thing after the other, to many at once, to none for longer than its share of a run. An attempt
/// is claimed before it is made, so that of two replicas one makes it; whoever dies in the middle of it leaves the claim to end, and the
/// receiver gets the same id again. What goes wrong with one receiver, foreseen or not, is felt by no other.
/// </summary>
internal sealed partial class SendDue(IServiceScopeFactory scopes, Ways ways, TimeProvider time, ILogger<SendDue> logger) : Sweeper("notifications.send-due", "notifications", TimeSpan.FromSeconds(1))
{
    private const int Batch = 20;
    private const int Receivers = 32;

    /// <summary>How long one receiver is served in a run; a run lasts as long as its slowest one.</summary>
    private static readonly TimeSpan Share = TimeSpan.FromSeconds(10);

    /// <summary>What an attempt may take beyond the term of its delivery: a mail server is given twice as long.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(12);

    /// <summary>What a claim lasts beyond the longest attempt.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(18);

    /// <summary>How long the end of a way is waited for.</summary>
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(5);

    /// <summary>How long a receiver that takes bytes may take over them: 10 s, and more for what is large.</summary>
    internal static TimeSpan TermOf(Delivery delivery) => TimeSpan.FromSeconds(10 + (delivery.Body.Length / (16 * 1024)));

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        await GiveUpAsync(db, scope.GetRequiredService<IEvents>(), cancellationToken);

        // All mails have one receiver: the mail server.
        var due = await Due(db).Select(row => new { row.Channel, Recipient = row.Channel == "mail" ? "" : row.Recipient }).Distinct().ToListAsync(cancellationToken);
        await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = Receivers, CancellationToken = cancellationToken }, async (receiver, token) =>
        {
            try
            {
                await ServeAsync(receiver.Channel, receiver.Recipient, token);
            }
            catch (Exception exception) when (!token.IsCancellationRequested)
            {
                LogUnserved(logger, exception, receiver.Channel, receiver.Recipient);
            }
        });
    }

    /// <summary>Whatever nobody took within its time has failed, also what never had its turn.</summary>
    private async Task GiveUpAsync(ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var oldest = now - Delivery.Patience;
        var late = db.Set<Delivery>().Where(row => row.State == DeliveryState.Waiting && row.Since < oldest && row.NextAt <= now);
        if (!await late.AnyAsync(cancellationToken))
        {
            return;
        }

        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var given = await late.ExecuteUpdateAsync(set => set.SetProperty(row => row.State, DeliveryState.Failed).SetProperty(row => row.NextAt, (DateTimeOffset?)null).SetProperty(row => row.EndedAt, now), cancellationToken);

        // A batch of an export is made anew, and is not sent by hand.
        byte[] nothing = [];
        await db.Set<Delivery>().Where(row => row.State == DeliveryState.Failed && row.EndedAt == now && row.Report != null).ExecuteUpdateAsync(set => set.SetProperty(row => row.Body, nothing), cancellationToken);

        // Those of this very transaction; one of another that ended in the same moment is told of twice, which does no harm.
        foreach (var row in await db.Set<Delivery>().AsNoTracking().Where(row => row.State == DeliveryState.Failed && row.EndedAt == now && row.Report != null).Select(row => new { row.Report, row.DedupKey, row.Error }).ToListAsync(cancellationToken))
        {
            events.Publish(Delivery.Ended(row.Report!, row.DedupKey, DeliveryState.Failed, row.Error ?? "Nobody took it within a day.", now));
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        LogGivenUp(logger, given);
    }

    private async Task ServeAsync(string channel, string recipient, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("notifications");
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var endpoint = channel != "mail" && Guid.TryParse(recipient, out var id) ? await db.Set<OutboundEndpoint>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) : null;
        var way = ways.To(channel, endpoint);
        try
        {
            await ServeAsync(scope.ServiceProvider, db, way, endpoint, (channel, recipient), cancellationToken);
        }
        finally
        {
            try
            {
                await way.DisposeAsync().AsTask().WaitAsync(LongestEnd, CancellationToken.None);
            }
            catch (TimeoutException)
            {
                // What was sent is noted; nobody waits for a receiver that takes no leave.
            }
        }
    }

    private async Task ServeAsync(IServiceProvider scope, ControlPlaneDbContext db, IWay way, OutboundEndpoint? endpoint, (string Channel, string Recipient) to, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        while (await Of(Due(db), to.Channel, to.Recipient).OrderBy(row => row.NextAt).ThenBy(row => row.Id).Take(Batch).Select(row => row.Id).ToListAsync(cancellationToken) is { Count: > 0 } ids)
        {
            foreach (var id in ids)
            {
                if (Stopwatch.GetElapsedTime(began) > Share)
                {
                    return;
                }

                // One body at a time: each may be large.
                if (await Due(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } delivery || !await ClaimAsync(db, delivery, cancellationToken))
                {
                    continue;
                }

                var attempt = await TryAsync(way, delivery, cancellationToken);
                await EndAsync(scope, db, delivery, endpoint, attempt);
                if (attempt.End is AttemptEnd.Away or AttemptEnd.Gone)
                {
                    await PutOffAsync(db, to.Channel, to.Recipient, attempt.Pause, cancellationToken);
                    return;
                }
            }
        }
    }

    /// <summary>What nobody foresaw fails this one alone, which is tried again; after what takes too long the receiver counts as away.</summary>
    private async Task<Attempt> TryAsync(IWay way, Delivery delivery, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(TermOf(delivery) + Grace);
        try
        {
            // A lookup of a name cannot be ended; nobody waits for it any longer.
            return await way.SendAsync(delivery, deadline.Token).WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Attempt.Away("It took too long.");
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogUnforeseen(logger, exception, delivery.Channel, delivery.Id);
            return new Attempt(AttemptEnd.Later, $"{exception.GetType().Name}: see the log, event 5002.");
        }
    }

    private async Task<bool> ClaimAsync(ControlPlaneDbContext db, Delivery delivery, CancellationToken cancellationToken)
    {
        var until = time.GetUtcNow() + TermOf(delivery) + Grace + Margin;
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var claimed = await db.Set<Delivery>().Where(row => row.Id == delivery.Id && row.State == DeliveryState.Waiting && row.Attempts == delivery.Attempts && row.NextAt == delivery.NextAt)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.Attempts, delivery.Attempts + 1).SetProperty(row => row.NextAt, until), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return claimed == 1;
    }

    /// <summary>Notes how an attempt ended. What a receiver has is noted even if this process is about to end.</summary>
    private async Task EndAsync(IServiceProvider scope, ControlPlaneDbContext db, Delivery delivery, OutboundEndpoint? endpoint, Attempt attempt)
    {
        var (now, attempts) = (time.GetUtcNow(), delivery.Attempts + 1);
        var pause = attempt.End is AttemptEnd.Later or AttemptEnd.Away ? delivery.PauseAfter(attempts, attempt.Pause, now) : null;
        var state = attempt.End == AttemptEnd.Sent ? DeliveryState.Sent : pause is null ? DeliveryState.Failed : DeliveryState.Waiting;
        var (next, ended) = (now + pause, state == DeliveryState.Waiting ? (DateTimeOffset?)null : now);

        // Others have a say in it: a status line may hold what no database takes.
        var error = attempt.Error is { } words ? WellFormedText.Line(words, Delivery.ErrorLength) : null;
        var isSent = state == DeliveryState.Sent;

        // Nor is a batch of an export kept that failed: it is made anew, and whoever lets batches fail would fill the database.
        var body = isSent || (state == DeliveryState.Failed && delivery.Report is not null) ? [] : delivery.Body;
        var events = scope.GetRequiredService<IEvents>();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: CancellationToken.None);

        // What was ended while it was tried, because its contact was removed, does not begin to wait again.
        var noted = await db.Set<Delivery>().Where(row => row.Id == delivery.Id && row.Attempts == attempts && (isSent || row.State == DeliveryState.Waiting)).ExecuteUpdateAsync(set => set
            .SetProperty(row => row.State, state).SetProperty(row => row.NextAt, next).SetProperty(row => row.EndedAt, ended).SetProperty(row => row.Error, error).SetProperty(row => row.Body, body), CancellationToken.None);
        if (attempt.End == AttemptEnd.Gone && endpoint is not null && await db.Set<OutboundEndpoint>().Where(row => row.Id == endpoint.Id && !row.IsDisabled)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.IsDisabled, true).SetProperty(row => row.Why, error).SetProperty(row => row.Version, row => row.Version + 1), CancellationToken.None) == 1)
        {
            events.Audit(EndpointsApi.Fact(endpoint, "notifications.endpoint-disabled") with { Reason = error, Changes = [Change.Replace("/disabled", false, true)] });
        }

        if (noted == 1 && state != DeliveryState.Waiting && delivery.Report is { } report)
        {
            events.Publish(Delivery.Ended(report, delivery.DedupKey, state, error, now));
        }

        await db.SaveChangesAsync(CancellationToken.None);
        await transaction.CommitAsync(CancellationToken.None);
        if (state == DeliveryState.Failed)
        {
            LogFailed(logger, delivery.Channel, delivery.Id, attempts, error);
        }
    }

    /// <summary>The receiver answers nobody, or asked for time: whatever else is for it is not tried against the same wall.</summary>
    private async Task PutOffAsync(ControlPlaneDbContext db, string channel, string recipient, TimeSpan? asked, CancellationToken cancellationToken)
    {
        var next = time.GetUtcNow() + Delivery.Bounded(asked ?? TimeSpan.Zero);
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        await Of(Due(db), channel, recipient).ExecuteUpdateAsync(set => set.SetProperty(row => row.NextAt, next), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private IQueryable<Delivery> Due(ControlPlaneDbContext db)
    {
        var now = time.GetUtcNow();

        // Further ahead than any pause is an instant of a clock that was put back since.
        var beyond = now + Delivery.LongestPause;
        return db.Set<Delivery>().AsNoTracking().Where(row => row.State == DeliveryState.Waiting && (row.NextAt <= now || row.NextAt > beyond));
    }

    private static IQueryable<Delivery> Of(IQueryable<Delivery> rows, string channel, string recipient) =>
        channel == "mail" ? rows.Where(row => row.Channel == channel) : rows.Where(row => row.Recipient == recipient && row.Channel == channel);

    [LoggerMessage(5001, LogLevel.Warning, "The {Channel} delivery {Id} failed after {Attempts} attempts: {Error}")]
    private static partial void LogFailed(ILogger logger, string channel, Guid id, int attempts, string? error);

    [LoggerMessage(5002, LogLevel.Error, "The {Channel} delivery {Id} could not be tried; it is tried again")]
    private static partial void LogUnforeseen(ILogger logger, Exception exception, string channel, Guid id);

    [LoggerMessage(5003, LogLevel.Error, "The {Channel} receiver {Recipient} could not be served; it is served again")]
    private static partial void LogUnserved(ILogger logger, Exception exception, string channel, string recipient);

    [LoggerMessage(5004, LogLevel.Warning, "{Count} deliveries failed: nobody took them within a day")]
    private static partial void LogGivenUp(ILogger logger, int count);
}
