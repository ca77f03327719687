using System.Globalization;
using MissionControl.Platform.Data;

namespace MissionControl.Platform.Retention;

/// <summary>How long records of a class are kept, and between which bounds an operator may choose.</summary>
/// <param name="Default">What holds when nothing is configured.</param>
/// <param name="Minimum">Less would break what the records are for.</param>
/// <param name="Maximum">More would keep what nobody needs.</param>
public sealed record Term(TimeSpan Default, TimeSpan Minimum, TimeSpan Maximum)
{
    /// <summary>A term in days.</summary>
    public static Term Days(int days, int minimum, int maximum) => new(TimeSpan.FromDays(days), TimeSpan.FromDays(minimum), TimeSpan.FromDays(maximum));

    /// <summary>A term that nobody chooses, because something else rests on it.</summary>
    public static Term Fixed(TimeSpan term) => new(term, term, term);

    /// <summary>Reads <c>400d</c>, <c>24h</c> or <c>10m</c>; null when it is none of these.</summary>
    public static TimeSpan? Parse(string? text) =>
        text is { Length: > 1 } && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count < 100_000
            ? text[^1] switch { 'd' => TimeSpan.FromDays(count), 'h' => TimeSpan.FromHours(count), 'm' => TimeSpan.FromMinutes(count), _ => null }
            : null;

    /// <summary>Writes what <see cref="Parse"/> reads.</summary>
    public static string Write(TimeSpan term) => term.Ticks % TimeSpan.TicksPerDay == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{term.TotalDays}d")
        : term.Ticks % TimeSpan.TicksPerHour == 0 ? string.Create(CultureInfo.InvariantCulture, $"{term.TotalHours}h") : string.Create(CultureInfo.InvariantCulture, $"{term.TotalMinutes}m");
}

/// <summary>One line of the retention table: which records, what for, and when they go.</summary>
public sealed class RecordClass
{
    internal RecordClass(string module, string name, string purpose, bool isPersonal, string rule, IReadOnlyList<string> entities)
    {
        Module = module;
        Name = name;
        Purpose = purpose;
        IsPersonal = isPersonal;
        Rule = rule;
        Entities = entities;
    }

    /// <summary>The module whose tables hold the records.</summary>
    public string Module { get; }

    /// <summary>Name of the class, and of its setting: <c>fleet.event</c>. Classes that every role has begin with <c>platform.</c></summary>
    public string Name { get; }

    /// <summary>What the records are for.</summary>
    public string Purpose { get; }

    /// <summary>Whether they can point to a person.</summary>
    public bool IsPersonal { get; }

    /// <summary>From when the term counts; for classes without one, until when they are kept.</summary>
    public string Rule { get; }

    /// <summary>The entities of the model that belong to the class.</summary>
    public IReadOnlyList<string> Entities { get; }

    /// <summary>Default and bounds; null when age alone never ends a record of this class.</summary>
    public Term? Term { get; internal init; }

    /// <summary>How long records are kept here; null when age alone never ends them.</summary>
    public TimeSpan? KeepFor { get; internal set; }

    /// <summary>Whether each record belongs to a customer, so that a legal hold keeps it.</summary>
    public bool IsOfCustomers { get; internal init; }

    /// <summary>Whether anything is due; a plain read.</summary>
    internal Func<ControlPlaneDbContext, PurgeLimit, CancellationToken, Task<bool>>? IsDueAsync { get; init; }

    /// <summary>Deletes one batch of what is due, oldest first, in the open write transaction.</summary>
    internal Func<ControlPlaneDbContext, PurgeLimit, CancellationToken, Task<int>>? PurgeBatchAsync { get; init; }
}

/// <summary>What a purge may delete: records from before an instant, unless their customer is held.</summary>
/// <param name="Before">Older records are due.</param>
/// <param name="Held">Customers under a legal hold.</param>
internal sealed record PurgeLimit(DateTimeOffset? Before, IReadOnlyCollection<Guid> Held);
