using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using MissionControl.Platform.Http;

namespace MissionControl.Identity.Federation;

/// <summary>
/// Speaks to providers: TLS only, no redirect, no private address, five seconds, one mebibyte. What a provider publishes is kept for
/// twelve hours, and fetched again when a key is missing, once a minute at most: whoever invents keys makes nobody busy.
/// </summary>
internal sealed class ProviderClient : IDisposable
{
    public const int LongestAnswer = 1024 * 1024;
    private const int MaxKept = 1000;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(12);
    private static readonly TimeSpan AnewAfter = TimeSpan.FromMinutes(1);

    // Apart, so that what a customer typed never goes over a connection that was opened for the vendor's.
    private readonly HttpClient staffs;
    private readonly HttpClient customers;
    private readonly TimeProvider time;
    private readonly ConcurrentDictionary<(bool IsStaffs, string Issuer), (OpenIdConnectConfiguration Configuration, DateTimeOffset FetchedAt, DateTimeOffset TriedAt)> known = new();

    public ProviderClient(IOptions<IdentityOptions> options, TimeProvider time)
    {
        this.time = time;
        staffs = new OutboundGuard(options.Value.AllowedNetworks, options.Value.CaFile, "Identity:AllowedNetworks").Client(isOwn: true);
        customers = new OutboundGuard(options.Value.CustomerNetworks, options.Value.CaFile, "Identity:CustomerNetworks").Client(isOwn: true);
    }

    /// <summary>What a provider publishes.</summary>
    /// <param name="provider">The provider.</param>
    /// <param name="anew">Whether what is kept will not do; it is all the same when it was fetched within the last minute.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ProviderException">It cannot be had, or is not good.</exception>
    public async Task<OpenIdConnectConfiguration> DiscoverAsync(Provider provider, bool anew, CancellationToken cancellationToken)
    {
        var key = (provider.IsStaffs, provider.Issuer);
        var now = time.GetUtcNow();
        if (known.TryGetValue(key, out var kept))
        {
            if (anew ? now - kept.TriedAt < AnewAfter : now - kept.FetchedAt < KeptFor)
            {
                return kept.Configuration;
            }

            known[key] = kept with { TriedAt = now };
        }

        if (known.Count >= MaxKept)
        {
            known.Clear();
        }

        var configuration = await FetchAsync(provider, cancellationToken);
        known[key] = (configuration, now, now);
        return configuration;
    }

    /// <summary>Fetches what a provider publishes, as if nothing were kept.</summary>
    /// <exception cref="ProviderException">It cannot be had, or is not good.</exception>
    public async Task<OpenIdConnectConfiguration> FetchAsync(Provider provider, CancellationToken cancellationToken)
    {
        OpenIdConnectConfiguration found;
        try
        {
            found = await OpenIdConnectConfigurationRetriever.GetAsync(provider.MetadataAddress, new Documents(this, provider), cancellationToken);
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or InvalidOperationException or FormatException)
        {
            throw new ProviderException("not-a-discovery-document", $"What {provider.MetadataAddress} or its JWKS holds cannot be read as OpenID Connect Discovery says.");
        }

        // A document of another issuer is another provider's, whoever served it (OpenID Connect Discovery 1.0, 4.3).
        if (found.Issuer != provider.Issuer)
        {
            throw new ProviderException("issuer-differs", $"The discovery document is of the issuer '{Shown(found.Issuer)}', not of '{provider.Issuer}'. Write the issuer exactly as the provider does, a slash at its end included.");
        }

        if (!IsHttps(found.AuthorizationEndpoint) || !IsHttps(found.TokenEndpoint))
        {
            throw new ProviderException("endpoint-missing", "The discovery document names no https address for authorization_endpoint and token_endpoint.");
        }

        if (found.JsonWebKeySet is null || !found.JsonWebKeySet.Keys.Any(IdTokens.IsUsable))
        {
            throw new ProviderException("no-keys", "The provider publishes no key that signs by RSA or by an elliptic curve (jwks_uri).");
        }

        if (found.ResponseTypesSupported.Count > 0 && !found.ResponseTypesSupported.Contains("code"))
        {
            throw new ProviderException("no-code-flow", "The provider does not offer the authorization code flow (response_types_supported).");
        }

        // One that lists nothing may still do it; one that lists others does not.
        if (found.CodeChallengeMethodsSupported.Count > 0 && !found.CodeChallengeMethodsSupported.Contains("S256"))
        {
            throw new ProviderException("no-pkce", "The provider does not offer PKCE with S256 (code_challenge_methods_supported).");
        }

        return found;
    }

