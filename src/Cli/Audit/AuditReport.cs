using System.Globalization;
using System.Text.Json;
using MissionControl.Cli.SignIn;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Cli.Audit;

/// <summary>What is to be said of a log; its number is the exit code.</summary>
internal enum Verdict
{
    /// <summary>Every entry is there, and is what was signed.</summary>
    Good = 0,

    /// <summary>It is not what was signed, now or before.</summary>
    Inconsistent = 2,

    /// <summary>Not all could be looked at.</summary>
    Incomplete = 3,

    /// <summary>It is good, and no witness has seen it lately, or no epoch has bound it lately.</summary>
    Stale = 4,
}

/// <summary>What was found of a log, for people and for programs.</summary>
/// <param name="Verdict">What is to be said of it.</param>
/// <param name="Before">What it had signed when it was verified last; null: it was not.</param>
internal sealed record AuditReport(Verdict Verdict, SeenNote? Before)
{
    // Its encoder escapes every character that could steer a terminal.
    private static readonly JsonSerializerOptions Form = new(JsonSerializerOptions.Web) { WriteIndented = true };

    /// <summary>What it has signed now; null: that cannot be read.</summary>
    public SeenNote? Now { get; init; }

    /// <summary>Who has signed that; null: not whom the policy knows.</summary>
    public WitnessedCheckpoint? Seen { get; init; }

    /// <summary>What its entries showed; null: they were not read.</summary>
    public WalkFinding? Found { get; init; }

    /// <summary>The first entry that was read: a part of a log has not the first one.</summary>
    public long First { get; init; }

    /// <summary>What it says of the entries before that one; null: none were pruned, or it does not say so.</summary>
    public PrunedPart? Pruned { get; init; }

    /// <summary>What binds it to the anchor; null: that was not looked at.</summary>
    public AnchorFinding? Anchor { get; init; }

    /// <summary>What is wrong, in a sentence; null: nothing.</summary>
    public string? Problem { get; init; }

    /// <summary>File with what somebody else needs to see the same; null: there is none.</summary>
    public string? Evidence { get; init; }

    private string Word => Verdict.ToString().ToLowerInvariant();

    private long? New => Before is null || Now is null ? null : Now.Checkpoint.Size - Before.Checkpoint.Size;

    /// <summary>A witness's time. It may say any.</summary>
    public static string Time(long seconds) => SignInCommand.Instant(DateTimeOffset.FromUnixTimeSeconds(Math.Min(seconds, DateTimeOffset.MaxValue.ToUnixTimeSeconds())));

    /// <summary>As JSON; its members stay.</summary>
    public void TellAsJson(TextWriter output) => output.WriteLine(JsonSerializer.Serialize(
        new
        {
            version = 1,
            verdict = Word,
            exitCode = (int)Verdict,
            origin = Now?.Checkpoint.Origin,
            size = Now?.Checkpoint.Size,
            root = Now?.Checkpoint.Root.ToString(),
            previousSize = Before?.Checkpoint.Size,
            newEntries = New,
            witnesses = Seen?.Witnesses.OrderBy(witness => witness.Key, StringComparer.Ordinal).Select(witness => new { name = witness.Key, time = Time(witness.Value) }) ?? [],
            quorum = Seen?.HasQuorum ?? false,
            firstEntry = First,
            entriesRead = Found?.Entries ?? 0,
            tilesRead = Found?.Tiles ?? 0,
            problem = Problem,
            tile = Found?.Tile?.ToString(),
            index = Found?.Index,
            evidence = Evidence,
            epoch = Anchor?.Epoch?.Number,
            epochTime = Anchor?.Epoch is null ? null : Time(Anchor.Epoch.Time),
            slot = Anchor?.Epoch is null ? null : Anchor.Proof?.Slot,
            boundSize = Anchor?.Epoch is null ? null : Anchor.BoundSize,
            anchorSize = Anchor?.Anchor?.Checkpoint.Size,
            anchorOrigin = Anchor?.Anchor?.Checkpoint.Origin,
            anchorRoot = Anchor?.Anchor?.Checkpoint.Root.ToString(),
            witnessedSize = Seen is { Witnesses.Count: > 0 } ? Seen.Checkpoint.Size : (long?)null,
            prunedBy = Pruned?.Index,
        },
        Form));

    /// <summary>As a few lines.</summary>
    /// <param name="output">For whom.</param>
    /// <param name="good">What else is to be said of a log that is good.</param>
    public void Tell(TextWriter output, string good)
    {
        Say(output, $"{Verdict}: {Problem ?? (First == 0 || Pruned is not null ? "all that the log holds is what it has signed." : $"this part of the log, from entry {Count(First)} on, is what it has signed.")}");
        Say(output, "log", Now?.Checkpoint.Origin);
        Say(output, "entries", Now is null ? null : $"{Count(Now.Checkpoint.Size)}{(Before is null ? "" : New > 0 ? $", {Count(New.Value)} of them new since the last time" : $"; the last time {Count(Before.Checkpoint.Size)}")}");
        Say(output, "pruned", Pruned is not { } pruned ? null : $"entries 0 to {Count(pruned.First - 1)}, by {(Anchor is { Verdict: Verdict.Good or Verdict.Stale } ? "the published" : "a")} term of {Count(pruned.Days)} days, as {(Anchor is null ? $"the log itself says in entry {Count(pruned.Index)}; the fleet's log was not asked" : $"entry {Count(pruned.Index)} says")}: the root proves their hashes, their text is gone");
        Say(output, "root", Now?.Checkpoint.Root.ToString());
        Say(output, "witnesses", Seen is null ? null : Seen.Witnesses.Count == 0 ? "none" : string.Join(", ", Seen.Witnesses.OrderByDescending(witness => witness.Value).Select(witness => $"{witness.Key} at {Time(witness.Value)}")) + (Seen.Checkpoint.Size < Now?.Checkpoint.Size ? $", the first {Count(Seen.Checkpoint.Size)} entries" : ""));
        Say(output, "anchored", Anchor is not { Epoch: { } epoch, Proof: { } proof } ? null : $"slot {Count(proof.Slot)} of epoch {Count(epoch.Number)}, closed at {Time(epoch.Time)}, binds {Count(Anchor.BoundSize ?? 0)} entries");
        Say(output, "anchor", Anchor?.Anchor is not { } anchor ? null : $"{anchor.Checkpoint.Origin}, {Count(anchor.Checkpoint.Size)} epochs, root {anchor.Checkpoint.Root}{(Anchor.AnchorBefore is null ? "; seen for the first time" : "")}");
        Say(output, "read", Found is null ? null : $"{Count(Found.Entries)} entries, {Count(Found.Tiles)} tiles");
        Say(output, Verdict switch
        {
            Verdict.Good => good,
            Verdict.Stale when Anchor is { Verdict: Verdict.Stale } => "What is there is what was signed. Ask why no epoch was closed lately.",
            Verdict.Stale => "What is there is what was signed. Ask why no witness has seen it lately.",
            Verdict.Incomplete => "That proves nothing, for or against the log. Try again, or another place where the log stands.",
            _ => $"Show {Evidence ?? "this"} to whoever answers for the log, and to others who verify it.{(Before is null ? "" : " The state was not changed: keep it.")}",
        });
    }

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static void Say(TextWriter output, string name, string? value)
    {
        if (value is not null)
        {
            Say(output, $"  {name,-9}  {value}");
        }
    }

    private static void Say(TextWriter output, string line) => output.WriteLine(Printable.Line(line));
}
