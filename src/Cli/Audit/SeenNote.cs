using System.Text;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Cli.Audit;

/// <summary>A checkpoint as it came, byte for byte. One that was verified is the state of the next time: a signed note, for any tool to read.</summary>
/// <param name="Bytes">All of it.</param>
/// <param name="Note">The note.</param>
/// <param name="Checkpoint">What it says.</param>
internal sealed record SeenNote(ReadOnlyMemory<byte> Bytes, SignedNote Note, Checkpoint Checkpoint)
{
    /// <summary>All of it as text.</summary>
    public string Text => Encoding.UTF8.GetString(Bytes.Span);

    /// <summary>Reads one; its signatures are not judged.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static SeenNote Parse(ReadOnlyMemory<byte> bytes)
    {
        var note = SignedNote.Parse(bytes.Span);
        return new SeenNote(bytes, note, Checkpoint.Parse(note.Text));
    }

    /// <summary>What was kept; null: nothing was, yet.</summary>
    /// <exception cref="CommandFailure">It is none, or nobody whom the policy knows has signed it: what somebody else put there is not compared with.</exception>
    public static SeenNote? Kept(string path, LogPolicy policy) => Kept(path, note => policy.Judge(note.Note));

    /// <summary>The same, by whatever judges whose signatures count.</summary>
    /// <exception cref="CommandFailure">It is none, or is judged to be nobody's.</exception>
    public static SeenNote? Kept(string path, Action<SeenNote> judge)
    {
        try
        {
            var kept = Parse(File.ReadAllBytes(path));
            judge(kept);
            return kept;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (FormatException exception)
        {
            throw new CommandFailure($"{Printable.Line(path)} is no state by this policy: {Printable.Line(exception.Message)}");
        }
    }

    /// <summary>Keeps it, unless more was kept meanwhile: a state never goes back.</summary>
    public void Keep(string path, LogPolicy policy) => Keep(path, note => policy.Judge(note.Note));

    /// <summary>The same, by whatever judges whose signatures count.</summary>
    public void Keep(string path, Action<SeenNote> judge)
    {
        if (!(Kept(path, judge)?.Checkpoint.Size > Checkpoint.Size))
        {
            WholeFile.Write(path, Bytes.Span);
        }
    }
}
