using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>What an API token says can be done to it.</summary>
public sealed class TokenActionsTests
{
    [Fact]
    public async Task A_token_can_be_revoked_once_by_whoever_holds_the_right()
    {
        await using var host = await ControlPlane.StartAsync();
        var (reader, token) = await host.ClientWithTokenAsync(null, "identity:read");
        using var _ = reader;

        Assert.Equal([("rotate", false, "This needs the right identity:write."), ("revoke", false, "This needs the right identity:write.")], await ActionsAsync(reader, token.Id));
        Assert.Equal(HttpStatusCode.Forbidden, (await reader.PostAsync(Revoke(token.Id), null)).StatusCode);
        Assert.Equal([("rotate", true, null), ("revoke", true, null)], await ActionsAsync(host.Admin, token.Id));
        Assert.Equal(HttpStatusCode.NoContent, (await host.Admin.PostAsync(Revoke(token.Id), null)).StatusCode);
        Assert.Equal([("rotate", false, "It is worth nothing any more; make another one."), ("revoke", false, "It is revoked already.")], await ActionsAsync(host.Admin, token.Id));
    }

    private static Uri Revoke(string id) => new($"/api/v1/identity/tokens/{id}/revoke", UriKind.Relative);

    private static async Task<IEnumerable<(string, bool, string?)>> ActionsAsync(HttpClient client, string id) =>
        (await client.GetFromJsonAsync<TokenItem>($"/api/v1/identity/tokens/{id}"))!.Actions.Select(action => (action.Name, action.Allowed, action.Reason));
}
