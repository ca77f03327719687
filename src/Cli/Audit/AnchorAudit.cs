using System.Globalization;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Cli.Audit;

/// <summary>What was found of an anchor. What was not come to is null.</summary>
/// <param name="Verdict">What is to be said of it.</param>
/// <param name="Problem">What is wrong, in a sentence; null: nothing.</param>
internal sealed record AnchorFinding(Verdict Verdict, string? Problem)
{
    /// <summary>The proof that the log is bound, as it came.</summary>
    public SlotProof? Proof { get; init; }

    /// <summary>The epoch that binds it.</summary>
    public Epoch? Epoch { get; init; }

    /// <summary>The path of the epoch in the anchor.</summary>
    public IReadOnlyList<TreeHash>? Inclusion { get; init; }

    /// <summary>What the anchor has signed now.</summary>
    public SeenNote? Anchor { get; init; }

    /// <summary>What it had signed the last time.</summary>
    public SeenNote? AnchorBefore { get; init; }

    /// <summary>That the two are two stories.</summary>
    public ForkProof? Fork { get; init; }

    /// <summary>What the log of the fleet has signed now.</summary>
    public SeenNote? Fleet { get; init; }

    /// <summary>What it had signed the last time.</summary>
    public SeenNote? FleetBefore { get; init; }

    /// <summary>The entries of the fleet's log that give the slot.</summary>
    public IReadOnlyList<byte[]> Registrations { get; init; } = [];
}

/// <summary>
/// Judges what binds a log of Mission Control to the story that everybody is told: its slot is its own, as the log of the fleet says;
/// the newest epoch binds a head of it there; the epoch stands in the anchor, at its place; the anchor is the one that was seen before,
/// grown; and the head that is bound and the one that the log has signed now are of one log.
/// </summary>
/// <param name="logs">The log, the anchor and the log of the fleet.</param>
/// <param name="policy">Whose word counts for the log. The installation's key signs its other logs under their own names.</param>
/// <param name="kept">File of the state of the log; those of the other two are beside it; null: nothing is kept.</param>
internal sealed class AnchorAudit((LogSource Own, LogSource Anchor, LogSource Fleet) logs, LogPolicy policy, string? kept)
{
    /// <summary>So many epochs may be missing before nobody can be said to have been told lately.</summary>
    public const int MostMissing = 3;

    private AnchorFinding found = new(Verdict.Good, null);

    private string OfAnchor => $"{kept}.anchor";

    private string OfFleet => $"{kept}.fleet";

    /// <param name="now">What the log has signed, and was verified to be.</param>
    /// <param name="epoch">How long an epoch is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<AnchorFinding> RunAsync(SeenNote now, TimeSpan epoch, CancellationToken cancellationToken)
    {
        try
        {
            await VerifyAsync(now, cancellationToken);
            return TimeProvider.System.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(Math.Min(found.Epoch!.Time, DateTimeOffset.MaxValue.ToUnixTimeSeconds())) > MostMissing * epoch
                ? found with { Verdict = Verdict.Stale, Problem = string.Create(CultureInfo.InvariantCulture, $"The newest epoch, {found.Epoch.Number}, is of {AuditReport.Time(found.Epoch.Time)}, longer ago than {MostMissing} epochs: since then nothing binds the log to what others are shown.") }
                : found;
        }
        catch (Unbound unbound)
        {
            return found with { Verdict = Verdict.Inconsistent, Problem = unbound.Message };
        }
        catch (Exception exception) when (exception is SourceFailure or FormatException or ArgumentException)
        {
            return found with { Verdict = Verdict.Incomplete, Problem = $"What binds the log to the anchor cannot be looked at: {exception.Message}" };
        }
    }

    /// <summary>Keeps what the anchor and the fleet have signed, beside the state of the log.</summary>
    public void Keep()
    {
        found.Anchor!.Keep(OfAnchor, Judge);
        found.Fleet!.Keep(OfFleet, Judge);
    }

