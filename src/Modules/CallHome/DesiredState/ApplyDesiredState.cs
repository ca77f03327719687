using MissionControl.Contracts.Commands.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.CallHome.DesiredState;

/// <summary>Keeps what a role wants of a cluster; an older version never replaces a newer one, whatever the order of arrival.</summary>
internal sealed class ApplyDesiredState(ControlPlaneDbContext db, TimeProvider time) : IMessageHandler<SetDesiredState>
{
    private static readonly BulkRows Section = new("callhome_desired_section", ["cluster_id", "section", "version", "not_after", "body"], ["cluster_id", "section"], []);

    public async Task HandleAsync(SetDesiredState message, MessageContext context, CancellationToken cancellationToken)
    {
        object?[] row = [message.ClusterId, message.Section, message.Version, message.NotAfter?.ToUnixTimeMilliseconds(), message.Body];
        if (await db.Dialect.UpsertAsync(db, Section with { Rows = [row] }, "version", cancellationToken) == 0)
        {
            return;
        }

        await DesiredRevision.RaiseAsync(db, message.ClusterId, time.GetUtcNow(), cancellationToken);
    }
}
