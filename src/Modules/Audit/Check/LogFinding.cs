namespace MissionControl.Audit.Check;

/// <summary>What a check of a log found.</summary>
/// <param name="Log">The log.</param>
/// <param name="Origin">By what its checkpoints call it.</param>
/// <param name="Size">How many entries it has.</param>
/// <param name="Tiles">Stored tiles that were made anew.</param>
/// <param name="Checkpoints">Checkpoints whose root was made anew.</param>
/// <param name="Withheld">Personal values that entries are committed to and that are not there: erased, as a later entry says, or else a problem.</param>
/// <param name="Problems">What is damaged, the first ones; nothing when all is as it must be.</param>
internal sealed record LogFinding(Guid Log, string Origin, long Size, long Tiles, long Checkpoints, long Withheld, IReadOnlyList<string> Problems);