    private async Task VerifyAsync(SeenNote now, CancellationToken cancellationToken)
    {
        found = found with { AnchorBefore = kept is null ? null : SeenNote.Kept(OfAnchor, Judge), FleetBefore = kept is null ? null : SeenNote.Kept(OfFleet, Judge) };

        // In this order: the anchor and the fleet's log have come at least as far as what the proof speaks of.
        var proof = SlotProof.Parse((await logs.Own.ReadAsync("anchor", SlotProof.MaxLength, cancellationToken) ?? throw new SourceFailure("no epoch binds it yet; a new log waits for the next one.")).Span);
        found = found with { Proof = proof };
        var bound = Holds(() => policy.Judge(proof.Note)).Checkpoint;
        found = found with { Anchor = await SignedAsync(logs.Anchor, "anchor", cancellationToken) };
        await VerifyAnchorAsync(found.Anchor, cancellationToken);
        await VerifyEpochAsync(proof, found.Anchor.Checkpoint, cancellationToken);
        await VerifySameLogAsync(bound, now.Checkpoint, cancellationToken);
        found = found with { Fleet = await SignedAsync(logs.Fleet, "fleet", cancellationToken) };
        await VerifySlotAsync(proof, bound.Origin, found.Fleet.Checkpoint, cancellationToken);
    }

    private async Task VerifyAnchorAsync(SeenNote anchor, CancellationToken cancellationToken)
    {
        if (found.AnchorBefore?.Checkpoint is not { } before)
        {
            return;
        }

        var now = anchor.Checkpoint;
        Unless(before.Origin == now.Origin, $"The anchor that was seen before is {before.Origin}, and this one says it is {now.Origin}.");
        Unless(before.Size <= now.Size, string.Create(CultureInfo.InvariantCulture, $"The anchor had {before.Size} epochs and has {now.Size} now: epochs that were there are gone."));
        var hashes = await logs.Anchor.ResolveAsync(ProofPlan.Consistency(before.Size, now.Size), now.Size, cancellationToken);
        if (!MerkleProof.VerifyConsistency(before.Size, before.Root, now.Size, now.Root, hashes))
        {
            found = found with { Fork = await ForkProof.FindAsync(logs.Anchor, before, now, cancellationToken) };
            throw new Unbound(string.Create(CultureInfo.InvariantCulture, $"The first {before.Size} epochs of the anchor are not those that it had signed: others are told another story."));
        }
    }

    private async Task VerifyEpochAsync(SlotProof proof, Checkpoint anchor, CancellationToken cancellationToken)
    {
        if (proof.Epoch < 1 || proof.Epoch > anchor.Size)
        {
            throw new SourceFailure(string.Create(CultureInfo.InvariantCulture, $"the proof is of epoch {proof.Epoch}, and the anchor has {anchor.Size}."));
        }

        var index = proof.Epoch - 1;
        var entry = await EntryAsync(logs.Anchor, index, anchor.Size, cancellationToken);
        var path = await logs.Anchor.ResolveAsync(ProofPlan.Inclusion(index, anchor.Size), anchor.Size, cancellationToken);
        Unless(MerkleProof.VerifyInclusion(TreeHash.OfLeaf(entry), index, anchor.Size, path, anchor.Root), $"Entry {index} of the anchor is not what the anchor has signed.");
        found = found with { Inclusion = path, Epoch = Holds(() => Epoch.Parse(entry)) };
        Unless(found.Epoch.Number == proof.Epoch, string.Create(CultureInfo.InvariantCulture, $"Entry {index} of the anchor is epoch {found.Epoch.Number}: a number has come twice, or was left out."));
        Holds(() =>
        {
            proof.Verify(found.Epoch);
            return true;
        });
    }

