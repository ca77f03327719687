using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Anchor;

/// <summary>The anchor as it is stored: how far it has come, and its last epoch.</summary>
/// <param name="Head">What it says of itself.</param>
/// <param name="IsSigned">Whether it has said so.</param>
/// <param name="Last">Its last epoch; null: it has none yet.</param>
internal sealed record AnchorLog(Checkpoint Head, bool IsSigned, Epoch? Last)
{
    public const string Kind = "anchor";

    /// <summary>Its id, the same in every installation.</summary>
    public static Guid Id { get; } = Log.IdOf(Kind);

    /// <summary>Reads it by whole keys; null: there is none yet.</summary>
    public static async Task<AnchorLog?> ReadAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var log = await db.Dialect.ReadByKeyAsync(db, Log.Table, ["name"], [[Kind]], ["origin"], cancellationToken);
        if (log[0] is not [string origin] || (await db.Dialect.ReadByKeyAsync(db, LogHead.Table, ["log_id"], [[Id]], ["size", "root"], cancellationToken))[0] is not [long size, byte[] root])
        {
            return null;
        }

        var head = new Checkpoint(origin, size, new TreeHash(root));
        if (size == 0)
        {
            return new AnchorLog(head, true, null);
        }

        var signed = (await db.Dialect.ReadByKeyAsync(db, LogCheckpoint.Table, ["log_id", "size"], [[Id, size]], ["note"], cancellationToken))[0] is not null;
        return new AnchorLog(head, signed, await EpochAsync(db, size, cancellationToken));
    }

    /// <summary>An epoch that there is.</summary>
    public static async Task<Epoch> EpochAsync(ControlPlaneDbContext db, long number, CancellationToken cancellationToken) =>
        (await TileReader.LeavesAsync(db, Id, number - 1, number, ["content"], cancellationToken))[0] is [byte[] content] ? Epoch.Parse(content) : throw new InvalidOperationException($"The anchor lacks entry {number - 1}.");

    /// <summary>The newest epoch that the anchor has signed; 0: none.</summary>
    public static async Task<long> SignedAsync(ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        await db.Set<LogCheckpoint>().Where(row => row.LogId == Id).MaxAsync(row => (long?)row.Size, cancellationToken) ?? 0;

    /// <summary>The id under which an epoch is appended: no log takes an id twice, and so the anchor no number.</summary>
    public static Guid EventOf(long number) => new(SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"mission-control/epoch/{number}"))).AsSpan(0, 16), bigEndian: true);
}