    /// <summary>Exchanges a code for tokens (OpenID Connect Core 1.0, 3.1.3).</summary>
    /// <exception cref="ProviderException">The provider refuses it or cannot be reached.</exception>
    public async Task<(string IdToken, string? AccessToken)> RedeemAsync(Provider provider, OpenIdConnectConfiguration configuration, string code, string verifier, string redirectUri, CancellationToken cancellationToken)
    {
        var form = new Dictionary<string, string> { ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = redirectUri, ["code_verifier"] = verifier };
        using var request = new HttpRequestMessage(HttpMethod.Post, configuration.TokenEndpoint);
        if (provider.ClientSecret is { } secret && (configuration.TokenEndpointAuthMethodsSupported.Count == 0 || configuration.TokenEndpointAuthMethodsSupported.Contains("client_secret_basic")))
        {
            // Both are form-encoded first (RFC 6749, 2.3.1).
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{WebUtility.UrlEncode(provider.ClientId)}:{WebUtility.UrlEncode(secret)}")));
        }
        else
        {
            form["client_id"] = provider.ClientId;
            if (provider.ClientSecret is { } posted)
            {
                form["client_secret"] = posted;
            }
        }

        request.Content = new FormUrlEncodedContent(form);
        var (status, body) = await SendAsync(Via(provider), request, "token endpoint", cancellationToken);
        using var answer = Read(body, "token endpoint");
        if (status != HttpStatusCode.OK)
        {
            throw new ProviderException("code-refused", $"The token endpoint refused the code: {(int)status} {Shown(Text(answer.RootElement, "error"))}. Look at client id, secret, redirect URI and how the client authenticates.");
        }

        return (Text(answer.RootElement, "id_token") ?? throw new ProviderException("no-id-token", "The token endpoint gave no id_token; the scope openid is missing."), Text(answer.RootElement, "access_token"));
    }

    /// <summary>What the provider tells of the person besides (OpenID Connect Core 1.0, 5.3); null: nothing that could be read as JSON.</summary>
    public async Task<JsonElement?> UserInfoAsync(Provider provider, OpenIdConnectConfiguration configuration, string accessToken, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, configuration.UserInfoEndpoint);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        var (status, body) = await SendAsync(Via(provider), request, "userinfo endpoint", cancellationToken);
        if (status != HttpStatusCode.OK)
        {
            return null;
        }

        using var answer = Read(body, "userinfo endpoint");
        return answer.RootElement.Clone();
    }

    /// <summary>Fetches the metadata of a customer's identity provider.</summary>
    /// <exception cref="ProviderException">It cannot be had.</exception>
    public async Task<string> FetchMetadataAsync(string address, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Uri.TryCreate(address, UriKind.Absolute, out var uri) ? uri : null);
        var (status, body) = await SendAsync(customers, request, "metadata", cancellationToken);
        return status == HttpStatusCode.OK ? body : throw new ProviderException("not-reachable", $"The metadata ({address}) answers {(int)status}.");
    }

    public void Dispose()
    {
        staffs.Dispose();
        customers.Dispose();
    }

    private HttpClient Via(Provider provider) => provider.IsStaffs ? staffs : customers;

    public static bool IsHttps(string? address) => Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps;

    private static string? Text(JsonElement answer, string member) => answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonDocument Read(string body, string what)
    {
        try
        {
            return JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            throw new ProviderException("not-json", $"The {what} answers something that is not JSON.");
        }
    }

    /// <summary>What a stranger wrote, short and in one line.</summary>
    private static string Shown(string? text) => text is null ? "" : new([.. text.Where(letter => letter is >= ' ' and < '\u007f').Take(200)]);

    private async Task<(HttpStatusCode Status, string Body)> SendAsync(HttpClient via, HttpRequestMessage request, string what, CancellationToken cancellationToken)
    {
        if (request.RequestUri is not { IsAbsoluteUri: true, Scheme: "https" } address)
        {
            throw new ProviderException("not-https", $"The {what} is no https address.");
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        try
        {
            using var response = await via.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            if ((int)response.StatusCode is >= 300 and < 400)
            {
                throw new ProviderException("redirect", $"The {what} ({address.Host}) answers with a redirect, which is not followed.");
            }

            await response.Content.LoadIntoBufferAsync(LongestAnswer, deadline.Token);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(deadline.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ProviderException("not-reachable", $"The {what} ({address.Host}) did not answer within {Deadline.TotalSeconds} s.");
        }
        catch (HttpRequestException exception) when (exception.InnerException is ForbiddenAddressException forbidden)
        {
            throw new ProviderException("forbidden-address", forbidden.Message);
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw new ProviderException("too-large", $"The {what} ({address.Host}) answers more than {LongestAnswer / 1024 / 1024} MiB.");
        }
        catch (HttpRequestException exception)
        {
            var why = exception.HttpRequestError switch
            {
                HttpRequestError.NameResolutionError => "its name is not known",
                HttpRequestError.SecureConnectionError => "its certificate is not trusted, or it does not speak TLS",
                _ => exception.InnerException is SocketException ? "nobody answers there" : "the connection broke",
            };
            throw new ProviderException("not-reachable", $"The {what} ({address.Host}) cannot be reached: {why}.");
        }
        catch (InvalidOperationException)
        {
            throw new ProviderException("not-json", $"The {what} ({address.Host}) answers in letters that cannot be read.");
        }
    }

    /// <summary>Through which the library fetches.</summary>
    private sealed class Documents(ProviderClient client, Provider provider) : IDocumentRetriever
    {
        public async Task<string> GetDocumentAsync(string address, CancellationToken cancel)
        {
            var what = address == provider.MetadataAddress ? "discovery document" : "key set";
            using var request = new HttpRequestMessage(HttpMethod.Get, Uri.TryCreate(address, UriKind.Absolute, out var uri) ? uri : null);
            var (status, body) = await client.SendAsync(client.Via(provider), request, what, cancel);
            return status == HttpStatusCode.OK ? body : throw new ProviderException("not-reachable", $"The {what} ({address}) answers {(int)status}.");
        }
    }
}
