using System.Globalization;

namespace MissionControl.Protocol.Tokens;

/// <summary>A kind of token: how it is called, and the form that is its own.</summary>
public sealed class TokenKind
{
    private readonly bool isSealed;

    private TokenKind(char letter, string name)
    {
        Letter = letter;
        Name = name;
        isSealed = SealedToken.Kinds.Contains(letter, StringComparison.Ordinal);
        Pattern = string.Create(CultureInfo.InvariantCulture, $"mc{letter}_{Digit}{{{TokenText.IdLength}}}_{Digit}{{{(isSealed ? $"{TokenScanner.ShortestTail}," : TokenText.Length - TokenScanner.HeadLength)}}}");
    }

    /// <summary>Every kind there is.</summary>
    public static IReadOnlyList<TokenKind> All { get; } =
    [
        new('e', "enrolment token"),
        new('a', "API token"),
        new('u', "user token"),
        new('w', "webhook token"),
        new('s', "support session token"),
        new('c', "cluster access token"),
    ];

    /// <summary>The third character of the token.</summary>
    public char Letter { get; }

    /// <summary>What people call it.</summary>
    public string Name { get; }

    /// <summary>The characters that every token of this kind begins with.</summary>
    public string Prefix => $"mc{Letter}_";

    /// <summary>The form as a regular expression, in the syntax that RE2 shares with everybody; a match is a token only when its checksum fits, too.</summary>
    public string Pattern { get; }

    private const string Digit = "[0-9A-Za-z]";

    /// <summary>The kind with this letter.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    public static TokenKind Of(char letter) => All.FirstOrDefault(kind => kind.Letter == letter) ?? throw new ArgumentOutOfRangeException(nameof(letter), letter, "There is no such kind of token.");

    /// <summary>How long a token of this kind is that has so many base 62 characters after its head; 0 when they are too few.</summary>
    internal int LengthWith(int tail) => isSealed ? TokenScanner.HeadLength + tail
        : TokenScanner.HeadLength + tail >= TokenText.Length ? TokenText.Length : 0;
}
