using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Federation.Saml;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Federation;

/// <summary><c>/api/v1/identity/providers</c>: by which providers customers' users sign in. Staff's stand in the server's configuration, where no session reaches them.</summary>
internal static class ProvidersApi
{
    /// <summary>Of one customer.</summary>
    private const int MaxProviders = 5;

    private static readonly ListOrders<CustomerProvider> Orders = new ListOrders<CustomerProvider>("name").By("name", row => row.Name, row => row.Id).By("createdAt", row => row.CreatedAt, row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var providers = api.MapGroup("/providers");
        providers.MapPost("/", AddAsync).RequireScope(PeopleApi.Right).WithName("AddProvider").WithSummary("Let a customer's users sign in by its own provider").Produces<AddedProvider>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        providers.MapGet("/", ListAsync).RequireScope("identity:read").WithName("ListProviders").WithSummary("Customers' providers, by name").Lists((ProviderItem row) => row.Id.ToString()).Produces<Page<ProviderItem>>().SortedBy(Orders);
        providers.MapGet("/{id:guid}", GetAsync).RequireScope("identity:read").Shows("provider", static (ControlPlaneDbContext db, Guid id) => db.Set<CustomerProvider>().Where(row => row.Id == id).Select(row => (Guid?)row.CustomerId)).WithName("GetProvider").WithSummary("One provider; its secret is never shown").Produces<ProviderItem>();
        providers.MapPut("/{id:guid}", ChangeAsync).RequireScope(PeopleApi.Right).WithName("ChangeProvider").WithSummary("Change a provider; with another issuer all whom it signed in are signed out").Produces(StatusCodes.Status204NoContent);
        providers.MapDelete("/{id:guid}", RemoveAsync).RequireScope(PeopleApi.Right).WithName("RemoveProvider").WithSummary("Remove a provider; all whom it signed in are signed out").Produces(StatusCodes.Status204NoContent);
        FetchMetadata.Map(providers);
    }

    public static IQueryable<CustomerProvider> Visible(ControlPlaneDbContext db)
    {
        var (all, customer) = (db.Scope.IsAll, db.Scope.CustomerId);
        return db.Set<CustomerProvider>().Where(row => all || row.CustomerId == customer);
    }

