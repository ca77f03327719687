using System.Globalization;
using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Identity.Me;
using MissionControl.Identity.OAuth;
using MissionControl.Identity.People;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Programs;

/// <summary><c>/api/v1/identity/service-accounts</c>: the programs that call the API, and what they may do.</summary>
internal static class ServiceAccountsApi
{
    private const int MaxNetworks = 20;
    private const int MaxScopes = 40;
    private const int MostTokens = 100;

    private static readonly ListOrders<ServiceAccount> Orders = new ListOrders<ServiceAccount>("name").By("name", row => row.Name, row => row.Id).By("createdAt", row => row.CreatedAt, row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var accounts = api.MapGroup("/service-accounts");
        accounts.MapPost("/", CreateAsync).RequireScope(TokensApi.Right).WithName("CreateServiceAccount").WithSummary("Make a service account, which is an OAuth client, with ordinary rights").Produces<CreatedServiceAccount>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        accounts.MapGet("/", ListAsync).RequireScope("identity:read").WithName("ListServiceAccounts").WithSummary("Service accounts, by name").Lists((ServiceAccountItem row) => row.Id.ToString()).Produces<Page<ServiceAccountItem>>().SortedBy(Orders);
        accounts.MapGet("/{id:guid}", GetAsync).RequireScope("identity:read").Shows("service-account", static (ControlPlaneDbContext db, Guid id) => db.Set<ServiceAccount>().Where(row => row.Id == id).Select(row => row.CustomerId)).WithName("GetServiceAccount").WithSummary("One service account, its tokens, keys and what was asked for it").Produces<ServiceAccountDetail>();
        accounts.MapPost("/{id:guid}/disable", DisableAsync).RequireScope(TokensApi.Right).WithName("DisableServiceAccount").WithSummary("Stop a service account: every role refuses its tokens within five seconds").Produces(StatusCodes.Status204NoContent);
        accounts.MapPost("/{id:guid}/enable", EnableAsync).RequireScope(TokensApi.Right).WithName("EnableServiceAccount").WithSummary("Let a service account call again").Produces(StatusCodes.Status204NoContent);
        accounts.MapPost("/{id:guid}/take-scope", TakeAsync).RequireScope(TokensApi.Right).WithName("TakeServiceAccountScope").WithSummary("Take a right from a service account, and from its tokens").Produces(StatusCodes.Status204NoContent);
        ChangeOwner.Map(accounts);
        ScopeRequestsApi.Map(accounts);
        CredentialsApi.Map(accounts);
    }

    /// <summary>Staff's accounts have no customer, so the customer filter cannot speak for them: staff see all, customers their own.</summary>
    public static IQueryable<ServiceAccount> Visible(ControlPlaneDbContext db)
    {
        var (all, customer) = (db.Scope.IsAll, db.Scope.CustomerId);
        return db.Set<ServiceAccount>().Where(row => all || row.CustomerId == customer);
    }

