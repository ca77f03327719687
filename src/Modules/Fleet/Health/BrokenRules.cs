namespace MissionControl.Fleet.Health;

/// <summary>
/// The rules that a cluster breaks, as one text that lists can be filtered and counted by: every id between spaces, each once, in the
/// order of their names. Resources are left out: a list asks which clusters have a full disk, not which disk.
/// </summary>
internal static class BrokenRules
{
    /// <summary>Longer than all rules together.</summary>
    public const int MaxLength = 500;

    /// <summary>No rule is broken.</summary>
    public const string None = "";

    /// <summary>The rules that can be asked for. Silence is not among them: it is what liveness says.</summary>
    public static readonly IReadOnlyList<string> Known = [.. Rules.All.Keys.Where(id => id != Rules.Heartbeat.Id).Order(StringComparer.Ordinal)];

    /// <summary>Those of a judgement.</summary>
    public static string Of(IReadOnlyCollection<RuleState> states) =>
        states.Count == 0 ? None : Join(states.Where(state => state.Status >= HealthStatus.Yellow).Select(state => state.Key.Split(':', 2)[0]));

    /// <summary>With one more.</summary>
    public static string With(string broken, Rule rule) => Join(Split(broken).Append(rule.Id));

    /// <summary>The ids of a text.</summary>
    public static string[] Split(string broken) => broken.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>What the text of a cluster that breaks the rule contains.</summary>
    public static string Mark(string id) => $" {id} ";

    private static string Join(IEnumerable<string> ids) => string.Join(' ', ids.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)) is { Length: > 0 } text ? $" {text} " : None;
}
