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

    /// <summary>The proof that the log of the fleet is bound by the same epoch, as it came.</summary>
    public SlotProof? FleetProof { get; init; }

    /// <summary>How many entries of the log the epoch binds; null: that was not come to.</summary>
    public long? BoundSize { get; init; }

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
/// the newest epoch binds a head of it there, and that of the fleet's log in the first slot; the epoch stands in the anchor, at its place;
/// the anchor is the one that was seen before, grown; and what is bound and what the logs have signed now are of one log each.
/// </summary>
/// <param name="logs">The log, the anchor and the log of the fleet.</param>
/// <param name="policy">Whose word counts for the log. The installation's key signs its other logs under their own names.</param>
/// <param name="kept">File of the state of the log; those of the other two are beside it; null: nothing is kept.</param>
internal sealed class AnchorAudit((LogSource Own, LogSource Anchor, LogSource Fleet) logs, LogPolicy policy, string? kept)
{
    /// <summary>So many epochs may be missing before nobody can be said to have been told lately.</summary>
    public const int MostMissing = 3;

    private const int FleetSlot = 0;

    private AnchorFinding found = new(Verdict.Good, null);
    private Func<SeenNote>? anchorRead;
    private DateTimeOffset begun;
    private string? stale;

    private string OfAnchor => $"{kept}.anchor";

    private string OfFleet => $"{kept}.fleet";

