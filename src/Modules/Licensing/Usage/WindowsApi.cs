using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Ledger;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Usage;

/// <summary><c>/api/v1/licensing/windows</c>: which hours came, which did not, which are disputed, and the signed documents behind each.</summary>
internal static class WindowsApi
{
    private const int MaxList = 500;

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/windows", ListAsync).RequireScope("licensing:read").WithName("ListUsageWindows").WithSummary("Hours by state: received, missing, disputed").Produces<Page<UsageWindowItem>>();
        var window = api.MapGroup("/windows/{cluster:guid}/{window}");
        window.MapGet("/", GetAsync).RequireScope("licensing:read").WithName("GetUsageWindow").WithSummary("One hour with its signed documents").Produces<UsageWindowDetail>();
        window.MapPost("/dismiss", DismissAsync).RequireScope("licensing:write").WithName("DismissUsageDocument").WithSummary("Put a conflicting or rejected document away for good").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> ListAsync(
        ControlPlaneDbContext db, TimeProvider time, Guid? customer, Guid? cluster, string? state, DateTimeOffset? from, DateTimeOffset? to, int? limit, string? cursor, CancellationToken cancellationToken)
    {
        if (state is not (null or "received" or "missing" or "disputed"))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "state is received, missing or disputed.");
        }

        (Guid Cluster, int Hour)? after = null;
        if (cursor is not null)
        {
            if (!Cursors.TryDecode(cursor, out var parts) || parts.Length != 2 || !Guid.TryParse(parts[0], out var id) || !int.TryParse(parts[1], CultureInfo.InvariantCulture, out var hour))
            {
                return Problems.Of(ProblemCodes.Malformed, "The cursor is not one of ours; begin again without it.");
            }

            after = (id, hour);
        }

        var begin = from is { } first ? UsageWindow.HourOf(first) : 0;
        var end = to is { } last ? UsageWindow.HourOf(last) : int.MaxValue;
        var take = Math.Clamp(limit ?? 50, 1, MaxList);
        var items = state == "missing"
            ? await MissingAsync(db, customer, cluster, begin, end, UsageApi.DueHour(time.GetUtcNow()), after, take + 1, cancellationToken)
            : await StoredAsync(db, customer, cluster, state, begin, end, after, take + 1, cancellationToken);
        string? next = null;
        if (items.Count > take)
        {
            var lastItem = items[take - 1];
            var query = new QueryString().Add("limit", take.ToString(CultureInfo.InvariantCulture));
            query = customer is null ? query : query.Add("customer", customer.Value.ToString());
            query = cluster is null ? query : query.Add("cluster", cluster.Value.ToString());
            query = state is null ? query : query.Add("state", state);
            query = from is null ? query : query.Add("from", from.Value.ToString("O", CultureInfo.InvariantCulture));
            query = to is null ? query : query.Add("to", to.Value.ToString("O", CultureInfo.InvariantCulture));
            next = "/api/v1/licensing/windows" + query.Add("cursor", Cursors.Encode(lastItem.ClusterId.ToString(), UsageWindow.HourOf(lastItem.From).ToString(CultureInfo.InvariantCulture)));
        }

        return TypedResults.Ok(new Page<UsageWindowItem>([.. items.Take(take)], next));
    }

    private static async Task<List<UsageWindowItem>> StoredAsync(
        ControlPlaneDbContext db, Guid? customer, Guid? cluster, string? state, int begin, int end, (Guid Cluster, int Hour)? after, int take, CancellationToken cancellationToken)
    {
        var heads = db.Set<WindowHead>().AsNoTracking().Where(head => head.Hour >= begin && head.Hour < end);
        heads = customer is null ? heads : heads.Where(head => head.CustomerId == customer);
        heads = cluster is null ? heads : heads.Where(head => head.ClusterId == cluster);
        if (after is var (id, hour))
        {
            heads = heads.Where(head => head.ClusterId > id || (head.ClusterId == id && head.Hour > hour));
        }

        var rows = from head in heads
                   select new
                   {
                       head.ClusterId,
                       head.CustomerId,
                       head.Hour,
                       head.Epoch,
                       head.Revision,
                       head.Sha256,
                       head.Complete,
                       head.ReceivedAt,
                       Disputed = db.Set<QuarantinedWindow>().Any(aside => aside.ClusterId == head.ClusterId && aside.Hour == head.Hour && aside.Epoch == head.Epoch
                           && aside.Revision == head.Revision && aside.Problem == QuarantinedWindow.RevisionConflict && aside.DecidedAt == null),
                   };
        rows = state is null ? rows : rows.Where(row => row.Disputed == (state == "disputed"));
        return (await rows.OrderBy(row => row.ClusterId).ThenBy(row => row.Hour).Take(take).ToListAsync(cancellationToken)).ConvertAll(row => new UsageWindowItem(
            row.ClusterId, row.CustomerId, UsageWindow.StartOf(row.Hour), UsageWindow.StartOf(row.Hour + 1), row.Disputed ? "disputed" : "received", row.Epoch, row.Revision, row.Sha256, row.Complete, row.ReceivedAt));
    }

    private static async Task<List<UsageWindowItem>> MissingAsync(
        ControlPlaneDbContext db, Guid? customer, Guid? cluster, int begin, int end, int due, (Guid Cluster, int Hour)? after, int take, CancellationToken cancellationToken)
    {
        var ledgers = db.Set<ClusterLedger>().AsNoTracking();
        ledgers = customer is null ? ledgers : ledgers.Where(row => row.CustomerId == customer);
        ledgers = cluster is null ? ledgers : ledgers.Where(row => row.ClusterId == cluster);
        if (after is var (id, _))
        {
            ledgers = ledgers.Where(row => row.ClusterId >= id);
        }

        var items = new List<UsageWindowItem>();
        var rows = from ledger in ledgers join known in db.Set<LedgerCluster>().AsNoTracking() on ledger.ClusterId equals known.Id orderby ledger.ClusterId select new { ledger.ClusterId, ledger.CustomerId, ledger.Coverage, known.EndedAt };
        await foreach (var row in rows.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            var expected = row.EndedAt is { } ended ? Math.Min(due, UsageWindow.HourOf(ended)) : due;
            foreach (var (first, last) in Coverage.FromBytes(row.Coverage).Missing(begin, end, expected))
            {
                if (after is var (cursorCluster, cursorHour) && row.ClusterId == cursorCluster && first <= cursorHour)
                {
                    continue;
                }

                items.Add(new UsageWindowItem(row.ClusterId, row.CustomerId, UsageWindow.StartOf(first), UsageWindow.StartOf(last + 1), "missing", null, null, null, null, null));
                if (items.Count == take)
                {
                    return items;
                }
            }
        }

        return items;
    }

    private static async Task<IResult> GetAsync(Guid cluster, string window, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (!UsageWindow.TryHour(window, out var hour))
        {
            return Problems.Of(ProblemCodes.Malformed, "A window is written as its first instant, such as 2026-03-01T14:00:00Z.");
        }

        if (!await db.Set<LedgerCluster>().AnyAsync(row => row.Id == cluster, cancellationToken))
        {
            return Problems.NotFound();
        }

        var stored = await db.Set<StoredWindow>().AsNoTracking().Where(row => row.ClusterId == cluster && row.Hour == hour).ToListAsync(cancellationToken);
        var aside = await db.Set<QuarantinedWindow>().AsNoTracking().Where(row => row.ClusterId == cluster && row.Hour == hour).ToListAsync(cancellationToken);
        var head = stored.MaxBy(row => WindowHead.RankOf(row.Epoch, row.Revision));
        var cells = head is null ? [] : await CellsAsync(db, head, cancellationToken);
        var disputed = head is not null && aside.Any(row => row.Epoch == head.Epoch && row.Revision == head.Revision && row.Problem == QuarantinedWindow.RevisionConflict && row.DecidedAt is null);
        return TypedResults.Ok(new UsageWindowDetail(
            cluster, UsageWindow.StartOf(hour), head is null ? "missing" : disputed ? "disputed" : "received",
            [
                .. stored.OrderByDescending(row => WindowHead.RankOf(row.Epoch, row.Revision)).Select(row => new UsageDocument(
                    row.Epoch, row.Revision, row.Sha256, row == head && row.Verdict == "superseded" ? "accepted" : row != head ? "superseded" : row.Verdict, null, null, row.ReceivedAt, null, row.Kid,
                    Convert.ToBase64String(row.Signature), Convert.ToBase64String(Inflate(row.Payload)))),
                .. aside.OrderBy(row => row.ReceivedAt).Select(row => new UsageDocument(
                    row.Epoch, row.Revision, row.Sha256, row.Problem == QuarantinedWindow.RevisionConflict ? "conflict" : "rejected", row.Problem, row.Detail, row.ReceivedAt, row.DecidedAt, null, null, null)),
            ], cells));
    }

    private static async Task<List<UsageCellItem>> CellsAsync(ControlPlaneDbContext db, StoredWindow head, CancellationToken cancellationToken)
    {
        var meters = await Meters.Meters.AllAsync(db, cancellationToken);
        var cells = await db.Set<LedgerCell>().AsNoTracking()
            .Where(cell => cell.ClusterId == head.ClusterId && cell.Hour == head.Hour && cell.Epoch == head.Epoch && cell.Revision == head.Revision).ToListAsync(cancellationToken);
        var parked = await db.Set<ParkedCell>().AsNoTracking()
            .Where(cell => cell.ClusterId == head.ClusterId && cell.Hour == head.Hour && cell.Epoch == head.Epoch && cell.Revision == head.Revision).ToListAsync(cancellationToken);
        return
        [
            .. cells.Select(cell => new UsageCellItem(cell.Meter, cell.MeterVersion, Dimensions(cell.Dimensions), Quantity.Format(cell.Quantity, meters[(cell.Meter, cell.MeterVersion)].Scale), false)),
            .. parked.Select(cell => new UsageCellItem(cell.Meter, cell.MeterVersion, Dimensions(cell.Dimensions), cell.Quantity, true)),
        ];
    }

    private static async Task<IResult> DismissAsync(Guid cluster, string window, DismissDocumentRequest request, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!UsageWindow.TryHour(window, out var hour))
        {
            return Problems.Of(ProblemCodes.Malformed, "A window is written as its first instant, such as 2026-03-01T14:00:00Z.");
        }

        var row = await db.Set<QuarantinedWindow>().SingleOrDefaultAsync(row => row.ClusterId == cluster && row.Hour == hour && row.Sha256 == request.Sha256, cancellationToken);
        if (row is null)
        {
            return Problems.NotFound();
        }

        if (!db.Scope.IsAll)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, "Only staff of the vendor settles a dispute.");
        }

        if (row.DecidedAt is null)
        {
            row.DecidedAt = time.GetUtcNow();
            events.Audit(new AuditFact("licensing.usage-document-dismissed", AuditLog.Customer, "usage-window", $"{cluster}/{window}")
            {
                CustomerId = row.CustomerId,
                ClusterId = cluster,
                Reason = request.Reason,
                Changes = [Change.Remove("/sha256", row.Sha256)],
            });
            await db.SaveChangesAsync(cancellationToken);
        }

        return TypedResults.NoContent();
    }

    private static Dictionary<string, string> Dimensions(string json) => JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [];

    private static byte[] Inflate(byte[] deflated)
    {
        using var inflate = new DeflateStream(new MemoryStream(deflated, writable: false), CompressionMode.Decompress);
        using var payload = new MemoryStream();
        inflate.CopyTo(payload);
        return payload.ToArray();
    }
}
