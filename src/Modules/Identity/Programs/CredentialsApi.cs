using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Programs;

/// <summary>
/// What a service account proves itself with: API tokens, client secrets, public keys. Whoever makes one holds all that it opens.
/// Tokens and secrets are rows of one table, so that a list, a revocation and a leak find both.
/// </summary>
internal static class CredentialsApi
{
    /// <summary>Live ones of an account.</summary>
    private const int MostTokens = 20, MostSecrets = 2, MostKeys = 5;

    public static void Map(IEndpointRouteBuilder accounts)
    {
        accounts.MapPost("/{id:guid}/tokens", MakeTokenAsync).RequireScope(TokensApi.Right).WithName("CreateServiceAccountToken").WithSummary("Make an API token of a service account; its secret is shown once").Produces<CreatedToken>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        accounts.MapPost("/{id:guid}/secrets", MakeSecretAsync).RequireScope(TokensApi.Right).WithName("CreateClientSecret").WithSummary("Make a client secret of a service account; it is shown once, and there are two at most").Produces<CreatedToken>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        accounts.MapPost("/{id:guid}/keys", AddKeyAsync).RequireScope(TokensApi.Right).WithName("AddClientKey").WithSummary("Register a public key of a service account, for private_key_jwt").Produces<AddedClientKey>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        accounts.MapPost("/{id:guid}/keys/{key:guid}/revoke", RevokeKeyAsync).RequireScope(TokensApi.Right).WithName("RevokeClientKey").WithSummary("End a public key of a service account").Produces(StatusCodes.Status204NoContent);
    }

    private static Task<IResult> MakeTokenAsync(Guid id, CreateAccountTokenRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken) =>
        ServiceAccountsApi.ChangeAsync(id, http, db, async account =>
        {
            var scopes = (request.Scopes ?? account.ScopeList()).Distinct(StringComparer.Ordinal).ToList();
            List<FieldError> errors = [.. ServiceAccountsApi.Networks(request.Networks, isStaffs: false), .. Outside(account, request.Networks ?? [])];
            errors.AddRange(scopes.Index().Where(scope => !account.ScopeList().Contains(scope.Item)).Select(scope => new FieldError($"/scopes/{scope.Index}", "beyond-the-account", "The account does not hold this right.")));
            if (scopes.Count == 0)
            {
                errors.Add(new FieldError("/scopes", "required", "The account holds no right yet."));
            }

            if (errors.Count > 0)
            {
                return Problems.Invalid(errors);
            }

            var now = time.GetUtcNow();
            var name = request.Name!.Trim();
            if (await HindranceAsync(account, isSecret: false, request.Networks is { Count: > 0 } named ? named : account.NetworkList(), request.ExpiresInDays, http, db, now, cancellationToken) is { } hindrance)
            {
                return hindrance;
            }

            if (await guard.DemandAsync(http, db, StepUp.Credential(id, "token", request.ExpiresInDays, [name, .. scopes, .. request.Networks ?? []]),
                $"The service account “{account.Name}” gets a token called “{name}” for {request.ExpiresInDays} days, with the rights {string.Join(", ", scopes)}.", cancellationToken) is { } unproven)
            {
                return unproven;
            }

            var token = ApiToken.Create(name, account.CustomerId, scopes, request.Networks is { Count: > 0 } ? request.Networks : account.NetworkList(), TimeSpan.FromDays(request.ExpiresInDays), now, out var text, accountId: id);
            return await KeepAsync(account, token, text, http, db, events, now, cancellationToken);
        }, cancellationToken);

    private static Task<IResult> MakeSecretAsync(Guid id, CreateClientSecretRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken) =>
        ServiceAccountsApi.ChangeAsync(id, http, db, async account =>
        {
            var now = time.GetUtcNow();
            if (await HindranceAsync(account, isSecret: true, account.NetworkList(), request.ExpiresInDays, http, db, now, cancellationToken) is { } hindrance)
            {
                return hindrance;
            }

            if (await guard.DemandAsync(http, db, StepUp.Credential(id, "secret", request.ExpiresInDays, []), $"The service account “{account.Name}” gets a client secret for {request.ExpiresInDays} days: whoever holds it may do what the account may.", cancellationToken) is { } unproven)
            {
                return unproven;
            }

            var secret = ApiToken.Create("client secret", account.CustomerId, [], account.NetworkList(), TimeSpan.FromDays(request.ExpiresInDays), now, out var text, accountId: id, isClientSecret: true);
            return await KeepAsync(account, secret, text, http, db, events, now, cancellationToken);
        }, cancellationToken);

