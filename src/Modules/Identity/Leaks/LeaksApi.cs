using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.People;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Leaks;

/// <summary><c>/api/v1/identity/leaks</c>: the tokens that leaked, and what became of each.</summary>
internal static class LeaksApi
{
    private const int MostUses = 100;

    private static readonly ListOrders<LeakIncident> Orders = new ListOrders<LeakIncident>("-reportedAt").By("reportedAt", row => row.ReportedAt, row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var leaks = api.MapGroup("/leaks");
        leaks.MapGet("/", ListAsync).RequireScope("identity:read").WithName("ListLeaks").WithSummary("Tokens that leaked, the last first; without state those that are confirmed").Lists((LeakItem row) => row.Id.ToString()).Produces<Page<LeakItem>>().SortedBy(Orders);
        leaks.MapGet("/{id:guid}", GetAsync).RequireScope("identity:read").Shows("leak", static (ControlPlaneDbContext db, Guid id) => db.Set<LeakIncident>().Where(row => row.Id == id).Select(row => row.CustomerId)).WithName("GetLeak").WithSummary("A token that leaked: where it was found, who used it, and what was done").Produces<LeakDetail>();
        leaks.MapPost("/{id:guid}/close", CloseAsync).RequireScope(TokensApi.Right).WithName("CloseLeak").WithSummary("Say that everything about a leaked token is done; for the vendor's staff").Produces(StatusCodes.Status204NoContent);
        ReportLeak.Map(leaks);
        TakeGitHubReport.Map(leaks);
        TakeGitLabReport.Map(leaks);
    }

    /// <summary>Whether a reader may open an incident's page.</summary>
    public static bool MaySee(ControlPlaneDbContext db, ClaimsPrincipal reader, LeakIncident incident) =>
        Scopes.Lacking(reader, "identity:read") is null && (db.Scope.IsAll || (incident.CustomerId is { } customer && db.Scope.Covers(customer)));

    private static async Task<IResult> ListAsync(
        ClaimsPrincipal reader, ControlPlaneDbContext db, [AsParameters] ListQuery list, string? state, Guid? customer, string? q, string? count, CancellationToken cancellationToken)
    {
        var query = Of(Visible(db).AsNoTracking(), state);
        if (query is null)
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "state is one of open, closed, unconfirmed.");
        }

        query = (customer is null ? query : query.Where(row => row.CustomerId == customer)).Holding(row => row.TokenId, q is { Length: > 4 } && q.StartsWith("mc", StringComparison.Ordinal) && q[3] == '_' ? q[4..] : q);
        var total = count == "exact" ? await query.LongCountAsync(cancellationToken) : (long?)null;
        return await Orders.PageAsync<LeakItem>(list, query, async rows =>
        {
            var ids = rows.Select(row => row.TokenId).Distinct().ToList();
            var last = await db.Set<UsedToken>().Where(row => ids.Contains(row.TokenId)).GroupBy(row => row.TokenId).Select(group => new { group.Key, At = group.Max(row => row.LastAt) }).ToDictionaryAsync(group => group.Key, group => group.At, cancellationToken);
            return [.. rows.Select(row => row.ToItem(reader, last.TryGetValue(row.TokenId, out var at) ? at : null))];
        }, cancellationToken, total);
    }

    private static IQueryable<LeakIncident>? Of(IQueryable<LeakIncident> leaks, string? state) => state switch
    {
        null => leaks.Where(row => row.Outcome != null),
        "open" => leaks.Where(row => row.Outcome != null && row.ClosedAt == null),
        "closed" => leaks.Where(row => row.ClosedAt != null),
        "unconfirmed" => leaks.Where(row => row.Outcome == null),
        _ => null,
    };

    private static async Task<IResult> GetAsync(Guid id, ClaimsPrincipal reader, HttpResponse response, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (await Visible(db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } leak)
        {
            return Problems.NotFound();
        }

        var places = await db.Set<LeakPlace>().AsNoTracking().Where(row => row.IncidentId == id).OrderBy(row => row.FoundAt).ThenBy(row => row.Digest).ToListAsync(cancellationToken);
        var uses = leak.Kind == "a" ? await db.Set<UsedToken>().AsNoTracking().Where(row => row.TokenId == leak.TokenId).OrderByDescending(row => row.LastAt).Take(MostUses).ToListAsync(cancellationToken) : [];

        // A person of the vendor is none of a customer's business, a customer's own is.
        var all = db.Scope.IsAll;
        var owner = leak.OwnerId is null ? null : await db.Set<Person>().Where(row => row.Id == leak.OwnerId && (all || row.CustomerId == leak.CustomerId)).Select(row => row.Name).SingleOrDefaultAsync(cancellationToken);
        response.Headers.ETag = Etags.Of(leak.Version);
        return TypedResults.Ok(new LeakDetail(
            leak.ToItem(reader, uses.Count == 0 ? null : uses[0].LastAt), owner, [.. places.Select(row => new LeakPlaceItem(row.FoundAt, row.Reporter, row.Source, row.Url))],
            [.. uses.Select(row => new TokenUseItem(row.Address, row.FirstAt, row.LastAt, row.Accepted, row.Refused, row.LastAt > leak.ReportedAt))], [.. LeakTimeline.Of(leak, places, uses)], leak.ClosedBecause, leak.Comment));
    }

    private static async Task<IResult> CloseAsync(Guid id, CloseLeakRequest request, HttpRequest http, ClaimsPrincipal reader, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await Visible(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } leak)
        {
            return Problems.NotFound();
        }

        // Whoever stole a customer's administrator would close it first.
        if (!db.Scope.IsAll)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, "The vendor's security officers close it, once they know what the token did.");
        }

        if (Reasons.Mistake(request.Reason, out var reason) is { } mistake)
        {
            return Problems.Invalid([mistake]);
        }

        if (Etags.Mismatch(http, leak.Version) is { } mismatch)
        {
            return mismatch;
        }

        if (leak.NoClosing(reader) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.Conflict, hindrance);
        }

        leak.Close(request.Because!, reason, reader.FindFirst("sub")!.Value, time.GetUtcNow());
        events.Audit(leak.Fact("identity.leak-closed") with { TargetType = "leak", TargetId = leak.Id.ToString(), Reason = reason, Changes = [Change.Add("/closedBecause", request.Because)] });
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.NoContent();
    }

    // What could act for the vendor has no customer, so the customer filter cannot speak for it: staff see all, customers their own.
    private static IQueryable<LeakIncident> Visible(ControlPlaneDbContext db)
    {
        var (all, customer) = (db.Scope.IsAll, db.Scope.CustomerId);
        return db.Set<LeakIncident>().Where(row => all || row.CustomerId == customer);
    }
}
