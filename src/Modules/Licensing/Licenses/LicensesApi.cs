using System.Linq.Expressions;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;
using MissionControl.Protocol.Licenses;

namespace MissionControl.Licensing.Licenses;

/// <summary><c>/api/v1/licensing/licenses</c>: licences, how they stand, and their leases. A customer sees its own; staff of the vendor alone changes them.</summary>
internal static class LicensesApi
{
    public const string Right = "licensing:write";

    private const string StaffOnly = "Only staff of the vendor issues and changes licences.";

    // Ids are made in the order of time.
    private static readonly ListOrders<License> Orders = new ListOrders<License>("notAfter")
        .By("notAfter", row => row.NotAfter, row => row.Id).By("createdAt", row => row.Id).By("plan", row => row.Plan, row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var licenses = api.MapGroup("/licenses");
        licenses.MapPost("/", IssueLicense.IssueAsync).RequireScope(Right).WithName("IssueLicense").WithSummary("Issue a licence; its clusters hold the lease with their next check-in").Produces<LicenseItem>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        licenses.MapGet("/", ListAsync).RequireScope("licensing:read").WithName("ListLicenses").WithSummary("Licences by their end, and how they stand").Lists((LicenseItem row) => row.Id.ToString()).Produces<Page<LicenseItem>>().SortedBy(Orders);
        var one = licenses.MapGroup("/{id:guid}").Shows("license", static (ControlPlaneDbContext db, Guid id) => db.Set<License>().Where(row => row.Id == id).Select(row => (Guid?)row.CustomerId));
        one.MapGet("/", GetAsync).RequireScope("licensing:read").WithName("GetLicense").WithSummary("One licence").Produces<LicenseItem>();
        one.MapGet("/lease", LeaseAsync).RequireScope("licensing:read").WithName("GetLicenseLease").WithSummary("The newest lease as a signed file, for mc-agent import").Produces<byte[]>(StatusCodes.Status200OK, "application/json");
        one.MapPost("/check", CheckAsync).RequireScope("licensing:read").WithName("CheckLicense").WithSummary("How the licence stands for what is to be used; changes nothing").Produces<LicenseVerdict>();
        one.MapPost("/renew", ChangeLicense.RenewAsync).RequireScope(Right).WithName("RenewLicense").WithSummary("Renew a licence to a later end, or sign its lease anew; needs If-Match").Produces<LicenseItem>().AcceptIdempotencyKey();
        one.MapPost("/switch", ChangeLicense.SwitchAsync).RequireScope(Right).WithName("SwitchLicense").WithSummary("Switch a licence to another plan, other limits or clusters; needs If-Match").Produces<LicenseItem>().AcceptIdempotencyKey();
        one.MapPost("/suspend", ChangeLicense.SuspendAsync).RequireScope(Right).WithName("SuspendLicense").WithSummary("Suspend a licence with a reason; needs If-Match").Produces<LicenseItem>().AcceptIdempotencyKey();
        one.MapPost("/resume", ChangeLicense.ResumeAsync).RequireScope(Right).WithName("ResumeLicense").WithSummary("End a suspension; needs If-Match").Produces<LicenseItem>().AcceptIdempotencyKey();
        one.MapPost("/revoke", ChangeLicense.RevokeAsync).RequireScope(Right).WithName("RevokeLicense").WithSummary("Revoke a licence for good, with a reason; needs If-Match").Produces<LicenseItem>().AcceptIdempotencyKey();
    }

    /// <summary>Why somebody may change no licence, in words; null: they may.</summary>
    public static string? NoChanging(ClaimsPrincipal reader, ControlPlaneDbContext db) => Scopes.Lacking(reader, Right) ?? (db.Scope.IsAll ? null : StaffOnly);

    /// <summary>A licence as the API tells it, with its ETag.</summary>
    public static async Task<LicenseItem> ItemAsync(License license, HttpContext http, ControlPlaneDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        http.Response.Headers.ETag = Etags.Of(license.Version);
        return (await ItemsAsync([license], http.User, db, now, cancellationToken))[0];
    }

    private static async Task<IReadOnlyList<LicenseItem>> ItemsAsync(IReadOnlyList<License> rows, ClaimsPrincipal reader, ControlPlaneDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var ids = rows.Select(row => row.Id).ToList();
        var clusters = (await db.Set<LicensedCluster>().AsNoTracking().Where(row => row.LicenseId != null && ids.Contains(row.LicenseId.Value)).OrderBy(row => row.ClusterId).ToListAsync(cancellationToken)).ToLookup(row => row.LicenseId!.Value, row => row.ClusterId);
        var usage = await LicenseUsage.ReadAsync(db, rows, now, cancellationToken);
        var hindrance = NoChanging(reader, db);
        return [.. rows.Select(row => new LicenseItem(
            row.Id, row.CustomerId, row.ContractId, row.Plan, row.Kind, [.. clusters[row.Id]], row.Check(usage, LicenseQuestion.Plain, now), row.NotBefore, row.NotAfter, row.Enforcement, row.ReadEntitlements(),
            row.LeaseDays, row.Digest, row.IssuedAt, usage.LastReport(row), row.Reason, row.CreatedAt, row.Version,
            [.. ChangeLicense.Verbs.Select(verb => AllowedAction.Of(verb, hindrance ?? ChangeLicense.Hindrance(row, verb)))]))];
    }

