using MissionControl.Protocol.Tokens;

namespace MissionControl.Cli.Scan;

/// <summary>A text that is looked through.</summary>
/// <param name="File">Where it is, for people.</param>
/// <param name="Commit">In history: the oldest commit that has it.</param>
internal sealed record Place(string File, string? Commit = null);

/// <summary>A token that stands where none belongs.</summary>
/// <param name="Place">The text.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in UTF-16 units, as editors count.</param>
/// <param name="Kind">Which kind of token.</param>
/// <param name="Id">Its loggable part: all that is ever kept or said of it.</param>
internal sealed record Finding(Place Place, long Line, long Column, TokenKind Kind, string Id);
