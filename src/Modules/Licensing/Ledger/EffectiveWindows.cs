using MissionControl.Platform.Data;
using Microsoft.EntityFrameworkCore;

namespace MissionControl.Licensing.Ledger;

/// <summary>The window that counts for an hour of a cluster.</summary>
internal sealed class EffectiveWindow
{
    public required Guid ClusterId { get; init; }

    public required Guid CustomerId { get; init; }

    public required int Hour { get; init; }

    public required long Epoch { get; init; }

    public required long Revision { get; init; }

    public required bool Complete { get; init; }
}

/// <summary>Which windows count: now, or as it was known at a watermark.</summary>
internal static class EffectiveWindows
{
    // As WindowHead.RankOf reckons it.
    private const long Epochs = 1L << 31;

    /// <summary>Windows of hours in [from, to).</summary>
    /// <param name="db">The context.</param>
    /// <param name="from">First hour.</param>
    /// <param name="to">Last hour, not included.</param>
    /// <param name="watermark">As it was known at this number of the stream; null: now.</param>
    /// <param name="customer">Of this customer alone.</param>
    /// <param name="clusters">Of these clusters alone.</param>
    public static IQueryable<EffectiveWindow> Of(ControlPlaneDbContext db, int from, int to, long? watermark, Guid? customer = null, IReadOnlyCollection<Guid>? clusters = null)
    {
        if (watermark is null)
        {
            var heads = db.Set<WindowHead>().AsNoTracking().Where(head => head.Hour >= from && head.Hour < to);
            heads = customer is null ? heads : heads.Where(head => head.CustomerId == customer);
            heads = clusters is null ? heads : heads.Where(head => clusters.Contains(head.ClusterId));
            return heads.Select(head => new EffectiveWindow
            {
                ClusterId = head.ClusterId, CustomerId = head.CustomerId, Hour = head.Hour, Epoch = head.Epoch, Revision = head.Revision, Complete = head.Complete,
            });
        }

        var known = db.Set<StoredWindow>().AsNoTracking().Where(window => window.Hour >= from && window.Hour < to && window.Seq <= watermark);
        known = customer is null ? known : known.Where(window => window.CustomerId == customer);
        known = clusters is null ? known : known.Where(window => clusters.Contains(window.ClusterId));
        var newest = known.GroupBy(window => new { window.ClusterId, window.Hour })
            .Select(group => new { group.Key.ClusterId, group.Key.Hour, Rank = group.Max(window => (window.Epoch * Epochs) + window.Revision) });
        return from window in known
               join top in newest on new { window.ClusterId, window.Hour, Rank = (window.Epoch * Epochs) + window.Revision } equals new { top.ClusterId, top.Hour, top.Rank }
               select new EffectiveWindow
               {
                   ClusterId = window.ClusterId, CustomerId = window.CustomerId, Hour = window.Hour, Epoch = window.Epoch, Revision = window.Revision, Complete = window.Complete,
               };
    }

    /// <summary>What counts of these windows.</summary>
    /// <param name="db">The context.</param>
    /// <param name="windows">Those that count.</param>
    /// <param name="watermark">The same as theirs.</param>
    public static IQueryable<LedgerCell> Cells(ControlPlaneDbContext db, IQueryable<EffectiveWindow> windows, long? watermark)
    {
        var cells = db.Set<LedgerCell>().AsNoTracking();
        cells = watermark is null ? cells : cells.Where(cell => cell.Since <= watermark);
        return from window in windows
               join cell in cells on new { window.ClusterId, window.Hour, window.Epoch, window.Revision } equals new { cell.ClusterId, cell.Hour, cell.Epoch, cell.Revision }
               select cell;
    }
}
