namespace MissionControl.Contracts;

/// <summary>Refusals of the role audit.</summary>
public static partial class ProblemCodes
{
    /// <summary>The entry was pruned, as the log says.</summary>
    public static readonly ProblemCode AuditPruned = new("audit-pruned", 410, "The entry was pruned", true);
}
