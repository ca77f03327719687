using System.Globalization;
using System.Net;
using System.Security.Claims;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Tokens;

/// <summary><c>/api/v1/identity/tokens</c>.</summary>
internal static partial class TokensApi
{
    /// <summary>What making and revoking one needs.</summary>
    public const string Right = "identity:write";

    /// <summary>Days that a person's own token lives at most.</summary>
    public const int MaxDaysOfPersons = 90;

    private const int MaxNetworks = 20;
    private const int MaxScopes = 40;

    private static readonly ListOrders<ApiToken> Orders = new ListOrders<ApiToken>("-createdAt")
        .By("createdAt", row => row.CreatedAt, row => row.Id).By("expiresAt", row => row.ExpiresAt, row => row.Id).By("name", row => row.Name, row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var tokens = api.MapGroup("/tokens");
        tokens.MapPost("/", CreateAsync).RequireScope(Right).WithName("CreateToken").WithSummary("Make an API token; its secret is shown once").Produces<CreatedToken>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        tokens.MapGet("/", ListAsync).RequireScope("identity:read").WithName("ListTokens").WithSummary("List API tokens, newest first").Lists((TokenItem row) => row.Id.ToString()).Produces<Page<TokenItem>>().SortedBy(Orders);
        tokens.MapGet("/{id}", GetAsync).RequireScope("identity:read").Shows("token", static (ControlPlaneDbContext db, string id) => db.Set<ApiToken>().Where(row => row.Id == id).Select(row => row.CustomerId)).WithName("GetToken").WithSummary("One API token").Produces<TokenItem>();
        tokens.MapPost("/{id}/revoke", RevokeAsync).RequireScope(Right).WithName("RevokeToken").WithSummary("End an API token and its sessions").Produces(StatusCodes.Status204NoContent);
        RotateToken.Map(api, tokens);
    }

