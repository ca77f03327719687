using System.Globalization;
using MissionControl.Contracts.Api.Fleet;

namespace MissionControl.Fleet.Health;

/// <summary>A rule applied to one resource: the value, not yet the judgement. No text is made before somebody reads it.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Value">The measured value; null is unknown.</param>
/// <param name="Node">The node, where there are several.</param>
/// <param name="Part">The disk or certificate, where there are several.</param>
/// <param name="Detail">Further words for the sentence.</param>
internal readonly record struct Finding(Rule Rule, double? Value, string? Node = null, string? Part = null, string? Detail = null)
{
    private string? Resource => Node is null ? Part : Node + Part;

    /// <summary>Rule id, with the resource behind a colon where there are several.</summary>
    public string Key => Resource is { } resource ? $"{Rule.Id}:{resource}" : Rule.Id;

    public string Symptom(HealthStatus status) => Value is { } value
        ? Rule.Sentence(status == HealthStatus.Green && !Rule.Reaches(value, Rule.Warning ?? Rule.Critical, held: false), value, Node, Part, Detail)
        : $"{Rule.Signal} is not reported{(Resource is { } resource ? $" for {resource}" : "")}.";

    public HealthIndicator Indicator(HealthStatus status, RuleState? state, bool colours)
    {
        if (Value is not { } value)
        {
            return new HealthIndicator(Key, Rule.Version, Rule.Word(HealthStatus.Unknown), Symptom(status), null, null, null, null, colours);
        }

        var evidence = new HealthEvidence(Rule.Signal, Math.Round(value, 3), Rule.Warning, Rule.Critical, Rule.Unit, (long)Rule.WarningFor.TotalSeconds, (long)Rule.CriticalFor.TotalSeconds);
        var since = state is { Since: > 0 } known ? DateTimeOffset.FromUnixTimeMilliseconds(known.Since) : (DateTimeOffset?)null;
        return status == HealthStatus.Green
            ? new HealthIndicator(Key, Rule.Version, Rule.Word(status), state is null ? Symptom(status) : Pending(Symptom(status)), null, null, evidence, null, colours)
            : new HealthIndicator(Key, Rule.Version, Rule.Word(status), Symptom(status), Rule.Impact, new HealthDiagnosis(Rule.Cause, Rule.Action), evidence, since, colours);
    }

    // Beyond a threshold, but not yet for long enough: green, and said so.
    private string Pending(string symptom)
    {
        var wait = Rule.Warning is null ? Rule.CriticalFor : Rule.WarningFor;
        return string.Create(CultureInfo.InvariantCulture, $"{symptom} It counts once it has lasted {(wait >= TimeSpan.FromHours(1) ? $"{wait.TotalHours:0} h" : $"{wait.TotalMinutes:0} min")}.");
    }
}
