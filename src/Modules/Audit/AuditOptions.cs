namespace MissionControl.Audit;

/// <summary>Settings of the role, section <c>Audit</c>.</summary>
internal sealed class AuditOptions
{
    /// <summary>The file that remembers, outside the database, what was signed; null: <c>audit/heads</c> in the data directory.</summary>
    public string? GuardPath { get; init; }

    /// <summary>Nothing is appended or signed while the database would let append-only tables be changed.</summary>
    public bool Strict { get; init; } = true;
}
