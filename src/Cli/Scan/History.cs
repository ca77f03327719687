using System.Runtime.CompilerServices;

namespace MissionControl.Cli.Scan;

/// <summary>Everything that any reference leads to: each version of each file once, and the messages of commits and tags.</summary>
internal static class History
{
    private const string NoCommit = "-";

    public static async Task ScanAsync(TextScanner scanner, ScanReport report, CancellationToken cancellationToken)
    {
        await Git.RequireRepositoryAsync(cancellationToken);
        if ((await Git.RunAsync(["rev-parse", "--is-shallow-repository"], null, cancellationToken)).Said == "true")
        {
            report.Note("This clone is shallow: what is older than it is not here. Get it with git fetch --unshallow.");
        }

        // Oldest first, so that an object comes with the first commit that has it. Nothing grows with the history but git itself.
        await using var list = Git.Start(["rev-list", "--objects", "--all", "--in-commit-order", "--topo-order", "--reverse"]);
        await using var types = Git.Start(["cat-file", "--batch-check=%(objecttype) %(objectname) %(rest)", "--buffer"]);
        var feeding = types.FeedAsync(ObjectsAsync(list, cancellationToken), cancellationToken);
        await GitObjects.ScanAsync(WithoutTreesAsync(types, cancellationToken), PlaceOf, scanner, cancellationToken);
        await list.EndAsync(cancellationToken);
        await types.EndAsync(cancellationToken);
        await feeding;
    }

    private static Place PlaceOf(string type, string id, string rest)
    {
        var (commit, path) = rest.Split(' ', 2) is [var first, var second] ? (first, second) : (rest, "");
        return type switch
        {
            "blob" when path.Length > 0 => new Place(path, commit == NoCommit ? null : commit),
            "commit" => new Place("(commit message)", id),

            // Reached by a tag alone: no commit has it.
            _ => new Place($"({type} {id})"),
        };
    }

    // A commit's line is its id alone; those of what it brought follow, as id, space and path.
    private static async IAsyncEnumerable<string> ObjectsAsync(Git list, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var commit = NoCommit;
        while (await list.ReadAsync((byte)'\n', cancellationToken) is { } line)
        {
            if (line.IndexOf(' ', StringComparison.Ordinal) is var space and >= 0)
            {
                yield return $"{line[..space]} {commit} {line[(space + 1)..]}";
            }
            else
            {
                commit = line;
                yield return $"{commit} {commit} ";
            }
        }
    }

    private static async IAsyncEnumerable<string> WithoutTreesAsync(Git types, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await types.ReadAsync((byte)'\n', cancellationToken) is { } line)
        {
            // "type id rest". What is missing is passed on, and found missing again.
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            switch (line[..space])
            {
                case "tree":
                    break;
                case "blob" or "commit" or "tag":
                    yield return line[(space + 1)..];
                    break;
                default:
                    yield return line;
                    break;
            }
        }
    }
}
