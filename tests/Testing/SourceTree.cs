namespace MissionControl.Testing;

/// <summary>The source tree this assembly was built from, found from where it runs: paths that the compiler writes down name no folder in a deterministic build.</summary>
public static class SourceTree
{
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "MissionControl.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("These tests read the source tree: run them from artifacts/ inside it.");
    }
}
