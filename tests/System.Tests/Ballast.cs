namespace MissionControl.System.Tests;

/// <summary>A file that takes all the space there is.</summary>
internal static class Ballast
{
    public static void Fill(string file)
    {
        using var ballast = new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        foreach (var size in new[] { 1 << 20, 4096 })
        {
            try
            {
                while (true)
                {
                    ballast.Write(new byte[size]);
                }
            }
            catch (IOException)
            {
                // No space is left for this many.
            }
        }
    }
}