    private static async Task<IResult> CreateAsync(CreateTokenRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = new List<FieldError>();
        var granted = http.User.FindFirst("scope")!.Value;
        for (var i = 0; i < Math.Min(MaxScopes, request.Scopes!.Count); i++)
        {
            if (request.Scopes[i] is null || !ScopeForm().IsMatch(request.Scopes[i]))
            {
                errors.Add(new FieldError($"/scopes/{i}", "not-a-scope", "A scope is written role:verb, or * for all."));
            }
            else if (!Scopes.Include(granted, request.Scopes[i]))
            {
                errors.Add(new FieldError($"/scopes/{i}", "beyond-your-own", $"You do not hold {request.Scopes[i]} yourself."));
            }
        }

        if (request.Networks is { Count: > MaxNetworks })
        {
            errors.Add(new FieldError("/networks", "too-many", $"At most {MaxNetworks} networks."));
        }

        if (request.Scopes.Count > MaxScopes)
        {
            errors.Add(new FieldError("/scopes", "too-many", $"At most {MaxScopes} scopes."));
        }

        foreach (var (network, i) in (request.Networks ?? []).Take(MaxNetworks).Select((network, i) => (network, i)))
        {
            if (!IPNetwork.TryParse(network, out _))
            {
                errors.Add(new FieldError($"/networks/{i}", "not-a-network", $"'{network}' is not a CIDR network such as 192.0.2.0/24."));
            }
        }

        await using var transaction = await db.JoinWriteAsync(cancellationToken);
        if (!await Actor.StandsAsync(db, http.User, cancellationToken))
        {
            return Problems.Of(ProblemCodes.Unauthenticated, "The session has ended. Sign in again.");
        }

        // Else what it makes would outlive it, and hold what it no longer does.
        if (http.User.FindFirst("account") is not null)
        {
            return Problems.Of(ProblemCodes.Conflict, "A service account makes no tokens: they are made for it, at /api/v1/identity/service-accounts/{id}/tokens, and it rotates its own.");
        }

        var now = time.GetUtcNow();
        var own = http.User.FindFirst("token")?.Value;
        var parent = own is null ? null : await db.Set<ApiToken>().AsNoTracking().SingleAsync(row => row.Id == own, cancellationToken);
        errors.AddRange(parent?.Beyond(request.Networks ?? []) ?? OfPerson(request, db.Scope.IsAll));

        // A customer's principal makes tokens of its own customer only; it cannot make staff.
        var customerId = db.Scope.IsAll ? request.CustomerId : db.Scope.CustomerId;
        if (!db.Scope.IsAll && request.CustomerId is { } other && other != customerId)
        {
            errors.Add(new FieldError("/customerId", "unknown-customer", "There is no such customer, or it is not yours."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var subject = StepUp.Token(request.Name!, customerId, request.ExpiresInDays, request.Scopes, request.Networks ?? []);
        if (await guard.DemandAsync(http, db, subject, $"A token called “{request.Name}” is made for {request.ExpiresInDays} days, with the rights {string.Join(", ", request.Scopes)}{(customerId is null ? "" : $", for customer {customerId}")}, good {(request.Networks is { Count: > 0 } networks ? $"from {string.Join(", ", networks)}" : "from anywhere")}.", cancellationToken) is { } unproven)
        {
            return unproven;
        }

        var token = ApiToken.Create(request.Name!, customerId, request.Scopes.Distinct(StringComparer.Ordinal), request.Networks ?? [], parent?.LifeOfChild(TimeSpan.FromDays(request.ExpiresInDays), now) ?? TimeSpan.FromDays(request.ExpiresInDays), now, out var text,
            Actor.IdOf(http.User));
        db.Add(token);
        token.Tell(events);
        events.Audit(Fact(token, "identity.token-created") with
        {
            Changes = [Change.Add("/name", token.Name), Change.Add("/scopes", token.Scopes), Change.Add("/networks", token.Networks), Change.Add("/expiresAt", token.ExpiresAt)],
        });
        Tell(events, token, "token-created", "warning", http.User, now);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);

        return TypedResults.Created($"/api/v1/identity/tokens/{token.Id}", new CreatedToken(token.Id, text, token.ExpiresAt));
    }

    private static async Task<IResult> ListAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, TimeProvider time, [AsParameters] ListQuery list, string? q, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return await Orders.PageAsync<TokenItem>(list, Visible(db).AsNoTracking().Holding(row => row.Name, q), async rows =>
        {
            var used = await LastUse.OfAsync(db, rows.Select(row => row.Id), cancellationToken);
            return [.. rows.Select(row => row.ToItem(reader, now, used.GetValueOrDefault(row.Id)))];
        }, cancellationToken);
    }

    private static async Task<IResult> GetAsync(string id, ClaimsPrincipal reader, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken) =>
        await Visible(db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is { } token
            ? TypedResults.Ok(token.ToItem(reader, time.GetUtcNow(), (await LastUse.OfAsync(db, [id], cancellationToken)).GetValueOrDefault(id))) : Problems.NotFound();

    private static async Task<IResult> RevokeAsync(string id, ClaimsPrincipal reader, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await Visible(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } token)
        {
            return Problems.NotFound();
        }

        if (token.TryRevoke(time.GetUtcNow()))
        {
            token.Tell(events);
            events.Audit(Fact(token, "identity.token-revoked") with { Changes = [Change.Add("/revokedAt", token.RevokedAt)] });
            Tell(events, token, "token-revoked", "info", reader, time.GetUtcNow());
            await db.SaveChangesAsync(cancellationToken);
        }

        return TypedResults.NoContent();
    }

    /// <summary>What a person's own token may not be: it is no way around the second factor to the things that matter most.</summary>
    private static IEnumerable<FieldError> OfPerson(CreateTokenRequest request, bool isStaff)
    {
        for (var i = 0; i < request.Scopes!.Count; i++)
        {
            if (request.Scopes[i] is { } scope && (ApiScopes.IsSensitive(scope) || scope.StartsWith("identity:", StringComparison.Ordinal)))
            {
                yield return new FieldError($"/scopes/{i}", "not-for-tokens", $"No token of a person holds {request.Scopes[i]}: name the rights that the program needs.");
            }
        }

        if (request.ExpiresInDays > MaxDaysOfPersons)
        {
            yield return new FieldError("/expiresInDays", "too-long", $"A token of a person lives {MaxDaysOfPersons} days at most.");
        }

        for (var i = 0; i < Math.Min(MaxNetworks, request.Networks?.Count ?? 0); i++)
        {
            if (IPNetwork.TryParse(request.Networks![i], out var network) && network.PrefixLength < (network.BaseAddress.GetAddressBytes().Length == 4 ? 8 : 16))
            {
                yield return new FieldError($"/networks/{i}", "too-wide", $"'{network}' is nearly everywhere; name the networks that the program calls from.");
            }
        }

        if (isStaff && request.Networks is not { Count: > 0 })
        {
            yield return new FieldError("/networks", "required", "Name the networks that the program calls from, such as 192.0.2.0/24.");
        }
    }

    /// <summary>Staff tokens have no customer, so the customer filter cannot speak for them: staff see all, customers their own.</summary>
    public static IQueryable<ApiToken> Visible(ControlPlaneDbContext db)
    {
        var all = db.Scope.IsAll;
        var customer = db.Scope.CustomerId;
        return db.Set<ApiToken>().Where(row => all || row.CustomerId == customer);
    }

    /// <summary>A customer's security contacts learn of whatever can act for it, whoever made it.</summary>
    public static void Tell(IEvents events, ApiToken token, string template, string severity, ClaimsPrincipal actor, DateTimeOffset now)
    {
        if (token.CustomerId is { } customer)
        {
            events.Publish(new SendNotification(Guid.CreateVersion7(now), customer, [new Recipient("contact", "security")], template, new Dictionary<string, string>
            {
                ["token"] = token.Id,
                ["name"] = token.Name,
                ["scopes"] = token.Scopes,
                ["expires"] = token.ExpiresAt.ToString("d MMMM yyyy HH:mm 'UTC'", CultureInfo.InvariantCulture),
                ["actor"] = actor.Identity?.Name ?? actor.FindFirst("sub")?.Value ?? "the system",
            }, severity, $"{template}/{token.Id}"));
        }
    }

    /// <summary>Where what happens to a token is told.</summary>
    public static AuditFact Fact(ApiToken token, string type) =>
        new(type, token.CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "token", token.Id) { CustomerId = token.CustomerId };

    [GeneratedRegex(@"^(\*|[a-z]{1,20}:[a-z-]{1,20})$")]
    private static partial Regex ScopeForm();
}
