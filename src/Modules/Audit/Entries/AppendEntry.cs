using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Prune;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Messaging;

namespace MissionControl.Audit.Entries;

/// <summary>Appends what a role told to the log that it belongs to. The same event twice is one entry.</summary>
internal sealed class AppendEntry(Sequencer sequencer, AppendOnlyTest test) : IBatchHandler<AuditEntryRecorded>
{
    public Task<Func<CancellationToken, Task>> PrepareAsync(IReadOnlyList<AuditEntryRecorded> messages, CancellationToken cancellationToken)
    {
        if (test.Refusal is { } refusal)
        {
            // It is kept, and tried again.
            throw new InvalidOperationException(refusal);
        }

        if (messages.FirstOrDefault(message => message.Type is RetentionPolicy.Told or PruneLogs.Told) is { } own)
        {
            // By these entries are pruned. Whom a message names as its producer is no proof that it was.
            throw new InvalidOperationException($"{own.Type} is never told by a message: the audit role appends it itself. This one names {own.Producer}.");
        }

        var told = messages.Select(Told.Of).ToList();
        return Task.FromResult<Func<CancellationToken, Task>>(token => sequencer.AppendAsync(told, token));
    }
}
