namespace MissionControl.Architecture.Tests;

/// <summary>
/// Text that is generated from the code and kept under version control, so that a change of what others rely on is seen in
/// review. <c>infra/dev docs</c> writes the files anew.
/// </summary>
internal static class GoldenFile
{
    public static void Check(string file, string actual)
    {
        var path = Path.Combine(Repository.Root, file);
        if (Environment.GetEnvironmentVariable("MC_UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
            return;
        }

        var expected = File.Exists(path) ? File.ReadAllText(path) : "";
        if (expected != actual)
        {
            Assert.Fail($"{file} no longer says what the code says. If the change is meant: infra/dev docs, and review the difference.\n{FirstDifference(expected, actual)}");
        }
    }

    private static string FirstDifference(string expected, string actual)
    {
        var old = expected.Split('\n');
        var now = actual.Split('\n');
        var line = Enumerable.Range(0, Math.Max(old.Length, now.Length)).First(i => i >= old.Length || i >= now.Length || old[i] != now[i]);
        return $"line {line + 1}\n  file: {(line < old.Length ? old[line] : "(end)")}\n  code: {(line < now.Length ? now[line] : "(end)")}";
    }
}
