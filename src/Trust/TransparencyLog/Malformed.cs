namespace MissionControl.Trust.TransparencyLog;

/// <summary>Refuses what is not written as its format says, in words for whoever wrote it.</summary>
internal static class Malformed
{
    /// <exception cref="FormatException">It does not hold.</exception>
    public static void Unless(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new FormatException(otherwise);
        }
    }
}
