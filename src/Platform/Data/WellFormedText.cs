namespace MissionControl.Platform.Data;

/// <summary>Texts from outside that go into the database: some engines refuse NUL and halves of characters, so nothing of ours may make or pass one.</summary>
public static class WellFormedText
{
    /// <summary>The first characters of a text, never half a surrogate pair.</summary>
    public static string Cut(string text, int length)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length <= length ? text : text[..(length > 0 && char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];
    }

    /// <summary>A text of one line as people read it: control characters become spaces, and it is cut to a length.</summary>
    public static string Line(string text, int length)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Cut(string.Create(text.Length, text, static (line, source) =>
        {
            for (var i = 0; i < line.Length; i++)
            {
                line[i] = char.IsControl(source[i]) ? ' ' : source[i];
            }
        }), length);
    }
}
