using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MissionControl.Contracts;
using MissionControl.Platform.Data;

namespace MissionControl.Platform.Messaging;

/// <summary>Wakes a module's dispatcher after a commit, so that nobody waits for a poll.</summary>
public sealed class OutboxSignal
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> signals = new();

    /// <summary>Says that a module's outbox has new rows.</summary>
    public void Set(string module)
    {
        var signal = Of(module);
        if (signal.CurrentCount == 0)
        {
            signal.Release();
        }
    }

    /// <summary>Waits for new rows, at most <paramref name="atMost"/>: another process may have written them.</summary>
    internal Task WaitAsync(string module, TimeSpan atMost, CancellationToken cancellationToken) => Of(module).WaitAsync(atMost, cancellationToken);

    private SemaphoreSlim Of(string module) => signals.GetOrAdd(module, _ => new SemaphoreSlim(0));
}

/// <summary>Carries a message from the outbox to its consumers. Returns only when the message is safe on the other side.</summary>
internal interface ITransport
{
    /// <summary>Messages of one outbox under way at once.</summary>
    int Parallelism { get; }

    /// <exception cref="TransportUnavailableException">Nothing can be sent at the moment; the message is not to blame.</exception>
    Task SendAsync(OutboxMessage row, IMessage message, CancellationToken cancellationToken);
}

/// <summary>Nothing can be sent at the moment, whatever the message.</summary>
internal sealed class TransportUnavailableException(string message) : Exception(message);

/// <summary>
/// Delivers one module's outbox, at least once: a row is deleted only after its message is safe. A row that fails waits with
/// growing delay and does not hold up the others.
/// </summary>
internal sealed partial class OutboxDispatcher(
    string module, IServiceScopeFactory scopes, ITransport transport, OutboxSignal signal, TimeProvider time, ILogger<OutboxDispatcher> logger) : BackgroundService
{
    private const int LeastBatch = 64;

    // Longer than a batch can take; a killed replica's rows are another's after that.
    private static readonly TimeSpan Claim = TimeSpan.FromSeconds(15);
    private static readonly Meter Meter = new("MissionControl.Platform");
    private static readonly Counter<long> Delivered = Meter.CreateCounter<long>("missioncontrol.outbox.delivered", "{message}");
    private static readonly Counter<long> Failures = Meter.CreateCounter<long>("missioncontrol.outbox.failures", "{delivery}");

    // Under load rows come by the hundred a second. Those of one breath go out together: one claim, one transaction of each consumer
    // and one delete for all of them. Whoever comes after a rest does not wait.
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(50);
    private volatile bool away;

    // Each batch costs a claim, a transaction of every consumer and a delete. Where these wait at one writer gate behind intake, the more
    // go in one the less do messages pile up; a broker is given no more than it confirms within a claim.
    private int BatchSize => Math.Max(LeastBatch, transport.Parallelism);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                while (await DispatchBatchAsync(stoppingToken) == BatchSize)
                {
                }

                if (away)
                {
                    away = false;
                    await Task.Delay(TimeSpan.FromSeconds(1), time, stoppingToken);
                    continue;
                }

                var began = Stopwatch.GetTimestamp();
                await signal.WaitAsync(module, TimeSpan.FromSeconds(1), stoppingToken);
                if (Breath - Stopwatch.GetElapsedTime(began) is { Ticks: > 0 } rest)
                {
                    await Task.Delay(rest, stoppingToken);
                }
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                // Rows in flight stay and are delivered again.
                return;
            }
            catch (Exception exception)
            {
                // The database is away; rows wait there and nothing is lost.
                LogUnavailable(logger, exception, module);
                // A process that is told to stop meanwhile has not failed.
                await Task.Delay(TimeSpan.FromSeconds(1), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<int> DispatchBatchAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<OutboxMessage> rows;
        await using (var scope = scopes.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            var now = time.GetUtcNow();
            rows = await db.Dialect.ClaimOutboxAsync(db, module, BatchSize, now, now + Claim, cancellationToken);
        }

        if (rows.Count == 0)
        {
            return 0;
        }

        var failed = new ConcurrentDictionary<Guid, string?>();
        await Parallel.ForEachAsync(rows, new ParallelOptions { MaxDegreeOfParallelism = transport.Parallelism, CancellationToken = cancellationToken },
            async (row, token) =>
            {
                try
                {
                    await transport.SendAsync(row, MessageJson.Read(row.Type, row.Payload, row.Attachment), token);
                }
                catch (TransportUnavailableException)
                {
                    failed[row.Id] = null;
                    away = true;
                }
                catch (Exception exception) when (!token.IsCancellationRequested)
                {
                    failed[row.Id] = exception.Message;
                    LogFailed(logger, exception, row.Type, row.Id);
                }
            });
        await SettleAsync(rows, failed, cancellationToken);
        Delivered.Add(rows.Count - failed.Count, new KeyValuePair<string, object?>("role", module));
        Failures.Add(failed.Count, new KeyValuePair<string, object?>("role", module));
        return away ? 0 : rows.Count;
    }

    /// <summary>Deletes what was delivered; what failed waits, and what only met an absent broker is due at once, its claim given back.</summary>
    private async Task SettleAsync(IReadOnlyList<OutboxMessage> rows, ConcurrentDictionary<Guid, string?> failed, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var delivered = rows.Where(row => !failed.ContainsKey(row.Id)).Select(row => row.Id).ToList();
        await db.Outbox(module).Where(row => delivered.Contains(row.Id)).ExecuteDeleteAsync(cancellationToken);
        var unsent = failed.Where(entry => entry.Value is null).Select(entry => entry.Key).ToList();
        if (unsent.Count > 0)
        {
            var now = time.GetUtcNow();
            await db.Outbox(module).Where(row => unsent.Contains(row.Id)).ExecuteUpdateAsync(set => set.SetProperty(row => row.NextAttemptAt, now), cancellationToken);
        }

        foreach (var row in rows)
        {
            if (failed.GetValueOrDefault(row.Id) is not { } error)
            {
                continue;
            }

            error = error.Length <= 1000 ? error : error[..1000];
            var next = time.GetUtcNow() + TimeSpan.FromSeconds(Math.Min(60, Math.Pow(2, Math.Min(row.Attempts, 6))));
            await db.Outbox(module).Where(stored => stored.Id == row.Id).ExecuteUpdateAsync(
                set => set.SetProperty(stored => stored.Attempts, stored => stored.Attempts + 1)
                    .SetProperty(stored => stored.NextAttemptAt, next)
                    .SetProperty(stored => stored.LastError, error), cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    [LoggerMessage(111, LogLevel.Warning, "Message {Type} {MessageId} could not be delivered; it stays in the outbox and is tried again")]
    private static partial void LogFailed(ILogger logger, Exception exception, string type, Guid messageId);

    [LoggerMessage(112, LogLevel.Error, "The outbox of {Role} cannot be read; deliveries wait")]
    private static partial void LogUnavailable(ILogger logger, Exception exception, string role);
}