    private static async Task<IResult> ListAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, TimeProvider time, [AsParameters] ListQuery list, string? q, Guid? customer, Guid? cluster, string? state, string? kind, string? count, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (state is not null && !LicenseRules.States.Contains(state))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, $"state is one of {string.Join(", ", LicenseRules.States)}.");
        }

        if (kind is not (null or "trial" or "production" or "internal"))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "kind is trial, production or internal.");
        }

        var query = db.Set<License>().AsNoTracking();
        query = customer is null ? query : query.Where(row => row.CustomerId == customer);
        query = cluster is null ? query : query.Where(row => db.Set<LicensedCluster>().Any(link => link.LicenseId == row.Id && link.ClusterId == cluster));
        query = kind is null ? query : query.Where(row => row.Kind == kind);
        query = state is null ? query : query.Where(In(state, now));
        query = query.Holding(row => row.Plan, q);
        var total = count == "exact" ? await query.LongCountAsync(cancellationToken) : (long?)null;
        return await Orders.PageAsync(list, query, rows => ItemsAsync(rows, reader, db, now, cancellationToken), cancellationToken, total);
    }

    /// <summary>The rows that are in a state now: <see cref="LicenseRules.State"/> in words of the database; a test holds the two together.</summary>
    public static Expression<Func<License, bool>> In(string state, DateTimeOffset now)
    {
        var (soon, soonOfTrials) = (now.AddDays(LicenseRules.WarnDays[0]), now.AddDays(LicenseRules.TrialWarnDays));
        return state switch
        {
            "revoked" => row => row.Status == LicenseStatus.Revoked,
            "suspended" => row => row.Status == LicenseStatus.Suspended,
            "expired" => row => row.Status == LicenseStatus.Active && row.GraceUntil <= now,
            "new" => row => row.Status == LicenseStatus.Active && row.GraceUntil > now && row.NotBefore > now,
            "grace" => row => row.Status == LicenseStatus.Active && row.GraceUntil > now && row.NotBefore <= now && (row.NotAfter <= now || row.LeaseUntil <= now),
            "expiring" => row => row.Status == LicenseStatus.Active && row.NotBefore <= now && row.NotAfter > now && row.LeaseUntil > now && (row.Kind == "trial" ? row.NotAfter <= soonOfTrials : row.NotAfter <= soon),
            "trial" => row => row.Status == LicenseStatus.Active && row.NotBefore <= now && row.LeaseUntil > now && row.Kind == "trial" && row.NotAfter > soonOfTrials,
            _ => row => row.Status == LicenseStatus.Active && row.NotBefore <= now && row.LeaseUntil > now && row.Kind != "trial" && row.NotAfter > soon,
        };
    }

    private static async Task<IResult> GetAsync(Guid id, HttpContext http, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken) =>
        await FindAsync(id, db, cancellationToken) is { } license ? TypedResults.Ok(await ItemAsync(license, http, db, time.GetUtcNow(), cancellationToken)) : Problems.NotFound();

    private static async Task<IResult> LeaseAsync(Guid id, HttpContext http, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (await FindAsync(id, db, cancellationToken) is not { } license)
        {
            return Problems.NotFound();
        }

        // The bytes are what is signed, so their digest is a strong validator.
        var etag = $"\"{license.Digest}\"";
        http.Response.Headers.ETag = etag;
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{id}.license.json\"";
        return http.Request.Headers.IfNoneMatch.ToString() == etag ? TypedResults.StatusCode(StatusCodes.Status304NotModified) : TypedResults.Bytes(license.Lease, "application/json");
    }

    private static async Task<IResult> CheckAsync(Guid id, CheckLicenseRequest request, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await FindAsync(id, db, cancellationToken) is not { } license)
        {
            return Problems.NotFound();
        }

        if (request.Used?.FirstOrDefault(pair => !Quantity.IsWellFormed(pair.Value)) is { Key: { } meter })
        {
            return Problems.Invalid([new FieldError("/used", "quantity-malformed", $"The quantity of {meter} is decimal text, never negative.")]);
        }

        var now = time.GetUtcNow();
        return TypedResults.Ok(license.Check(await LicenseUsage.ReadAsync(db, [license], now, cancellationToken), new LicenseQuestion(request.Used, request.Entitlements), now));
    }

    private static Task<License?> FindAsync(Guid id, ControlPlaneDbContext db, CancellationToken cancellationToken) => db.Set<License>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
}
