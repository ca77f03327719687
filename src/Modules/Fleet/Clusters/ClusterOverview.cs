using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Fleet.Health;
using MissionControl.Fleet.Inventory;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Data;

namespace MissionControl.Fleet.Clusters;

/// <summary>
/// What lists show of a cluster, in one row that is written only when something shown changes: so lists, counts and facets read one
/// small table however often clusters check in.
/// </summary>
internal sealed class ClusterOverview : ICustomerOwned
{
    private const int Batch = 1000;

    private static readonly BulkRows Table = new(
        "fleet_overview",
        [
            "cluster_id", "customer_id", "name", "sort_name", "short_id", "customer_name", "region", "state", "clone_suspected", "enrolled_at", "liveness", "liveness_since", "health", "health_since", "worst_reason",
            "version", "agent_version", "nodes_up", "nodes_all", "broken", "badness", "change", "changed_at",
        ],
        ["cluster_id"], []);

    public required Guid ClusterId { get; init; }

    public required Guid CustomerId { get; init; }

    public required string Name { get; init; }

    /// <summary>The name as it is sorted and searched by: lower case.</summary>
    public required string SortName { get; init; }

    /// <summary>The last eight digits of the id, which people read out.</summary>
    public required string ShortId { get; init; }

    public required string CustomerName { get; init; }

    public required string Region { get; init; }

    public required string State { get; init; }

    public required bool CloneSuspected { get; init; }

    public required DateTimeOffset EnrolledAt { get; init; }

    public required LivenessState Liveness { get; init; }

    public required DateTimeOffset LivenessSince { get; init; }

    public required string Health { get; init; }

    public DateTimeOffset? HealthSince { get; init; }

    public string? WorstReason { get; init; }

    public required string Version { get; init; }

    public required string AgentVersion { get; init; }

    public required int NodesUp { get; init; }

    public required int NodesAll { get; init; }

    /// <summary>The rules it breaks; see <see cref="BrokenRules"/>.</summary>
    public required string Broken { get; init; }

    /// <summary>Worst first: what is bad and still confirmed, then what is silent, then the rest.</summary>
    public required int Badness { get; init; }

    /// <summary>Number of the change that wrote the row; see <see cref="ChangeCounter"/>.</summary>
    public required long Change { get; init; }

    public required DateTimeOffset ChangedAt { get; init; }

    /// <summary>
    /// Writes the rows of these clusters anew from what is stored of them. Call it last in a transaction: it holds the lock on the
    /// number of changes until the commit, so that whoever writes the same row next has seen this.
    /// </summary>
    public static async Task RefreshAsync(ControlPlaneDbContext db, IReadOnlyCollection<Guid> clusters, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (clusters.Count == 0)
        {
            return;
        }

        if (!db.Scope.IsAll)
        {
            db.Scope.OpenAll("what lists show is written for whichever customer's cluster changed");
        }

        var change = await ChangeCounter.NextAsync(db, clusters.Count, cancellationToken);
        foreach (var chunk in clusters.Distinct().Chunk(Batch))
        {
            var ids = chunk.ToList();
            var inputs = await (
                from cluster in db.Set<FleetCluster>().AsNoTracking()
                where ids.Contains(cluster.Id)
                join customer in db.Set<FleetCustomer>().AsNoTracking() on cluster.CustomerId equals customer.Id into customers
                from customer in customers.DefaultIfEmpty()
                join health in db.Set<StoredHealth>().AsNoTracking() on cluster.Id equals health.ClusterId into healths
                from health in healths.DefaultIfEmpty()
                join liveness in db.Set<ClusterLiveness>().AsNoTracking() on cluster.Id equals liveness.ClusterId into states
                from liveness in states.DefaultIfEmpty()
                join inventory in db.Set<ClusterInventory>().AsNoTracking() on cluster.Id equals inventory.ClusterId into inventories
                from inventory in inventories.DefaultIfEmpty()
                select new
                {
                    Cluster = cluster,
                    CustomerName = customer.Name,
                    customer.Region,
                    Liveness = (LivenessState?)liveness.State,
                    LivenessSince = (DateTimeOffset?)liveness.Since,
                    Health = health.Status,
                    HealthSince = (DateTimeOffset?)health.StatusSince,
                    health.WorstReason,
                    health.ProductVersion,
                    health.Broken,
                    NodesUp = (int?)health.NodesUp,
                    NodesAll = (int?)health.NodesAll,
                    InventoryVersion = inventory.ProductVersion,
                    inventory.AgentVersion,
                }).ToListAsync(cancellationToken);
            var rows = inputs.ConvertAll(input =>
            {
                var cluster = input.Cluster;
                var clone = cluster.CloneSuspected;
                var status = clone ? "red" : input.Health ?? "unknown";
                var state = input.Liveness ?? LivenessState.Never;
                return new object?[]
                {
                    cluster.Id, cluster.CustomerId, cluster.Name, Fold(cluster.Name), cluster.Id.ToString("N")[24..], input.CustomerName ?? "", input.Region ?? "", cluster.State, clone, cluster.EnrolledAt.ToUnixTimeMilliseconds(),
                    state.ToString(), (input.LivenessSince ?? cluster.EnrolledAt).ToUnixTimeMilliseconds(),
                    status, input.HealthSince is { } since && since > DateTimeOffset.UnixEpoch ? since.ToUnixTimeMilliseconds() : null, clone ? Rules.Clone.Sentence(good: false, 1, null, null, null) : input.WorstReason,
                    string.IsNullOrEmpty(input.InventoryVersion) ? input.ProductVersion ?? "" : input.InventoryVersion, input.AgentVersion ?? "", input.NodesUp ?? 0, input.NodesAll ?? 0,
                    clone ? BrokenRules.With(input.Broken ?? BrokenRules.None, Rules.Clone) : input.Broken ?? BrokenRules.None,
                    BadnessOf(status, state), change++, now.ToUnixTimeMilliseconds(),
                };
            });
            await db.Dialect.UpsertAsync(db, Table with { Rows = rows }, "change", cancellationToken);
        }
    }

