using System.Buffers;
using System.Globalization;

namespace MissionControl.Cli.Scan;

/// <summary>The contents of git's objects, through one <c>git cat-file</c> for all of them.</summary>
internal static class GitObjects
{
    /// <summary>Scans every object that is named.</summary>
    /// <param name="named">Lines: the object's id, a space, and what <paramref name="placeOf"/> needs.</param>
    /// <param name="placeOf">Where an object of this type and id is, from the rest of its line.</param>
    /// <param name="scanner">Looks through them.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task ScanAsync(IAsyncEnumerable<string> named, Func<string, string, string, Place> placeOf, TextScanner scanner, CancellationToken cancellationToken)
    {
        await using var git = Git.Start(["cat-file", "--batch=%(objecttype) %(objectsize) %(objectname) %(rest)", "--buffer"]);
        var feeding = git.FeedAsync(named, cancellationToken);
        while (await git.ReadAsync((byte)'\n', cancellationToken) is { } header)
        {
            if (header.Split(' ', 4) is not [var type and ("blob" or "commit" or "tag"), var size, var id, var rest])
            {
                throw new ScanFailure($"git does not have an object that it should: {header}. Run git fsck, or fetch again.");
            }

            scanner.Begin(placeOf(type, id, rest));
            await ContentAsync(git, long.Parse(size, CultureInfo.InvariantCulture), scanner, cancellationToken);
            scanner.End();
        }

        await git.EndAsync(cancellationToken);
        await feeding;
    }

    private static async Task ContentAsync(Git git, long left, TextScanner scanner, CancellationToken cancellationToken)
    {
        var wanted = true;
        var sample = (int)Math.Min(left, TextEncoding.Sample);
        while (left > 0)
        {
            var read = await git.Output.ReadAtLeastAsync(sample, cancellationToken);
            if (read.Buffer.Length < sample)
            {
                throw new ScanFailure("git ended in the middle of an object. Run git fsck, or fetch again.");
            }

            var part = read.Buffer.Slice(0, Math.Min(left, read.Buffer.Length));
            wanted = wanted && Add(part, sample, scanner);
            left -= part.Length;
            sample = 1;
            git.Output.AdvanceTo(part.End);
        }

        // A line feed after each.
        await git.ReadAsync((byte)'\n', cancellationToken);
    }

    private static bool Add(ReadOnlySequence<byte> part, int sample, TextScanner scanner)
    {
        if (sample > part.FirstSpan.Length)
        {
            // The beginning, which is judged by, lies in pieces.
            return scanner.Add(part.ToArray());
        }

        foreach (var piece in part)
        {
            if (!scanner.Add(piece.Span))
            {
                return false;
            }
        }

        return true;
    }
}
