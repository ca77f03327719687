using System.Globalization;
using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Platform.Security;

/// <summary>
/// Authenticates bearers of the API from this role's own copies of identity's facts: API tokens (<c>mca_…</c>) by id and SHA-256 of
/// the secret, user tokens and access tokens of OAuth clients by signature. A cookie is never looked at, so no page of another site can forge a call.
/// </summary>
internal sealed class BearerAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, KnownTokens tokens, TokenUses uses, OtherIssuer other, TimeProvider time)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Bearer";
    private const string Prefix = "Bearer ";
    private const long NewSeconds = 60;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        var module = Context.GetEndpoint()?.Metadata.GetMetadata<InModule>()?.Module;
        if (module is null || !header.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return AuthenticateResult.NoResult();
        }

        var text = header[Prefix.Length..];
        if (text.StartsWith("mcc_", StringComparison.Ordinal))
        {
            // A cluster's access token: the call-home door opens it itself, and it is good for nothing else. Ten thousand a second
            // must neither be looked up here nor leave a line in the log.
            return AuthenticateResult.NoResult();
        }

        return text.StartsWith("mca_", StringComparison.Ordinal) ? await ApiTokenAsync(module, text)
            : await AccessTokenAsync(module, text) ?? await UserTokenAsync(module, text);
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) => Refusals.UnauthenticatedAsync(Context);

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Refusals.ForbiddenAsync(Context);

    private async Task<AuthenticateResult> ApiTokenAsync(string module, string text)
    {
        if (!TokenText.TryParse(text, out var kind, out var id, out var sha256) || kind != 'a'
            || await tokens.FindAsync(module, id, Context.RequestAborted) is not { } token
            || !CryptographicOperations.FixedTimeEquals(token.SecretSha256, sha256))
        {
            return AuthenticateResult.Fail("The token is not valid.");
        }

        // Whoever holds the secret is worth knowing, most of all when it opens no door any more.
        var address = Context.Connection.RemoteIpAddress;
        var account = token.AccountId is { } accountId ? await tokens.FindAccountAsync(module, accountId, Context.RequestAborted) : null;
        var isAccepted = IsLive(token) && ClientTokens.IsWithin(token.Networks, address) && (token.AccountId is null || (account is { IsActive: true } && ClientTokens.IsWithin(account.Networks, address)));
        uses.Note(module, id, address, isAccepted);
        if (!isAccepted)
        {
            return AuthenticateResult.Fail("The token is not valid.");
        }

        // What the account lost its tokens have lost.
        var scopes = account is null ? token.Scopes : token.Scopes.Where(account.Scopes.Contains);
        return Success(token.Subject, token.PrincipalKind, string.Join(' ', scopes), token.CustomerId, id, null, "token", null, owner: token.PersonId, account: token.AccountId);
    }

    /// <summary>An access token of an OAuth client; null: it is none, and may be something else.</summary>
    private async Task<AuthenticateResult?> AccessTokenAsync(string module, string text)
    {
        var address = Context.Connection.RemoteIpAddress;
        if (other.IsSet)
        {
            return await other.VerifyAsync(text, Context.RequestAborted) is { } foreign
                ? Success($"client:{foreign.ClientId}", "serviceAccount", foreign.Scope, foreign.Customer, null, null, "access-token", null, account: Guid.Empty)
                : null;
        }

        var (issuer, keys) = await tokens.ClientKeysAsync(module, Context.RequestAborted);
        if (ClientTokens.Verify(text, issuer, kid => keys.GetValueOrDefault(kid), time.GetUtcNow()) is not { } claims || !Guid.TryParseExact(claims.ClientId, "N", out var id))
        {
            return null;
        }

        return await tokens.FindAccountAsync(module, id, Context.RequestAborted) is { IsActive: true } account && account.CustomerId == claims.Customer && ClientTokens.IsWithin(account.Networks, address)
            ? Success($"client:{claims.ClientId}", "serviceAccount", string.Join(' ', claims.Scope.Split(' ').Where(account.Scopes.Contains)), account.CustomerId, null, null, "access-token", null, account: id)
            : AuthenticateResult.Fail("The access token is not valid.");
    }

    private async Task<AuthenticateResult> UserTokenAsync(string module, string text)
    {
        var keys = await tokens.UserKeysAsync(module, Context.RequestAborted);
        var claims = UserTokens.Verify(text, kid => keys.GetValueOrDefault(kid), time.GetUtcNow());
        return claims is not null && await SpeaksForAsync(module, claims)
            ? Success(claims.Sub, claims.Kind, claims.Scope, claims.Customer, claims.Tid, claims.Sid, "session", claims.Amr, claims.Stamp)
            : AuthenticateResult.Fail("The user token is not valid.");
    }

    private async Task<bool> SpeaksForAsync(string module, UserClaims claims)
    {
        if (claims.Tid is { } tokenId)
        {
            // A session speaks through the portal, so that its reader's network is not known here: a bound token opens none.
            return claims.Person is null && await tokens.FindAsync(module, tokenId, Context.RequestAborted) is { } token && IsLive(token) && token.Networks.Count == 0;
        }

        if (claims is not { Person: { } id, Stamp: { } stamp })
        {
            return false;
        }

        // Who is new signs in before every role was told of it. What identity has signed just now is believed; it signs nothing for whoever
        // was stopped, also when this role is told late.
        return await tokens.FindPersonAsync(module, id, Context.RequestAborted) is { } person
            ? person.IsActive && stamp >= person.Stamp
            : time.GetUtcNow().ToUnixTimeSeconds() - claims.Iat <= NewSeconds;
    }

    private bool IsLive(Contracts.Events.Identity.TokenChanged token) => token.RevokedAt is null && token.ExpiresAt > time.GetUtcNow();

    private AuthenticateResult Success(string subject, string kind, string scope, Guid? customer, string? tokenId, string? session, string auth, string? amr, long? stamp = null, Guid? owner = null, Guid? account = null)
    {
        var identity = new ClaimsIdentity(SchemeName, "sub", null);
        identity.AddClaim(new Claim("sub", subject));
        identity.AddClaim(new Claim("kind", kind));
        identity.AddClaim(new Claim("scope", scope));
        identity.AddClaim(new Claim("auth", auth));
        if (tokenId is not null)
        {
            identity.AddClaim(new Claim("token", tokenId));
        }

        if (stamp is not null)
        {
            identity.AddClaim(new Claim("stamp", stamp.Value.ToString(CultureInfo.InvariantCulture)));
        }

        if (owner is not null)
        {
            identity.AddClaim(new Claim("owner", owner.Value.ToString("N")));
        }

        if (account is not null)
        {
            identity.AddClaim(new Claim("account", account.Value.ToString("N")));
        }

        if (amr is not null)
        {
            identity.AddClaim(new Claim("amr", amr));
        }

        if (customer is not null)
        {
            identity.AddClaim(new Claim("customer", customer.Value.ToString()));
        }

        if (session is not null)
        {
            identity.AddClaim(new Claim("session", session));
        }

        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
    }

    /// <summary>Opens what the principal may see and names it to the audit log; only after authentication.</summary>
    internal static void Enter(ClaimsPrincipal user, CurrentPrincipal current, CustomerScope scope, IPAddress? address)
    {
        if (user.FindFirst("sub")?.Value is not { } subject)
        {
            // Who signs in is nobody yet; where from is told all the same.
            current.Set(null, address?.ToString());
            return;
        }

        current.Set(
            new AuditActor(user.FindFirst("kind")!.Value, subject, user.FindFirst("auth")!.Value, user.FindFirst("amr")?.Value.Split(' ').Contains("mfa") == true, user.FindFirst("token")?.Value, user.FindFirst("session")?.Value), address?.ToString());
        if (user.FindFirst("customer")?.Value is { } customer)
        {
            scope.OpenOne(Guid.Parse(customer));
        }
        else
        {
            scope.OpenAll("staff may see every customer");
        }
    }
}
