using System.Globalization;
using System.Text.Json;

namespace MissionControl.Cli.Audit;

/// <summary>How far an export has come.</summary>
/// <param name="Source">Of which log.</param>
/// <param name="Format">In which format.</param>
/// <param name="Next">The next entry.</param>
/// <param name="Length">How long the file was when that was so; what stands behind it was not counted any more, and is written again.</param>
internal sealed record ExportState(string Source, string Format, long Next, long Length);

/// <summary>
/// A file that lines are appended to, and the state beside it. The file is on the disk before the state says so, and what the state does
/// not know is cut off: so a line comes once, wherever it was interrupted.
/// </summary>
internal sealed class ExportFile : IDisposable
{
    private const int Lines = 200;
    private const int Longest = 128 * 1024 * 1024;
    private const int LongestState = 64 * 1024;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly FileStream file;
    private readonly string statePath;
    private ExportState state;

    /// <summary>Opens both.</summary>
    /// <param name="path">The file.</param>
    /// <param name="statePath">The state.</param>
    /// <param name="begin">Where it begins when there is no state.</param>
    /// <exception cref="CommandFailure">The state is another export's, or the file is not what was written.</exception>
    public ExportFile(string path, string statePath, ExportState begin)
    {
        this.statePath = statePath;
        var kept = Kept(statePath);
        if (kept is not null && (kept.Source != begin.Source || kept.Format != begin.Format))
        {
            throw new CommandFailure($"{Printable.Line(statePath)} is the state of an export of {Printable.Line(kept.Source)} as {Printable.Line(kept.Format)}. Name another state, and another file.");
        }

        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.Read };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        file = new FileStream(path, options);
        try
        {
            state = kept ?? begin with { Length = file.Length };

            // Rotated away: it begins anew, and the entries go on.
            state = file.Length == 0 ? state with { Length = 0 } : state;
            if (file.Length < state.Length)
            {
                throw new CommandFailure($"{Printable.Line(path)} is shorter than it was. Move it away, and a new one begins where it ended.");
            }

            // Before the first line there is a state, too: or the lines of a first run that was cut off would come twice.
            file.SetLength(state.Length);
            file.Seek(0, SeekOrigin.End);
            Keep();
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The next entry.</summary>
    public long Next => state.Next;

    /// <summary>Appends what is there.</summary>
    /// <exception cref="SourceFailure">It cannot be had.</exception>
    public async Task FillAsync(LogSource log, CancellationToken cancellationToken)
    {
        while (true)
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"export?format={state.Format}&from={state.Next}&limit={Lines}");
            var some = await log.ReadAsync(path, Longest, cancellationToken) ?? throw new SourceFailure("There is no such log, or it is not yours to see.");
            if (some.Length > Longest)
            {
                throw new SourceFailure($"{path} is answered with more than {Longest >> 20} MiB.");
            }

            if (some.Length > 0 && some.Span[^1] != (byte)'\n')
            {
                throw new SourceFailure($"{path} ends within a line.");
            }

            // One line is one entry, and none is left out.
            var lines = some.Span.Count((byte)'\n');
            if (lines > Lines)
            {
                throw new SourceFailure($"{path} is answered with {lines} lines.");
            }

            await file.WriteAsync(some, cancellationToken);
            file.Flush(flushToDisk: true);
            state = state with { Next = state.Next + lines, Length = file.Length };
            Keep();
            if (lines < Lines)
            {
                return;
            }
        }
    }

    /// <inheritdoc />
    public void Dispose() => file.Dispose();

    private void Keep() => WholeFile.Write(statePath, JsonSerializer.SerializeToUtf8Bytes(state, Json));

    private static ExportState? Kept(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return new FileInfo(path).Length <= LongestState && JsonSerializer.Deserialize<ExportState>(File.ReadAllBytes(path), Json) is { Source: not null, Format: not null, Next: >= 0, Length: >= 0 } state ? state : throw new JsonException();
        }
        catch (JsonException)
        {
            throw new CommandFailure($"{Printable.Line(path)} is no state of an export.");
        }
    }
}
