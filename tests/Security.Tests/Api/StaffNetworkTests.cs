using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Sessions;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Api;

/// <summary>Staff works from the vendor's networks only, where the operator says so; customers are where they are.</summary>
public sealed class StaffNetworkTests : IDisposable
{
    private readonly string data = Directory.CreateTempSubdirectory("mc-networks-").FullName;

    public void Dispose() => Directory.Delete(data, recursive: true);

    [Fact]
    public async Task Staff_is_refused_from_elsewhere_with_token_and_session_and_customers_are_not()
    {
        SomebodySignedIn staff, user;
        string customers;
        await using (var before = await ControlPlane.StartAsync(data))
        {
            var customer = (await before.CreateCustomerAsync()).Id;
            staff = await SomebodySignedIn.InviteAsync(before, "grace@vendor.example", "viewer");
            user = await SomebodySignedIn.InviteAsync(before, "ada@acme.example", "customer-viewer", customer);
            (var client, var token) = await before.ClientWithTokenAsync(customer, "fleet:read");
            client.Dispose();
            customers = token.Token;
        }

        await using var host = await ControlPlane.StartAsync(data, configuration: new Dictionary<string, string?> { ["Network:StaffNetworks:0"] = "192.0.2.0/24", ["Network:StaffNetworks:1"] = "2001:db8::/32", ["Network:PublicProxies:0"] = "127.0.0.0/8" });
        foreach (var (address, isInside) in new[] { ("192.0.2.7", true), ("2001:db8::7", true), ("::ffff:192.0.2.7", true), ("192.0.3.7", false), (null, false) })
        {
            await AnswersAsync(host, host.AdminToken, address, isInside);
            await AnswersAsync(host, (await TradeAsync(host, staff)).AccessToken, address, isInside);
            await AnswersAsync(host, customers, address, true);
            await AnswersAsync(host, (await TradeAsync(host, user)).AccessToken, address, true);
            await ShowsAsync(host, staff.Session, address, isInside);
            await ShowsAsync(host, user.Session, address, true);
        }

        // Nobody but the portal speaks for sessions on the loopback listener, and a token is no session there either.
        using var loopback = new HttpClient { BaseAddress = host.Operations };
        loopback.DefaultRequestHeaders.Authorization = new("Bearer", host.AdminToken);
        using var refused = await loopback.GetAsync(new Uri("/api/v1/fleet/clusters", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task An_address_that_no_listed_proxy_forwarded_is_not_believed()
    {
        await using var host = await ControlPlane.StartAsync(data, configuration: new Dictionary<string, string?> { ["Network:StaffNetworks:0"] = "192.0.2.0/24" });

        await AnswersAsync(host, host.AdminToken, "192.0.2.7", false);
    }

    private static async Task AnswersAsync(ControlPlane host, string bearer, string? address, bool isAdmitted)
    {
        using var client = host.Client(host.Portal, bearer);
        if (address is not null)
        {
            client.DefaultRequestHeaders.Add("X-Forwarded-For", address);
        }

        HttpResponseMessage? answer = null;
        await Eventually.TrueAsync(async () => (answer = await client.GetAsync(new Uri("/api/v1/fleet/clusters", UriKind.Relative))).StatusCode != HttpStatusCode.Unauthorized, "fleet knows the caller");
        Assert.Equal(isAdmitted ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer!.StatusCode);
        Assert.Equal(!isAdmitted, (await answer.Content.ReadAsStringAsync()).Contains("outside-network", StringComparison.Ordinal));
    }

    private static async Task ShowsAsync(ControlPlane host, string session, string? address, bool isAdmitted)
    {
        using var client = host.Client(host.Portal);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/clusters");
        request.Headers.TryAddWithoutValidation("Cookie", $"{SignedIn.Cookie}={session}");
        if (address is not null)
        {
            request.Headers.Add("X-Forwarded-For", address);
        }

        using var answer = await client.SendAsync(request);
        Assert.Equal(isAdmitted ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(!isAdmitted, (await answer.Content.ReadAsStringAsync()).Contains("Not from this network", StringComparison.Ordinal));
    }

    private static async Task<TradedSession> TradeAsync(ControlPlane host, SomebodySignedIn somebody)
    {
        using var anonymous = host.Client(host.Portal);
        using var answer = await anonymous.PostAsJsonAsync("/api/v1/identity/sessions/trade", new TradeSessionRequest(somebody.Session));
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<TradedSession>())!;
    }
}
