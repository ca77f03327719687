using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Prune;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Audit.Push;

/// <summary><c>/api/v1/audit/exports</c>: logs that are sent to a webhook or a syslog server as they grow. A customer has its own.</summary>
internal static class ExportsApi
{
    private const string Right = "audit:write";
    private const int MostOfCustomer = 10;
    private const int MostOfVendor = 500;

    private static readonly ListOrders<PushedExport> Orders = new ListOrders<PushedExport>("createdAt").By("createdAt", row => row.CreatedAt, row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var exports = api.MapGroup("/exports");
        exports.MapPost("/", CreateAsync).RequireScope(Right).WithName("CreateAuditExport").WithSummary("Have the signed entries of a log sent to an endpoint of notifications, now and as they come").Produces<AuditExportItem>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        exports.MapGet("/", ListAsync).RequireScope("audit:read").WithName("ListAuditExports").WithSummary("Logs that are sent to systems, and how far each is").Lists((AuditExportItem row) => row.Id.ToString()).Produces<Page<AuditExportItem>>().SortedBy(Orders);
        var one = exports.MapGroup("/{id:guid}");
        one.MapGet("/", GetAsync).RequireScope("audit:read").Shows("export", static (ControlPlaneDbContext db, Guid id) => db.Set<PushedExport>().Where(row => row.Id == id).Select(row => row.CustomerId)).WithName("GetAuditExport").WithSummary("One export").Produces<AuditExportItem>();
        one.MapPost("/resume", ResumeAsync).RequireScope(Right).WithName("ResumeAuditExport").WithSummary("Send on what stopped, from the first entry that was not taken").Produces(StatusCodes.Status204NoContent);
        one.MapDelete("/", RemoveAsync).RequireScope(Right).WithName("RemoveAuditExport").WithSummary("Send nothing more, and forget how far it was").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> CreateAsync(CreateAuditExportRequest request, ClaimsPrincipal caller, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        // What leaves by it is what its maker may read.
        if (Scopes.Lacking(caller, "audit:read") is { } lacking)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, lacking);
        }

        var errors = new List<FieldError>();
        if (!db.Scope.IsAll && request.CustomerId is { } other && other != db.Scope.CustomerId)
        {
            errors.Add(new FieldError("/customerId", "unknown-customer", "There is no such customer, or it is not yours."));
        }

        var owner = db.Scope.IsAll ? request.CustomerId : db.Scope.CustomerId;
        if (db.Scope.IsAll && owner is not null && !await db.Set<Log>().AnyAsync(row => row.Kind == "customer" && row.CustomerId == owner, cancellationToken))
        {
            errors.Add(new FieldError("/customerId", "unknown-customer", "There is no such customer."));
        }