    private async Task VerifySameLogAsync(Checkpoint bound, Checkpoint now, CancellationToken cancellationToken)
    {
        // An epoch may have bound what came after the log was read.
        Unless(bound.Origin == now.Origin, $"The epoch binds {bound.Origin}, and the log is {now.Origin}.");
        var (first, second) = bound.Size <= now.Size ? (bound, now) : (now, bound);
        var hashes = await logs.Own.ResolveAsync(ProofPlan.Consistency(first.Size, second.Size), second.Size, cancellationToken);
        Unless(MerkleProof.VerifyConsistency(first.Size, first.Root, second.Size, second.Root, hashes),
            string.Create(CultureInfo.InvariantCulture, $"What the epoch binds, {bound.Size} entries of the root {bound.Root}, is not of the log that was read: others are told another story of it."));
    }

    private async Task VerifySlotAsync(SlotProof proof, string origin, Checkpoint fleet, CancellationToken cancellationToken)
    {
        var slots = new SlotRegister(proof.Slot, origin);
        var walk = await LogWalk.RunAsync(fleet, found.FleetBefore?.Checkpoint, logs.Fleet.TileAsync, null, cancellationToken, slots.Read);
        found = found with { Registrations = slots.Entries };
        Unless(walk.Result != WalkResult.Inconsistent, $"The log of the fleet, which gives the slots, is not what it has signed: {walk.Problem}");
        if (walk.Result == WalkResult.Incomplete)
        {
            throw new SourceFailure($"of the log of the fleet, {walk.Problem}");
        }

        Unless(slots.Problem is null, slots.Problem ?? "");
        if (slots.Entries.Count == 0)
        {
            throw new SourceFailure(string.Create(CultureInfo.InvariantCulture, $"the log of the fleet does not say yet whose slot {proof.Slot} is."));
        }
    }

    private async Task<SeenNote> SignedAsync(LogSource source, string name, CancellationToken cancellationToken)
    {
        var note = SeenNote.Parse(await source.CheckpointAsync(cancellationToken) ?? throw new SourceFailure($"the checkpoint of the {name} is not there."));
        return Holds(() =>
        {
            Judge(note);
            return note;
        });
    }

    // Each log has the name of its own, and all of them the installation's key, which a policy names once (C2SP tlog-policy).
    private void Judge(SeenNote note)
    {
        var keys = policy.Logs.Where(log => log.Key.Name == note.Checkpoint.Origin).Select(log => log.Key).ToList();
        var derived = keys.Count > 0 ? [] : policy.Logs.Select(log => NoteKey.From(note.Checkpoint.Origin, NoteKeyType.Ed25519, log.Key.PublicKey.Span)).ToList();
        try
        {
            note.Note.Open([.. keys, .. derived]);
        }
        finally
        {
            derived.ForEach(key => key.Dispose());
        }
    }

    private static async Task<byte[]> EntryAsync(LogSource source, long index, long size, CancellationToken cancellationToken)
    {
        var id = TileId.At(TileId.Entries, index / TileId.FullWidth, size);
        var bundle = await LogWalk.ReadAsync(id, source.TileAsync, cancellationToken) ?? throw new SourceFailure($"{id} of the anchor is not there.");
        return Nth(bundle.Span, index % TileId.FullWidth) ?? throw new SourceFailure($"{id} of the anchor ends before entry {index}.");
    }

    private static byte[]? Nth(ReadOnlySpan<byte> bundle, long at)
    {
        while (EntryBundle.TryRead(ref bundle, out var entry))
        {
            if (at-- == 0)
            {
                return entry.ToArray();
            }
        }

        return null;
    }

    private static void Unless(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new Unbound(otherwise);
        }
    }

    private static T Holds<T>(Func<T> judge)
    {
        try
        {
            return judge();
        }
        catch (FormatException exception)
        {
            throw new Unbound(exception.Message);
        }
    }

    /// <summary>What is there is signed, and is not as it must be.</summary>
    private sealed class Unbound(string message) : Exception(message);
}