    private static Task<IResult> AddKeyAsync(Guid id, AddClientKeyRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken) =>
        ServiceAccountsApi.ChangeAsync(id, http, db, async account =>
        {
            var (spki, algorithm, kid, mistake) = ClientKey.Read(request.Key!, request.Algorithm);
            if (mistake is not null)
            {
                return Problems.Invalid([new FieldError("/key", "not-a-key", mistake)]);
            }

            if (account.NoCredential(http.User) is { } lacking)
            {
                return Problems.Of(ProblemCodes.Conflict, lacking);
            }

            var now = time.GetUtcNow();
            if (await BeyondAsync(account.NetworkList(), request.ExpiresInDays, http, db, now, cancellationToken) is { } beyond)
            {
                return beyond;
            }

            var live = await db.Set<ClientKey>().AsNoTracking().Where(row => row.AccountId == id && row.RevokedAt == null && row.ExpiresAt > now).Select(row => row.Kid).ToListAsync(cancellationToken);
            if (live.Count >= MostKeys || live.Contains(kid))
            {
                return Problems.Of(ProblemCodes.Conflict, live.Contains(kid) ? "There is a key of this name (kid)." : $"There are {MostKeys} keys; revoke one first.");
            }

            var name = request.Name!.Trim();
            if (await guard.DemandAsync(http, db, StepUp.Credential(id, "key", request.ExpiresInDays, [name, kid, algorithm, Convert.ToHexString(spki)]),
                $"The service account “{account.Name}” signs with the key “{name}” ({algorithm}, {kid}) for {request.ExpiresInDays} days: whoever holds it may do what the account may.", cancellationToken) is { } unproven)
            {
                return unproven;
            }

            var key = new ClientKey { Id = Guid.CreateVersion7(now), AccountId = id, Name = name, Kid = kid, Algorithm = algorithm, Spki = spki, CreatedAt = now, ExpiresAt = now.AddDays(request.ExpiresInDays) };
            db.Add(key);
            events.Audit(account.Fact("identity.client-key-added") with { Changes = [Change.Add("/key", key.Id), Change.Add("/name", name), Change.Add("/kid", kid), Change.Add("/algorithm", algorithm), Change.Add("/expiresAt", key.ExpiresAt)] });
            await ServiceAccountsApi.TellOwnerAsync(db, events, account, $"the key “{name}” was registered.", now, cancellationToken);
            return TypedResults.Created($"/api/v1/identity/service-accounts/{id}", new AddedClientKey(key.Id, kid, key.ExpiresAt));
        }, cancellationToken);

    private static Task<IResult> RevokeKeyAsync(Guid id, Guid key, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
        ServiceAccountsApi.ChangeAsync(id, http, db, async account =>
        {
            if (await db.Set<ClientKey>().SingleOrDefaultAsync(row => row.Id == key && row.AccountId == id, cancellationToken) is not { } row)
            {
                return Problems.NotFound();
            }

            if (row.RevokedAt is null)
            {
                row.RevokedAt = time.GetUtcNow();
                events.Audit(account.Fact("identity.client-key-revoked") with { Changes = [Change.Add("/key", row.Id), Change.Add("/revokedAt", row.RevokedAt)] });
                await ServiceAccountsApi.TellOwnerAsync(db, events, account, $"the key “{row.Name}” was revoked.", time.GetUtcNow(), cancellationToken);
            }

            return TypedResults.NoContent();
        }, cancellationToken);

    /// <summary>A token that is bound to networks, or ends, makes nothing that is good elsewhere or longer.</summary>
    private static async Task<IResult?> BeyondAsync(IReadOnlyList<string> networks, int days, HttpContext http, ControlPlaneDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (http.User.FindFirst("token")?.Value is not { } own || await db.Set<ApiToken>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == own, cancellationToken) is not { } parent)
        {
            return null;
        }

        var life = TimeSpan.FromDays(days);
        return parent.Beyond(networks).ToList() is { Count: > 0 } errors ? Problems.Invalid(errors)
            : parent.LifeOfChild(life, now) < life ? Problems.Invalid([new FieldError("/expiresInDays", "beyond-your-own", "Your own token ends before.")]) : null;
    }

    private static async Task<IResult?> HindranceAsync(ServiceAccount account, bool isSecret, IReadOnlyList<string> networks, int days, HttpContext http, ControlPlaneDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (account.NoCredential(http.User) is { } lacking)
        {
            return Problems.Of(ProblemCodes.Conflict, lacking);
        }

        if (await BeyondAsync(networks, days, http, db, now, cancellationToken) is { } beyond)
        {
            return beyond;
        }

        var live = await db.Set<ApiToken>().CountAsync(row => row.AccountId == account.Id && row.IsClientSecret == isSecret && row.RevokedAt == null && row.ExpiresAt > now, cancellationToken);
        return live < (isSecret ? MostSecrets : MostTokens) ? null : Problems.Of(ProblemCodes.Conflict, $"There are {live} already; revoke one first.");
    }

    private static async Task<IResult> KeepAsync(ServiceAccount account, ApiToken token, string text, HttpContext http, ControlPlaneDbContext db, IEvents events, DateTimeOffset now, CancellationToken cancellationToken)
    {
        db.Add(token);
        token.Tell(events);
        events.Audit(TokensApi.Fact(token, token.IsClientSecret ? "identity.client-secret-created" : "identity.token-created") with
        {
            Changes = [Change.Add("/account", account.Id), Change.Add("/name", token.Name), Change.Add("/scopes", token.Scopes), Change.Add("/networks", token.Networks), Change.Add("/expiresAt", token.ExpiresAt)],
        });
        TokensApi.Tell(events, token, "token-created", "warning", http.User, now);
        await ServiceAccountsApi.TellOwnerAsync(db, events, account, $"{(token.IsClientSecret ? "a client secret" : $"the token “{token.Name}”")} was made, {token.Id}.", now, cancellationToken);
        return TypedResults.Created($"/api/v1/identity/tokens/{token.Id}", new CreatedToken(token.Id, text, token.ExpiresAt));
    }

    /// <summary>A token is good from nowhere that its account does not call from.</summary>
    private static IEnumerable<FieldError> Outside(ServiceAccount account, IReadOnlyList<string> networks)
    {
        var own = account.NetworkList().Select(IPNetwork.Parse).ToList();
        return own.Count == 0 ? [] : networks.Index()
            .Where(one => IPNetwork.TryParse(one.Item, out var network) && !own.Exists(outer => outer.PrefixLength <= network.PrefixLength && outer.Contains(network.BaseAddress)))
            .Select(one => new FieldError($"/networks/{one.Index}", "beyond-the-account", $"'{one.Item}' is not within {account.Networks}, which the account calls from."));
    }
}
