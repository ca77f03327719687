using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Licensing.Changes;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Ledger;

/// <summary>Lets parked quantities count once their meter is defined. What does not fit the meter's scale stays parked and says so.</summary>
internal sealed class CountParkedCells(TimeProvider time) : Sweeper("licensing.count-parked-cells", "licensing", TimeSpan.FromSeconds(5))
{
    private const int Batch = 2000;

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("a meter counts for every customer");
        var meters = await Meters.Meters.AllAsync(db, cancellationToken);
        var parked = await db.Set<ParkedCell>().Where(cell => cell.Problem == null).Select(cell => new { cell.Meter, cell.MeterVersion }).Distinct().ToListAsync(cancellationToken);
        foreach (var (key, version) in parked.Select(cell => (cell.Meter, cell.MeterVersion)))
        {
            if (meters.TryGetValue((key, version), out var meter))
            {
                while (await CountAsync(db, meter, cancellationToken) == Batch)
                {
                    db.ChangeTracker.Clear();
                }
            }
        }
    }

    private async Task<int> CountAsync(ControlPlaneDbContext db, Meters.Meter meter, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var cells = await db.Set<ParkedCell>().Where(cell => cell.Problem == null && cell.Meter == meter.Key && cell.MeterVersion == meter.MeterVersion).Take(Batch).ToListAsync(cancellationToken);

        // Not fitting the meter's scale is no news of a quantity; what counts from now on is, as a new revision would be.
        var counted = cells.Where(cell => Quantity.TryParse(cell.Quantity, meter.Scale, out _)).GroupBy(cell => (cell.ClusterId, cell.CustomerId))
            .Select(group => new Noted(Kinds.Usage, group.Key.CustomerId, group.Key.ClusterId.ToString(), group.Key.ClusterId, (group.Min(cell => cell.Hour), group.Max(cell => cell.Hour)))).ToList();
        var (since, at) = counted.Count == 0 ? new ChangeStream.Position(0, default) : await ChangeStream.TakeAsync(db, time.GetUtcNow(), counted.Count, cancellationToken);
        foreach (var cell in cells)
        {
            if (Quantity.TryParse(cell.Quantity, meter.Scale, out var scaled))
            {
                db.Add(new LedgerCell
                {
                    ClusterId = cell.ClusterId,
                    Hour = cell.Hour,
                    Epoch = cell.Epoch,
                    Revision = cell.Revision,
                    Meter = cell.Meter,
                    DimensionHash = cell.DimensionHash,
                    CustomerId = cell.CustomerId,
                    MeterVersion = cell.MeterVersion,
                    Environment = cell.Environment,
                    Dimensions = cell.Dimensions,
                    Quantity = scaled,
                    Since = since,
                });
                db.Remove(cell);
            }
            else
            {
                cell.Problem = "quantity-out-of-scale";
            }
        }

        db.AddRange(counted.Select((change, i) => change.ToRow(since + i, at)));
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return cells.Count;
    }
}
