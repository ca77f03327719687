using MissionControl.Platform.Data;

namespace MissionControl.Storage.Sqlite;

/// <summary>
/// One writer at a time in this process, first come first served with intake in front. Without it the driver answers a busy
/// database by sleeping 150 ms per try, with nobody first in line.
/// </summary>
internal sealed class WriterGate
{
    private readonly Lock sync = new();
    private readonly LinkedList<TaskCompletionSource> intake = new();
    private readonly LinkedList<TaskCompletionSource> normal = new();
    private bool taken;

    public async ValueTask<IDisposable> EnterAsync(WritePriority priority, CancellationToken cancellationToken)
    {
        LinkedListNode<TaskCompletionSource> node;
        lock (sync)
        {
            if (!taken)
            {
                taken = true;
                return new Turn(this);
            }

            node = (priority == WritePriority.Intake ? intake : normal)
                .AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        await using var registration = cancellationToken.Register(() => Abandon(node, cancellationToken));
        await node.Value.Task;
        return new Turn(this);
    }

    private void Abandon(LinkedListNode<TaskCompletionSource> node, CancellationToken cancellationToken)
    {
        lock (sync)
        {
            // Already handed the turn: the waiter takes it and releases it as usual.
            if (node.List is null)
            {
                return;
            }

            node.List.Remove(node);
        }

        node.Value.TrySetCanceled(cancellationToken);
    }

    private void Leave()
    {
        LinkedListNode<TaskCompletionSource>? next;
        lock (sync)
        {
            next = intake.First ?? normal.First;
            if (next is null)
            {
                taken = false;
                return;
            }

            next.List!.Remove(next);
        }

        next.Value.SetResult();
    }

    private sealed class Turn(WriterGate gate) : IDisposable
    {
        private WriterGate? gate = gate;

        public void Dispose() => Interlocked.Exchange(ref gate, null)?.Leave();
    }
}