        var log = await db.Set<Log>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == request.LogId, cancellationToken);
        if (log is null || !PushedExport.May(owner, log))
        {
            log = null;
            errors.Add(new FieldError("/logId", "unknown-log", "There is no such log that they may have sent."));
        }

        var signed = log is null ? 0 : await LogCheckpoint.SignedAsync(db, log.Id, cancellationToken);
        var minimum = log is null ? 0 : await LogMinimum.OfAsync(db, log.Id, cancellationToken);
        var first = request.From ?? minimum;
        if (first < minimum || first > signed)
        {
            errors.Add(new FieldError("/from", "invalid-value", string.Create(CultureInfo.InvariantCulture, $"The log has {signed} signed entries, kept from {minimum} on: from is {minimum} to {signed}.")));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var most = owner is null ? MostOfVendor : MostOfCustomer;
        if (await db.Set<PushedExport>().CountAsync(row => row.CustomerId == owner, cancellationToken) >= most)
        {
            return Problems.Of(ProblemCodes.Conflict, $"There are {most} exports; remove one first.");
        }

        var now = time.GetUtcNow();
        var before = await db.Set<LogLeaf>().AsNoTracking().Where(row => row.LogId == log!.Id && row.Position == first - 1).Select(row => row.Hash).SingleOrDefaultAsync(cancellationToken);
        var export = new PushedExport
        {
            Id = Guid.CreateVersion7(now), LogId = log!.Id, Origin = log.Origin, CustomerId = owner, EndpointId = request.EndpointId!.Value, Format = request.Format!, FirstIndex = first, NextIndex = first, LastHash = before, BatchAt = now, CreatedAt = now,
        };
        db.Add(export);
        events.Audit(export.Fact("audit.export-created", log.CustomerId) with
        {
            Changes =
            [
                Change.Add("/logId", export.LogId), Change.Add("/endpointId", export.EndpointId), Change.Add("/owner", owner is null ? "vendor" : $"customer:{owner:N}"), Change.Add("/format", export.Format), Change.Add("/from", first),
            ],
        });
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Created($"/api/v1/audit/exports/{export.Id}", export.ToItem(signed, null));
    }

    private static async Task<IResult> ListAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, [AsParameters] ListQuery list, Guid? customer, CancellationToken cancellationToken)
    {
        var query = Visible(db).AsNoTracking();
        query = customer is null ? query : query.Where(row => row.CustomerId == customer);
        var hindrance = Scopes.Lacking(reader, Right);
        return await Orders.PageAsync<AuditExportItem>(list, query, async rows =>
        {
            var logs = rows.Select(row => row.LogId).Distinct().ToList();
            var signed = await db.Set<LogHead>().AsNoTracking().Where(row => logs.Contains(row.LogId)).Select(row => new { row.LogId, Size = db.Set<LogCheckpoint>().Where(note => note.LogId == row.LogId).Max(note => (long?)note.Size) ?? 0 }).ToDictionaryAsync(row => row.LogId, row => row.Size, cancellationToken);
            return [.. rows.Select(row => row.ToItem(signed.GetValueOrDefault(row.LogId), hindrance))];
        }, cancellationToken);
    }

    private static async Task<IResult> GetAsync(Guid id, ClaimsPrincipal reader, ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        await Visible(db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is { } export ? TypedResults.Ok(export.ToItem(await LogCheckpoint.SignedAsync(db, export.LogId, cancellationToken), Scopes.Lacking(reader, Right))) : Problems.NotFound();

    private static async Task<IResult> ResumeAsync(Guid id, ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        if (await Visible(db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } export)
        {
            return Problems.NotFound();
        }

        // The batch that failed is forgotten, and the same range goes out under another id.
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (await db.Set<PushedExport>().Where(row => row.Id == id && row.Problem != null && row.NextIndex == export.NextIndex).ExecuteUpdateAsync(set => set
            .SetProperty(row => row.Problem, (string?)null).SetProperty(row => row.BatchId, (Guid?)null).SetProperty(row => row.BatchEnd, (long?)null).SetProperty(row => row.BatchHash, (byte[]?)null), cancellationToken) == 0)
        {
            return Problems.Of(ProblemCodes.Conflict, "It runs.");
        }

        events.Audit(export.Fact("audit.export-resumed", await OfLogAsync(db, export, cancellationToken)) with { Changes = [Change.Replace("/state", "stopped", "running"), Change.Remove("/problem", export.Problem)] });
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> RemoveAsync(Guid id, ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        // A batch may leave, or be taken, while it is read: what is called back is what was on its way when the export went.
        PushedExport? export;
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        do
        {
            export = await Visible(db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
            if (export is null)
            {
                return Problems.NotFound();
            }
        }
        while (await db.Set<PushedExport>().Where(row => row.Id == id && row.BatchId == export.BatchId).ExecuteDeleteAsync(cancellationToken) == 0);

        if (export.BatchId is { } batch)
        {
            events.Publish(new WithdrawEvent(batch, export.EndpointId, new DeliveryReport(NoteDelivery.Name, export.CustomerId)));
        }

        events.Audit(export.Fact("audit.export-removed", await OfLogAsync(db, export, cancellationToken)) with { Changes = [Change.Remove("/endpointId", export.EndpointId), Change.Remove("/next", export.NextIndex)] });
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.NoContent();
    }

    private static Task<Guid?> OfLogAsync(ControlPlaneDbContext db, PushedExport export, CancellationToken cancellationToken) => db.Set<Log>().Where(row => row.Id == export.LogId).Select(row => row.CustomerId).SingleOrDefaultAsync(cancellationToken);

    private static IQueryable<PushedExport> Visible(ControlPlaneDbContext db)
    {
        var (all, customer) = (db.Scope.IsAll, db.Scope.CustomerId);
        return db.Set<PushedExport>().Where(row => all || row.CustomerId == customer);
    }
}
