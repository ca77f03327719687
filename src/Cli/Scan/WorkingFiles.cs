namespace MissionControl.Cli.Scan;

/// <summary>Files as they are on the disk: in a git repository those that git has or would add, elsewhere all.</summary>
internal static class WorkingFiles
{
    public static async Task ScanAsync(IEnumerable<string> paths, TextScanner scanner, CancellationToken cancellationToken)
    {
        foreach (var path in paths)
        {
            if (Directory.Exists(path))
            {
                await FolderAsync(path, scanner, cancellationToken);
            }
            else if (File.Exists(path))
            {
                await FileAsync(path, isNamed: true, scanner, cancellationToken);
            }
            else
            {
                throw new ScanFailure($"There is no file or directory '{path}', or it cannot be read by you.");
            }
        }
    }

    private static async Task FolderAsync(string folder, TextScanner scanner, CancellationToken cancellationToken)
    {
        // Who names a directory that git ignores wants it looked at.
        var inRepository = Ancestors(folder).Any(IsRepository)
            && (await Git.RunAsync(["check-ignore", "--quiet", "."], folder, cancellationToken)).ExitCode != 0;
        await (inRepository ? ListedAsync(folder, scanner, cancellationToken) : WalkAsync(folder, scanner, cancellationToken));
    }

    private static async Task ListedAsync(string folder, TextScanner scanner, CancellationToken cancellationToken)
    {
        await using var git = Git.Start(["ls-files", "--cached", "--others", "--exclude-standard", "-z"], folder);

        // In the middle of a merge a path comes several times.
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (await git.ReadAsync(0, cancellationToken) is { } listed)
        {
            var path = Below(folder, listed);
            if (!seen.Add(listed) || new FileInfo(path).LinkTarget is not null)
            {
                continue;
            }

            if (File.Exists(path))
            {
                await FileAsync(path, isNamed: false, scanner, cancellationToken);
            }
            else if (IsRepository(path))
            {
                await ListedAsync(Path.TrimEndingDirectorySeparator(path), scanner, cancellationToken);
            }
            else if (listed.Contains('\uFFFD', StringComparison.Ordinal))
            {
                throw new ScanFailure($"The name '{path}' is not UTF-8, and its file cannot be opened. Rename it.");
            }
        }

        await git.EndAsync(cancellationToken);
    }

    private static async Task WalkAsync(string folder, TextScanner scanner, CancellationToken cancellationToken)
    {
        foreach (var entry in Entries(folder))
        {
            var path = Below(folder, entry.Name);
            if (entry is FileInfo { Length: > 0 })
            {
                // What is empty may be a pipe or a device: opening it could wait for ever.
                await FileAsync(path, isNamed: false, scanner, cancellationToken);
            }
            else if (entry is DirectoryInfo && entry.Name != ".git")
            {
                await (IsRepository(path) ? ListedAsync(path, scanner, cancellationToken) : WalkAsync(path, scanner, cancellationToken));
            }
        }
    }

    private static List<FileSystemInfo> Entries(string folder)
    {
        try
        {
            return [.. new DirectoryInfo(folder).EnumerateFileSystemInfos().Where(entry => entry.LinkTarget is null).OrderBy(entry => entry.Name, StringComparer.Ordinal)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ScanFailure($"The directory '{folder}' cannot be read: {exception.Message}");
        }
    }

    private static async Task FileAsync(string path, bool isNamed, TextScanner scanner, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = new FileStream(path, new FileStreamOptions { BufferSize = 0, Share = FileShare.ReadWrite | FileShare.Delete, Options = FileOptions.SequentialScan });
            var buffer = new byte[65536];
            scanner.Begin(new Place(path));
            var count = await file.ReadAtLeastAsync(buffer, TextEncoding.Sample, throwOnEndOfStream: false, cancellationToken);
            while (count > 0 && scanner.Add(buffer.AsSpan(0, count)))
            {
                count = await file.ReadAsync(buffer, cancellationToken);
            }

            scanner.End();
        }
        catch (FileNotFoundException) when (!isNamed)
        {
            // It went away since it was listed.
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ScanFailure($"The file '{path}' cannot be read: {exception.Message}");
        }
    }

    private static IEnumerable<string> Ancestors(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
        {
            yield return at.FullName;
        }
    }

    // A directory; a file in a submodule and in a second working tree.
    private static bool IsRepository(string folder) => Path.Exists(Path.Combine(folder, ".git"));

    private static string Below(string folder, string name) => folder == "." ? name : Path.Combine(folder, name);
}
