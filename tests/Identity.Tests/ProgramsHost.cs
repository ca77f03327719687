using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;

namespace MissionControl.Identity.Tests;

/// <summary>A host with an address, people who make programs, and what a program does.</summary>
internal sealed class ProgramsHost : IAsyncDisposable
{
    public const string TokenPath = "/api/v1/identity/oauth/token";
    public static readonly string[] Anywhere = ["127.0.0.0/8"];

    public required ControlPlane Host { get; init; }

    public required ManualTime Time { get; init; }

    public required string Issuer { get; init; }

    public required SomebodySignedIn Root { get; init; }

    /// <summary>The API as an administrator who confirms whatever is to be confirmed.</summary>
    public required HttpClient Api { get; init; }

    public static async Task<ProgramsHost> StartAsync(ManualTime? time = null, IReadOnlyDictionary<string, string?>? configuration = null, Action<IServiceCollection>? services = null)
    {
        time ??= new ManualTime(DateTimeOffset.UtcNow);
        var portal = new Uri($"https://localhost:{Ports.Free()}");
        var issuer = portal.GetLeftPart(UriPartial.Authority);
        var settings = new Dictionary<string, string?>(configuration ?? new Dictionary<string, string?>()) { ["Api:RequestsPerMinute"] = "1000000", ["Identity:KeepBootstrapToken"] = "true", ["Identity:PortalAddress"] = issuer };
        var host = await ControlPlane.StartAsync(time: time, configuration: settings, services: services, portal: portal);
        var root = await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        return new ProgramsHost { Host = host, Time = time, Issuer = issuer, Root = root, Api = await root.ApiAsync() };
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await Host.DisposeAsync();
    }

    public async Task<CreatedServiceAccount> MakeAsync(string name, string[] scopes, Guid? customer = null, HttpClient? by = null)
    {
        using var answer = await (by ?? Api).PostAsJsonAsync("/api/v1/identity/service-accounts", new CreateServiceAccountRequest(name, scopes, customer, Networks: customer is null ? Anywhere : null));
        return (await ReadAsync<CreatedServiceAccount>(answer))!;
    }

    public async Task<CreatedToken> SecretAsync(Guid account, HttpClient? by = null) => await ReadAsync<CreatedToken>(await (by ?? Api).PostAsJsonAsync($"/api/v1/identity/service-accounts/{account}/secrets", new CreateClientSecretRequest()));

    public async Task<AddedClientKey> AddKeyAsync(Guid account, string key, string? algorithm = null) =>
        await ReadAsync<AddedClientKey>(await Api.PostAsJsonAsync($"/api/v1/identity/service-accounts/{account}/keys", new AddClientKeyRequest("of a test", key, algorithm)));

    public async Task<ServiceAccountDetail> DetailAsync(Guid account) => (await Api.GetFromJsonAsync<ServiceAccountDetail>($"/api/v1/identity/service-accounts/{account}"))!;

    /// <summary>Posts to the token endpoint.</summary>
    public async Task<(HttpStatusCode Status, JsonNode Body)> ExchangeAsync(IEnumerable<KeyValuePair<string, string>> form, (string Id, string Secret)? basic = null)
    {
        using var client = Host.Client(Host.Portal);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(TokenPath, UriKind.Relative)) { Content = new FormUrlEncodedContent(form) };
        if (basic is { } pair)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{WebUtility.UrlEncode(pair.Id)}:{WebUtility.UrlEncode(pair.Secret)}")));
        }

        using var answer = await client.SendAsync(request);
        return (answer.StatusCode, (await answer.Content.ReadFromJsonAsync<JsonNode>())!);
    }

    /// <summary>An access token by secret.</summary>
    public async Task<string> AccessAsync(string clientId, string secret, string? scope = null)
    {
        Dictionary<string, string> form = new() { ["grant_type"] = "client_credentials" };
        if (scope is not null)
        {
            form["scope"] = scope;
        }

        var (status, body) = await ExchangeAsync(form, (clientId, secret));
        return status == HttpStatusCode.OK ? body["access_token"]!.GetValue<string>() : throw new InvalidOperationException($"{status}: {body}");
    }

    public Task<(HttpStatusCode Status, JsonNode Body)> AssertAsync(string assertion, string? clientId = null) => ExchangeAsync(new Dictionary<string, string>
    {
        ["grant_type"] = "client_credentials", ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", ["client_assertion"] = assertion, ["client_id"] = clientId ?? "",
    }.Where(field => field.Value.Length > 0));

    /// <summary>An assertion, with whatever is to be different about it.</summary>
    public string Assertion(string clientId, AsymmetricAlgorithm key, string? kid = null, string alg = "ES256", Action<JsonObject>? claims = null, Action<JsonObject>? header = null)
    {
        var now = Time.GetUtcNow().ToUnixTimeSeconds();
        var body = new JsonObject { ["iss"] = clientId, ["sub"] = clientId, ["aud"] = Issuer, ["jti"] = Guid.NewGuid().ToString(), ["iat"] = now, ["exp"] = now + 60 };
        claims?.Invoke(body);
        var head = new JsonObject { ["alg"] = alg, ["typ"] = "JWT" };
        if (kid is not null)
        {
            head["kid"] = kid;
        }

        header?.Invoke(head);
        return Sign(head, body, key);
    }

    public static string Sign(JsonObject header, JsonObject claims, AsymmetricAlgorithm? key, byte[]? shared = null)
    {
        var text = $"{Encode(header)}.{Encode(claims)}";
        var bytes = Encoding.ASCII.GetBytes(text);
        var signature = shared is not null ? HMACSHA256.HashData(shared, bytes) : key switch
        {
            ECDsa ec => ec.SignData(bytes, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
            RSA rsa => rsa.SignData(bytes, HashAlgorithmName.SHA256, header["alg"]!.GetValue<string>() == "PS256" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1),
            _ => [],
        };
        return $"{text}.{Base64Url.EncodeToString(signature)}";
    }

    public static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));

    public static JsonObject Part(string jwt, int part) => JsonNode.Parse(Base64Url.DecodeFromChars(jwt.Split('.')[part]))!.AsObject();

    /// <summary>What a role answers to a bearer.</summary>
    public async Task<HttpStatusCode> CallAsync(string bearer, string path = "/api/v1/licensing/customers")
    {
        using var client = Host.Client(Host.Portal, bearer);
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        return answer.StatusCode;
    }

    /// <summary>Waits until every role takes a bearer, or refuses it.</summary>
    public Task KnownAsync(string bearer, bool isGood = true) => Eventually.TrueAsync(async () =>
    {
        foreach (var path in new[] { "/api/v1/licensing/customers", "/api/v1/fleet/clusters", "/api/v1/audit/entries", "/api/v1/identity/tokens" })
        {
            if (await CallAsync(bearer, path) is HttpStatusCode.Unauthorized == isGood)
            {
                return false;
            }
        }

        return true;
    }, isGood ? "every role takes it" : "every role refuses it");

    public static async Task<string> CodeAsync(Task<HttpResponseMessage> asked)
    {
        using var answer = await asked;
        return answer.IsSuccessStatusCode ? "done" : (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!.Code;
    }

    public static async Task<T> ReadAsync<T>(HttpResponseMessage answer)
    {
        using (answer)
        {
            return answer.IsSuccessStatusCode ? (await answer.Content.ReadFromJsonAsync<T>())! : throw new InvalidOperationException($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }
    }
}
