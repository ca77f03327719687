using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Contracts;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;

namespace MissionControl.Platform.Messaging;

/// <summary>
/// Applies a message to a handler exactly once: inbox row and effect in one transaction. A message that fails goes to the
/// module's parked messages, is tried again by itself with growing delay, and at last waits for a person; it never blocks others.
/// </summary>
#pragma warning disable CA1001 // A semaphore that nobody asks for its wait handle holds nothing, and a consumer may outlast the host's stop by a transaction.
public sealed partial class HandlerRunner(IServiceScopeFactory scopes, IDatabaseDialect dialect, TimeProvider time, ILogger<HandlerRunner> logger)
#pragma warning restore CA1001
{
    /// <summary>Automatic tries before a message waits for a person.</summary>
    public const int MaxAttempts = 8;

    private const int ImmediateTries = 3;

    /// <summary>Tries, a second apart, while the database cannot be used: what is over by then leaves no parked message behind.</summary>
    private const int PatientTries = 8;

    // Each holds a context and on SQLite a connection to read with, and nearly all wait for one writer: more than the connections that
    // stay open would each open one, and read the whole schema, for a single row.
    private const int AtOnce = 32;
    private readonly SemaphoreSlim seats = new(AtOnce);
    private readonly ConcurrentDictionary<string, NaturalBatch> batches = new();

    /// <summary>Applies a message, or parks it. Throws only when even parking fails, so that the sender keeps it.</summary>
    public Task ApplyAsync(HandlerBinding binding, IMessage message, MessageContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(binding);
        return binding.TakesSeveral
            ? batches.GetOrAdd(binding.Name, _ => new NaturalBatch(dialect.WritersAtOnce, (batch, token) => ApplyAllAsync(binding, batch, token))).ApplyAsync(new Delivery(message, context), cancellationToken)
            : ApplyOneAsync(binding, message, context, cancellationToken);
    }

    private async Task ApplyAllAsync(HandlerBinding binding, IReadOnlyList<Delivery> batch, CancellationToken cancellationToken)
    {
        try
        {
            if (batch.Count > 1 && await RunOnceAsync(binding, batch, parked: null, cancellationToken))
            {
                return;
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Which of them it was shows when each is applied alone.
        }

        foreach (var (message, context) in batch)
        {
            await ApplyOneAsync(binding, message, context, cancellationToken);
        }
    }

    private async Task ApplyOneAsync(HandlerBinding binding, IMessage message, MessageContext context, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await RunOnceAsync(binding, [new Delivery(message, context)], parked: null, cancellationToken);
                return;
            }
            catch (Exception exception) when (attempt < ImmediateTries && exception is DbUpdateException or DbException && !cancellationToken.IsCancellationRequested)
            {
                // Two replicas met on one row. The other has committed by now, so that the next try reads what it wrote.
            }
            catch (Exception exception) when (attempt < PatientTries && dialect.UnavailableBehind(exception) is not null)
            {
                // It is not the message: a disk that is full, a server that starts again.
                await Task.Delay(TimeSpan.FromSeconds(1), time, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                LogFailed(logger, exception, binding.Name, context.MessageId);
                await ParkAsync(binding, message, context, exception, cancellationToken);
                return;
            }
        }
    }

    /// <summary>Applies a message, or parks it; while the database is away it waits, and the broker keeps the message.</summary>
    /// <exception cref="OperationCanceledException">The process stops; the broker gives the message to another.</exception>
    internal async Task ApplyUntilKeptAsync(HandlerBinding binding, IMessage message, MessageContext context, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await ApplyAsync(binding, message, context, cancellationToken);
                return;
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogWaits(logger, exception, binding.Name, context.MessageId);
                await Task.Delay(TimeSpan.FromSeconds(1), time, cancellationToken);
            }
        }
    }

    /// <summary>Tries a parked message again; on success its row is gone.</summary>
    public async Task<bool> RetryAsync(HandlerBinding binding, ParkedMessage parked, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(binding);
        ArgumentNullException.ThrowIfNull(parked);
        try
        {
            var message = MessageJson.Read(parked.Type, parked.Payload, parked.Attachment);
            await RunOnceAsync(binding, [new Delivery(message, new MessageContext(parked.MessageId, parked.SentAt))], parked, cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogFailed(logger, exception, binding.Name, parked.MessageId);
            await CountFailureAsync(binding, parked, exception, cancellationToken);
            return false;
        }
    }

    private async Task CountFailureAsync(HandlerBinding binding, ParkedMessage parked, Exception exception, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var row = await db.ParkedMessages(binding.Module).SingleOrDefaultAsync(row => row.Id == parked.Id, cancellationToken);
        if (row is null)
        {
            return;
        }

        Failed(row, exception);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateConcurrencyException)
        {
            // Somebody gave it up, or another try applied it, between the read and the write: that holds.
        }
    }

    /// <summary>Applies the messages in one transaction; false, and nothing done, when only some of several are new.</summary>
    private async Task<bool> RunOnceAsync(HandlerBinding binding, IReadOnlyList<Delivery> deliveries, ParkedMessage? parked, CancellationToken cancellationToken)
    {
        await seats.WaitAsync(cancellationToken);
        try
        {
            return await RunInScopeAsync(binding, deliveries, parked, cancellationToken);
        }
        finally
        {
            seats.Release();
        }
    }

    private async Task<bool> RunInScopeAsync(HandlerBinding binding, IReadOnlyList<Delivery> deliveries, ParkedMessage? parked, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var services = scope.ServiceProvider;
        services.GetRequiredService<ModuleScope>().Enter(binding.Module);
        var db = services.GetRequiredService<ControlPlaneDbContext>();
        var write = await binding.PrepareAsync(services, deliveries, cancellationToken);
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (parked is not null && !await TakeAsync(db, binding, parked, cancellationToken))
        {
            return true;
        }

        if (!await ApplyWithinAsync(db, binding, deliveries, write, cancellationToken))
        {
            return false;
        }

        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>
    /// Prepares to try a parked message again; what it returns does so in the scope's open write transaction, and answers false when the
    /// message is gone or given up by then. A throw of either means that it failed again.
    /// </summary>
    internal async Task<Func<CancellationToken, Task<bool>>> PrepareRetryAsync(IServiceProvider scope, HandlerBinding binding, ParkedMessage parked, CancellationToken cancellationToken)
    {
        IReadOnlyList<Delivery> one = [new Delivery(MessageJson.Read(parked.Type, parked.Payload, parked.Attachment), new MessageContext(parked.MessageId, parked.SentAt))];
        var write = await binding.PrepareAsync(scope, one, cancellationToken);
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        return async token => await TakeAsync(db, binding, parked, token) && await ApplyWithinAsync(db, binding, one, write, token);
    }

    private async Task<bool> ApplyWithinAsync(ControlPlaneDbContext db, HandlerBinding binding, IReadOnlyList<Delivery> deliveries, Func<CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var inbox = new BulkRows(ModuleTablesModel.Inbox(binding.Module), ["consumer", "message_id", "applied_at"], ["consumer", "message_id"],
            [.. deliveries.Select(delivery => new object?[] { binding.Name, delivery.Context.MessageId, now })]);
        var fresh = await db.Dialect.InsertIfAbsentAsync(db, inbox, cancellationToken);
        if (fresh == deliveries.Count)
        {
            await write(cancellationToken);
            await db.SaveChangesAsync(cancellationToken);
        }

        return fresh == deliveries.Count || fresh == 0;
    }

    /// <summary>Takes a parked message off the list to apply it; false when it is gone, or was given up since it was read.</summary>
    private static async Task<bool> TakeAsync(ControlPlaneDbContext db, HandlerBinding binding, ParkedMessage parked, CancellationToken cancellationToken)
    {
        var row = db.ParkedMessages(binding.Module).Where(row => row.Id == parked.Id);
        var givenUp = parked.State == ParkedState.GivenUp;
        if (await (givenUp ? row.Where(row => row.State == ParkedState.GivenUp) : row.Where(row => row.State != ParkedState.GivenUp)).ExecuteDeleteAsync(cancellationToken) == 0)
        {
            return false;
        }

        if (givenUp)
        {
            // Giving up wrote it down as dealt with; whoever tries it all the same takes that back.
            await db.Inbox(binding.Module).Where(row => row.Consumer == binding.Name && row.MessageId == parked.MessageId).ExecuteDeleteAsync(cancellationToken);
        }

        return true;
    }

    private async Task ParkAsync(HandlerBinding binding, IMessage message, MessageContext context, Exception exception, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var now = time.GetUtcNow();
        var row = await db.ParkedMessages(binding.Module)
            .SingleOrDefaultAsync(row => row.Consumer == binding.Name && row.MessageId == context.MessageId, cancellationToken);
        if (row is null)
        {
            row = new ParkedMessage
            {
                Id = Guid.CreateVersion7(now),
                Consumer = binding.Name,
                MessageId = context.MessageId,
                Type = MessageJson.WireName(binding.MessageType),
                Key = message.Key,
                Payload = MessageJson.Write(message),
                Attachment = (message as IAttachment)?.Attachment,
                SentAt = context.SentAt,
                FirstFailedAt = now,
                LastFailedAt = now,
                FirstError = Describe(exception),
                LastError = "",
            };
            db.ParkedMessages(binding.Module).Add(row);
        }

        Failed(row, exception);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Counts a failure and sets the next try; what was given up stays so.</summary>
    internal void Failed(ParkedMessage row, Exception exception)
    {
        row.Attempts++;
        row.LastFailedAt = time.GetUtcNow();
        row.LastError = Describe(exception);
        if (row.State == ParkedState.GivenUp)
        {
            return;
        }

        row.State = row.Attempts < MaxAttempts ? ParkedState.Retrying : ParkedState.Parked;
        row.NextAttemptAt = row.LastFailedAt + TimeSpan.FromSeconds(Math.Min(300, 0.25 * Math.Pow(4, row.Attempts - 1)));
    }

    /// <summary>A failure in words, for people.</summary>
    internal static string Describe(Exception exception)
    {
        var inner = exception is DbUpdateException { InnerException: DbException database } ? database : exception;
        var text = $"{inner.GetType().Name}: {inner.Message}";
        return text.Length <= 1000 ? text : text[..1000];
    }

    [LoggerMessage(110, LogLevel.Warning, "{Consumer} could not apply message {MessageId}; it is parked and tried again")]
    private static partial void LogFailed(ILogger logger, Exception exception, string consumer, Guid messageId);

    [LoggerMessage(113, LogLevel.Error, "{Consumer} could neither apply nor park message {MessageId}; it waits for the database")]
    private static partial void LogWaits(ILogger logger, Exception exception, string consumer, Guid messageId);
}
