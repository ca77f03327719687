using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using MissionControl.Contracts;
using MissionControl.Platform.Http;

namespace MissionControl.Platform.Security;

/// <summary>What an access token of another issuer says.</summary>
/// <param name="ClientId">The client, as that issuer calls it.</param>
/// <param name="Scope">What it may do here, separated by spaces.</param>
/// <param name="Customer">The one customer, where tokens are bound to one.</param>
internal sealed record OtherClaims(string ClientId, string Scope, Guid? Customer);

/// <summary>
/// Another issuer in place of ours: its access tokens (RFC 9068) are judged by what it publishes. That is kept for an hour, and
/// fetched again for a key that is not among it, once a minute at most: whoever invents keys makes nobody busy. No token of it
/// holds a right that takes two people here.
/// </summary>
internal sealed partial class OtherIssuer : IDisposable
{
    private const int LongestClient = 90;
    private const int LongestToken = 16 * 1024;
    private const int LongestAnswer = 1024 * 1024;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(1);
    private static readonly TimeSpan AnewAfter = TimeSpan.FromMinutes(1);

    // There is no way to stop one here before it ends.
    private static readonly TimeSpan LongestLife = TimeSpan.FromHours(2);
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    // Public keys only: with HS256 among them whoever knows the published key could sign.
    private static readonly string[] Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    private readonly AccessTokenOptions options;
    private readonly TimeProvider time;
    private readonly ILogger<OtherIssuer> logger;
    private readonly HttpClient? http;
    private readonly SemaphoreSlim gate = new(1);
    private readonly JsonWebTokenHandler handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = LongestToken };
    private Published? published;
    private DateTimeOffset? triedAt;

    public OtherIssuer(IOptions<AccessTokenOptions> options, TimeProvider time, ILogger<OtherIssuer> logger)
    {
        (this.options, this.time, this.logger) = (options.Value, time, logger);
        http = IsSet ? new OutboundGuard(this.options.AllowedNetworks, this.options.CaFile, "AccessTokens:AllowedNetworks").Client(isOwn: true) : null;
    }

    /// <summary>Whether there is one.</summary>
    public bool IsSet => options.Issuer is not null;

    /// <summary>What a token says, when the issuer signed it for us, and it is good now; else null.</summary>
    public async Task<OtherClaims?> VerifyAsync(string text, CancellationToken cancellationToken)
    {
        JsonWebToken unread;
        try
        {
            if (text.Length > LongestToken || !handler.CanReadToken(text) || (unread = handler.ReadJsonWebToken(text)).Typ is not ("at+jwt" or "application/at+jwt") || !Algorithms.Contains(unread.Alg))
            {
                return null;
            }
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or JsonException)
        {
            return null;
        }

        var keys = KeysFor(await DiscoverAsync(anew: false, cancellationToken), unread);
        keys = keys.Count > 0 ? keys : KeysFor(await DiscoverAsync(anew: true, cancellationToken), unread);
        if (keys.Count == 0)
        {
            return null;
        }

        var now = time.GetUtcNow().UtcDateTime;
        var result = await handler.ValidateTokenAsync(text, new TokenValidationParameters
        {
            ValidIssuer = options.Issuer, ValidAudience = options.Audience, ValidAlgorithms = Algorithms, IssuerSigningKeys = keys, TryAllIssuerSigningKeys = true, RequireSignedTokens = true, RequireExpirationTime = true,
            IgnoreTrailingSlashWhenValidatingAudience = false,
            LifetimeValidator = (from, until, _, _) => until > now && until <= now + LongestLife && (from is null || from <= now + Skew),
        });
        return result.IsValid ? Read((JsonWebToken)result.SecurityToken) : null;
    }

    public void Dispose()
    {
        http?.Dispose();
        gate.Dispose();
    }

    private OtherClaims? Read(JsonWebToken token)
    {
        var client = TextOf(token, "client_id") ?? TextOf(token, "azp") ?? token.Subject;
        if (client is not { Length: > 0 and <= LongestClient } || client.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            return null;
        }

        Guid? customer = null;
        if (options.CustomerClaim is { Length: > 0 } claim)
        {
            // Without it the token would be the vendor's.
            if (!Guid.TryParse(TextOf(token, claim), out var id) || id == Guid.Empty)
            {
                return null;
            }

            customer = id;
        }

        var scopes = ScopesOf(token).Where(scope => scope.StartsWith(options.ScopePrefix, StringComparison.Ordinal)).Select(scope => scope[options.ScopePrefix.Length..]).Where(ApiScopes.Ordinary.Contains);
        return new OtherClaims(client, string.Join(' ', scopes.Distinct(StringComparer.Ordinal)), customer);
    }

    // A list comes as a claim for each of its members.
    private IEnumerable<string> ScopesOf(JsonWebToken token) => token.Claims.Where(claim => claim.Type == options.ScopeClaim).SelectMany(claim => claim.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static string? TextOf(JsonWebToken token, string claim) => token.TryGetPayloadValue<object>(claim, out var value) ? value as string : null;

    private static List<SecurityKey> KeysFor(OpenIdConnectConfiguration? configuration, JsonWebToken token) => configuration?.JsonWebKeySet is not { } set ? []
        : [.. set.Keys.Where(key => key.Kty is "RSA" or "EC" && key.Use is null or "" or "sig" && (string.IsNullOrEmpty(key.Alg) || key.Alg == token.Alg) && (string.IsNullOrEmpty(token.Kid) || key.Kid == token.Kid))];

    private async Task<OpenIdConnectConfiguration?> DiscoverAsync(bool anew, CancellationToken cancellationToken)
    {
        if (!anew && published is { } kept && time.GetUtcNow() - kept.At < KeptFor)
        {
            return kept.Configuration;
        }

        await gate.WaitAsync(cancellationToken);
        try
        {
            var now = time.GetUtcNow();
            if (triedAt is { } tried && now - tried < AnewAfter)
            {
                return published?.Configuration;
            }

            triedAt = now;

            // Whoever hangs up meanwhile stops nobody else's: the minute's one try is made to its end, which is near.
            published = new Published(await FetchAsync(CancellationToken.None), now);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException or JsonException or ArgumentException or InvalidOperationException or FormatException)
        {
            // What is known stays good: an issuer that is away for an hour locks nobody out whose token it signed before.
            LogAway(logger, options.Issuer!, exception.Message);
        }
        finally
        {
            gate.Release();
        }

        return published?.Configuration;
    }

    private async Task<OpenIdConnectConfiguration> FetchAsync(CancellationToken cancellationToken)
    {
        var found = await OpenIdConnectConfigurationRetriever.GetAsync($"{options.Issuer!.TrimEnd('/')}/.well-known/openid-configuration", new Documents(http!), cancellationToken);

        // A document of another issuer is another's, whoever served it (OpenID Connect Discovery 1.0, 4.3).
        return found.Issuer == options.Issuer ? found : throw new InvalidOperationException("The discovery document is another issuer's; write AccessTokens:Issuer exactly as it does.");
    }

    [LoggerMessage(132, LogLevel.Warning, "What {Issuer} publishes cannot be had: {Why}")]
    private static partial void LogAway(ILogger logger, string issuer, string why);

    private sealed record Published(OpenIdConnectConfiguration Configuration, DateTimeOffset At);

    /// <summary>Through which the library fetches: TLS alone, bounded in time and size.</summary>
    private sealed class Documents(HttpClient http) : IDocumentRetriever
    {
        public async Task<string> GetDocumentAsync(string address, CancellationToken cancel)
        {
            if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps)
            {
                throw new InvalidOperationException($"{address} is no https address.");
            }

            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            deadline.CancelAfter(Deadline);
            using var response = await http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            response.EnsureSuccessStatusCode();
            await response.Content.LoadIntoBufferAsync(LongestAnswer, deadline.Token);
            return await response.Content.ReadAsStringAsync(deadline.Token);
        }
    }
}
