using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Platform.Data;

namespace MissionControl.Licensing.Meters;

/// <summary>How cells of several hours, clusters or environments become one number.</summary>
internal enum Aggregation
{
    /// <summary>They add up.</summary>
    Sum,

    /// <summary>The high-water mark: the highest of the hours, each with all its clusters and dimensions together.</summary>
    Max,

    /// <summary>Seconds of units; they add up.</summary>
    UnitSeconds,

    /// <summary>A level: what each cluster said in its last window, all clusters together. An hour that is missing is not zero.</summary>
    Last,

    /// <summary>Counted up within the period by the cluster itself, as what is counted once and not by the hour must be: what its last window says.</summary>
    PeriodCumulative,
}

/// <summary>One version of a meter: what a quantity means. Never changed; a new meaning is a new version.</summary>
internal sealed class Meter
{
    public required string Key { get; init; }

    public required int MeterVersion { get; init; }

    public required string Unit { get; init; }

    /// <summary>Digits after the point, 0 to 9; quantities are stored as value × 10^scale.</summary>
    public required int Scale { get; init; }

    public required Aggregation Aggregation { get; init; }

    public required string Description { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public MeterItem ToItem() => new(Key, MeterVersion, Unit, Scale, Word(Aggregation), Description, CreatedAt);

    public static string Word(Aggregation aggregation) => aggregation switch
    {
        Aggregation.Sum => "sum",
        Aggregation.Max => "max",
        Aggregation.UnitSeconds => "unit_seconds",
        Aggregation.Last => "last",
        _ => "period_cumulative",
    };

    /// <summary>Reads what <see cref="Word"/> writes.</summary>
    public static Aggregation Read(string word) => Enum.GetValues<Aggregation>().First(one => Word(one) == word);

    internal sealed class Configuration : IEntityTypeConfiguration<Meter>
    {
        public void Configure(EntityTypeBuilder<Meter> builder)
        {
            builder.ToTable("licensing_meter").HasKey(row => new { row.Key, row.MeterVersion });
            builder.Property(row => row.Key).HasMaxLength(63);
            builder.Property(row => row.Unit).HasMaxLength(40);
            builder.Property(row => row.Description).HasMaxLength(300);
        }
    }
}

/// <summary>All meters: the starter set, which every installation has, and those that were defined here.</summary>
internal static class Meters
{
    private static readonly DateTimeOffset Always = DateTimeOffset.UnixEpoch;

    /// <summary>The starter set.</summary>
    public static IReadOnlyList<Meter> Starter { get; } =
    [
        Make("host_unit_seconds", "host unit second", 0, Aggregation.UnitSeconds, "Monitored hosts, weighted by their size, times the seconds they were monitored."),
        Make("gib_hours", "GiB hour", 6, Aggregation.Sum, "Memory of monitored hosts and containers times the hours they were monitored."),
        Make("data_points", "data point", 0, Aggregation.Sum, "Metric data points taken in."),
        Make("log_bytes", "byte", 0, Aggregation.Sum, "Log lines taken in, before compression."),
        Make("sessions", "session", 0, Aggregation.Sum, "User sessions recorded."),
    ];

    /// <summary>Every version of every meter.</summary>
    public static async Task<Dictionary<(string Key, int Version), Meter>> AllAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var all = Starter.ToDictionary(meter => (meter.Key, meter.MeterVersion));
        foreach (var meter in await db.Set<Meter>().AsNoTracking().ToListAsync(cancellationToken))
        {
            all[(meter.Key, meter.MeterVersion)] = meter;
        }

        return all;
    }

    private static Meter Make(string key, string unit, int scale, Aggregation aggregation, string description) =>
        new() { Key = key, MeterVersion = 1, Unit = unit, Scale = scale, Aggregation = aggregation, Description = description, CreatedAt = Always };
}
