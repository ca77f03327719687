using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Identity.Programs;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Identity.OAuth;

/// <summary>
/// The token endpoint (RFC 6749, 3.2 and 4.4): a client proves itself, by secret or by a signed assertion, and gets ten minutes' access.
/// Whatever is wrong about the client gets one answer at one time, whether there is such a client or not.
/// </summary>
internal static class TokenEndpoint
{
    private const int LongestBody = 16 * 1024;
    private const int MostFields = 20;

    private static readonly FormOptions Form = new() { ValueCountLimit = MostFields, KeyLengthLimit = 100, ValueLengthLimit = LongestBody, BufferBodyLengthLimit = LongestBody, MemoryBufferThreshold = LongestBody };

    public static void Map(IEndpointRouteBuilder oauth) => oauth.MapPost("/token", (Delegate)ExchangeAsync).OpenToAll("the client's secret or assertion is the credential").WithName("ExchangeClientCredentials")
        .WithSummary("OAuth 2 client credentials: ten minutes' access for a client's secret or assertion").Produces<AccessTokenAnswer>().DisableAntiforgery();

    private static async Task<IResult> ExchangeAsync(HttpContext http)
    {
        var services = http.RequestServices;
        var (issuer, limit, time) = (services.GetRequiredService<Issuer>(), services.GetRequiredService<WrongClients>(), services.GetRequiredService<TimeProvider>());
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.Pragma = "no-cache";
        if (!issuer.Own)
        {
            return Refuse(404, "invalid_request", "This installation gives out no access tokens.");
        }

        if (await ReadAsync(http) is not { } form)
        {
            return Refuse(400, "invalid_request", $"Send a form of {LongestBody / 1024} KiB and {MostFields} fields at most, each once.");
        }

        if (form["grant_type"].ToString() is not { Length: > 0 } grant)
        {
            return Refuse(400, "invalid_request", "grant_type is missing.");
        }

        if (grant != "client_credentials")
        {
            return Refuse(400, "unsupported_grant_type", "client_credentials is what there is.");
        }

        var began = time.GetTimestamp();
        var address = http.Connection.RemoteIpAddress;
        if (!limit.MayTry(address))
        {
            http.Response.Headers.RetryAfter = "10";
            return Refuse(429, "temporarily_unavailable", "Too many wrong tries from this address. Wait a little.");
        }

        var (proof, malformed) = Proof.Of(http.Request, form);
        if (malformed is not null)
        {
            return Refuse(400, "invalid_request", malformed);
        }

        var account = proof is null ? null : await ProvenAsync(proof, http, services, time.GetUtcNow());
        if (account is null)
        {
            limit.Count(address);
            await Beat.WaitAsync(time, began, http.RequestAborted);
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"oauth\"";
            return Refuse(401, "invalid_client", "The client is not known, or what it sent proves nothing, or not from here.");
        }

        var held = account.ScopeList();
        var asked = form["scope"].ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).ToList();
        if (held.Count == 0 || asked.Exists(scope => !held.Contains(scope)))
        {
            return Refuse(400, "invalid_scope", held.Count == 0 ? "The client holds no right yet." : "The client does not hold all of these rights.");
        }

