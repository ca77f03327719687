using System.Globalization;

namespace MissionControl.Cli.Scan;

/// <summary>What the next commit would add or change: from the index, whatever the working tree says by now.</summary>
internal static class Staged
{
    private const string Submodule = "160000";

    public static async Task ScanAsync(TextScanner scanner, CancellationToken cancellationToken)
    {
        await Git.RequireRepositoryAsync(cancellationToken);
        var files = new List<(string Id, string Path)>();
        await using (var git = Git.Start(["diff", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-relative", "--no-ext-diff", "--ignore-submodules=none", "--diff-filter=ACMRT"]))
        {
            // ":old-mode new-mode old-id new-id letter", then the path.
            while (await git.ReadAsync(0, cancellationToken) is { } change && await git.ReadAsync(0, cancellationToken) is { } path)
            {
                var fields = change.Split(' ');
                if (fields[1] != Submodule)
                {
                    files.Add((fields[3], path));
                }
            }

            await git.EndAsync(cancellationToken);
        }

        // By number, since a path may hold a line feed.
        await GitObjects.ScanAsync(files.Select((file, number) => string.Create(CultureInfo.InvariantCulture, $"{file.Id} {number}")).ToAsyncEnumerable(),
            (_, _, number) => new Place(files[int.Parse(number, CultureInfo.InvariantCulture)].Path), scanner, cancellationToken);
    }
}
