using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Changes;

/// <summary>
/// <c>GET /api/v1/licensing/changes</c>: all that can change a number or an invoice, in one order, for a billing system that keeps its own
/// copy. Whoever asks for what lies after the last number it dealt with is told each change once or, after a crash of its own, again.
/// </summary>
internal static class ChangesApi
{
    private const int Usual = 100;
    private const int Most = 500;

    public static void Map(IEndpointRouteBuilder api) => api
        .MapGet("/changes", ListAsync).RequireScope("licensing:read").WithName("ListChanges").WithSummary("What changed after a number, in order, nothing passed over")
        .Lists((ChangeFeed feed) => feed.Items.Select(item => item.CustomerId?.ToString("D")).OfType<string>()).Produces<ChangeFeed>();

    private static async Task<IResult> ListAsync(ControlPlaneDbContext db, long? after, int? limit, Guid? customer, string? kind, CancellationToken cancellationToken)
    {
        var errors = new List<FieldError>();
        if (after is < 0)
        {
            errors.Add(new FieldError("after", "out-of-range", "after is 0 or the position of an earlier answer."));
        }

        if (limit is < 1 or > Most)
        {
            errors.Add(new FieldError("limit", "out-of-range", $"limit is 1 to {Most}."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        // Numbers at or below it are committed and will not be joined by others: read first, so that the feed ends at it, not behind it.
        var newest = (await ChangeStream.ReadAsync(db, cancellationToken)).Seq;
        var (from, take) = (after ?? 0, limit ?? Usual);
        if (from > newest)
        {
            return Problems.Invalid([new FieldError("after", "out-of-range", $"The newest number is {newest}: this position is of another installation, or of a database that was put back.")]);
        }

        var rows = db.Set<RecordedChange>().AsNoTracking().Where(row => row.Seq > from && row.Seq <= newest);
        rows = customer is null ? rows : rows.Where(row => row.CustomerId == customer);
        rows = kind is null ? rows : rows.Where(row => row.Kind == kind);
        var found = await rows.OrderBy(row => row.Seq).Take(take + 1).ToListAsync(cancellationToken);
        var more = found.Count > take;
        var items = found.Take(take).Select(Item).ToList();
        return TypedResults.Ok(new ChangeFeed(items, more ? items[^1].Seq : newest, more));
    }

    private static ChangeItem Item(RecordedChange row) => new(
        row.Seq, row.At, row.Kind, row.CustomerId == Guid.Empty ? null : row.CustomerId, row.Subject, row.ClusterId,
        row.FirstHour is { } first ? UsageWindow.StartOf(first) : null, row.LastHour is { } last ? UsageWindow.StartOf(last + 1) : null, row.Version == 0 ? null : row.Version);
}
