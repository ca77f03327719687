namespace MissionControl.Contracts;

// Answers of the billing API.
public static partial class ProblemCodes
{
    /// <summary>This version of the meter is defined already.</summary>
    public static readonly ProblemCode MeterExists = new("meter-exists", 409, "This version of the meter is defined already", true);

    /// <summary>The answer would be too large.</summary>
    public static readonly ProblemCode TooManyPoints = new("too-many-points", 422, "The answer would be too large", true);

    /// <summary>A version that was published, and never changes.</summary>
    public static readonly ProblemCode VersionPublished = new("version-published", 409, "A published version never changes", true);

    /// <summary>A price book has one draft at a time.</summary>
    public static readonly ProblemCode DraftExists = new("draft-exists", 409, "There is a draft already", true);

    /// <summary>An hour of a cluster would be in two contracts.</summary>
    public static readonly ProblemCode ContractOverlap = new("contract-overlap", 409, "An hour of a cluster would be in two contracts", true);

    /// <summary>The contract is a draft, or runs, or has ended, and that does not allow this.</summary>
    public static readonly ProblemCode ContractStateConflict = new("contract-state-conflict", 409, "The contract's state does not allow this", true);

    /// <summary>A check of the period is not fulfilled.</summary>
    public static readonly ProblemCode PeriodNotReady = new("period-not-ready", 409, "The period cannot be closed yet", true);

    /// <summary>The period was closed.</summary>
    public static readonly ProblemCode PeriodClosed = new("period-closed", 409, "The period is closed", true);

    /// <summary>What was agreed or used cannot be rated.</summary>
    public static readonly ProblemCode NotRatable = new("not-ratable", 422, "What was agreed or used cannot be rated", true);
    /// <summary>The licence is in a state in which that cannot be done.</summary>
    public static readonly ProblemCode LicenseStateConflict = new("license-state-conflict", 409, "The licence is in a state in which that cannot be done", true);

    /// <summary>A cluster has a licence already.</summary>
    public static readonly ProblemCode ClusterLicensed = new("cluster-licensed", 409, "A cluster has a licence already", true);
}
