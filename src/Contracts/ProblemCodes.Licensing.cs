namespace MissionControl.Contracts;

// Answers of the billing API.
public static partial class ProblemCodes
{
    /// <summary>This version of the meter is defined already.</summary>
    public static readonly ProblemCode MeterExists = new("meter-exists", 409, "This version of the meter is defined already", true);

    /// <summary>The answer would be too large.</summary>
    public static readonly ProblemCode TooManyPoints = new("too-many-points", 422, "The answer would be too large", true);

    /// <summary>The licence is in a state in which that cannot be done.</summary>
    public static readonly ProblemCode LicenseStateConflict = new("license-state-conflict", 409, "The licence is in a state in which that cannot be done", true);

    /// <summary>A cluster has a licence already.</summary>
    public static readonly ProblemCode ClusterLicensed = new("cluster-licensed", 409, "A cluster has a licence already", true);
}
