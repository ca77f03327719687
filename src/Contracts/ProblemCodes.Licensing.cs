namespace MissionControl.Contracts;

// Answers of the billing API.
public static partial class ProblemCodes
{
    /// <summary>This version of the meter is defined already.</summary>
    public static readonly ProblemCode MeterExists = new("meter-exists", 409, "This version of the meter is defined already", true);

    /// <summary>The answer would be too large.</summary>
    public static readonly ProblemCode TooManyPoints = new("too-many-points", 422, "The answer would be too large", true);
}