    /// <summary>Changes an account in one transaction, in which nobody stops who asks and nobody else changes it.</summary>
    public static async Task<IResult> ChangeAsync(Guid id, HttpContext http, ControlPlaneDbContext db, Func<ServiceAccount, Task<IResult>> change, CancellationToken cancellationToken)
    {
        await using var transaction = await db.JoinWriteAsync(cancellationToken);
        if (!await Actor.StandsAsync(db, http.User, cancellationToken))
        {
            return Problems.Of(ProblemCodes.Unauthenticated, "The session has ended. Sign in again.");
        }

        await db.Dialect.LockRowsAsync(db, "identity_service_account", ["id"], [[id]], cancellationToken);
        if (await Visible(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } account)
        {
            return Problems.NotFound();
        }

        // A program that could change what it may do would need no second person.
        if (http.User.FindFirst("sub")?.Value == account.Subject)
        {
            return Problems.Of(ProblemCodes.Conflict, "A service account does not change itself; it may rotate its own token.");
        }

        var result = await change(account);
        if (result is IStatusCodeHttpResult { StatusCode: < 300 })
        {
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return result;
    }

    /// <summary>Tells whoever answers for an account what was done to it.</summary>
    public static async Task TellOwnerAsync(ControlPlaneDbContext db, IEvents events, ServiceAccount account, string what, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (await db.Set<Person>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == account.OwnerId && row.DisabledAt == null && row.Email != "", cancellationToken) is { } owner)
        {
            Asking.Tell(events, owner, $"The service account “{account.Name}”, which you answer for: {what}", now);
            return;
        }

        // Whoever answered for it is gone, or cannot be written to: those who keep watch are told.
        Recipient[] watch = account.CustomerId is null ? [new("vendor", "security"), new("role", "security-officer")] : [new("contact", "security"), new("role", RoleBook.CustomerAdministrator)];
        events.Publish(new SendNotification(Guid.CreateVersion7(now), account.CustomerId, watch, "account-changed", new Dictionary<string, string>
        {
            ["name"] = account.Name, ["what"] = $"The service account “{account.Name}”, for which nobody answers any more: {what}", ["when"] = now.ToString("d MMMM yyyy HH:mm 'UTC'", CultureInfo.InvariantCulture),
        }, "warning", $"account-changed/{account.Id:N}/{now.ToUnixTimeMilliseconds()}"));
    }

    /// <summary>What is wrong with a list of networks.</summary>
    public static IEnumerable<FieldError> Networks(IReadOnlyList<string>? networks, bool isStaffs)
    {
        if (networks is { Count: > MaxNetworks })
        {
            yield return new FieldError("/networks", "too-many", $"At most {MaxNetworks} networks.");
            yield break;
        }

        foreach (var (i, text) in (networks ?? []).Index())
        {
            if (!IPNetwork.TryParse(text, out var network))
            {
                yield return new FieldError($"/networks/{i}", "not-a-network", $"'{text}' is not a CIDR network such as 192.0.2.0/24.");
            }
            else if (network.PrefixLength < (network.BaseAddress.GetAddressBytes().Length == 4 ? 8 : 16))
            {
                yield return new FieldError($"/networks/{i}", "too-wide", $"'{network}' is nearly everywhere; name the networks that the program calls from.");
            }
        }

        if (isStaffs && networks is not { Count: > 0 })
        {
            yield return new FieldError("/networks", "required", "Name the networks that the program calls from, such as 192.0.2.0/24.");
        }
    }