    /// <summary>Reads what binds the log, before the log itself is read: so whoever holds nothing back shows no less of it then.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        begun = TimeProvider.System.GetUtcNow();
        try
        {
            // In this order: the anchor has come at least as far as what the proof speaks of.
            var proof = SlotProof.Parse((await logs.Own.ReadAsync("anchor", SlotProof.MaxLength, cancellationToken) ?? throw new SourceFailure("no epoch binds it yet; a new log waits for the next one.")).Span);
            found = found with { Proof = proof };
            found = found with { FleetProof = SlotProof.Parse((await logs.Fleet.ReadAsync(string.Create(CultureInfo.InvariantCulture, $"anchor?epoch={proof.Epoch}"), SlotProof.MaxLength, cancellationToken) ?? throw new SourceFailure("no epoch binds the log of the fleet yet.")).Span) };
            var anchor = SeenNote.Parse(await logs.Anchor.CheckpointAsync(cancellationToken) ?? throw new SourceFailure("the checkpoint of the anchor is not there."));
            anchorRead = () => anchor;
        }
        catch (Exception exception) when (exception is SourceFailure or FormatException)
        {
            anchorRead = () => throw exception;
        }
    }

    /// <summary>Judges it.</summary>
    /// <param name="now">What the log has signed, and was verified to be.</param>
    /// <param name="before">What it had signed when it was verified last; null: it was not.</param>
    /// <param name="pruned">What it says of the entries that it does not have any more; null: it has all.</param>
    /// <param name="epoch">How long an epoch is; null: the newest may be of any time that has come.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<AnchorFinding> RunAsync(SeenNote now, SeenNote? before, PrunedPart? pruned, TimeSpan? epoch, CancellationToken cancellationToken)
    {
        try
        {
            await VerifyAsync(now, before, pruned, cancellationToken);
            return Late(epoch) is { } late ? found with { Verdict = Verdict.Stale, Problem = late } : found;
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

    // Of when it was asked for: what it takes to read a large log says nothing of the anchor.
    private string? Late(TimeSpan? epoch)
    {
        var age = begun - DateTimeOffset.FromUnixTimeSeconds(Math.Min(found.Epoch!.Time, DateTimeOffset.MaxValue.ToUnixTimeSeconds()));
        return stale
            ?? (age > MostMissing * epoch ? string.Create(CultureInfo.InvariantCulture, $"The newest epoch, {found.Epoch.Number}, is of {AuditReport.Time(found.Epoch.Time)}, longer ago than {MostMissing} epochs: since then nothing binds the log to what others are shown.")
            : age < -MostMissing * (epoch ?? TimeSpan.FromMinutes(1)) ? string.Create(CultureInfo.InvariantCulture, $"Epoch {found.Epoch.Number} says that it is of {AuditReport.Time(found.Epoch.Time)}, which has not come yet: how old it is, nobody can say.")
            : null);
    }

    private async Task VerifyAsync(SeenNote now, SeenNote? before, PrunedPart? pruned, CancellationToken cancellationToken)
    {
        found = found with { AnchorBefore = kept is null ? null : SeenNote.Kept(OfAnchor, Judge), FleetBefore = kept is null ? null : SeenNote.Kept(OfFleet, Judge) };
        var anchor = anchorRead!();
        var (proof, ofFleet) = (found.Proof!, found.FleetProof!);
        var bound = Holds("What the epoch binds", () => policy.Judge(proof.Note)).Checkpoint;
        found = found with { Anchor = Signed(anchor, "anchor"), BoundSize = bound.Size };
        await VerifyAnchorAsync(found.Anchor, cancellationToken);
        await VerifyEpochAsync(proof, found.Anchor.Checkpoint, cancellationToken);
        await VerifySameLogAsync(logs.Own, bound, now.Checkpoint, cancellationToken);
        found = found with { Fleet = Signed(SeenNote.Parse(await logs.Fleet.CheckpointAsync(cancellationToken) ?? throw new SourceFailure("the checkpoint of the fleet's log is not there.")), "fleet's log") };
        var fleet = await VerifyFleetAsync(ofFleet, found.Fleet.Checkpoint, cancellationToken);
        await VerifySlotAsync(proof, bound.Origin, found.Fleet.Checkpoint, fleet.Size, pruned, cancellationToken);

        // An epoch that was closed while the log was looked at the last time may not have known of it yet; those behind it have.
        stale = found.Anchor.Checkpoint.Size - proof.Epoch > MostMissing ? string.Create(CultureInfo.InvariantCulture, $"The proof is of epoch {proof.Epoch}, and the anchor has {found.Anchor.Checkpoint.Size}: of the newest ones none was given.")
            : found.AnchorBefore is { } seen && before is not null && proof.Epoch > seen.Checkpoint.Size + MostMissing && bound.Size < before.Checkpoint.Size ? string.Create(CultureInfo.InvariantCulture, $"Epoch {proof.Epoch} binds {bound.Size} entries, and {before.Checkpoint.Size} were signed already at the time of epoch {seen.Checkpoint.Size}: what was seen then is still not bound.")
            : null;
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
        found = found with { Inclusion = path, Epoch = Holds($"Entry {index} of the anchor", () => Epoch.Parse(entry)) };
        Unless(found.Epoch.Number == proof.Epoch, string.Create(CultureInfo.InvariantCulture, $"Entry {index} of the anchor is epoch {found.Epoch.Number}: a number has come twice, or was left out."));
        Holds("The proof of the slot", () =>
        {
            proof.Verify(found.Epoch);
            return true;
        });
    }

    private static async Task VerifySameLogAsync(LogSource log, Checkpoint bound, Checkpoint now, CancellationToken cancellationToken)
    {
        Unless(bound.Origin == now.Origin, $"The epoch binds {bound.Origin}, and the log is {now.Origin}.");
        if (bound.Size == 0)
        {
            throw new SourceFailure($"the epoch binds nothing of {now.Origin} yet.");
        }

        // It was signed before the log was asked for what it has signed.
        if (bound.Size > now.Size)
        {
            throw new SourceFailure(string.Create(CultureInfo.InvariantCulture, $"the epoch binds {bound.Size} entries of {now.Origin}, and {now.Size} are shown: some are held back."));
        }

        var hashes = await log.ResolveAsync(ProofPlan.Consistency(bound.Size, now.Size), now.Size, cancellationToken);
        Unless(MerkleProof.VerifyConsistency(bound.Size, bound.Root, now.Size, now.Root, hashes),
            string.Create(CultureInfo.InvariantCulture, $"What the epoch binds, {bound.Size} entries of the root {bound.Root}, is not of the log that was read, {now.Origin}: others are told another story of it."));
    }

    // It gives the slots, so it has to be everybody's, too: the first slot is its own.
    private async Task<Checkpoint> VerifyFleetAsync(SlotProof proof, Checkpoint fleet, CancellationToken cancellationToken)
    {
        var bound = Holds("What the epoch binds of the fleet's log", () =>
        {
            var note = new SeenNote(proof.Note.ToBytes(), proof.Note, Checkpoint.Parse(proof.Note.Text));
            Judge(note);
            proof.Verify(found.Epoch!);
            return note.Checkpoint;
        });
        Unless(proof.Slot == FleetSlot, string.Create(CultureInfo.InvariantCulture, $"The log of the fleet is said to have slot {proof.Slot}: its slot is {FleetSlot}, of everybody's."));
        await VerifySameLogAsync(logs.Fleet, bound, fleet, cancellationToken);
        return bound;
    }

    private async Task VerifySlotAsync(SlotProof proof, string origin, Checkpoint fleet, long bound, PrunedPart? pruned, CancellationToken cancellationToken)
    {
        var (slots, terms) = (new SlotRegister(proof.Slot, origin), new TermRegister());
        var walk = await LogWalk.RunAsync(fleet, found.FleetBefore?.Checkpoint, logs.Fleet.TileAsync, null, cancellationToken, (index, entry) =>
        {
            slots.Read(index, entry);
            terms.Read(entry);
        });
        found = found with { Registrations = slots.Entries };
        Unless(walk.Result != WalkResult.Inconsistent, $"The log of the fleet, which gives the slots, is not what it has signed: {walk.Problem}");
        if (walk.Result == WalkResult.Incomplete)
        {
            throw new SourceFailure($"of the log of the fleet, {walk.Problem}");
        }

        Unless(slots.Problem is null, slots.Problem ?? "");
        if (pruned is not null && terms.ProblemOf(pruned) is { } early)
        {
            throw new SourceFailure(early);
        }

        if (!(slots.GivenAt < bound))
        {
            throw new SourceFailure(string.Create(CultureInfo.InvariantCulture, $"what is bound of the fleet's log does not say yet whose slot {proof.Slot} is."));
        }
    }

    private SeenNote Signed(SeenNote note, string name) => Holds($"The checkpoint of the {name}, {note.Checkpoint.Origin}", () =>
    {
        Judge(note);
        return note;
    });

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

    private static T Holds<T>(string what, Func<T> judge)
    {
        try
        {
            return judge();
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException)
        {
            throw new Unbound($"{what}: {exception.Message}");
        }
    }

    /// <summary>What is there is signed, and is not as it must be.</summary>
    private sealed class Unbound(string message) : Exception(message);
}
