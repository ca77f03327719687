using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Platform.Messaging;

/// <summary><c>/api/v1/{role}/parked-messages</c>: what could not be done, why, and the button to try again.</summary>
public static class ParkedMessagesApi
{
    /// <summary>Maps the routes onto a module's group.</summary>
    public static void MapParkedMessages(this IEndpointRouteBuilder api, string module)
    {
        var parked = api.MapGroup("/parked-messages");
        parked.MapGet("/", (ControlPlaneDbContext db, int? limit, string? cursor, CancellationToken cancellationToken) => ListAsync(module, db, limit, cursor, cancellationToken))
            .RequireScope("system:read").WithName($"ListParkedMessages-{module}").WithSummary("Messages that wait to be applied, oldest first").Produces<Page<ParkedMessageItem>>();
        parked.MapPost("/{id:guid}/retry", (Guid id, ControlPlaneDbContext db, HandlerRegistry handlers, HandlerRunner runner, IEvents events, CancellationToken cancellationToken) =>
                RetryAsync(module, id, db, handlers, runner, events, cancellationToken))
            .RequireScope("system:write").WithName($"RetryParkedMessage-{module}").WithSummary("Try a message again now").Produces<RetryResult>();
    }

    private static async Task<IResult> ListAsync(string module, ControlPlaneDbContext db, int? limit, string? cursor, CancellationToken cancellationToken)
    {
        // A group of items holds those of many customers.
        if (!db.Scope.IsAll)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, "Only staff of the vendor sees parked messages.");
        }

        var take = Math.Clamp(limit ?? 50, 1, 500);
        var query = db.ParkedMessages(module).AsNoTracking();
        var total = await query.LongCountAsync(cancellationToken);
        if (cursor is not null)
        {
            if (!Cursors.TryDecode(cursor, out var parts) || !Guid.TryParse(parts[0], out var after))
            {
                return Problems.Of(ProblemCodes.Malformed, "The cursor is not one of ours; begin again without it.");
            }

            query = query.Where(row => row.Id > after);
        }

        var rows = await query.OrderBy(row => row.Id).Take(take + 1).ToListAsync(cancellationToken);
        var next = rows.Count > take ? $"/api/v1/{module}/parked-messages?limit={take}&cursor={Cursors.Encode(rows[take - 1].Id.ToString())}" : null;
        return TypedResults.Ok(new Page<ParkedMessageItem>([.. rows.Take(take).Select(Item)], next, total));
    }

    private static async Task<IResult> RetryAsync(string module, Guid id, ControlPlaneDbContext db, HandlerRegistry handlers, HandlerRunner runner, IEvents events, CancellationToken cancellationToken)
    {
        if (!db.Scope.IsAll)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, "Only staff of the vendor retries parked messages.");
        }

        var row = await db.ParkedMessages(module).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
        if (row is null)
        {
            return Problems.NotFound();
        }

        if (handlers.Bindings.FirstOrDefault(binding => binding.Name == row.Consumer) is not { } binding)
        {
            return Problems.Of(ProblemCodes.Conflict, $"This version has no consumer '{row.Consumer}'; the message stays until one has.");
        }

        // Written first: the try may succeed and the process die before it could be told.
        events.Audit(new AuditFact($"{module}.parked-message-retried", AuditLog.Operator, "parkedMessage", id.ToString()));
        await db.SaveChangesAsync(cancellationToken);
        var applied = await runner.RetryAsync(binding, row, cancellationToken);
        var after = applied ? null : await db.ParkedMessages(module).AsNoTracking().Where(stored => stored.Id == id).Select(stored => stored.LastError).SingleOrDefaultAsync(cancellationToken);
        return TypedResults.Ok(new RetryResult(applied, after));
    }

    private static ParkedMessageItem Item(ParkedMessage row) => new(
        row.Id, row.Consumer, row.MessageId, row.Type, row.Key, row.State.ToString().ToLowerInvariant(), row.Attempts, row.FirstFailedAt, row.LastFailedAt,
        row.State == ParkedState.Retrying ? row.NextAttemptAt : null, row.LastError);
}
