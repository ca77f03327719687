using System.Buffers.Text;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Sessions;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Api;

/// <summary>A token that is bound to networks, or that ends, is not turned into one that is not.</summary>
public sealed class BoundTokenTests(SecurityFixture fixture)
{
    private ControlPlane Host => fixture.Host;

    [Theory]
    [InlineData("/networks")]
    [InlineData("/networks/0", "192.0.2.0/24")]
    [InlineData("/networks/0", "126.0.0.0/7")]
    [InlineData("/networks/0", "::/0")]
    [InlineData("/networks/1", "127.0.1.0/24", "0.0.0.0/0")]
    [InlineData(null, "127.0.1.0/24", "127.0.0.0/8")]
    public async Task A_bound_token_makes_only_tokens_within_its_own_networks(string? mistake, params string[] networks)
    {
        var (client, _) = await TokenAsync(30, ["127.0.0.0/8"], "identity:read", "identity:write");

        using var response = await client.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("child", ["identity:read"], Networks: networks));

        if (mistake is null)
        {
            Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        }
        else
        {
            Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
            Assert.Equal(mistake, Assert.Single((await response.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!).Pointer);
        }

        client.Dispose();
    }

    [Fact]
    public async Task A_token_outlives_the_one_it_was_made_by_only_when_an_administrator_made_it()
    {
        var (client, own) = await TokenAsync(10, [], "identity:read", "identity:write");
        var (admin, _) = await TokenAsync(10, [], "*");
        var asked = new CreateTokenRequest("child", ["identity:read"], ExpiresInDays: 90);

        using var child = await client.PostAsJsonAsync("/api/v1/identity/tokens", asked);
        using var shorter = await client.PostAsJsonAsync("/api/v1/identity/tokens", asked with { ExpiresInDays = 2 });
        using var longer = await admin.PostAsJsonAsync("/api/v1/identity/tokens", asked);

        Assert.InRange((await child.Content.ReadFromJsonAsync<CreatedToken>())!.ExpiresAt, own.ExpiresAt.AddSeconds(-1), own.ExpiresAt);
        Assert.InRange((await shorter.Content.ReadFromJsonAsync<CreatedToken>())!.ExpiresAt, own.ExpiresAt.AddDays(-9), own.ExpiresAt.AddDays(-7));
        Assert.InRange((await longer.Content.ReadFromJsonAsync<CreatedToken>())!.ExpiresAt, own.ExpiresAt.AddDays(79), own.ExpiresAt.AddDays(81));
        client.Dispose();
        admin.Dispose();
    }

    [Fact]
    public async Task A_bound_token_opens_no_session_and_a_session_of_one_opens_nothing()
    {
        var (client, own) = await TokenAsync(10, ["127.0.0.0/8"], "identity:read");
        using var refused = await client.PostAsync(new Uri("/api/v1/identity/sessions", UriKind.Relative), null);
        await Answers.RefusedAsync("conflict", refused, "a session of a bound token");

        // As one stands that was opened before this was so.
        var secret = RandomNumberGenerator.GetBytes(32);
        await using (var scope = Host.Services.CreateAsyncScope())
        {
            scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("identity");
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            db.Scope.OpenAll("a test opens a session");
            var now = Host.Time.GetUtcNow();
            db.Add(new Session { Id = Guid.CreateVersion7(now), SecretSha256 = SHA256.HashData(secret), TokenId = own.Id, CreatedAt = now, ExpiresAt = now.AddHours(1) });
            await db.SaveChangesAsync();
        }

        using var trade = await Host.Admin.PostAsJsonAsync("/api/v1/identity/sessions/trade", new TradeSessionRequest(Base64Url.EncodeToString(secret)));
        var traded = (await trade.Content.ReadFromJsonAsync<TradedSession>())!;
        using var reader = Host.Client(Host.Portal, traded.AccessToken);
        using var answer = await reader.GetAsync(new Uri("/api/v1/identity/tokens", UriKind.Relative));
        await Answers.RefusedAsync("unauthenticated", answer, "a user token of a bound token");
        client.Dispose();
    }

    [Theory]
    [InlineData("Network:TrustedProxies:0", HttpStatusCode.Unauthorized)]
    [InlineData("Network:PublicProxies:0", HttpStatusCode.OK)]
    public async Task Whom_the_roles_believe_who_called_is_not_believed_at_the_public_door(string key, HttpStatusCode expected)
    {
        await using var host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { [key] = "127.0.0.0/8" });
        using var made = await host.Admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("elsewhere", ["identity:read"], Networks: ["203.0.113.0/24"]));
        using var unbound = await host.Admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("anywhere", ["identity:read"]));
        using var later = host.Client(host.Portal, (await unbound.Content.ReadFromJsonAsync<CreatedToken>())!.Token);
        using var client = host.Client(host.Portal, (await made.Content.ReadFromJsonAsync<CreatedToken>())!.Token);
        client.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7");

        // Made after it and known: then the bound one is known as well.
        await Eventually.TrueAsync(async () => (await later.GetAsync(new Uri("/api/v1/identity/tokens", UriKind.Relative))).IsSuccessStatusCode, "identity knows the tokens");
        using var answer = await client.GetAsync(new Uri("/api/v1/identity/tokens", UriKind.Relative));

        Assert.Equal(expected, answer.StatusCode);
    }

    private async Task<(HttpClient Client, CreatedToken Token)> TokenAsync(int days, string[] networks, params string[] scopes)
    {
        using var response = await Host.Admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("bound", scopes, null, days, networks));
        var token = (await response.Content.ReadFromJsonAsync<CreatedToken>())!;
        var client = Host.Client(Host.Portal, token.Token);
        await Eventually.TrueAsync(async () => (await client.GetAsync(new Uri("/api/v1/identity/tokens", UriKind.Relative))).IsSuccessStatusCode, "identity knows the token");
        return (client, token);
    }
}
