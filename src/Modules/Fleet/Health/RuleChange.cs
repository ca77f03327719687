using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.Fleet.Health;

/// <summary>A rule was judged otherwise than before. Written with the judgement and only then, so that a cluster that stays as it is costs nothing.</summary>
internal sealed class RuleChange : ICustomerOwned
{
    private const int MaxRule = 500;

    // A cluster of many disks that all turn at once is told of by those that are worst; whoever sends such reports in turns fills no table.
    private const int MaxAtOnce = 50;

    /// <summary>The columns, for bulk writes.</summary>
    public static readonly BulkRows Table = new("fleet_rule_change", ["id", "cluster_id", "customer_id", "at", "rule", "before", "after"], ["id"], []);

    public required Guid Id { get; init; }

    public required Guid ClusterId { get; init; }

    public required Guid CustomerId { get; init; }

    /// <summary>By our own clock.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Rule id, with the resource behind a colon where there are several.</summary>
    public required string Rule { get; init; }

    /// <summary>Its status before, as a word; unknown when the cluster had never spoken.</summary>
    public required string Before { get; init; }

    public required string After { get; init; }

    /// <summary>The rows for what differs between two states of a cluster. A rule of which nothing is remembered was well, or could not be judged.</summary>
    /// <param name="state">The cluster, as judged now.</param>
    /// <param name="turn">What was remembered of its rules before, and what is now.</param>
    /// <param name="isNew">It had never spoken.</param>
    /// <param name="now">Our own clock.</param>
    public static IEnumerable<object?[]> Rows(StoredHealth state, RuleTurn turn, bool isNew, DateTimeOffset now)
    {
        if (turn.Before.Count == 0 && turn.After.Count == 0)
        {
            return [];
        }

        var (before, after) = turn;
        return before.Keys.Union(after.Keys).Select(rule => (Rule: rule, Was: StatusOf(before, rule), Becomes: StatusOf(after, rule))).Where(one => one.Was != one.Becomes)
            .OrderByDescending(one => one.Becomes).Take(MaxAtOnce).Select(one => new object?[]
            {
                Guid.CreateVersion7(now), state.ClusterId, state.CustomerId, now.ToUnixTimeMilliseconds(), WellFormedText.Cut(one.Rule, MaxRule),
                Health.Rule.Word(isNew ? HealthStatus.Unknown : one.Was), Health.Rule.Word(one.Becomes),
            });
    }

    private static HealthStatus StatusOf(IReadOnlyDictionary<string, RuleState> states, string rule) => states.GetValueOrDefault(rule)?.Status ?? HealthStatus.Green;

    internal sealed class Configuration : IEntityTypeConfiguration<RuleChange>
    {
        public void Configure(EntityTypeBuilder<RuleChange> builder)
        {
            builder.ToTable("fleet_rule_change").HasKey(row => row.Id);
            builder.Property(row => row.Id).ValueGeneratedNever();
            builder.Property(row => row.Rule).HasMaxLength(MaxRule);
            builder.Property(row => row.Before).HasMaxLength(10);
            builder.Property(row => row.After).HasMaxLength(10);
            builder.HasIndex(row => new { row.ClusterId, row.At });
            builder.HasIndex(row => row.At);
        }
    }
}

/// <summary>What was remembered of a cluster's rules before a judgement, and what is after it.</summary>
/// <param name="Before">By rule and resource.</param>
/// <param name="After">The same; the very same when nothing newer was judged.</param>
internal sealed record RuleTurn(IReadOnlyDictionary<string, RuleState> Before, IReadOnlyDictionary<string, RuleState> After);
