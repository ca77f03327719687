using MissionControl.Contracts.Api;

namespace MissionControl.Platform.Http;

/// <summary>Why somebody does what cannot be done by the way: it goes to the audit log.</summary>
public static class Reasons
{
    private const int Least = 3;
    private const int Most = 500;

    /// <summary>Null when the reason can be kept as it is; else what is wrong with it.</summary>
    /// <param name="said">As the caller wrote it.</param>
    /// <param name="reason">Without the blanks around it.</param>
    public static FieldError? Mistake(string? said, out string reason)
    {
        reason = said?.Trim() ?? "";
        return reason.Length is >= Least and <= Most ? null : new FieldError("/reason", reason.Length == 0 ? "required" : "invalid-value", $"Say why, in {Least} to {Most} characters; it goes to the audit log.");
    }
}
