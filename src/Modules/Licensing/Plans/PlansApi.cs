using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Accounts;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Licensing.Plans;

/// <summary><c>/api/v1/licensing/plans</c>. A customer reads its plan in its contract.</summary>
internal static class PlansApi
{
    private static readonly ListOrders<Plan> Orders = new ListOrders<Plan>("name").By("name", row => row.Name, row => row.Id).By("createdAt", row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var plans = api.MapGroup("/plans").ForStaff();
        plans.MapPost("/", CreateAsync).RequireScope(StaffOnly.Right).WithName("CreatePlan").WithSummary("Create a plan with its first version").Produces<PlanItem>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        plans.MapGet("/", ListAsync).RequireScope("licensing:read").WithName("ListPlans").WithSummary("List plans by name").Produces<Page<PlanItem>>().SortedBy(Orders);
        var one = plans.MapGroup("/{id:guid}");
        one.MapGet("/", GetAsync).RequireScope("licensing:read").WithName("GetPlan").WithSummary("One plan").Produces<PlanItem>();
        one.MapGet("/versions/{number:int}", GetVersionAsync).RequireScope("licensing:read").WithName("GetPlanVersion").WithSummary("What a version of a plan gives").Produces<PlanVersionItem>();
        one.MapPost("/versions", AddAsync).RequireScope(StaffOnly.Right).WithName("AddPlanVersion").WithSummary("Add a version to a plan; needs If-Match").Produces<PlanVersionItem>(StatusCodes.Status201Created).AcceptIdempotencyKey();
    }

    private static async Task<IResult> CreateAsync(CreatePlanRequest request, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var name = request.Name!.Trim();
        var errors = await EntitlementCheck.MistakesAsync(request.Entitlements!, db, cancellationToken);
        if (await db.Set<Plan>().AnyAsync(row => row.Name == name, cancellationToken))
        {
            errors.Add(new FieldError("/name", "name-taken", "There is a plan of this name."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var now = time.GetUtcNow();
        var plan = new Plan { Id = Guid.CreateVersion7(now), Name = name, CreatedAt = now };
        db.Add(plan);
        db.Add(PlanVersion.Of(plan, request.Entitlements!, now));
        await plan.SaveAsync(db, events, time, "licensing.plan-created", [Change.Add("/name", name), Change.Add("/versions/1", request.Entitlements)], cancellationToken);
        return TypedResults.Created($"/api/v1/licensing/plans/{plan.Id}", plan.ToItem());
    }

    private static Task<IResult> ListAsync(ControlPlaneDbContext db, [AsParameters] ListQuery list, string? q, CancellationToken cancellationToken) =>
        Orders.PageAsync(list, db.Set<Plan>().AsNoTracking().Holding(row => row.Name, q), row => row.ToItem(), cancellationToken);

    private static async Task<IResult> GetAsync(Guid id, HttpResponse response, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (await db.Set<Plan>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } plan)
        {
            return Problems.NotFound();
        }

        response.Headers.ETag = Etags.Of(plan.Version);
        return TypedResults.Ok(plan.ToItem());
    }

    private static async Task<IResult> GetVersionAsync(Guid id, int number, ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        await FindAsync(db, id, number, cancellationToken) is { } version ? TypedResults.Ok(version) : Problems.NotFound();

    /// <summary>A version of a plan.</summary>
    public static async Task<PlanVersionItem?> FindAsync(ControlPlaneDbContext db, Guid id, int number, CancellationToken cancellationToken)
    {
        var plan = await db.Set<Plan>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
        var version = await db.Set<PlanVersion>().AsNoTracking().SingleOrDefaultAsync(row => row.PlanId == id && row.Number == number, cancellationToken);
        return plan is null ? null : version?.ToItem(plan.Name);
    }

    private static async Task<IResult> AddAsync(Guid id, AddPlanVersionRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await db.Set<Plan>().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } plan)
        {
            return Problems.NotFound();
        }

        if (Etags.Mismatch(http.Request, plan.Version) is { } mismatch)
        {
            return mismatch;
        }

        if (await EntitlementCheck.MistakesAsync(request.Entitlements!, db, cancellationToken) is { Count: > 0 } errors)
        {
            return Problems.Invalid(errors);
        }

        var version = PlanVersion.Of(plan, request.Entitlements!, time.GetUtcNow());
        plan.Version++;
        db.Add(version);
        await plan.SaveAsync(db, events, time, "licensing.plan-version-added", [Change.Add($"/versions/{version.Number}", request.Entitlements)], cancellationToken);
        http.Response.Headers.ETag = Etags.Of(plan.Version);
        return TypedResults.Created($"/api/v1/licensing/plans/{id}/versions/{version.Number}", version.ToItem(plan.Name));
    }
}
