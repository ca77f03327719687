using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Contracts;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.OAuth;

/// <summary>What libraries read of this authorization server (RFC 8414; OpenID Connect Discovery 1.0), and its keys (RFC 7517).</summary>
internal static class OAuthApi
{
    private const string Open = "OAuth clients look here before they have anything to show";
    private const string NoIssuer = "This installation gives out no access tokens: Identity:PortalAddress is not set, or another issuer is.";

    public static void Map(IEndpointRouteBuilder api)
    {
        var oauth = api.MapGroup("/oauth");
        oauth.MapGet("/jwks", Keys).OpenToAll(Open).WithName("GetClientKeys").WithSummary("The public keys that verify access tokens, as a JWK set").Produces<JwkSet>();
        TokenEndpoint.Map(oauth);
    }

    /// <summary>At the root, where the issuer's name leads.</summary>
    public static void MapWellKnown(IEndpointRouteBuilder root)
    {
        var known = root.MapGroup("/.well-known").OnSurface(Surface.Api).InModule("identity").OpenToAll(Open).ExcludeFromDescription();
        known.MapGet("/oauth-authorization-server", Describe).WithName("DescribeAuthorizationServer");
        known.MapGet("/openid-configuration", Describe).WithName("DescribeOpenIdConfiguration");
    }

    private static IResult Describe(Issuer issuer, HttpResponse response)
    {
        if (!issuer.Own)
        {
            return Problems.Of(ProblemCodes.NotFound, NoIssuer);
        }

        response.Headers.CacheControl = "public, max-age=300";
        return TypedResults.Json(new ServerMetadata(
            issuer.Name!, issuer.TokenEndpoint, issuer.Keys, ["client_credentials"], ["client_secret_basic", "client_secret_post", "private_key_jwt"], ClientAssertions.Algorithms,
            [.. ApiScopes.Ordinary.Concat(ApiScopes.Sensitive).Order(StringComparer.Ordinal)],
            // There is no authorization endpoint, and no id_token is signed; readers of OpenID Connect Discovery want the members all the same.
            [], ["public"], ["ES256"]));
    }

    private static IResult Keys(Issuer issuer, ClientTokenKey keys, HttpResponse response)
    {
        if (!issuer.Own)
        {
            return Problems.Of(ProblemCodes.NotFound, NoIssuer);
        }

        // Shorter than the notice that a rotation gives by default.
        response.Headers.CacheControl = "public, max-age=300";
        return TypedResults.Json(new JwkSet([.. keys.Published.Select(key => Jwk.Of(key.KeyId, key.PublicKeySpki))]));
    }
}

/// <summary>RFC 8414, 2.</summary>
internal sealed record ServerMetadata(
    [property: JsonPropertyName("issuer")] string Issuer, [property: JsonPropertyName("token_endpoint")] string TokenEndpoint, [property: JsonPropertyName("jwks_uri")] string JwksUri,
    [property: JsonPropertyName("grant_types_supported")] IReadOnlyList<string> GrantTypes, [property: JsonPropertyName("token_endpoint_auth_methods_supported")] IReadOnlyList<string> AuthMethods,
    [property: JsonPropertyName("token_endpoint_auth_signing_alg_values_supported")] IReadOnlyList<string> AuthAlgorithms, [property: JsonPropertyName("scopes_supported")] IReadOnlyList<string> Scopes,
    [property: JsonPropertyName("response_types_supported")] IReadOnlyList<string> ResponseTypes, [property: JsonPropertyName("subject_types_supported")] IReadOnlyList<string> SubjectTypes,
    [property: JsonPropertyName("id_token_signing_alg_values_supported")] IReadOnlyList<string> IdTokenAlgorithms);

/// <summary>A set of public keys (RFC 7517, 5).</summary>
internal sealed record JwkSet([property: JsonPropertyName("keys")] IReadOnlyList<Jwk> Keys);

/// <summary>A P-256 public key (RFC 7518, 6.2).</summary>
internal sealed record Jwk(
    [property: JsonPropertyName("kty")] string Kty, [property: JsonPropertyName("crv")] string Crv, [property: JsonPropertyName("x")] string X, [property: JsonPropertyName("y")] string Y,
    [property: JsonPropertyName("kid")] string Kid, [property: JsonPropertyName("alg")] string Alg, [property: JsonPropertyName("use")] string Use)
{
    public static Jwk Of(string kid, byte[] spki)
    {
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(spki, out _);
        var point = key.ExportParameters(false).Q;
        return new Jwk("EC", "P-256", Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y), kid, "ES256", "sig");
    }
}
