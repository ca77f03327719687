using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Ledger;

/// <summary>Lets parked quantities count once their meter is defined. What does not fit the meter's scale stays parked and says so.</summary>
internal sealed class CountParkedCells() : Sweeper("licensing.count-parked-cells", "licensing", TimeSpan.FromSeconds(5))
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

    private static async Task<int> CountAsync(ControlPlaneDbContext db, Meters.Meter meter, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var cells = await db.Set<ParkedCell>().Where(cell => cell.Problem == null && cell.Meter == meter.Key && cell.MeterVersion == meter.MeterVersion).Take(Batch).ToListAsync(cancellationToken);
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
                });
                db.Remove(cell);
            }
            else
            {
                cell.Problem = "quantity-out-of-scale";
            }
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return cells.Count;
    }
}
