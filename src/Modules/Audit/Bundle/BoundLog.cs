using System.Text;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Witnesses;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Bundle;

/// <summary>What shows, without asking anybody, that the newest epoch binds a log: its slot and the fleet's, and the two logs that say so.</summary>
/// <param name="Own">The proof of the log's slot.</param>
/// <param name="Fleet">The proof of the slot of the fleet's log in the same epoch.</param>
/// <param name="AnchorNote">What the anchor has signed.</param>
/// <param name="FleetNote">What the log of the fleet has signed.</param>
internal sealed record BoundLog(SlotProof Own, SlotProof Fleet, SignedNote AnchorNote, SignedNote FleetNote)
{
    /// <summary>The log of the fleet, which gives the slots.</summary>
    public static Guid FleetId { get; } = Log.IdOf("fleet");

    /// <summary>How many entries are bound.</summary>
    public long Size { get; } = SizeOf(Own.Note);

    /// <summary>How many epochs the anchor has.</summary>
    public long AnchorSize { get; } = SizeOf(AnchorNote);

    /// <summary>How many entries the log of the fleet has.</summary>
    public long FleetSize { get; } = SizeOf(FleetNote);

    /// <summary>Reads it; null: no epoch binds the log yet, or the log of the fleet is too long to come along.</summary>
    public static async Task<BoundLog?> ReadAsync(ControlPlaneDbContext db, Guid log, BlindingKey blinding, SlotTrees trees, int mostEntries, CancellationToken cancellationToken)
    {
        if (await AnchorApi.ProofAsync(log, db, blinding, trees, null, cancellationToken) is not { } own || await AnchorApi.ProofAsync(FleetId, db, blinding, trees, own.Epoch, cancellationToken) is not { } fleet)
        {
            return null;
        }

        var bound = new BoundLog(own, fleet, await NewestAsync(db, AnchorLog.Id, cancellationToken), await NewestAsync(db, FleetId, cancellationToken));
        return bound.FleetSize <= mostEntries ? bound : null;
    }

    private static async Task<SignedNote> NewestAsync(ControlPlaneDbContext db, Guid log, CancellationToken cancellationToken) =>
        SignedNote.Parse(Encoding.UTF8.GetBytes((await Witnessed.NewestAsync(db, log, cancellationToken))!));

    private static long SizeOf(SignedNote note) => Checkpoint.Parse(note.Text).Size;
}
