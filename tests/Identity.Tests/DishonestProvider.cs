using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;
using MissionControl.Testing;

namespace MissionControl.Identity.Tests;

/// <summary>A provider that says what a test wants, by hand: tokens that no library would make.</summary>
internal sealed class DishonestProvider : IAsyncDisposable
{
    private readonly WebApplication app;

    private DishonestProvider(WebApplication app, int port)
    {
        this.app = app;
        Issuer = $"https://localhost:{port}";
        Discovery["issuer"] = Issuer;
        Discovery["authorization_endpoint"] = $"{Issuer}/authorize";
        Discovery["token_endpoint"] = $"{Issuer}/token";
        Discovery["jwks_uri"] = $"{Issuer}/jwks";
        Discovery["response_types_supported"] = new[] { "code" };
        Discovery["code_challenge_methods_supported"] = new[] { "S256" };
        Discovery["authorization_response_iss_parameter_supported"] = true;
    }

    public string Issuer { get; }

    /// <summary>What the discovery document says.</summary>
    public ConcurrentDictionary<string, object> Discovery { get; } = new();

    /// <summary>Answers in place of what it would.</summary>
    public ConcurrentDictionary<string, Func<HttpContext, Task>> Instead { get; } = new();

    /// <summary>How often each path was asked.</summary>
    public ConcurrentDictionary<string, int> Asked { get; } = new();

    /// <summary>The last form that the token endpoint was posted.</summary>
    public IFormCollection? Form { get; private set; }

    /// <summary>The id_token that the token endpoint gives.</summary>
    public string IdToken { get; set; } = "";

    /// <summary>The key that it publishes, and its id.</summary>
    public RSA Key { get; private set; } = RSA.Create(2048);

    public string KeyId { get; private set; } = "first";

    public static async Task<DishonestProvider> StartAsync(TestAuthority authority)
    {
        var port = Ports.Free();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listener => listener.UseHttps(authority.Certificate)));
        var app = builder.Build();
        var provider = new DishonestProvider(app, port);
        app.Run(provider.AnswerAsync);
        await app.StartAsync();
        return provider;
    }

    public void Rotate(string keyId) => (Key, KeyId) = (RSA.Create(2048), keyId);

    /// <summary>The claims of a good id_token for a sign-in that was begun.</summary>
    public Dictionary<string, object> Claims(string address, string client, DateTimeOffset now) => new()
    {
        ["iss"] = Issuer,
        ["aud"] = client,
        ["sub"] = "mallory",
        ["name"] = "Mallory",
        ["groups"] = new[] { "viewers" },
        ["amr"] = new[] { "otp" },
        ["nonce"] = HttpUtility.ParseQueryString(new Uri(address).Query)["nonce"]!,
        ["iat"] = now.ToUnixTimeSeconds(),
        ["exp"] = now.AddMinutes(5).ToUnixTimeSeconds(),
    };

    /// <summary>Signs by RS256 with its own key, unless told otherwise.</summary>
    public string Sign(IReadOnlyDictionary<string, object> claims, string alg = "RS256", string? kid = null, Func<byte[], byte[]>? by = null)
    {
        var text = $"{Part(new { alg, typ = "JWT", kid = kid ?? KeyId })}.{Part(claims)}";
        var bytes = Encoding.ASCII.GetBytes(text);
        return $"{text}.{Base64UrlEncoder.Encode((by ?? (data => Key.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)))(bytes))}";
    }

    /// <summary>Answers a redirect to there.</summary>
    public static Func<HttpContext, Task> RedirectTo(string address) => context =>
    {
        context.Response.Redirect(address);
        return Task.CompletedTask;
    };

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private static string Part(object value) => Base64UrlEncoder.Encode(JsonSerializer.SerializeToUtf8Bytes(value));

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        Asked.AddOrUpdate(path, 1, (_, times) => times + 1);
        if (Instead.TryGetValue(path, out var instead))
        {
            await instead(context);
            return;
        }

        switch (path)
        {
            case "/.well-known/openid-configuration":
                await context.Response.WriteAsJsonAsync(Discovery.ToDictionary());
                break;
            case "/jwks":
                var parameters = Key.ExportParameters(false);
                await context.Response.WriteAsJsonAsync(new { keys = new[] { new { kty = "RSA", use = "sig", kid = KeyId, n = Base64UrlEncoder.Encode(parameters.Modulus), e = Base64UrlEncoder.Encode(parameters.Exponent) } } });
                break;
            case "/token":
                Form = await context.Request.ReadFormAsync();
                await context.Response.WriteAsJsonAsync(new { id_token = IdToken, access_token = "opaque", token_type = "Bearer" });
                break;
            default:
                context.Response.StatusCode = 404;
                break;
        }
    }
}
