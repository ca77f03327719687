using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>OAuth 2 as libraries speak it: discovery, keys, tokens by secret and by assertion, rotation, another issuer.</summary>
public sealed class OAuthTests : IAsyncLifetime
{
    private ProgramsHost programs = null!;

    public async ValueTask InitializeAsync() => programs = await ProgramsHost.StartAsync();

    public ValueTask DisposeAsync() => programs.DisposeAsync();

    [Fact]
    public async Task A_standard_NET_library_validates_our_token_by_discovery_alone()
    {
        var account = await programs.MakeAsync("billing", ["licensing:read", "fleet:read"]);
        var secret = await programs.SecretAsync(account.Id);
        var token = await programs.AccessAsync(account.ClientId, secret.Token, "licensing:read");

        using var http = programs.Host.Client(programs.Host.Portal);
        var manager = new ConfigurationManager<OpenIdConnectConfiguration>($"{programs.Issuer}/.well-known/openid-configuration", new OpenIdConnectConfigurationRetriever(), new HttpDocumentRetriever(http));
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            ConfigurationManager = manager, ValidIssuer = programs.Issuer, ValidAudience = $"{programs.Issuer}/api", ValidTypes = ["at+jwt"], ValidAlgorithms = ["ES256"],
        });
        Assert.True(result.IsValid, result.Exception?.ToString());
        Assert.Equal((account.ClientId, account.ClientId, "licensing:read"), (result.Claims["sub"], result.Claims["client_id"], result.Claims["scope"]));
        Assert.Equal(TimeSpan.FromMinutes(10), result.SecurityToken.ValidTo - ((JsonWebToken)result.SecurityToken).IssuedAt);

        // Both documents say the same (RFC 8414, 3), and every role takes the token for what it says.
        var (one, two) = (await http.GetStringAsync(new Uri("/.well-known/openid-configuration", UriKind.Relative)), await http.GetStringAsync(new Uri("/.well-known/oauth-authorization-server", UriKind.Relative)));
        Assert.Equal(one, two);
        await programs.KnownAsync(token);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden), (await programs.CallAsync(token), await programs.CallAsync(token, "/api/v1/fleet/clusters")));
        var item = (await programs.Api.GetFromJsonAsync<TokenItem>($"/api/v1/identity/tokens/{secret.Id}"))!;
        Assert.Equal("client-secret", item.Use);
        await Eventually.TrueAsync(async () => (await programs.Api.GetFromJsonAsync<TokenItem>($"/api/v1/identity/tokens/{secret.Id}"))!.LastUsedFrom == "127.0.0.1", "the use of the secret is known");
    }

    [Fact]
    public async Task Nodes_openid_client_gets_tokens_by_secret_and_by_private_key_and_reads_the_billing_api()
    {
        var customer = await programs.Host.CreateCustomerAsync("Acme");
        var account = await programs.MakeAsync("billing", ["licensing:read"]);
        var secret = await programs.SecretAsync(account.Id);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        var es = await programs.AddKeyAsync(account.Id, key.ExportSubjectPublicKeyInfoPem());
        var ps = await programs.AddKeyAsync(account.Id, rsa.ExportSubjectPublicKeyInfoPem(), "PS256");
        await programs.KnownAsync(await programs.AccessAsync(account.ClientId, secret.Token));

        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = Path.Combine(SourceTree.Root, "tests", "Testing") };
        start.Environment["NODE_EXTRA_CA_CERTS"] = programs.Host.CaFile;
        start.ArgumentList.Add("oauth-client.mjs");
        using var process = Process.Start(start)!;

        // Secrets never in arguments.
        await process.StandardInput.WriteAsync(JsonSerializer.Serialize(new
        {
            issuer = programs.Issuer, clientId = account.ClientId, secret = secret.Token, scope = "licensing:read", call = $"{programs.Issuer}/api/v1/licensing/customers",
            keys = new[] { new { alg = "ES256", kid = es.Kid, pem = key.ExportPkcs8PrivateKeyPem() }, new { alg = "PS256", kid = ps.Kid, pem = rsa.ExportPkcs8PrivateKeyPem() } },
        }));
        process.StandardInput.Close();
        var (said, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.True(process.ExitCode == 0, await errors + await said);
        var answers = JsonNode.Parse(await said)!.AsArray();
        Assert.Equal(["client_secret_basic", "client_secret_post", "private_key_jwt ES256", "private_key_jwt PS256"], answers.Select(answer => answer!["by"]!.GetValue<string>()));
        Assert.All(answers, answer => Assert.Equal((200, "licensing:read", 600), (answer!["status"]!.GetValue<int>(), answer["scope"]!.GetValue<string>(), answer["expires"]!.GetValue<int>())));
        Assert.All(answers, answer => Assert.Contains(answer!["customers"]!.AsArray(), name => name!.GetValue<string>() == customer.Name));
        var used = (await programs.DetailAsync(account.Id)).Keys;
        Assert.All(used, one => Assert.Equal("127.0.0.1", one.LastUsedFrom));
    }

    [Fact]
    public async Task The_next_key_is_published_before_it_signs_and_the_old_one_until_its_last_token_is_dead()
    {
        var account = await programs.MakeAsync("billing", ["licensing:read"]);
        var secret = await programs.SecretAsync(account.Id);
        var old = await programs.AccessAsync(account.ClientId, secret.Token);
        await programs.KnownAsync(old);
        using var next = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var from = programs.Time.GetUtcNow().AddMinutes(5);
        await File.WriteAllTextAsync(Path.Combine(programs.Host.Data, "keys", $"client-token.{from.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}.pem"), next.ExportPkcs8PrivateKeyPem());
        using var http = programs.Host.Client(programs.Host.Portal);
        var both = Array.Empty<string>();
        await Eventually.TrueAsync(async () => (both = [.. (await http.GetFromJsonAsync<JsonNode>("/api/v1/identity/oauth/jwks"))!["keys"]!.AsArray().Select(key => key!["kid"]!.GetValue<string>())]).Length == 2, "both are published");
        var kid = new JsonWebToken(old).Kid;
        Assert.Equal(kid, new JsonWebToken(await programs.AccessAsync(account.ClientId, secret.Token)).Kid);
        Assert.Equal(both[0], kid);
        Assert.DoesNotContain("\"d\"", await http.GetStringAsync(new Uri("/api/v1/identity/oauth/jwks", UriKind.Relative)), StringComparison.Ordinal);

        programs.Time.Advance(TimeSpan.FromMinutes(6));
        var young = await programs.AccessAsync(account.ClientId, secret.Token);
        Assert.Equal(both[1], new JsonWebToken(young).Kid);
        await programs.KnownAsync(young);
        Assert.Equal(HttpStatusCode.OK, await programs.CallAsync(old));
        programs.Time.Advance(TimeSpan.FromMinutes(4) + TimeSpan.FromSeconds(5));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (await programs.CallAsync(old), await programs.CallAsync(young)));
    }

    [Fact]
    public async Task Without_an_address_there_is_no_issuer_and_the_answer_says_what_to_set()
    {
        await using var host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Identity:PortalAddress"] = null });
        using var http = host.Client(host.Portal);
        foreach (var path in new[] { "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/api/v1/identity/oauth/jwks" })
        {
            using var answer = await http.GetAsync(new Uri(path, UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Contains("Identity:PortalAddress", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["grant_type"] = "client_credentials" });
        Assert.Equal(HttpStatusCode.NotFound, (await http.PostAsync(new Uri(ProgramsHost.TokenPath, UriKind.Relative), form)).StatusCode);
    }

    [Fact]
    public async Task Another_issuer_in_place_of_ours_is_read_by_discovery_and_gives_no_sensitive_right()
    {
        using var authority = new TestAuthority();
        await using var peer = new OpenIdProvider(authority);
        var customer = Guid.NewGuid();
        await peer.StartAsync(null, new OpenIdClient("billing", "a secret of theirs", "https://control.example.com/", IsProgram: true), new OpenIdClient($"customer-{customer}", "a secret of theirs", "https://control.example.com/", IsProgram: true));
        const string Audience = "https://control.example.com/api";
        var configuration = new Dictionary<string, string?> { ["AccessTokens:Issuer"] = peer.Issuer, ["AccessTokens:Audience"] = Audience, ["AccessTokens:AllowedNetworks:0"] = "127.0.0.0/8", ["AccessTokens:CaFile"] = authority.CaFile };
        await using var other = await ProgramsHost.StartAsync(configuration: configuration);
        var token = await OfPeerAsync(peer, "billing", Audience);
        Assert.Equal("at+jwt", new JsonWebToken(token).Typ);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.Forbidden), (await other.CallAsync(token), await other.CallAsync(token, "/api/v1/fleet/clusters"), await other.CallAsync(token, "/api/v1/audit/entries")));

        // Its scope identity:write is worth nothing here; another audience, a changed byte and our own issuer's tokens are none.
        using var http = other.Host.Client(other.Host.Portal, token);
        Assert.Equal("scope-missing", await ProgramsHost.CodeAsync(http.PostAsJsonAsync("/api/v1/identity/service-accounts", new CreateServiceAccountRequest("x", ["fleet:read"]))));
        Assert.Equal(HttpStatusCode.Unauthorized, await other.CallAsync(await OfPeerAsync(peer, "billing", "https://somebody.example/api")));
        Assert.Equal(HttpStatusCode.Unauthorized, await other.CallAsync(token[..^10] + (token[^10] == 'A' ? "B" : "A") + token[^9..]));
        var account = await programs.MakeAsync("ours", ["licensing:read"]);
        Assert.Equal(HttpStatusCode.Unauthorized, await other.CallAsync(await programs.AccessAsync(account.ClientId, (await programs.SecretAsync(account.Id)).Token)));
        using var open = other.Host.Client(other.Host.Portal);
        Assert.Equal(HttpStatusCode.NotFound, (await open.GetAsync(new Uri("/.well-known/openid-configuration", UriKind.Relative))).StatusCode);

        // Where tokens are bound to customers, one that is not opens nothing.
        await using var bound = await ProgramsHost.StartAsync(configuration: new Dictionary<string, string?>(configuration) { ["AccessTokens:CustomerClaim"] = "customer" });
        await bound.Host.CreateCustomerAsync("Acme");
        Assert.Equal(HttpStatusCode.Unauthorized, await bound.CallAsync(token));
        var theirs = await OfPeerAsync(peer, $"customer-{customer}", Audience);
        using var by = bound.Host.Client(bound.Host.Portal, theirs);
        Assert.Empty((await by.GetFromJsonAsync<JsonNode>("/api/v1/licensing/customers"))!["items"]!.AsArray());

        // Its time over, it is none.
        other.Time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(HttpStatusCode.Unauthorized, await other.CallAsync(token));
    }

    [Fact]
    public async Task The_guide_for_a_billing_system_works_as_it_is_written()
    {
        await programs.Host.CreateCustomerAsync("Acme");
        var account = await programs.MakeAsync("billing", ["licensing:read"]);
        var secret = await programs.SecretAsync(account.Id);
        var blocks = (await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "docs", "programs.md"))).Split("```sh\n").Skip(1).Select(block => block.Split("```")[0]).ToList();
        var directory = Directory.CreateTempSubdirectory("mc-guide-").FullName;
        try
        {
            var credentials = Path.Combine(directory, "credentials");
            await File.WriteAllTextAsync(credentials, $"{account.ClientId}:{secret.Token}\n");
            var answer = JsonNode.Parse(await ShellAsync(directory, blocks[0], ("CREDENTIALS", credentials)))!;
            Assert.Equal(600, answer["expires_in"]!.GetValue<int>());
            var access = answer["access_token"]!.GetValue<string>();
            await programs.KnownAsync(access);
            Assert.Contains("Acme", await ShellAsync(directory, blocks[1], ("ACCESS_TOKEN", access)), StringComparison.Ordinal);

            var added = await programs.AddKeyAsync(account.Id, await ShellAsync(directory, blocks[2]));
            using var key = ECDsa.Create();
            key.ImportFromPem(await File.ReadAllTextAsync(Path.Combine(directory, "billing.key")));
            Assert.Equal(HttpStatusCode.OK, (await programs.AssertAsync(programs.Assertion(account.ClientId, key, added.Kid))).Status);

            var token = await ProgramsHost.ReadAsync<CreatedToken>(await programs.Api.PostAsJsonAsync($"/api/v1/identity/service-accounts/{account.Id}/tokens", new CreateAccountTokenRequest("export")));
            await programs.KnownAsync(token.Token);
            var rotated = JsonNode.Parse(await ShellAsync(directory, blocks[3], ("TOKEN", token.Token)))!;
            Assert.Equal(token.Id, rotated["predecessorId"]!.GetValue<string>());
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private async Task<string> ShellAsync(string directory, string script, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = directory };
        start.Environment["CURL_CA_BUNDLE"] = programs.Host.CaFile;
        start.Environment["ISSUER"] = programs.Issuer;
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync($"set -eu\n{script}");
        process.StandardInput.Close();
        var (said, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        return process.ExitCode == 0 ? await said : throw new InvalidOperationException(await errors + await said);
    }

    private static async Task<string> OfPeerAsync(OpenIdProvider peer, string client, string audience)
    {
        using var browser = peer.Browser();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{peer.Issuer}/token"))
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["scope"] = "licensing:read fleet:read identity:write", ["resource"] = audience }),
        };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{WebUtility.UrlEncode(client)}:{WebUtility.UrlEncode("a secret of theirs")}")));
        using var answer = await browser.SendAsync(request);
        var body = await answer.Content.ReadFromJsonAsync<JsonNode>();
        return answer.IsSuccessStatusCode ? body!["access_token"]!.GetValue<string>() : throw new InvalidOperationException($"{body}\n{string.Join('\n', peer.Errors)}");
    }
}
