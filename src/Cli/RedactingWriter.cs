using System.Text;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Cli;

/// <summary>Writes whole lines, each with every token in it cut to its loggable id.</summary>
internal sealed class RedactingWriter(TextWriter inner) : TextWriter
{
    private readonly StringBuilder line = new();

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value)
    {
        line.Append(value);
        if (value == '\n')
        {
            Pass();
        }
    }

    public override void Write(string? value)
    {
        line.Append(value);
        if (value?.Contains('\n', StringComparison.Ordinal) == true)
        {
            Pass();
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Pass();
        }

        base.Dispose(disposing);
    }

    private void Pass()
    {
        inner.Write(TokenText.Redact(line.ToString()));
        inner.Flush();
        line.Clear();
    }
}
