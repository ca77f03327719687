using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Web;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>A customer's provider that is where it may be, and whose documents name what is inside: nothing of that is asked.</summary>
public sealed class CustomerProviderAddressTests : IAsyncLifetime
{
    private readonly TestAuthority authority = new();

    // Stands for a service within the vendor's network: its address is not among those that were opened for customers' providers.
    private readonly TcpListener inside = new(IPAddress.Parse("127.0.0.2"), 0);
    private DishonestProvider peer = null!;
    private ControlPlane host = null!;
    private string provider = "";

    private string Inside => $"https://127.0.0.2:{((IPEndPoint)inside.LocalEndpoint).Port}";

    public async ValueTask InitializeAsync()
    {
        inside.Start();
        peer = await DishonestProvider.StartAsync(authority);
        var settings = FederationHost.Configuration(authority);

        // What staff's providers may use is no way for a customer's.
        settings["Identity:CustomerNetworks:0"] = "127.0.0.1/32";
        host = await ControlPlane.StartAsync(configuration: settings);
        var customer = (await host.CreateCustomerAsync()).Id;
        using var added = await host.Admin.PostAsJsonAsync("/api/v1/identity/providers", new SetProviderRequest("Acme", peer.Issuer, "acme", "a secret", [new GroupRole("*", "customer-viewer")], RequiredAmr: "otp", CustomerId: customer));
        provider = (await added.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AddedProvider>())!.Id.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await peer.DisposeAsync();
        inside.Dispose();
        authority.Dispose();
    }

    [Fact]
    public async Task Keys_that_lie_inside_are_not_fetched()
    {
        foreach (var address in new[] { Inside, "https://169.254.169.254", "https://10.0.0.1", "https://[::ffff:127.0.0.2]" })
        {
            peer.Discovery["jwks_uri"] = $"{address}/jwks";
            ProviderCheck? check = null;
            await Eventually.TrueAsync(async () =>
            {
                using var tested = await host.Admin.PostAsync(new Uri($"/api/v1/identity/providers/{provider}/test", UriKind.Relative), null);
                check = Assert.Single((await tested.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ProviderTest>())!.Checks);
                return check.Code != "not-reachable";
            }, "the provider answers in time");
            Assert.True(check!.Code == "forbidden-address", $"{address}: {check.Code} {check.Detail}");
            using var anonymous = host.Client(host.Portal);
            using var begun = await anonymous.PostAsJsonAsync($"/api/v1/identity/federation/{provider}/begin", new BeginFederatedSignInRequest());
            Assert.Equal(HttpStatusCode.Conflict, begun.StatusCode);
        }

        Assert.False(inside.Pending());
    }

    [Theory]
    [InlineData("token_endpoint")]
    [InlineData("userinfo_endpoint")]
    public async Task Neither_the_code_with_its_secret_nor_an_access_token_is_sent_inside(string endpoint)
    {
        peer.Discovery[endpoint] = $"{Inside}/latest/meta-data";
        BegunFederatedSignIn? started = null;
        await Eventually.TrueAsync(async () =>
        {
            using var anonymous = host.Client(host.Portal);
            using var answer = await anonymous.PostAsJsonAsync($"/api/v1/identity/federation/{provider}/begin", new BeginFederatedSignInRequest());
            started = answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<BegunFederatedSignIn>() : null;
            return started is not null;
        }, "the provider answers in time");
        var begun = started!;
        var claims = peer.Claims(begun.Address, "acme", DateTimeOffset.UtcNow);

        // So that the rest is asked of the userinfo endpoint.
        claims.Remove("name");
        peer.IdToken = peer.Sign(claims);
        using var finished = await host.FinishAsync(provider, begun.Browser, HttpUtility.ParseQueryString(new Uri(begun.Address).Query)["state"], "a code", peer.Issuer);

        Assert.Equal(HttpStatusCode.Unauthorized, finished.StatusCode);
        Assert.Contains("is not on the public internet", Assert.Single(await host.RefusalsAsync(1)), StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.2", await finished.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.False(inside.Pending());
    }

    [Fact]
    public async Task Metadata_that_lies_inside_is_not_fetched()
    {
        foreach (var address in new[] { Inside, "https://169.254.169.254", "https://[fd00::1]", "https://0.0.0.0" })
        {
            using var refused = await host.Admin.PostAsJsonAsync("/api/v1/identity/providers/metadata", new FetchMetadataRequest($"{address}/metadata"));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
            Assert.Contains("is not on the public internet", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Assert.False(inside.Pending());
    }
}
