using System.Collections.Concurrent;

namespace MissionControl.Platform.Telemetry;

/// <summary>What must be so before this process may be sent traffic; each condition names itself in <c>/health/ready</c>.</summary>
public sealed class Readiness
{
    private readonly ConcurrentDictionary<string, string> missing = new();
    private readonly ConcurrentDictionary<string, string> warnings = new();

    /// <summary>True when nothing is missing.</summary>
    public bool IsReady => missing.IsEmpty;

    /// <summary>What is missing, in words, by condition.</summary>
    public IReadOnlyDictionary<string, string> Missing => missing;

    /// <summary>The condition does not hold, for this reason.</summary>
    public void Lacks(string condition, string reason) => missing[condition] = reason;

    /// <summary>The condition holds.</summary>
    public void Has(string condition) => missing.TryRemove(condition, out _);

    /// <summary>What is not as it should be although traffic may come, in words, by condition.</summary>
    public IReadOnlyDictionary<string, string> Warnings => warnings;

    /// <summary>The process works, but somebody must see to this.</summary>
    public void Warns(string condition, string what) => warnings[condition] = what;

    /// <summary>Nobody has to see to it any longer.</summary>
    public void IsWell(string condition) => warnings.TryRemove(condition, out _);
}
