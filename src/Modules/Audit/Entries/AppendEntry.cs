using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
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

        var told = messages.Select(Told.Of).ToList();
        return Task.FromResult<Func<CancellationToken, Task>>(token => sequencer.AppendAsync(told, token));
    }
}
