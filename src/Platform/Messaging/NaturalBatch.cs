using MissionControl.Contracts;

namespace MissionControl.Platform.Messaging;

/// <summary>
/// Gathers one consumer's messages without waiting: the next batch is what arrived while the last one was written. A consumer that
/// falls behind gets larger batches, and so catches up.
/// </summary>
/// <param name="atOnce">Batches under way at once: while one is being written, the next is read and judged.</param>
/// <param name="apply">Applies a batch.</param>
internal sealed class NaturalBatch(int atOnce, Func<IReadOnlyList<Delivery>, CancellationToken, Task> apply)
{
    // As much as a transaction takes without keeping intake waiting for long at the writer gate.
    private const int MaxMessages = 256;
    private const int MaxBytes = 256 * 1024;
    private readonly Lock sync = new();
    private readonly Queue<(Delivery Delivery, TaskCompletionSource Done, CancellationToken Cancelled)> waiting = new();
    private int running;

    /// <summary>Ends when the message was applied with its batch, or failed.</summary>
    public Task ApplyAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (sync)
        {
            waiting.Enqueue((delivery, done, cancellationToken));
            if (running == atOnce)
            {
                return done.Task;
            }

            running++;
        }

        _ = Task.Run(RunAsync, CancellationToken.None);
        return done.Task;
    }

    private async Task RunAsync()
    {
        while (true)
        {
            var batch = new List<(Delivery Delivery, TaskCompletionSource Done, CancellationToken Cancelled)>();
            lock (sync)
            {
                for (var bytes = 0; batch.Count < MaxMessages && bytes < MaxBytes && waiting.TryDequeue(out var next);)
                {
                    batch.Add(next);
                    bytes += (next.Delivery.Message as IAttachment)?.Attachment.Length ?? 0;
                }

                if (batch.Count == 0)
                {
                    running--;
                    return;
                }
            }

            try
            {
                await apply(batch.ConvertAll(entry => entry.Delivery), batch[0].Cancelled);
                batch.ForEach(entry => entry.Done.SetResult());
            }
            catch (OperationCanceledException cancelled)
            {
                batch.ForEach(entry => entry.Done.SetCanceled(cancelled.CancellationToken));
            }
            catch (Exception exception)
            {
                batch.ForEach(entry => entry.Done.SetException(exception));
            }
        }
    }
}

/// <summary>A message on its way to a consumer.</summary>
/// <param name="Message">The message.</param>
/// <param name="Context">What is known of it besides.</param>
internal sealed record Delivery(IMessage Message, MessageContext Context);