    private static async Task<IResult> CreateAsync(CreateServiceAccountRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var transaction = await db.JoinWriteAsync(cancellationToken);
        if (!await Actor.StandsAsync(db, http.User, cancellationToken))
        {
            return Problems.Of(ProblemCodes.Unauthenticated, "The session has ended. Sign in again.");
        }

        if (http.User.FindFirst("account") is not null)
        {
            return Problems.Of(ProblemCodes.Conflict, "A service account makes no other one.");
        }

        var customerId = db.Scope.IsAll ? request.CustomerId : db.Scope.CustomerId;
        var own = http.User.FindFirst("token")?.Value;
        var parent = own is null ? null : await db.Set<ApiToken>().AsNoTracking().SingleAsync(row => row.Id == own, cancellationToken);
        List<FieldError> errors = [.. OfScopes(request.Scopes!, http.User.FindFirst("scope")!.Value), .. Networks(request.Networks, customerId is null), .. parent?.Beyond(request.Networks ?? []) ?? []];
        if (!db.Scope.IsAll && request.CustomerId is { } other && other != customerId)
        {
            errors.Add(new FieldError("/customerId", "unknown-customer", "There is no such customer, or it is not yours."));
        }

        var ownerId = request.OwnerId ?? Actor.IdOf(http.User);
        var owner = await ChangeOwner.MayOwn(db, customerId).SingleOrDefaultAsync(row => row.Id == ownerId, cancellationToken);
        if (owner is null)
        {
            errors.Add(new FieldError("/ownerId", ownerId is null ? "required" : "unknown-person", "Name a person who answers for it: one of the vendor's staff, or of the customer it is bound to."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var name = request.Name!.Trim();
        var scopes = request.Scopes!.Distinct(StringComparer.Ordinal).ToList();
        var text = $"A service account called “{name}” is made, with {(scopes.Count == 0 ? "no rights yet" : $"the rights {string.Join(", ", scopes)}")}, for which {owner!.Name} answers.";
        if (await guard.DemandAsync(http, db, StepUp.ServiceAccount(name, customerId, owner.Id, scopes, request.Networks ?? []), text, cancellationToken) is { } unproven)
        {
            return unproven;
        }

        var now = time.GetUtcNow();
        var account = new ServiceAccount
        {
            Id = Guid.CreateVersion7(now), Name = name, CustomerId = customerId, OwnerId = owner.Id, MadeBy = http.User.FindFirst("sub")!.Value,
            Scopes = string.Join(' ', scopes), Networks = string.Join(' ', request.Networks ?? []), CreatedAt = now,
        };
        db.Add(account);
        events.Publish(account.ToEvent());
        events.Audit(account.Fact("identity.service-account-created") with
        {
            Changes = [Change.Add("/name", account.Name), Change.Add("/ownerId", account.OwnerId), Change.Add("/scopes", account.Scopes), Change.Add("/networks", account.Networks)],
        });
        await TellOwnerAsync(db, events, account, "it was made.", now, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.Created($"/api/v1/identity/service-accounts/{account.Id}", new CreatedServiceAccount(account.Id, account.ClientId));
    }

    private static async Task<IResult> ListAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, [AsParameters] ListQuery list, string? q, CancellationToken cancellationToken) =>
        await Orders.PageAsync<ServiceAccountItem>(list, Visible(db).AsNoTracking().Holding(row => row.Name, q), async rows =>
        {
            var names = await NamesAsync(db, rows.Select(row => row.OwnerId), cancellationToken);
            return [.. rows.Select(row => row.ToItem(reader, names.GetValueOrDefault(row.OwnerId)))];
        }, cancellationToken);

    private static async Task<IResult> GetAsync(Guid id, ClaimsPrincipal reader, HttpResponse response, ControlPlaneDbContext db, Issuer issuer, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await Visible(db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } account)
        {
            return Problems.NotFound();
        }

        var now = time.GetUtcNow();
        var tokens = await db.Set<ApiToken>().AsNoTracking().Where(row => row.AccountId == id).OrderByDescending(row => row.CreatedAt).ThenBy(row => row.Id).Take(MostTokens).ToListAsync(cancellationToken);
        var keys = await db.Set<ClientKey>().AsNoTracking().Where(row => row.AccountId == id).OrderByDescending(row => row.CreatedAt).ThenBy(row => row.Id).Take(MostTokens).ToListAsync(cancellationToken);
        var requests = await db.Set<ScopeRequest>().AsNoTracking().Where(row => row.AccountId == id).OrderByDescending(row => row.AskedAt).ThenBy(row => row.Id).Take(MostTokens).ToListAsync(cancellationToken);
        var used = await LastUse.OfAsync(db, tokens.Select(row => row.Id), cancellationToken);
        var names = await NamesAsync(db, [account.OwnerId], cancellationToken);
        var former = await FormerOwner.OfAsync(db, id, now, cancellationToken);
        response.Headers.ETag = Etags.Of(account.Version);
        return TypedResults.Ok(new ServiceAccountDetail(
            account.ToItem(reader, names.GetValueOrDefault(account.OwnerId)), [.. tokens.Select(row => row.ToItem(reader, now, used.GetValueOrDefault(row.Id)))], [.. keys.Select(row => row.ToItem(now))],
            [.. requests.Select(row => row.ToItem(account, former, reader, now))], issuer.Own ? issuer.TokenEndpoint : null));
    }

    private static Task<IResult> DisableAsync(Guid id, ServiceAccountActionRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
        ChangeAsync(id, http, db, async account =>
        {
            if (Etags.Moved(http.Request, account.Version) is { } moved)
            {
                return moved;
            }

            if (account.IsActive)
            {
                var now = time.GetUtcNow();
                account.Disable(now);
                events.Publish(account.ToEvent());
                events.Audit(account.Fact("identity.service-account-disabled") with { Reason = request.Reason, Changes = [Change.Add("/disabledAt", now)] });
                await TellOwnerAsync(db, events, account, "it was disabled; whatever it holds opens nothing.", now, cancellationToken);
            }

            return TypedResults.NoContent();
        }, cancellationToken);

    private static Task<IResult> EnableAsync(Guid id, ServiceAccountActionRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken) =>
        ChangeAsync(id, http, db, async account =>
        {
            if (Etags.Moved(http.Request, account.Version) is { } moved)
            {
                return moved;
            }

            if (account.DisabledAt is not { } since)
            {
                return TypedResults.NoContent();
            }

            if (account.ScopeList().Select(scope => Scopes.Lacking(http.User, scope)).FirstOrDefault(lacking => lacking is not null) is { } beyond)
            {
                return Problems.Of(ProblemCodes.Conflict, $"The account may do what you may not. {beyond}");
            }

            if (await guard.DemandAsync(http, db, StepUp.EnableAccount(id, account.ScopeList()), $"The service account “{account.Name}” may call again, with all that it had: {(account.Scopes.Length == 0 ? "no right" : string.Join(", ", account.ScopeList()))}.", cancellationToken) is { } unproven)
            {
                return unproven;
            }

            account.Enable();
            events.Publish(account.ToEvent());
            events.Audit(account.Fact("identity.service-account-enabled") with { Reason = request.Reason, Changes = [Change.Remove("/disabledAt", since)] });
            await TellOwnerAsync(db, events, account, "it may call again.", time.GetUtcNow(), cancellationToken);
            return TypedResults.NoContent();
        }, cancellationToken);

    private static Task<IResult> TakeAsync(Guid id, TakeScopeRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
        ChangeAsync(id, http, db, async account =>
        {
            if (!account.ScopeList().Contains(request.Scope))
            {
                return Problems.Of(ProblemCodes.Conflict, "The account does not hold this right.");
            }

            account.Take(request.Scope!);
            events.Publish(account.ToEvent());
            events.Audit(account.Fact("identity.service-account-scope-taken") with { Reason = request.Reason, Changes = [Change.Remove("/scopes", request.Scope)] });
            await TellOwnerAsync(db, events, account, $"it may no longer {request.Scope}, and its tokens with it.", time.GetUtcNow(), cancellationToken);
            return TypedResults.NoContent();
        }, cancellationToken);

    /// <summary>A person of the vendor is none of a customer's business, a customer's own is.</summary>
    private static async Task<IReadOnlyDictionary<Guid, string>> NamesAsync(ControlPlaneDbContext db, IEnumerable<Guid> owners, CancellationToken cancellationToken)
    {
        var (all, customer, ids) = (db.Scope.IsAll, db.Scope.CustomerId, owners.Distinct().ToList());
        return await db.Set<Person>().AsNoTracking().Where(row => ids.Contains(row.Id) && (all || row.CustomerId == customer)).Select(row => new { row.Id, row.Name }).ToDictionaryAsync(row => row.Id, row => row.Name, cancellationToken);
    }

    private static IEnumerable<FieldError> OfScopes(IReadOnlyList<string> scopes, string granted)
    {
        if (scopes.Count > MaxScopes)
        {
            yield return new FieldError("/scopes", "too-many", $"At most {MaxScopes} scopes.");
        }

        foreach (var (i, scope) in scopes.Take(MaxScopes).Index())
        {
            if (scope is null || (!ApiScopes.IsKnown(scope) && scope != Scopes.Everything))
            {
                yield return new FieldError($"/scopes/{i}", "not-a-scope", "There is no such right.");
            }
            else if (ApiScopes.IsSensitive(scope))
            {
                yield return new FieldError($"/scopes/{i}", "needs-a-second-person", scope == Scopes.Everything
                    ? "No service account may do everything: name the rights that the program needs."
                    : $"Make the account without {scope}, ask for it, and somebody else grants it.");
            }
            else if (!Scopes.Include(granted, scope))
            {
                yield return new FieldError($"/scopes/{i}", "beyond-your-own", $"You do not hold {scope} yourself.");
            }
        }
    }
}
