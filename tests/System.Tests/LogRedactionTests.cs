using System.Net.Http.Headers;
using System.Text;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>Tries to get every kind of token into the log of real processes that log everything they can.</summary>
public abstract class LogRedactionTests
{
    private readonly IProcesses installation;

    private protected LogRedactionTests(IProcesses installation) => this.installation = installation;

    [Fact]
    public async Task No_token_that_is_put_anywhere_in_a_request_can_be_read_in_the_log()
    {
        await using var host = await installation.StartTalkativeAsync();
        var tokens = PlacedTokens.OfEveryKind().ToList();
        using var portal = TrustingClient.Create(host.Portal, host.CaFile);
        using var callHome = TrustingClient.Create(host.CallHome, host.CaFile);

        foreach (var token in tokens.Append(PlacedTokens.Jwt))
        {
            await SendAsync(portal, HttpMethod.Get, $"/api/v1/fleet/clusters?q={token}", token, null);
            await SendAsync(portal, HttpMethod.Get, $"/api/v1/{token}/clusters", token, null);
            await SendAsync(portal, HttpMethod.Get, $"/x\"{token}\"", token, null);
            await SendAsync(portal, HttpMethod.Post, "/api/v1/licensing/customers", host.AdminToken, $$"""{"name":"{{token}}"{{token}}""");
            await SendAsync(portal, HttpMethod.Get, $"/api/v1/fleet/clusters?limit={token}", host.AdminToken, null);
            await SendAsync(callHome, HttpMethod.Post, $"/callhome/v1/checkin?t={token}", token, $$"""{"{{token}}":1}""");
            await SendAsync(callHome, HttpMethod.Post, "/callhome/v1/token", null, $$"""{"assertion":"\n{{token}}"}""");
            await SendAsync(callHome, HttpMethod.Post, "/callhome/v1/enroll", null, $$"""{"token":"{{token}}"}""");
        }

        await Eventually.TrueAsync(() => tokens.TrueForAll(token => host.Output().Any(line => line.Contains(token[..16], StringComparison.Ordinal))), "every token's loggable id has come to the log");
        Assert.DoesNotContain(host.Output(), line => tokens.Append(host.AdminToken).Any(token => line.Contains(token[17..], StringComparison.Ordinal)) || line.Contains(PlacedTokens.Jwt[20..], StringComparison.Ordinal));
        Assert.All(host.Output().Where(line => line.StartsWith('{')).Take(2000), line => global::System.Text.Json.JsonDocument.Parse(line).Dispose());
    }

    private static async Task SendAsync(HttpClient client, HttpMethod method, string path, string? bearer, string? body)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = bearer is null ? null : new AuthenticationHeaderValue("Bearer", bearer);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await client.SendAsync(request);
        Assert.NotEqual(500, (int)response.StatusCode);
    }
}

/// <summary>One process that logs everything.</summary>
[Collection(Shapes.Embedded)]
public sealed class EmbeddedLogRedactionTests(EmbeddedFixture fixture) : LogRedactionTests(fixture.Installation);

/// <summary>A portal that forwards to roles that log everything, as it does.</summary>
[Collection(Shapes.Distributed)]
public sealed class DistributedLogRedactionTests(DistributedFixture fixture) : LogRedactionTests(fixture.Installation);
