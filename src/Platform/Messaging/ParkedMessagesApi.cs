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
using MissionControl.Platform.Tasks;

namespace MissionControl.Platform.Messaging;

/// <summary><c>/api/v1/{role}/parked-messages</c>: what could not be done, why, and the button to try again.</summary>
public static class ParkedMessagesApi
{
    // Ids are made in the order of time; a consumer's messages lie in an index.
    private static readonly ListOrders<ParkedMessage> Orders = new ListOrders<ParkedMessage>("firstFailedAt").By("firstFailedAt", row => row.Id).By("consumer", row => row.Consumer, row => row.MessageId);

    /// <summary>Maps the routes onto a module's group.</summary>
    public static void MapParkedMessages(this IEndpointRouteBuilder api, string module)
    {
        var parked = api.MapGroup("/parked-messages");
        parked.MapGet("/", (ControlPlaneDbContext db, [AsParameters] ListQuery list, string? consumer, string? state, string? facets, CancellationToken cancellationToken) =>
                ListAsync(module, db, list, new Filter(consumer, state), facets, cancellationToken))
            .RequireScope("system:read").WithName($"ListParkedMessages-{module}").WithSummary("Messages that wait to be applied, oldest first; with state=given-up those that a person gave up").Produces<Page<ParkedMessageItem>>().SortedBy(Orders);
        parked.MapPost("/retry", (RetryParkedMessagesRequest request, ControlPlaneDbContext db, HandlerRegistry handlers, IEnumerable<TaskAction> kinds, LongTasks tasks, CancellationToken cancellationToken) =>
                RetryAllAsync(module, request, db, handlers, kinds, tasks, cancellationToken))
            .RequireScope("system:write").WithName($"RetryParkedMessages-{module}").WithSummary("Try all parked messages of a consumer again, as a task").Produces<TaskSummary>(StatusCodes.Status202Accepted).AcceptIdempotencyKey();
        ParkedMessageApi.Map(parked, module);
    }

    /// <summary>A state as the API calls it.</summary>
    internal static string Word(ParkedState state) => state switch { ParkedState.Retrying => "retrying", ParkedState.Parked => "parked", _ => "given-up" };

    private static async Task<IResult> ListAsync(string module, ControlPlaneDbContext db, ListQuery list, Filter filter, string? facets, CancellationToken cancellationToken)
    {
        // A group of items holds those of many customers.
        if (!db.Scope.IsAll)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, "Only staff of the vendor sees parked messages.");
        }

        if (!filter.IsKnown)
        {
            return Problems.Of(ProblemCodes.Malformed, "state is retrying, parked or given-up.");
        }

        if (facets is not (null or "consumer"))
        {
            return Problems.Of(ProblemCodes.Malformed, "facets is consumer.");
        }

        var query = filter.Of(db.ParkedMessages(module).AsNoTracking());
        var counts = facets is null ? null : await query.GroupBy(row => row.Consumer).Select(group => new { group.Key, Count = group.LongCount() }).ToDictionaryAsync(group => group.Key, group => group.Count, cancellationToken);
        var total = await query.LongCountAsync(cancellationToken);
        return await Orders.PageAsync(list, query, Item, cancellationToken, total, counts is null ? null : new Dictionary<string, IReadOnlyDictionary<string, long>> { ["consumer"] = counts });
    }

    private static async Task<IResult> RetryAllAsync(
        string module, RetryParkedMessagesRequest request, ControlPlaneDbContext db, HandlerRegistry handlers, IEnumerable<TaskAction> kinds, LongTasks tasks, CancellationToken cancellationToken)
    {
        if (!db.Scope.IsAll)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, "Only staff of the vendor retries parked messages.");
        }

        var filter = new Filter(request.Consumer, request.State);
        var errors = new List<FieldError>();
        if (request.Consumer is not { Length: > 0 and <= 100 })
        {
            errors.Add(new FieldError("/consumer", "required", "Name the consumer whose messages are tried again."));
        }

        if (request.ExpectedCount is not > 0)
        {
            errors.Add(new FieldError("/expectedCount", "required", "Say how many messages you expect; the list counts them."));
        }

        if (filter is not { IsKnown: true, IsOpen: true })
        {
            errors.Add(new FieldError("/state", "unknown-value", "state is retrying or parked, or absent."));
        }

        if (request.Reason is { Length: > 500 })
        {
            errors.Add(new FieldError("/reason", "too-long", "At most 500 characters."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        if (handlers.Bindings.All(binding => binding.Name != request.Consumer))
        {
            return Problems.Of(ProblemCodes.Conflict, "This version has no such consumer; its messages stay until one has.");
        }

        var found = filter.Of(db.ParkedMessages(module).AsNoTracking());
        var count = await found.LongCountAsync(cancellationToken);
        if (count != request.ExpectedCount)
        {
            return Problems.Of(ProblemCodes.CountMoved, count == 0 ? "Nothing matches any more: all of them have been applied." : $"{count} messages match now, not {request.ExpectedCount}. Nothing was begun; look again and decide anew.");
        }

        // The oldest first; what is beyond the largest task is a second one's.
        var targets = await found.OrderBy(row => row.Id).Take(LongTasks.MaxItems).Select(row => new { row.Id, row.Type, row.Key }).ToListAsync(cancellationToken);
        var summary = $"Retry {(request.State is null ? "" : request.State + " ")}messages of {request.Consumer}{(count > targets.Count ? $", the oldest {targets.Count} of {count}" : "")}";
        var kind = kinds.Single(kind => kind.Module == module && kind.Kind == RetryParkedMessages.KindName);
        var task = await tasks.StartAsync(
            kind, summary, string.IsNullOrWhiteSpace(request.Reason) ? null : request.Reason.Trim(), [.. targets.Select(row => new TaskTarget(row.Id.ToString(), $"{row.Type} {row.Key}"))], null, cancellationToken);
        return TasksApi.Accepted(module, task!);
    }

    private static ParkedMessageItem Item(ParkedMessage row) => new(
        row.Id, row.Consumer, row.MessageId, row.Type, row.Key, Word(row.State), row.Attempts, row.FirstFailedAt, row.LastFailedAt,
        row.State == ParkedState.Retrying ? row.NextAttemptAt : null, row.LastError, row.GivenUpAt);

    /// <summary>Which parked messages are meant; without a state, those that nobody gave up.</summary>
    private sealed record Filter(string? Consumer, string? State)
    {
        public bool IsKnown => State is null or "retrying" or "parked" or "given-up";

        public bool IsOpen => State is not "given-up";

        public IQueryable<ParkedMessage> Of(IQueryable<ParkedMessage> rows)
        {
            var (consumer, state) = (Consumer, State switch { "retrying" => ParkedState.Retrying, "parked" => ParkedState.Parked, _ => ParkedState.GivenUp });
            rows = consumer is null ? rows : rows.Where(row => row.Consumer == consumer);
            return State is null ? rows.Where(row => row.State != ParkedState.GivenUp) : rows.Where(row => row.State == state);
        }
    }
}
