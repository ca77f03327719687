using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Tokens;

namespace MissionControl.CallHome.Enrollment;

/// <summary><c>/api/v1/callhome/enrollment-tokens</c>.</summary>
internal static class EnrollmentTokensApi
{
    private const int MaxNetworks = 20;
    private const string Right = "callhome:write";

    private static readonly ListOrders<EnrollmentToken> Orders = new ListOrders<EnrollmentToken>("-createdAt")
        .By("createdAt", row => row.CreatedAt, row => row.Id).By("expiresAt", row => row.ExpiresAt, row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var tokens = api.MapGroup("/enrollment-tokens");
        tokens.MapPost("/", CreateAsync).RequireScope(Right).WithName("CreateEnrollmentToken")
            .WithSummary("Make a one-time enrolment token; its secret is shown once").Produces<CreatedEnrollmentToken>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        tokens.MapGet("/", ListAsync).RequireScope("callhome:read").WithName("ListEnrollmentTokens")
            .WithSummary("List enrolment tokens, newest first").Lists((EnrollmentTokenItem row) => row.Id.ToString()).Produces<Page<EnrollmentTokenItem>>().SortedBy(Orders);
        tokens.MapPost("/{id}/revoke", RevokeAsync).RequireScope(Right).WithName("RevokeEnrollmentToken")
            .WithSummary("Make an unused enrolment token worthless").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> CreateAsync(CreateEnrollmentTokenRequest request, ControlPlaneDbContext db, CurrentPrincipal principal, Anchors anchors, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = new List<FieldError>();
        if (request.Networks is { Count: > MaxNetworks })
        {
            errors.Add(new FieldError("/networks", "too-many", $"At most {MaxNetworks} networks."));
        }

        foreach (var (network, i) in (request.Networks ?? []).Take(MaxNetworks).Select((network, i) => (network, i)))
        {
            if (!IPNetwork.TryParse(network, out _))
            {
                errors.Add(new FieldError($"/networks/{i}", "not-a-network", $"'{network}' is not a CIDR network such as 192.0.2.0/24."));
            }
        }

        var customer = request.CustomerId is { } id && db.Scope.Covers(id) ? await db.Set<KnownCustomer>().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) : null;
        if (customer is null)
        {
            errors.Add(new FieldError("/customerId", "unknown-customer", "There is no such customer, or it is not yours."));
        }
        else if (customer.State != "active")
        {
            errors.Add(new FieldError("/customerId", "customer-closed", "The customer is closed; clusters can be enrolled for active customers only."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var now = time.GetUtcNow();
        var text = TokenText.New('e', out var tokenId, out var sha256);
        var token = new EnrollmentToken
        {
            Id = tokenId,
            SecretSha256 = sha256,
            CustomerId = customer!.Id,
            ClusterName = request.ClusterName,
            Networks = string.Join(' ', request.Networks ?? []),
            AnchorsSha256 = anchors.Sha256,
            CreatedAt = now,
            ExpiresAt = now.AddHours(request.ExpiresInHours),
        };
        db.Add(token);
        events.Audit(new AuditFact("callhome.enrollment-token-created", AuditLog.Customer, "enrollmentToken", tokenId)
        {
            CustomerId = token.CustomerId,
            Changes = [Change.Add("/expiresAt", token.ExpiresAt), Change.Add("/networks", token.Networks), Change.Add("/clusterName", token.ClusterName)],
        });
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Created($"/api/v1/callhome/enrollment-tokens/{tokenId}", new CreatedEnrollmentToken(tokenId, text, token.AnchorsSha256, token.ExpiresAt));
    }

    private static async Task<IResult> ListAsync(
        ClaimsPrincipal reader, ControlPlaneDbContext db, TimeProvider time, [AsParameters] ListQuery list, Guid? customer, string? state, string? q, string? count, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var query = Of(db.Set<EnrollmentToken>().AsNoTracking(), state, now);
        if (query is null)
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "state is open, used, revoked or expired.");
        }

        query = (customer is null ? query : query.Where(row => row.CustomerId == customer)).Holding(row => row.ClusterName ?? "", q);
        var total = count == "exact" ? await query.LongCountAsync(cancellationToken) : (long?)null;
        var lacks = Scopes.Lacking(reader, Right);
        return await Orders.PageAsync(list, query, row => Item(row, lacks, now), cancellationToken, total);
    }

    /// <summary>The tokens in a state, as <see cref="EnrollmentToken.StateAt"/> names it; null when there is no such state.</summary>
    private static IQueryable<EnrollmentToken>? Of(IQueryable<EnrollmentToken> tokens, string? state, DateTimeOffset now) => state switch
    {
        null => tokens,
        "used" => tokens.Where(row => row.UsedAt != null),
        "revoked" => tokens.Where(row => row.UsedAt == null && row.RevokedAt != null),
        "expired" => tokens.Where(row => row.UsedAt == null && row.RevokedAt == null && row.ExpiresAt <= now),
        "open" => tokens.Where(row => row.UsedAt == null && row.RevokedAt == null && row.ExpiresAt > now),
        _ => null,
    };

    private static async Task<IResult> RevokeAsync(string id, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var token = await db.Set<EnrollmentToken>().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
        if (token is null)
        {
            return Problems.NotFound();
        }

        var now = time.GetUtcNow();
        if (token.NoRevoking(now) is { } hindrance)
        {
            // Asked again, or too late: it is worth nothing already, which is what was wanted. Only a used one did something.
            return token.UsedAt is null ? TypedResults.NoContent() : Problems.Of(ProblemCodes.Conflict, hindrance);
        }

        token.RevokedAt = now;
        token.Version++;
        events.Audit(new AuditFact("callhome.enrollment-token-revoked", AuditLog.Customer, "enrollmentToken", id) { CustomerId = token.CustomerId, Changes = [Change.Add("/revokedAt", token.RevokedAt)] });
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.NoContent();
    }

    private static EnrollmentTokenItem Item(EnrollmentToken row, string? lacks, DateTimeOffset now) => new(
        row.Id, row.CustomerId, row.ClusterName, row.StateAt(now), row.Networks.Split(' ', StringSplitOptions.RemoveEmptyEntries), row.CreatedAt, row.ExpiresAt, row.UsedAt, row.UsedBy,
        row.ReadmitsCluster, [AllowedAction.Of("revoke", lacks ?? row.NoRevoking(now))]);
}
