using MissionControl.Audit.Logs;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Messaging;

namespace MissionControl.Audit.Entries;

/// <summary>Appends what a role told to the log that it belongs to. The same event twice is one entry.</summary>
internal sealed class AppendEntry(Sequencer sequencer) : IBatchHandler<AuditEntryRecorded>
{
    public Task<Func<CancellationToken, Task>> PrepareAsync(IReadOnlyList<AuditEntryRecorded> messages, CancellationToken cancellationToken)
    {
        var told = messages.Select(Told.Of).ToList();
        return Task.FromResult<Func<CancellationToken, Task>>(token => sequencer.AppendAsync(told, token));
    }
}
