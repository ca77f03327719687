using System.Diagnostics;
using MissionControl.Testing;

namespace MissionControl.Architecture.Tests;

/// <summary>The source tree this assembly was built from.</summary>
internal static class Repository
{
    private static readonly string[] NotText = [".png", ".ico", ".woff2", ".db", ".gz", ".bin"];

    public static string Root => SourceTree.Root;

    /// <summary>Paths under version control, relative, with forward slashes; files not yet committed count, ignored ones do not.</summary>
    public static IReadOnlyList<string> Files { get; } = ListFiles();

    public static IEnumerable<string> TextFiles => Files.Where(file => !NotText.Contains(Path.GetExtension(file)));

    public static IEnumerable<string> SourceFiles => Files.Where(file =>
        file.StartsWith("src/", StringComparison.Ordinal) && file.EndsWith(".cs", StringComparison.Ordinal) && !file.Contains("/Migrations/", StringComparison.Ordinal));

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    private static string[] ListFiles()
    {
        using var git = Process.Start(new ProcessStartInfo("git", ["ls-files", "--cached", "--others", "--exclude-standard"])
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
        }) ?? throw new InvalidOperationException("git does not start.");
        var list = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        Assert.Equal(0, git.ExitCode);
        return [.. list.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(file => File.Exists(Path.Combine(Root, file)))];
    }
}
