using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Licensing.Ledger;

/// <summary>
/// What callhome says of a cluster. Its keys stand here so that a taken-over callhome cannot invent usage: it cannot sign as a
/// cluster, and a key that it slips in comes with an event that is audited on both sides.
/// </summary>
internal sealed class LedgerCluster : ICustomerOwned
{
    public required Guid Id { get; init; }

    public required Guid CustomerId { get; init; }

    public required string Name { get; init; }

    public required string State { get; init; }

    public required bool CloneSuspected { get; init; }

    public required long Epoch { get; init; }

    public required DateTimeOffset EnrolledAt { get; init; }

    /// <summary>When it was decommissioned: no hour is expected after that.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>All keys as JSON; see <see cref="ClusterKey"/>.</summary>
    public required string Keys { get; init; }

    public required long Version { get; init; }

    public IReadOnlyList<ClusterKey> ReadKeys() => JsonSerializer.Deserialize<List<ClusterKey>>(Keys, JsonSerializerOptions.Web) ?? [];

    internal sealed class Configuration : IEntityTypeConfiguration<LedgerCluster>
    {
        public void Configure(EntityTypeBuilder<LedgerCluster> builder)
        {
            builder.ToTable("licensing_cluster").HasKey(row => row.Id);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.State).HasMaxLength(20);
            builder.Property(row => row.Keys).IsText();
            builder.HasIndex(row => row.CustomerId);
        }
    }
}

/// <summary>When an epoch began; rows only come, in any order.</summary>
internal sealed class LedgerEpoch
{
    public required Guid ClusterId { get; init; }

    public required long Epoch { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<LedgerEpoch>
    {
        public void Configure(EntityTypeBuilder<LedgerEpoch> builder) => builder.ToTable("licensing_cluster_epoch").HasKey(row => new { row.ClusterId, row.Epoch });
    }
}

/// <summary>Keeps the newest of what callhome says of a cluster, and judges what waited for it.</summary>
internal sealed class KeepCluster(ControlPlaneDbContext db, Ledger ledger) : IBatchHandler<ClusterChanged>
{
    private static readonly BulkRows Clusters = new(
        "licensing_cluster", ["id", "customer_id", "name", "state", "clone_suspected", "epoch", "enrolled_at", "ended_at", "keys", "version"], ["id"], []);

    private static readonly BulkRows Epochs = new("licensing_cluster_epoch", ["cluster_id", "epoch", "issued_at"], ["cluster_id", "epoch"], []);

    private static readonly BulkRows Ledgers = new("licensing_cluster_ledger", ["cluster_id", "customer_id", "coverage", "results", "received_at", "version"], ["cluster_id"], []);

    public Task<Func<CancellationToken, Task>> PrepareAsync(IReadOnlyList<ClusterChanged> messages, CancellationToken cancellationToken) =>
        Task.FromResult<Func<CancellationToken, Task>>(token => WriteAsync(messages, token));

    private async Task WriteAsync(IReadOnlyList<ClusterChanged> messages, CancellationToken cancellationToken)
    {
        db.Scope.OpenAll("callhome speaks of every customer's clusters");
        var newest = messages.GroupBy(message => message.ClusterId).Select(group => group.MaxBy(message => message.Version)!).ToList();
        var epochs = messages.DistinctBy(message => (message.ClusterId, message.Epoch)).Select(message => new object?[] { message.ClusterId, message.Epoch, message.EpochIssuedAt.ToUnixTimeMilliseconds() });
        await db.Dialect.InsertIfAbsentAsync(db, Epochs with { Rows = [.. epochs] }, cancellationToken);
        await db.Dialect.UpsertAsync(db, Clusters with { Rows = newest.ConvertAll(Row) }, "version", cancellationToken);

        // From now on its hours are expected, also when none ever comes.
        var expected = newest.ConvertAll(message => new object?[]
        {
            message.ClusterId, message.CustomerId, Coverage.Begin(Protocol.Documents.UsageWindow.HourOf(message.EnrolledAt.AddSeconds(3599))).ToBytes(), "[]", null, 0L,
        });
        await db.Dialect.InsertIfAbsentAsync(db, Ledgers with { Rows = expected }, cancellationToken);

        // While a copy is suspected what waits goes on waiting, and is not read and written again for every change of the cluster.
        await WaitingWindow.WakeAsync(db, ledger, [.. newest.Where(message => !message.CloneSuspected).Select(message => message.ClusterId)], cancellationToken);

        // Whoever changes a licence locks the stream, what the audit log is told, and then the licence; in another order two would wait for each other.
        await db.SaveChangesAsync(cancellationToken);
        await Licenses.RenewLeases.DueAsync(db, newest.ConvertAll(message => message.ClusterId), cancellationToken);
    }

    private static object?[] Row(ClusterChanged message) =>
    [
        message.ClusterId, message.CustomerId, message.Name, message.State, message.CloneSuspected, message.Epoch,
        message.EnrolledAt.ToUnixTimeMilliseconds(),
        message.State == "decommissioned" ? message.OccurredAt.ToUnixTimeMilliseconds() : null, JsonSerializer.Serialize(message.Keys, JsonSerializerOptions.Web), message.Version,
    ];
}