    private static async Task<IResult> AddAsync(SetProviderRequest request, HttpContext http, ProviderBook providers, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var transaction = await db.JoinWriteAsync(cancellationToken);
        if (!await Actor.StandsAsync(db, http.User, cancellationToken))
        {
            return Problems.Of(ProblemCodes.Unauthenticated, "The session has ended. Sign in again.");
        }

        var now = time.GetUtcNow();
        var errors = Mistakes(request, http.User).ToList();
        var saml = request.Saml is null ? null : CustomerSaml.Read(request, null, now, errors);
        var customer = db.Scope.IsAll ? request.CustomerId : db.Scope.CustomerId;
        if (customer is null || (request.CustomerId is { } asked && asked != customer))
        {
            errors.Add(new FieldError("/customerId", "unknown-customer", "Name the customer. Providers of staff are set in the server's configuration."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        if (await db.Set<CustomerProvider>().CountAsync(row => row.CustomerId == customer, cancellationToken) >= MaxProviders)
        {
            return Problems.Of(ProblemCodes.Conflict, $"There are {MaxProviders} providers; remove one first.");
        }

        if (await DemandAsync(request, saml, customer!.Value, null, http, db, guard, cancellationToken) is { } unproven)
        {
            return unproven;
        }

        var id = Guid.CreateVersion7(now);
        var row = new CustomerProvider
        {
            Id = id, CustomerId = customer.Value, Name = request.Name!.Trim(), Issuer = IssuerOf(request, saml), ClientId = ClientOf(request, saml), ClientSecret = saml is null ? providers.Seal(id, request.ClientSecret) : null,
            Scopes = request.Scopes ?? Provider.UsualScopes, GroupsClaim = request.GroupsClaim ?? Provider.UsualGroupsClaim, Roles = CustomerProvider.MapOf(request.Roles!),
            RequiredAcr = request.RequiredAcr ?? "", RequiredAmr = request.RequiredAmr ?? "", Saml = saml?.Kept.ToJson(), CreatedAt = now,
        };
        db.Add(row);
        events.Audit(row.Fact("identity.provider-added") with { Changes = [Change.Add("/name", row.Name), Change.Add("/issuer", row.Issuer), Change.Add("/clientId", row.ClientId), Change.Add("/roles", row.RoleMap()), Change.Add("/requiredAcr", row.RequiredAcr), Change.Add("/requiredAmr", row.RequiredAmr), .. saml is { } set ? [Change.Add("/saml", CustomerSaml.ToConfirm(set.Kept))] : Array.Empty<Contracts.Events.Audit.AuditChange>()] });
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);

        return TypedResults.Created($"/api/v1/identity/providers/{id}", new AddedProvider(id));
    }

    private static async Task<IResult> ListAsync(ClaimsPrincipal reader, ProviderBook providers, ControlPlaneDbContext db, TimeProvider time, [AsParameters] ListQuery list, Guid? customer, string? q, CancellationToken cancellationToken)
    {
        var query = Visible(db).AsNoTracking();
        return await Orders.PageAsync(list, (customer is null ? query : query.Where(row => row.CustomerId == customer)).Holding(row => row.Name, q), row => Describe(row, reader, providers, time.GetUtcNow()), cancellationToken);
    }

    private static async Task<IResult> GetAsync(Guid id, ClaimsPrincipal reader, ProviderBook providers, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken) =>
        await Visible(db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is { } row ? TypedResults.Ok(Describe(row, reader, providers, time.GetUtcNow())) : Problems.NotFound();

    private static Task<IResult> ChangeAsync(Guid id, SetProviderRequest request, HttpContext http, ProviderBook providers, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken) =>
        WithAsync(id, http.User, db, async row =>
        {
            var errors = Mistakes(request, http.User).ToList();
            var saml = request.Saml is null ? null : CustomerSaml.Read(request, row, time.GetUtcNow(), errors);
            if (request.Saml is null && row.Saml is not null)
            {
                errors.Add(new FieldError("/saml", "another-kind", "This is a provider that speaks SAML and stays one. Add another one."));
            }

            if (request.CustomerId is { } customer && customer != row.CustomerId)
            {
                errors.Add(new FieldError("/customerId", "unknown-customer", "A provider stays its customer's."));
            }

            var (issuer, client) = (IssuerOf(request, saml), ClientOf(request, saml));
            var isOther = row.Issuer != issuer || row.ClientId != client || (saml is { } now && row.Saml is { } then && now.Kept.IsOtherThan(KeptSaml.Of(then)));
            if (isOther && row.ClientSecret is not null && string.IsNullOrEmpty(request.ClientSecret))
            {
                // Else whoever may write here would have the secret posted to an address of theirs.
                errors.Add(new FieldError("/clientSecret", "required", "With another issuer or client the secret is set anew."));
            }

            if (errors.Count > 0)
            {
                return Problems.Invalid(errors);
            }

            if (await DemandAsync(request, saml, row.CustomerId, id, http, db, guard, cancellationToken) is { } unproven)
            {
                return unproven;
            }

            if (isOther)
            {
                await FederatedPeople.EndAllAsync(db, events, id.ToString("D"), row.Way, "their provider is another one now", time.GetUtcNow(), cancellationToken);
            }

            var before = (row.Name, row.Issuer, row.ClientId, row.Scopes, row.GroupsClaim, Roles: row.RoleMap(), row.RequiredAcr, row.RequiredAmr, row.Saml);
            (row.Name, row.Issuer, row.ClientId, row.Roles, row.Saml) = (request.Name!.Trim(), issuer, client, CustomerProvider.MapOf(request.Roles!), saml?.Kept.ToJson());
            (row.Scopes, row.GroupsClaim, row.RequiredAcr, row.RequiredAmr) = (request.Scopes ?? Provider.UsualScopes, request.GroupsClaim ?? Provider.UsualGroupsClaim, request.RequiredAcr ?? "", request.RequiredAmr ?? "");
            row.ClientSecret = saml is null ? providers.Seal(id, request.ClientSecret) ?? row.ClientSecret : null;
            row.Version++;
            events.Audit(row.Fact("identity.provider-changed") with
            {
                Changes =
                [
                    Change.Replace("/name", before.Name, row.Name), Change.Replace("/issuer", before.Issuer, row.Issuer), Change.Replace("/clientId", before.ClientId, row.ClientId), Change.Replace("/scopes", before.Scopes, row.Scopes),
                    Change.Replace("/groupsClaim", before.GroupsClaim, row.GroupsClaim), Change.Replace("/roles", before.Roles, row.RoleMap()), Change.Replace("/requiredAcr", before.RequiredAcr, row.RequiredAcr), Change.Replace("/requiredAmr", before.RequiredAmr, row.RequiredAmr),
                    .. saml is { } set && before.Saml is { } old ? [Change.Replace("/saml", CustomerSaml.ToConfirm(KeptSaml.Of(old)), CustomerSaml.ToConfirm(set.Kept))] : Array.Empty<Contracts.Events.Audit.AuditChange>(),
                    .. string.IsNullOrEmpty(request.ClientSecret) ? Array.Empty<Contracts.Events.Audit.AuditChange>() : [Change.Replace("/clientSecret", "as it was", "another one")],
                ],
            });
            return TypedResults.NoContent();
        }, cancellationToken);

    private static Task<IResult> RemoveAsync(Guid id, ClaimsPrincipal reader, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
        WithAsync(id, reader, db, async row =>
        {
            await FederatedPeople.EndAllAsync(db, events, id.ToString("D"), row.Way, "their provider was removed", time.GetUtcNow(), cancellationToken);
            db.Remove(row);
            events.Audit(row.Fact("identity.provider-removed") with { Changes = [Change.Remove("/name", row.Name), Change.Remove("/issuer", row.Issuer)] });
            return TypedResults.NoContent();
        }, cancellationToken);

    private static async Task<IResult> WithAsync(Guid id, ClaimsPrincipal reader, ControlPlaneDbContext db, Func<CustomerProvider, Task<IResult>> change, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (!await Actor.StandsAsync(db, reader, cancellationToken))
        {
            return Problems.Of(ProblemCodes.Unauthenticated, "The session has ended. Sign in again.");
        }

        await ProviderBook.LockAsync(db, id, cancellationToken);
        if (await Visible(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } row)
        {
            return Problems.NotFound();
        }

        // Whoever sets a provider decides whom it signs in, and so may become whatever it gives.
        if (PeopleApi.Beyond(reader, row.RoleMap().Values) is { } why)
        {
            return Problems.Of(ProblemCodes.Conflict, why);
        }

        var result = await change(row);
        if (result is IStatusCodeHttpResult { StatusCode: < 300 })
        {
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return result;
    }

    private static Task<IResult?> DemandAsync(SetProviderRequest request, (string EntityId, KeptSaml Kept)? saml, Guid customer, Guid? which, HttpContext http, ControlPlaneDbContext db, StepUpGuard guard, CancellationToken cancellationToken)
    {
        var roles = request.Roles!.Select(pair => $"{pair.Group}={pair.Role}").ToList();
        var subject = StepUp.SetProvider(customer, which, IssuerOf(request, saml), saml is null ? ClientOf(request, saml) : "saml", roles, [request.Name!.Trim(), request.Scopes ?? "", request.GroupsClaim ?? "", request.RequiredAcr ?? "", request.RequiredAmr ?? "", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(request.ClientSecret ?? ""))), .. saml is { } set ? CustomerSaml.ToConfirm(set.Kept) : []]);
        var factors = string.Join(", ", Provider.Words($"{request.RequiredAcr} {request.RequiredAmr}"));
        return guard.DemandAsync(http, db, subject, $"The provider {IssuerOf(request, saml)} signs people in here, and its groups (claim {request.GroupsClaim ?? Provider.UsualGroupsClaim}) give them these roles: {string.Join(", ", roles)}. {(factors.Length > 0 ? $"It proves a second factor by {factors}." : "A second factor is asked for here.")}{(saml is { } spoken ? $" {CustomerSaml.Words(spoken.Kept)}" : "")}", cancellationToken);
    }

    private static IEnumerable<FieldError> Mistakes(SetProviderRequest request, ClaimsPrincipal reader)
    {
        if (request.Saml is null && Provider.MistakeInIssuer((request.Issuer ?? "").Trim()) is { } wrong)
        {
            yield return new FieldError("/issuer", "not-an-issuer", wrong);
        }

        if (request.Saml is null && string.IsNullOrWhiteSpace(request.ClientId))
        {
            yield return new FieldError("/clientId", "required", "The client that Mission Control is there is needed.");
        }

        if (request.Saml is null && request.Scopes is not null && !Provider.Words(request.Scopes).Contains("openid"))
        {
            yield return new FieldError("/scopes", "required", "The scope openid is needed: without it there is no id_token.");
        }

        if (Provider.Words(request.RequiredAmr ?? "").Any(Provider.ProvesNothing.Contains))
        {
            yield return new FieldError("/requiredAmr", "proves-nothing", "A password or a PIN is no second factor.");
        }

        if (request.Roles!.Any(pair => string.IsNullOrWhiteSpace(pair?.Group)))
        {
            yield return new FieldError("/roles", "required", "Each role needs a group; * is everybody.");
            yield break;
        }

        if (request.Roles!.Select(pair => pair.Group).Distinct(StringComparer.Ordinal).Count() != request.Roles!.Count)
        {
            yield return new FieldError("/roles", "twice", "A group gives one role.");
        }

        foreach (var error in PeopleApi.RoleMistakes([.. request.Roles!.Select(pair => pair.Role ?? "")], Person.CustomerUser, reader))
        {
            yield return error with { Pointer = $"{error.Pointer}/role" };
        }
    }

    private static string IssuerOf(SetProviderRequest request, (string EntityId, KeptSaml Kept)? saml) => saml?.EntityId ?? (request.Issuer ?? "").Trim();

    private static string ClientOf(SetProviderRequest request, (string EntityId, KeptSaml Kept)? saml) => saml is null ? (request.ClientId ?? "").Trim() : "";

    private static ProviderItem Describe(CustomerProvider row, ClaimsPrincipal reader, ProviderBook providers, DateTimeOffset now)
    {
        var hindrance = PeopleApi.Beyond(reader, row.RoleMap().Values);
        return new ProviderItem(
            row.Id, row.CustomerId, row.Name, row.Issuer, row.ClientId, row.ClientSecret is not null, row.Scopes, row.GroupsClaim, [.. row.RoleMap().OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => new GroupRole(pair.Key, pair.Value))],
            row.RequiredAcr, row.RequiredAmr, At($"/signin/{row.Id:D}"), At($"/signin/{row.Id:D}/{(row.Saml is null ? "callback" : "acs")}"), row.Saml is null ? At($"/api/v1/identity/federation/{row.Id:D}/backchannel-logout") : null, row.CreatedAt,
            [AllowedAction.Of("change", hindrance), AllowedAction.Of("remove", hindrance), AllowedAction.Of("test", Scopes.Lacking(reader, PeopleApi.Right))],
            row.SamlPeer() is { } peer ? CustomerSaml.Describe(peer, KeptSaml.Of(row.Saml!), At($"/api/v1/identity/federation/{row.Id:D}/metadata"), now) : null);

        string? At(string path) => providers.PortalAddress is { } portal ? new Uri(portal, path).ToString() : null;
    }
}
