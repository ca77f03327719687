using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MissionControl.Contracts;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;

namespace MissionControl.Platform.Messaging;

/// <summary>
/// Distributed delivery over RabbitMQ; a message is safe once the broker confirmed that it lies in every quorum queue bound to it.
/// </summary>
/// <remarks>
/// A publish is never given a cancellation token: after a broker crash the library waits for lost confirms for ever, and a fired token
/// blocks its channel for good. So the wait is given up, not the publish; the row stays and is sent again, and the inbox absorbs the
/// second copy. When nothing succeeds for long although the broker takes messages, the process stops and is started anew by whoever runs it.
/// </remarks>
internal sealed partial class RabbitMqTransport(RabbitMqSettings settings, IBusControl bus, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<RabbitMqTransport> logger)
    : BackgroundService, ITransport
{
    private const int MaxAbandoned = 256;
    private static readonly TimeSpan PublishDeadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(20);

    // To declare every queue of its roles takes a busy machine a while, at the start and again once a broker that died is back.
    private static readonly TimeSpan SlowestStart = TimeSpan.FromMinutes(2);
    private int abandoned;
    private volatile bool isStarted;

    // Of the failures since the last success, while the broker answered: monotonic time stamps, zero when there are none. Those of a bus that
    // says it is well are counted by themselves: one that took long to connect again has only then its time to publish.
    private long firstFailure;
    private long firstConnectedFailure;
    private long lastFailure;

    public int Parallelism => 32;

    public async Task SendAsync(OutboxMessage row, IMessage message, CancellationToken cancellationToken)
    {
        var isConnected = bus.CheckHealth().Status == BusHealthStatus.Healthy;
        if (!isConnected || Volatile.Read(ref abandoned) >= MaxAbandoned)
        {
            Failed(isConnected);
            throw new TransportUnavailableException("The broker is away.");
        }

#pragma warning disable RS0030 // The transport is the one place that publishes.
        var publish = bus.Publish(message, message.GetType(), Pipe.Execute<PublishContext>(context =>
        {
            context.MessageId = row.Id;
            context.Headers.Set(MessageHeaders.SentAt, row.CreatedAt.ToUnixTimeMilliseconds());
            // A message that reaches no queue at all comes back as an error instead of vanishing.
            context.GetPayload<RabbitMqSendContext>().Mandatory = true;
        }), CancellationToken.None);
#pragma warning restore RS0030
        try
        {
            await publish.WaitAsync(PublishDeadline, time, cancellationToken);
            Forget();
        }
        catch (Exception exception) when (!publish.IsCompleted)
        {
            Interlocked.Increment(ref abandoned);
            _ = publish.ContinueWith(static (task, state) =>
            {
                _ = task.Exception;
                Interlocked.Decrement(ref ((RabbitMqTransport)state!).abandoned);
            }, this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            Failed(isConnected);
            throw exception is TimeoutException ? new TransportUnavailableException($"The broker did not confirm within {PublishDeadline.TotalSeconds} s.") : exception;
        }
        catch (Exception exception) when (exception is RabbitMqConnectionException or global::RabbitMQ.Client.Exceptions.AlreadyClosedException or OperationCanceledException)
        {
            Failed(isConnected);
            throw new TransportUnavailableException(exception.Message);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await bus.StopAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // A bus that hangs does not keep the process from saying how it ended.
        }
    }

    /// <summary>Connects, however long the broker is away, and watches that publishing works; also while it connects, which can hang as well.</summary>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(ConnectAsync(stoppingToken), WatchAsync(stoppingToken));

    private async Task ConnectAsync(CancellationToken stoppingToken)
    {
        while (!isStarted)
        {
            try
            {
                await bus.StartAsync(stoppingToken);
                Forget();
                isStarted = true;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogUnreachable(logger, exception, settings.Address);
                await Task.Delay(TimeSpan.FromSeconds(1), time, stoppingToken);
            }
        }
    }

    private async Task WatchAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(5), time);
        while (await timer.NextAsync(stoppingToken))
        {
            if (!isStarted)
            {
                Failed(isConnected: false);
            }

            if (Volatile.Read(ref firstFailure) is not 0)
            {
                if (!await BrokerProbe.TakesMessagesAsync(settings, stoppingToken))
                {
                    // It is the broker; only what fails once it is well counts against this process.
                    Forget();
                }
                else if (Stuck() is { } stuck)
                {
                    LogStuck(logger, settings.Address, (int)stuck.TotalSeconds);
                    Environment.ExitCode = 70;
                    lifetime.StopApplication();
                    return;
                }
            }
        }
    }

    private void Failed(bool isConnected)
    {
        var now = time.GetTimestamp();
        Volatile.Write(ref lastFailure, now);
        Interlocked.CompareExchange(ref firstFailure, now, 0);
        if (isConnected)
        {
            Interlocked.CompareExchange(ref firstConnectedFailure, now, 0);
        }
        else
        {
            Volatile.Write(ref firstConnectedFailure, 0);
        }
    }

    private void Forget()
    {
        Volatile.Write(ref firstFailure, 0);
        Volatile.Write(ref firstConnectedFailure, 0);
    }

    // For how long nothing got through, when that is longer than it may take.
    private TimeSpan? Stuck()
    {
        var last = Volatile.Read(ref lastFailure);
        return Since(Volatile.Read(ref firstConnectedFailure)) is var connected && connected > StuckAfter ? connected
            : Since(Volatile.Read(ref firstFailure)) is var all && all > SlowestStart ? all
            : null;

        TimeSpan Since(long first) => first == 0 ? TimeSpan.Zero : time.GetElapsedTime(first, last);
    }

    [LoggerMessage(114, LogLevel.Warning, "RabbitMQ at {Address} cannot be reached yet; messages wait in the outbox")]
    private static partial void LogUnreachable(ILogger logger, Exception exception, Uri address);

    [LoggerMessage(115, LogLevel.Critical, "RabbitMQ at {Address} takes messages, but nothing could be published for {Seconds} s; this process stops to be started anew")]
    private static partial void LogStuck(ILogger logger, Uri address, int seconds);
}