        var granted = string.Join(' ', asked.Count == 0 ? held : asked);
        var now = time.GetUtcNow();
        var claims = new ClientClaims(
            issuer.Name!, ClientTokens.AudienceOf(issuer.Name!), account.ClientId, account.ClientId, granted, now.ToUnixTimeSeconds(), (now + ClientTokens.Lifetime).ToUnixTimeSeconds(), Guid.CreateVersion7(now).ToString("N"), account.CustomerId);
        return TypedResults.Json(new AccessTokenAnswer(ClientTokens.Issue(claims, services.GetRequiredService<ClientTokenKey>().Signer), "Bearer", (int)ClientTokens.Lifetime.TotalSeconds, granted));
    }

    /// <summary>The account that a proof is of, when it proves it; what a proof counts once for is used up.</summary>
    private static async Task<ServiceAccount?> ProvenAsync(Proof proof, HttpContext http, IServiceProvider services, DateTimeOffset now)
    {
        var db = services.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("a client that proves itself belongs to nobody yet");
        return Guid.TryParseExact(proof.ClientId, "N", out var id) && await db.Set<ServiceAccount>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, http.RequestAborted) is { } account
            && await (proof.Secret is null ? ByAssertionAsync(proof.Assertion!, account, http, services, now) : BySecretAsync(proof.Secret, account, http, services, now))
            ? account : null;
    }

    private static async Task<bool> BySecretAsync(string text, ServiceAccount account, HttpContext http, IServiceProvider services, DateTimeOffset now)
    {
        var db = services.GetRequiredService<ControlPlaneDbContext>();
        if (!TokenText.TryParse(text, out var kind, out var id, out var sha256) || kind != 'a'
            || await db.Set<ApiToken>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, http.RequestAborted) is not { } secret
            || !CryptographicOperations.FixedTimeEquals(secret.SecretSha256, sha256))
        {
            return false;
        }

        // Whoever holds the secret is worth knowing, most of all when it opens no door.
        var isOurs = secret.IsClientSecret && secret.AccountId == account.Id;
        var why = secret.IsLive(now) ? Stopped(account, http) : "the secret is worth nothing any more";
        services.GetRequiredService<TokenUses>().Note("identity", id, http.Connection.RemoteIpAddress, isOurs && why is null);
        if (!isOurs)
        {
            // Somebody else's token proves nothing of this account, and writes nothing into its log.
            return false;
        }

        return why is null || await RefusedAsync(account, "client-secret", why, services, http.RequestAborted);
    }

    private static async Task<bool> ByAssertionAsync(string text, ServiceAccount account, HttpContext http, IServiceProvider services, DateTimeOffset now)
    {
        var (db, assertions) = (services.GetRequiredService<ControlPlaneDbContext>(), services.GetRequiredService<ClientAssertions>());
        var kid = assertions.KidOf(text);
        foreach (var key in await db.Set<ClientKey>().AsNoTracking().Where(row => row.AccountId == account.Id && row.RevokedAt == null && row.ExpiresAt > now && (kid == null || row.Kid == kid)).ToListAsync(http.RequestAborted))
        {
            if (await assertions.ReadAsync(text, account.ClientId, key) is not { } assertion)
            {
                continue;
            }

            var why = await UseUpAsync(db, account, key, assertion, http, now);
            return why is null || await RefusedAsync(account, "private-key-jwt", why, services, http.RequestAborted);
        }

        return false;
    }

    /// <summary>Writes down that an assertion was used, and by whom its key was; why it is good for nothing all the same, or null.</summary>
    private static async Task<string?> UseUpAsync(ControlPlaneDbContext db, ServiceAccount account, ClientKey key, ClientAssertion assertion, HttpContext http, DateTimeOffset now)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: http.RequestAborted);
        var used = new BulkRows("identity_used_assertion", ["account_id", "jti_sha256", "expires_at"], ["account_id", "jti_sha256"], [[account.Id, assertion.JtiSha256, assertion.ExpiresAt.ToUnixTimeMilliseconds()]]);
        var why = await db.Dialect.InsertIfAbsentAsync(db, used, http.RequestAborted) == 1 ? Stopped(account, http) : "the assertion was used already";
        if (why is null)
        {
            var from = (http.Connection.RemoteIpAddress is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4() : http.Connection.RemoteIpAddress)?.ToString();
            await db.Set<ClientKey>().Where(row => row.Id == key.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.LastUsedAt, now).SetProperty(row => row.LastUsedFrom, from), http.RequestAborted);
        }

        await transaction.CommitAsync(http.RequestAborted);
        return why;
    }

    /// <summary>Why an account that proved itself gets nothing all the same; null: it does.</summary>
    private static string? Stopped(ServiceAccount account, HttpContext http) =>
        !account.IsActive ? "the account is disabled" : ClientTokens.IsWithin(account.NetworkList(), http.Connection.RemoteIpAddress) ? null : "it came from a network that the account does not call from";

    /// <summary>Writes down that somebody had the right proof and got nothing. Strangers, who have none, fill no log.</summary>
    private static async Task<bool> RefusedAsync(ServiceAccount account, string by, string why, IServiceProvider services, CancellationToken cancellationToken)
    {
        if (services.GetRequiredService<WrongClients>().MayBeTold())
        {
            services.GetRequiredService<IEvents>().Audit(account.Fact("identity.client-refused") with { Actor = new AuditActor("serviceAccount", account.Subject, by), Outcome = AuditOutcome.Denied, Reason = why });
            await services.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync(cancellationToken);
        }

        return false;
    }

    /// <summary>The form; null: it is none, is too large, or says something twice (RFC 6749, 3.2).</summary>
    private static async Task<IFormCollection?> ReadAsync(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = LongestBody;
        }

        if (http.Request.ContentType?.Split(';')[0].Trim().Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) != true)
        {
            return null;
        }

        try
        {
            var form = await http.Request.ReadFormAsync(Form, http.RequestAborted);
            return form.All(field => field.Value.Count == 1 && !field.Key.Contains('\0', StringComparison.Ordinal) && !field.Value.ToString().Contains('\0', StringComparison.Ordinal)) ? form : null;
        }
        catch (Exception exception) when (exception is InvalidDataException or BadHttpRequestException or InvalidOperationException)
        {
            return null;
        }
    }

    private static IResult Refuse(int status, string error, string description) => TypedResults.Json(new OAuthError(error, description), statusCode: status);

    /// <summary>What a client says it is, and sent to prove it; by one way, and no other beside it (RFC 6749, 2.3).</summary>
    private sealed record Proof(string ClientId, string? Secret, string? Assertion)
    {
        public static (Proof? Proof, string? Malformed) Of(HttpRequest request, IFormCollection form)
        {
            var (basic, id, secret, assertion) = (request.Headers.Authorization.ToString(), form["client_id"].ToString(), form["client_secret"].ToString(), form["client_assertion"].ToString());
            if (new[] { basic, secret, assertion }.Count(way => way.Length > 0) > 1)
            {
                return (null, "Authenticate in one way alone.");
            }

            if (assertion.Length > 0)
            {
                var client = form["client_assertion_type"].ToString() == ClientAssertions.Type ? request.HttpContext.RequestServices.GetRequiredService<ClientAssertions>().ClientOf(assertion) : null;
                return (client is not null && (id.Length == 0 || id == client) ? new Proof(client, null, assertion) : null, null);
            }

            if (basic.Length == 0)
            {
                return (id.Length > 0 && secret.Length > 0 ? new Proof(id, secret, null) : null, null);
            }

            try
            {
                // Both are form-encoded first (RFC 6749, 2.3.1).
                var pair = basic.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase) ? Encoding.UTF8.GetString(Convert.FromBase64String(basic[6..].Trim())).Split(':', 2) : [];
                var named = pair.Length == 2 ? WebUtility.UrlDecode(pair[0]) : "";
                return (named.Length > 0 && (id.Length == 0 || id == named) ? new Proof(named, WebUtility.UrlDecode(pair[1]), null) : null, null);
            }
            catch (FormatException)
            {
                return (null, null);
            }
        }
    }
}

/// <summary>RFC 6749, 5.1.</summary>
internal sealed record AccessTokenAnswer(
    [property: JsonPropertyName("access_token")] string AccessToken, [property: JsonPropertyName("token_type")] string TokenType, [property: JsonPropertyName("expires_in")] int ExpiresIn, [property: JsonPropertyName("scope")] string Scope);

/// <summary>RFC 6749, 5.2.</summary>
internal sealed record OAuthError([property: JsonPropertyName("error")] string Error, [property: JsonPropertyName("error_description")] string Description);
