using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Licensing.Contracts;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Billing;

/// <summary>Opens the periods of every contract that counts, from its first month to the present one.</summary>
internal sealed class OpenPeriods(TimeProvider time) : Sweeper("licensing.open-periods", "licensing", TimeSpan.FromSeconds(5))
{
    private const int Batch = 200;

    private static readonly BulkRows Rows = new("licensing_period", ["id", "customer_id", "contract_id", "from_hour", "to_hour", "state", "version"], ["contract_id", "from_hour"], []);

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("every customer's contracts have periods");
        while (await OpenAsync(db, cancellationToken) == Batch)
        {
        }
    }

    private async Task<int> OpenAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var hour = UsageWindow.HourOf(now);

        // A contract that has the period of its newest month has all of them.
        var newest = db.Set<Contract>().AsNoTracking().Where(row => row.State == ContractState.Active && row.FromHour <= hour && row.FromHour < row.ToHour);
        var due = await newest.Where(row => !db.Set<Period>().Any(period => period.ContractId == row.Id && (period.ToHour > hour || period.ToHour >= row.ToHour)))
            .OrderBy(row => row.Id).Take(Batch).ToListAsync(cancellationToken);
        var rows = new List<object?[]>();
        foreach (var contract in due)
        {
            for (var (from, to) = Period.MonthOf(contract.FromHour); from <= hour && from < contract.ToHour; (from, to) = Period.MonthOf(to))
            {
                rows.Add([Guid.CreateVersion7(now), contract.CustomerId, contract.Id, from, to, nameof(PeriodState.Open), 1L]);
            }
        }

        if (rows.Count > 0)
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            await db.Dialect.InsertIfAbsentAsync(db, Rows with { Rows = rows }, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return due.Count;
    }
}