    /// <summary>As names are sorted and searched.</summary>
    public static string Fold(string text) => text.ToLowerInvariant();

    private static int BadnessOf(string health, LivenessState liveness) =>
        health == "red" ? 0 : liveness is LivenessState.Missing or LivenessState.Lost ? 1 : health == "yellow" ? 2 : liveness == LivenessState.Late ? 3 : health == "green" ? 5 : 4;

    internal sealed class Configuration : IEntityTypeConfiguration<ClusterOverview>
    {
        public void Configure(EntityTypeBuilder<ClusterOverview> builder)
        {
            builder.ToTable("fleet_overview").HasKey(row => row.ClusterId);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.SortName).HasMaxLength(100);
            builder.Property(row => row.ShortId).HasMaxLength(8);
            builder.Property(row => row.CustomerName).HasMaxLength(200);
            builder.Property(row => row.Region).HasMaxLength(40);
            builder.Property(row => row.State).HasMaxLength(20);
            builder.Property(row => row.Health).HasMaxLength(10);
            builder.Property(row => row.WorstReason).HasMaxLength(300);
            builder.Property(row => row.Version).HasMaxLength(100);
            builder.Property(row => row.AgentVersion).HasMaxLength(100);
            builder.Property(row => row.Broken).HasMaxLength(BrokenRules.MaxLength);
            builder.HasIndex(row => new { row.Badness, row.SortName, row.ClusterId });
            builder.HasIndex(row => new { row.CustomerId, row.Badness });
            builder.HasIndex(row => row.Change);
        }
    }
}

/// <summary>
/// Numbers what changes, in the order of commits: whoever takes a number holds the row until the end of its transaction, so that no
/// lower number appears after a reader has seen a higher one.
/// </summary>
internal sealed class ChangeCounter
{
    private const int Only = 1;

    public required int Id { get; init; }

    public required long Last { get; set; }

    /// <summary>Takes <paramref name="count"/> numbers and returns the first.</summary>
    public static async Task<long> NextAsync(ControlPlaneDbContext db, int count, CancellationToken cancellationToken)
    {
        var counters = db.Set<ChangeCounter>().Where(row => row.Id == Only);
        while (await counters.ExecuteUpdateAsync(set => set.SetProperty(row => row.Last, row => row.Last + count), cancellationToken) == 0)
        {
            await db.Dialect.InsertIfAbsentAsync(db, new BulkRows("fleet_change_counter", ["id", "last"], ["id"], [[Only, 0L]]), cancellationToken);
        }

        return await counters.Select(row => row.Last).SingleAsync(cancellationToken) - count + 1;
    }

    internal sealed class Configuration : IEntityTypeConfiguration<ChangeCounter>
    {
        public void Configure(EntityTypeBuilder<ChangeCounter> builder) => builder.ToTable("fleet_change_counter").HasKey(row => row.Id);
    }
}
