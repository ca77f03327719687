using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Retention;
using MissionControl.Platform.Security;

namespace MissionControl.Platform.Messaging;

/// <summary><c>/api/v1/{role}/parked-messages/{id}</c>: one message, and the two ways out: try it again, or give it up.</summary>
internal static class ParkedMessageApi
{
    private const string Right = "system:write";

    public static void Map(IEndpointRouteBuilder parked, string module)
    {
        parked.MapGet("/{id:guid}", (Guid id, HttpContext http, ControlPlaneDbContext db, HandlerRegistry handlers, RetentionTable retention, CancellationToken cancellationToken) => GetAsync(module, id, http, db, handlers, retention, cancellationToken))
            .RequireScope("system:read").WithName($"GetParkedMessage-{module}").WithSummary("A parked message: errors, what it is about, and the fields of its body without what could be secret or personal").Produces<ParkedMessageDetail>();
        parked.MapPost("/{id:guid}/retry", (Guid id, ControlPlaneDbContext db, HandlerRegistry handlers, HandlerRunner runner, IEvents events, CancellationToken cancellationToken) =>
                RetryAsync(module, id, db, handlers, runner, events, cancellationToken))
            .RequireScope(Right).WithName($"RetryParkedMessage-{module}").WithSummary("Try a message again now, also one that was given up").Produces<RetryResult>();
        parked.MapPost("/{id:guid}/give-up", (Guid id, GiveUpRequest request, HttpRequest http, ControlPlaneDbContext db, CurrentPrincipal principal, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
                GiveUpAsync(module, id, request, http, db, principal, events, time, cancellationToken))
            .RequireScope(Right).WithName($"GiveUpParkedMessage-{module}").WithSummary("Decide that a message is not applied; it is kept for a while and tried by nobody").Produces(StatusCodes.Status204NoContent).AcceptIdempotencyKey();
    }

    private static async Task<IResult> GetAsync(string module, Guid id, HttpContext http, ControlPlaneDbContext db, HandlerRegistry handlers, RetentionTable retention, CancellationToken cancellationToken)
    {
        if (!db.Scope.IsAll)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, "Only staff of the vendor sees parked messages.");
        }

        if (await db.ParkedMessages(module).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } row)
        {
            return Problems.NotFound();
        }

        var others = await db.ParkedMessages(module).LongCountAsync(other => other.Consumer == row.Consumer && other.Key == row.Key && other.Id != id && other.State != ParkedState.GivenUp, cancellationToken);
        var kept = retention.Classes.First(one => one.Module == module && one.Name == "platform.parked-message").KeepFor!.Value;
        http.Response.Headers.ETag = Etags.Of(Version(row));
        return TypedResults.Ok(new ParkedMessageDetail(
            row.Id, row.Consumer, row.MessageId, row.Type, row.Key, ParkedMessagesApi.Word(row.State), row.Attempts, row.SentAt, row.FirstFailedAt, row.LastFailedAt,
            row.State == ParkedState.Retrying ? row.NextAttemptAt : null, row.FirstError, row.LastError, others, MessageFields.SubjectsOf(row), MessageFields.Of(row),
            row.GivenUpAt is { } at ? new GivenUpMessage(at, row.GivenUpBy ?? "", row.GivenUpReason ?? "", at + kept) : null, (int)kept.TotalDays, Version(row), Actions(http.User, row, handlers)));
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

        if (NoRetry(row, handlers) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.Conflict, hindrance);
        }

        // Written first: the try may succeed and the process die before it could be told.
        events.Audit(new AuditFact($"{module}.parked-message-retried", AuditLog.Operator, "parkedMessage", id.ToString()));
        await db.SaveChangesAsync(cancellationToken);
        await runner.RetryAsync(handlers.Bindings.First(binding => binding.Name == row.Consumer), row, cancellationToken);

        // What counts is whether it is still there: somebody may have given it up in between.
        var left = await db.ParkedMessages(module).AsNoTracking().Where(stored => stored.Id == id).Select(stored => stored.LastError).SingleOrDefaultAsync(cancellationToken);
        return TypedResults.Ok(new RetryResult(left is null, left));
    }

    private static async Task<IResult> GiveUpAsync(
        string module, Guid id, GiveUpRequest request, HttpRequest http, ControlPlaneDbContext db, CurrentPrincipal principal, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!db.Scope.IsAll)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, "Only staff of the vendor gives up parked messages.");
        }

        if (Reasons.Mistake(request.Reason, out var reason) is { } mistake)
        {
            return Problems.Invalid([mistake]);
        }

        var row = await db.ParkedMessages(module).SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
        if (row is null)
        {
            return Problems.NotFound();
        }

        if (NoGivingUp(row) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.Conflict, hindrance);
        }

        if (Etags.Moved(http, Version(row)) is { } moved)
        {
            return moved;
        }

        if (await db.Inbox(module).AnyAsync(applied => applied.Consumer == row.Consumer && applied.MessageId == row.MessageId, cancellationToken))
        {
            return Problems.Of(ProblemCodes.Conflict, "It was delivered once more and applied meanwhile. Retry takes it off the list.");
        }

        var (now, before) = (time.GetUtcNow(), ParkedMessagesApi.Word(row.State));
        (row.State, row.GivenUpAt, row.GivenUpBy, row.GivenUpReason) = (ParkedState.GivenUp, now, principal.Actor?.Id, reason);

        // Dealt with, as if it were applied: the broker, or the outbox of the sender, may deliver it once more.
        db.Inbox(module).Add(new InboxMessage { Consumer = row.Consumer, MessageId = row.MessageId, AppliedAt = now });
        events.Audit(new AuditFact($"{module}.parked-message-given-up", AuditLog.Operator, "parkedMessage", id.ToString())
        {
            Reason = reason,
            Changes = [Change.Replace("/state", before, ParkedMessagesApi.Word(row.State)), Change.Add("/consumer", row.Consumer), Change.Add("/messageId", row.MessageId), Change.Add("/type", row.Type), Change.Add("/key", row.Key)],
        });
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateConcurrencyException)
        {
            return Problems.Of(ProblemCodes.Conflict, "A try, or somebody else, was faster. Look at it once more.");
        }

        return TypedResults.NoContent();
    }

    private static IReadOnlyList<AllowedAction> Actions(ClaimsPrincipal reader, ParkedMessage row, HandlerRegistry handlers)
    {
        var lacks = Scopes.Lacking(reader, Right);
        var (retry, giveUp) = (lacks ?? NoRetry(row, handlers), lacks ?? NoGivingUp(row));
        return [new AllowedAction("retry", retry is null, retry), new AllowedAction("give-up", giveUp is null, giveUp)];
    }

    private static long Version(ParkedMessage row) => row.Attempts + (row.State == ParkedState.GivenUp ? 1 : 0);

    private static string? NoRetry(ParkedMessage row, HandlerRegistry handlers) =>
        handlers.Bindings.Any(binding => binding.Name == row.Consumer) ? null : $"This version has no consumer '{row.Consumer}'; the message stays until one has.";

    private static string? NoGivingUp(ParkedMessage row) => row.State == ParkedState.GivenUp ? "It was given up already." : null;
}
