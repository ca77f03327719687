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
using MissionControl.Licensing.Changes;
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
    private static readonly ListOrders<ListedHour> Orders = new ListOrders<ListedHour>("cluster")
        .By("cluster", row => row.Head.ClusterId, row => row.Head.Hour).By("from", row => row.Head.Hour, row => row.Head.ClusterId);

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/windows", ListAsync).RequireScope("licensing:read").ShowsClusterAskedFor(static (db, id) => db.Set<LedgerCluster>().Where(row => row.Id == id).Select(row => (Guid?)row.CustomerId)).WithName("ListUsageWindows").WithSummary("Hours by state: received, missing, disputed").Lists((UsageWindowItem row) => row.ClusterId.ToString()).Produces<Page<UsageWindowItem>>().SortedBy(Orders);
        var window = api.MapGroup("/windows/{cluster:guid}/{window}");
        window.MapGet("/", GetAsync).RequireScope("licensing:read").Shows("cluster", static (ControlPlaneDbContext db, Guid id) => db.Set<LedgerCluster>().Where(row => row.Id == id).Select(row => (Guid?)row.CustomerId), "cluster").WithName("GetUsageWindow").WithSummary("One hour with its signed documents").Produces<UsageWindowDetail>();
        window.MapPost("/dismiss", DismissAsync).RequireScope("licensing:write").WithName("DismissUsageDocument").WithSummary("Put a conflicting or rejected document away for good").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> ListAsync(
        ControlPlaneDbContext db, TimeProvider time, [AsParameters] ListQuery list, Guid? customer, Guid? cluster, string? state, DateTimeOffset? from, DateTimeOffset? to, string? count, CancellationToken cancellationToken)
    {
        if (state is not (null or "received" or "missing" or "disputed"))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "state is received, missing or disputed.");
        }

        if (count is not null && (count != "exact" || cluster is null || state == "missing"))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "count is exact, within a cluster, of hours that came: the ledger is large.", [new FieldError("count", "unknown-value", "count is exact, within a cluster, of hours that came.")]);
        }

        // What is missing is worked out cluster by cluster. The ledger is large: an index serves the order of time within a customer or a cluster.
        customer ??= db.Scope.IsAll ? null : db.Scope.CustomerId;
        if (state == "missing" ? list.Sort is not (null or "cluster") : list.Sort is "from" or "-from" && customer is null && cluster is null)
        {
            var detail = state == "missing" ? "sort is cluster where state is missing." : "sort is by from within a customer or a cluster only; name one.";
            return Problems.Of(ProblemCodes.UnknownParameter, detail, [new FieldError("sort", "unknown-value", detail)]);
        }

        var begin = from is { } first ? UsageWindow.HourOf(first) : 0;
        var end = to is { } last ? UsageWindow.HourOf(last) : int.MaxValue;
        if (state == "missing")
        {
            return await MissingAsync(db, list, customer, cluster, begin, end, UsageApi.DueHour(time.GetUtcNow()), cancellationToken);
        }

        var stored = Stored(db, customer, cluster, state, begin, end);
        return await Orders.PageAsync(list, stored, Item, cancellationToken, count is null ? null : await stored.LongCountAsync(cancellationToken));
    }

    private static IQueryable<ListedHour> Stored(ControlPlaneDbContext db, Guid? customer, Guid? cluster, string? state, int begin, int end)
    {
        var heads = db.Set<WindowHead>().AsNoTracking().Where(head => head.Hour >= begin && head.Hour < end);
        heads = customer is null ? heads : heads.Where(head => head.CustomerId == customer);
        heads = cluster is null ? heads : heads.Where(head => head.ClusterId == cluster);
        var rows = heads.Select(head => new ListedHour
        {
            Head = head,
            Disputed = db.Set<QuarantinedWindow>().Any(aside => aside.ClusterId == head.ClusterId && aside.Hour == head.Hour && aside.Epoch == head.Epoch
                && aside.Revision == head.Revision && aside.Problem == QuarantinedWindow.RevisionConflict && aside.DecidedAt == null),
        });
        return state is null ? rows : rows.Where(row => row.Disputed == (state == "disputed"));
    }

    private static UsageWindowItem Item(ListedHour row) => new(
        row.Head.ClusterId, row.Head.CustomerId, UsageWindow.StartOf(row.Head.Hour), UsageWindow.StartOf(row.Head.Hour + 1), row.Disputed ? "disputed" : "received",
        row.Head.Epoch, row.Head.Revision, row.Head.Sha256, row.Head.Complete, row.Head.ReceivedAt);

    private static async Task<IResult> MissingAsync(ControlPlaneDbContext db, ListQuery list, Guid? customer, Guid? cluster, int begin, int end, int due, CancellationToken cancellationToken)
    {
        var (behindCluster, behindHour) = (Guid.Empty, 0);
        if (list.Cursor is not null && (!Cursors.TryDecode(list.Cursor, out var parts) || parts.Length != 3 || parts[0] != "missing"
            || !Guid.TryParse(parts[1], out behindCluster) || !int.TryParse(parts[2], CultureInfo.InvariantCulture, out behindHour)))
        {
            return Problems.Of(ProblemCodes.Malformed, "The cursor is not one of ours, or of another order; begin again without it.");
        }

        var ledgers = db.Set<ClusterLedger>().AsNoTracking().Where(row => row.ClusterId >= behindCluster);
        ledgers = customer is null ? ledgers : ledgers.Where(row => row.CustomerId == customer);
        ledgers = cluster is null ? ledgers : ledgers.Where(row => row.ClusterId == cluster);
        var items = new List<UsageWindowItem>();
        var rows = from ledger in ledgers join known in db.Set<LedgerCluster>().AsNoTracking() on ledger.ClusterId equals known.Id orderby ledger.ClusterId select new { ledger.ClusterId, ledger.CustomerId, ledger.Coverage, known.EndedAt };
        await foreach (var row in rows.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            var expected = row.EndedAt is { } ended ? Math.Min(due, UsageWindow.HourOf(ended)) : due;
            foreach (var (first, last) in Coverage.FromBytes(row.Coverage).Missing(begin, end, expected))
            {
                if (row.ClusterId == behindCluster && first <= behindHour)
                {
                    continue;
                }

                if (items.Count == list.Take)
                {
                    var shown = items[^1];
                    return TypedResults.Ok(new Page<UsageWindowItem>(items, list.LinkBehind("missing", shown.ClusterId.ToString(), UsageWindow.HourOf(shown.From).ToString(CultureInfo.InvariantCulture))));
                }

                items.Add(new UsageWindowItem(row.ClusterId, row.CustomerId, UsageWindow.StartOf(first), UsageWindow.StartOf(last + 1), "missing", null, null, null, null, null));
            }
        }

        return TypedResults.Ok(new Page<UsageWindowItem>(items, null));
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
            await ChangeStream.SaveAsync(db, time, [new Noted(Kinds.UsageDisputed, row.CustomerId, cluster.ToString(), cluster, (hour, hour))], cancellationToken);
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

    /// <summary>A stored hour, and whether another document contests it.</summary>
    private sealed class ListedHour
    {
        public required WindowHead Head { get; init; }

        public required bool Disputed { get; init; }
    }
}
