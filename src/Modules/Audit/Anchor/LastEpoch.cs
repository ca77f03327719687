using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Anchor;

/// <summary>An epoch that an entry was appended after.</summary>
/// <param name="Number">Which one.</param>
/// <param name="Hash">Hash of its entry in the anchor: nobody could name it before it was closed.</param>
internal sealed record AfterEpoch(long Number, TreeHash Hash);

/// <summary>The newest epoch that the anchor has signed, as it was a second ago at most.</summary>
internal sealed class LastEpoch(TimeProvider time)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private volatile Seen? last;

    /// <summary>Says it; null: there is none yet.</summary>
    public async Task<AfterEpoch?> ReadAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (last is not { } seen || time.GetElapsedTime(seen.At) >= Fresh)
        {
            var (at, number) = (time.GetTimestamp(), await AnchorLog.SignedAsync(db, cancellationToken));
            last = seen = new Seen(at, number > 0 && (await TileReader.LeavesAsync(db, AnchorLog.Id, number - 1, number, ["hash"], cancellationToken))[0] is [byte[] hash] ? new AfterEpoch(number, new TreeHash(hash)) : null);
        }

        return seen.Epoch;
    }

    private sealed record Seen(long At, AfterEpoch? Epoch);
}
