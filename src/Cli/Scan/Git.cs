using System.ComponentModel;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Text;

namespace MissionControl.Cli.Scan;

/// <summary>A git that runs beside us, and ends with us.</summary>
internal sealed class Git : IAsyncDisposable
{
    // In a hook these point to the repository that is committed to; a directory that somebody names may be of another.
    private static readonly string[] OfAnotherRepository = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"];

    private readonly Process process;
    private readonly string what;
    private readonly Task<string> complaints;

    private Git(Process process, string what)
    {
        this.process = process;
        this.what = what;
        complaints = process.StandardError.ReadToEndAsync();
        Output = PipeReader.Create(process.StandardOutput.BaseStream, new StreamPipeReaderOptions(bufferSize: 65536));
    }

    public PipeReader Output { get; }

    public Stream Input => process.StandardInput.BaseStream;

    /// <summary>Starts git in the working directory with the environment as it is, or in a named folder as if started there by hand.</summary>
    /// <exception cref="ScanFailure">There is no git.</exception>
    public static Git Start(string[] arguments, string? folder = null)
    {
        var start = new ProcessStartInfo("git", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, StandardErrorEncoding = Encoding.UTF8 };

        // An object is what it is, whatever was put in its place for show.
        start.Environment["GIT_NO_REPLACE_OBJECTS"] = "1";
        if (folder is not null)
        {
            start.WorkingDirectory = folder;
            foreach (var variable in OfAnotherRepository)
            {
                start.Environment.Remove(variable);
            }
        }

        try
        {
            return new Git(Process.Start(start)!, $"git {arguments[0]}");
        }
        catch (Win32Exception)
        {
            throw new ScanFailure("git does not start. Install it and see that it is on the PATH; files that are named one by one are scanned without it.");
        }
    }

    /// <summary>Runs git to its end.</summary>
    public static async Task<(int ExitCode, string Said, string Complained)> RunAsync(string[] arguments, string? folder, CancellationToken cancellationToken)
    {
        await using var git = Start(arguments, folder);
        var said = new List<string>();
        while (await git.ReadAsync((byte)'\n', cancellationToken) is { } line)
        {
            said.Add(line);
        }

        await git.process.WaitForExitAsync(cancellationToken);
        return (git.process.ExitCode, string.Join('\n', said), (await git.complaints).Trim());
    }

    /// <summary>Makes sure that the working directory is in a repository.</summary>
    /// <exception cref="ScanFailure">It is not, or git says something else against it.</exception>
    public static async Task RequireRepositoryAsync(CancellationToken cancellationToken)
    {
        if (await RunAsync(["rev-parse", "--git-dir"], null, cancellationToken) is { ExitCode: not 0, Complained: var why })
        {
            throw new ScanFailure($"Run this inside a git repository. git says: {why}.");
        }
    }

    /// <summary>What stands before the next separator; null at the end.</summary>
    public async ValueTask<string?> ReadAsync(byte separator, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await Output.ReadAsync(cancellationToken);
            if (System.Buffers.BuffersExtensions.PositionOf(read.Buffer, separator) is { } position)
            {
                var text = Encoding.UTF8.GetString(read.Buffer.Slice(0, position));
                Output.AdvanceTo(read.Buffer.GetPosition(1, position));
                return text;
            }

            if (read.IsCompleted)
            {
                var rest = read.Buffer.IsEmpty ? null : Encoding.UTF8.GetString(read.Buffer);
                Output.AdvanceTo(read.Buffer.End);
                return rest;
            }

            Output.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>Feeds lines to git while its answers are read, until there are no more.</summary>
    /// <remarks>When git ends before them, whoever reads its answers finds out, and why.</remarks>
    public async Task FeedAsync(IAsyncEnumerable<string> lines, CancellationToken cancellationToken)
    {
        try
        {
            await using var input = new StreamWriter(Input, new UTF8Encoding(false), 65536);
            await foreach (var line in lines.WithCancellation(cancellationToken))
            {
                await input.WriteAsync(line.AsMemory(), cancellationToken);
                await input.WriteAsync('\n');
            }
        }
        catch (IOException)
        {
        }
    }

    /// <summary>Waits for git's end, which must be a good one.</summary>
    /// <exception cref="ScanFailure">It is not.</exception>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            throw new ScanFailure($"{what} failed with code {process.ExitCode}: {(await complaints).Trim()}.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }

        await Output.CompleteAsync();
        process.Dispose();
    }
}
