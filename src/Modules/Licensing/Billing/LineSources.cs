using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Contracts;
using MissionControl.Licensing.Ledger;
using MissionControl.Licensing.Rating;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Billing;

/// <summary>
/// <c>GET /api/v1/licensing/statements/{id}/lines/{line}/sources</c>: the cells that a line was made of, as they were known at the
/// statement's watermark, each with the signed document that said it.
/// </summary>
internal static class LineSources
{
    public static void Map(RouteGroupBuilder statement) => statement.MapGet("/lines/{line:int}/sources", ListAsync).RequireScope("licensing:read")
        .WithName("ListLineSources").WithSummary("The cells of signed windows that a line was made of").Produces<Page<LineSourceItem>>();

    private static async Task<IResult> ListAsync(Guid id, int line, HttpContext http, ControlPlaneDbContext db, int? limit, string? cursor, CancellationToken cancellationToken)
    {
        var list = new ListQuery { Request = http.Request, Limit = limit, Cursor = cursor };
        if (await db.Set<Statement>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } statement
            || StatementsApi.Lines(statement) is not { } lines || line < 1 || line > lines.Count)
        {
            return Problems.NotFound();
        }

        var of = lines[line - 1];
        if (of.Meter is null)
        {
            return TypedResults.Ok(new Page<LineSourceItem>([], null));
        }

        var (atHour, atCluster, atSeries) = (int.MinValue, Guid.Empty, long.MinValue);
        if (list.Cursor is not null && (!Cursors.TryDecode(list.Cursor, out var parts) || parts.Length != 4 || parts[0] != "sources" || !int.TryParse(parts[1], CultureInfo.InvariantCulture, out atHour)
            || !Guid.TryParse(parts[2], out atCluster) || !long.TryParse(parts[3], CultureInfo.InvariantCulture, out atSeries)))
        {
            return Problems.Of(ProblemCodes.Malformed, "The cursor is not one of ours, or of another order; begin again without it.");
        }

        // A correction's cells are those of the newest generation that it led to, as this statement's watermark knows them: what the period
        // is made of by now, by the version of the contract that the period was closed with.
        var contract = await db.Set<Contract>().AsNoTracking().SingleAsync(row => row.Id == statement.ContractId, cancellationToken);
        var version = of.Part == "correction" ? await db.Set<Statement>().Where(row => row.Number == of.Reference).Select(row => row.ContractVersion).SingleAsync(cancellationToken) : statement.ContractVersion;
        var agreed = await db.Set<ContractVersion>().AsNoTracking().SingleAsync(row => row.ContractId == statement.ContractId && row.Number == version, cancellationToken);
        var terms = agreed.ToTerms(contract);
        var meters = await Meters.Meters.AllAsync(db, cancellationToken);
        var windows = EffectiveWindows.Of(db, UsageWindow.HourOf(of.From), UsageWindow.HourOf(of.To), statement.Watermark, statement.CustomerId, agreed.Read().Clusters);
        var cells = EffectiveWindows.Cells(db, windows, statement.Watermark).Where(cell => cell.Meter == of.Meter);
        var rows = from cell in cells
                   join stored in db.Set<StoredWindow>().AsNoTracking() on new { cell.ClusterId, cell.Hour, cell.Epoch, cell.Revision } equals new { stored.ClusterId, stored.Hour, stored.Epoch, stored.Revision }
                   where cell.Hour > atHour || (cell.Hour == atHour && (cell.ClusterId > atCluster || (cell.ClusterId == atCluster && cell.DimensionHash > atSeries)))
                   orderby cell.Hour, cell.ClusterId, cell.DimensionHash
                   select new { Cell = cell, stored.Sha256, stored.ReceivedAt };
        var items = new List<LineSourceItem>();
        LedgerCell? last = null;
        await foreach (var row in rows.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            if (Words.Of(Uses.Of(terms, row.Cell.ClusterId, row.Cell.Environment)) != of.Use)
            {
                continue;
            }

            if (items.Count == list.Take)
            {
                return TypedResults.Ok(new Page<LineSourceItem>(items, list.LinkBehind("sources", last!.Hour.ToString(CultureInfo.InvariantCulture), last.ClusterId.ToString(), last.DimensionHash.ToString(CultureInfo.InvariantCulture))));
            }

            last = row.Cell;
            items.Add(new LineSourceItem(
                last.ClusterId, UsageWindow.StartOf(last.Hour), last.Environment, JsonSerializer.Deserialize<Dictionary<string, string>>(last.Dimensions) ?? [], last.MeterVersion,
                Quantity.Format(last.Quantity, meters[(last.Meter, last.MeterVersion)].Scale), last.Epoch, last.Revision, row.Sha256, row.ReceivedAt));
        }

        return TypedResults.Ok(new Page<LineSourceItem>(items, null));
    }
}
