using MissionControl.Contracts.Events.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Trust;

namespace MissionControl.Audit.Witnesses;

/// <summary>Keeps which clusters there are, and the keys by which they cosign. A cluster with another key is another witness, of which nothing is known yet.</summary>
internal sealed class KeepWitness(ControlPlaneDbContext db) : IBatchHandler<ClusterChanged>
{
    public Task<Func<CancellationToken, Task>> PrepareAsync(IReadOnlyList<ClusterChanged> messages, CancellationToken cancellationToken) =>
        Task.FromResult<Func<CancellationToken, Task>>(token => WriteAsync([.. messages.GroupBy(message => message.ClusterId).Select(group => group.MaxBy(message => message.Version)!)], token));

    private async Task WriteAsync(List<ClusterChanged> newest, CancellationToken cancellationToken)
    {
        db.Scope.OpenAll("callhome speaks of every customer's clusters");
        await db.Dialect.InsertIfAbsentAsync(db, WitnessRow.Rows(newest.Select(message => new WitnessRow { ClusterId = message.ClusterId, CustomerId = message.CustomerId })), cancellationToken);
        var rows = await WitnessRow.LockAsync(db, [.. newest.Select(message => message.ClusterId)], cancellationToken);
        var changed = newest.Where(message => message.Version > rows[message.ClusterId].ClusterVersion).Select(message => Changed(rows[message.ClusterId], message)).ToList();
        await db.Dialect.UpsertAsync(db, WitnessRow.Rows(changed), null, cancellationToken);
    }

    private static WitnessRow Changed(WitnessRow row, ClusterChanged message)
    {
        (row.ClusterVersion, row.IsActive) = (message.Version, message.State == "active");
        row.HasSeat &= row.IsActive;

        // Who does not tell of a key is of the version before, and takes none away.
        if (message.WitnessKey is not { } spki || !Ed25519Key.TryFromSpki(spki, out var key))
        {
            return row;
        }

        using (key)
        {
            if (row.PublicKey is not null && !key.PublicKey.Span.SequenceEqual(row.PublicKey))
            {
                (row.HasSeat, row.AnsweredAt, row.DueAt) = (false, null, DateTimeOffset.UnixEpoch);
                (row.AnchorSize, row.AnchorRefusal, row.CustomerSize, row.CustomerRefusal) = (0, null, 0, null);
            }

            row.PublicKey = key.PublicKey.ToArray();
        }

        return row;
    }
}
