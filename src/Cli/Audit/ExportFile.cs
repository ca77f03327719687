using System.Globalization;
using System.Text.Json;

namespace MissionControl.Cli.Audit;

/// <summary>How far an export has come.</summary>
/// <param name="Source">Of which log.</param>
/// <param name="Format">In which format.</param>
/// <param name="Output">Into which file, by its whole path.</param>
/// <param name="Next">The next entry.</param>
/// <param name="Length">How long the file was when that was so; what stands behind it was not counted any more, and is written again.</param>
internal sealed record ExportState(string Source, string Format, string Output, long Next, long Length)
{
    /// <summary>What the log calls itself; null: it had no line yet.</summary>
    public string? Origin { get; init; }

    /// <summary>Hash of the entry before the next one; null: there was none.</summary>
    public string? LeafHash { get; init; }
}

/// <summary>A log is not the one whose entries are in the file. Its sentence says how that is seen.</summary>
internal sealed class OtherLog(string message) : Exception(message);

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

    private readonly FileStream held;
    private readonly FileStream file;
    private readonly string statePath;
    private ExportState state;
    private bool isKept;

    /// <summary>Opens both.</summary>
    /// <param name="statePath">The state.</param>
    /// <param name="begin">Where it begins when there is no state.</param>
    /// <exception cref="CommandFailure">The state is another export's or in use, or the file is not what was written.</exception>
    public ExportFile(string statePath, ExportState begin)
    {
        this.statePath = Path.GetFullPath(statePath);
        if (this.statePath == begin.Output)
        {
            throw new CommandFailure("--output and --state are the same file.");
        }

        // Everything else would let two of them in at once where files can be locked for reading by many.
        held = Hold($"{this.statePath}.lock");
        try
        {
            var kept = Kept(statePath);
            if (kept is not null && (kept.Source != begin.Source || kept.Format != begin.Format || kept.Output != begin.Output))
            {
                throw new CommandFailure($"{Printable.Line(statePath)} is the state of an export of {Printable.Line(kept.Source)} as {Printable.Line(kept.Format)} into {Printable.Line(kept.Output)}. Name another state, and another file.");
            }

            file = Open(begin.Output);
            try
            {
                // Rotated away: it begins anew, and the entries go on.
                state = kept is null || file.Length > 0 ? kept ?? begin : kept with { Length = 0 };
                isKept = kept == state;
                Cut(isKnown: kept is not null);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>The next entry.</summary>
    public long Next => state.Next;

    /// <summary>Appends what is there.</summary>
    /// <exception cref="SourceFailure">It cannot be had.</exception>
    /// <exception cref="OtherLog">It is another log than before.</exception>
    public async Task FillAsync(LogSource log, CancellationToken cancellationToken)
    {
        while (true)
        {
            // The last entry that is in the file comes once more, so that nothing of another log is appended to it.
            var from = state.Next - (state.LeafHash is null ? 0 : 1);
            var path = string.Create(CultureInfo.InvariantCulture, $"export?format={state.Format}&from={from}&limit={Lines}");
            var some = await log.ReadAsync(path, Longest, cancellationToken) ?? throw await GoneAsync(log, from, cancellationToken);
            if (some.Length > Longest)
            {
                throw new SourceFailure($"{path} is answered with more than {Longest >> 20} MiB.");
            }

            if (some.Length > 0 && some.Span[^1] != (byte)'\n')
            {
                throw new SourceFailure($"{path} ends within a line.");
            }

            // Before the first line there is a state, too: or the lines of a first run that was cut off would come twice.
            var (after, fresh, lines) = Read(some, from, path);
            if (!isKept)
            {
                Keep();
            }

            await file.WriteAsync(fresh, cancellationToken);
            file.Flush(flushToDisk: true);
            state = after with { Length = file.Length };
            Keep();
            if (lines < Lines)
            {
                return;
            }
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        file.Dispose();
        held.Dispose();
    }

    // Without a place the log answers from its first entry on, which may have been pruned up to behind what is wanted.
    private async Task<SourceFailure> GoneAsync(LogSource log, long from, CancellationToken cancellationToken) =>
        await log.ReadAsync($"export?format={state.Format}&limit=1", Longest, cancellationToken) is { Length: > 0 } first && first.Span.IndexOf((byte)'\n') is > 0 and var end && ExportedLine.Read(state.Format, first[..end]) is { } line && line.Index > from
            ? new SourceFailure(string.Create(CultureInfo.InvariantCulture, $"Entries {from} to {line.Index - 1} were pruned, as the log says. Begin at the first that is left: --from {line.Index}, with another file and another state."))
            : new SourceFailure("There is no such log, or it is not yours to see.");

    // One line is one entry, and none is left out.
    private (ExportState After, ReadOnlyMemory<byte> Fresh, int Lines) Read(ReadOnlyMemory<byte> some, long from, string path)
    {
        var (after, fresh, rest, lines) = (state, some, some, 0);
        for (; rest.Length > 0; lines++)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            if (lines == Lines || ExportedLine.Read(state.Format, rest[..end]) is not { } line || line.Index != from + lines)
            {
                throw new SourceFailure($"{path} is answered with something else than entry {from + lines} in line {lines + 1}.");
            }

            rest = rest[(end + 1)..];
            if (after.Origin is not null && after.Origin != line.Origin)
            {
                throw Other($"It is the log {Printable.Line(line.Origin)}, and the file has entries of {Printable.Line(after.Origin)}.");
            }

            if (line.Index < state.Next)
            {
                fresh = rest;
                if (line.LeafHash != state.LeafHash)
                {
                    throw Other($"Entry {line.Index} is not the one that is in the file.");
                }
            }
            else
            {
                after = after with { Next = line.Index + 1, LeafHash = line.LeafHash, Origin = line.Origin };
            }
        }

        return lines > 0 || from == state.Next ? (after, fresh, lines) : throw new SourceFailure($"The log ends before entry {from}, which is in the file.");
    }

    private static OtherLog Other(string what) => new($"{what} Nothing was appended. Verify the log (mc audit verify); when it is good, go on with another file and another state.");

    private static FileStream Hold(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(path))
        {
            throw new CommandFailure($"{Printable.Line(path)} is held: this export is running already.");
        }
    }

    private static FileStream Open(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.Read };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }

    private void Cut(bool isKnown)
    {
        if (file.Length > 0 && !isKnown)
        {
            throw new CommandFailure($"{Printable.Line(state.Output)} holds something, and there is no state that says how far it has come. Move it away; --from says the entry behind its last one.");
        }

        if (file.Length < state.Length)
        {
            throw new CommandFailure($"{Printable.Line(state.Output)} is shorter than it was. Move it away, and a new one begins where it ended.");
        }

        file.Seek(Math.Max(0, state.Length - 1), SeekOrigin.Begin);
        if (state.Length > 0 && file.ReadByte() != '\n')
        {
            throw new CommandFailure($"{Printable.Line(state.Output)} is not what was written: no line ends where the last one did. Move it away, and a new one begins where it ended.");
        }

        file.SetLength(state.Length);
    }

    private void Keep()
    {
        WholeFile.Write(statePath, JsonSerializer.SerializeToUtf8Bytes(state, Json));
        isKept = true;
    }

    private static ExportState? Kept(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return new FileInfo(path).Length <= LongestState && JsonSerializer.Deserialize<ExportState>(File.ReadAllBytes(path), Json) is { Source: not null, Format: not null, Output: not null, Next: >= 0, Length: >= 0 } state && (state.LeafHash is null || state.Next > 0) ? state : throw new JsonException();
        }
        catch (JsonException)
        {
            throw new CommandFailure($"{Printable.Line(path)} is no state of an export.");
        }
    }
}
