using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>Pages at which addresses may use a passkey: exactly those that the configuration names, and none that looks like one.</summary>
public sealed class PasskeyOriginTests
{
    private const string Portal = "https://control.example.com";

    public static TheoryData<string[], string, string[]> Installations => new()
    {
        // With the portal's address alone that one is it.
        { [], "control.example.com", [Portal] },

        // With a list just what stands in it.
        { [Portal, "https://login.example.com:8443"], "example.com", [Portal, "https://login.example.com:8443"] },
    };

    [Theory]
    [MemberData(nameof(Installations))]
    public async Task A_passkey_signs_in_from_the_addresses_that_are_named_and_from_no_other(string[] named, string domain, string[] good)
    {
        var settings = new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000", ["Identity:PortalAddress"] = Portal, ["Identity:PasskeyDomain"] = domain };
        foreach (var (i, origin) in named.Index())
        {
            settings[$"Identity:PasskeyOrigins:{i}"] = origin;
        }

        await using var host = await ControlPlane.StartAsync(configuration: settings);
        var ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "viewer");
        using var key = ada.Passkey;
        Assert.Equal(domain, key.Domain);
        foreach (var origin in new[]
        {
            "https://evil.control.example.com", "https://example.com", "https://com", "https://control.example.com:8443", "https://control.example.com:443", "http://control.example.com", "http://control.example.com:443",
            "https://control.example.com.", "https://control.example.com/", "https://CONTROL.example.com", "HTTPS://control.example.com", "https://control.example.com.evil.example", "https://controlxexample.com",
            "https://evil.example/control.example.com", "https://control.example.com@evil.example", "https://control.example.com#", "https://control.example.com\u0000", " https://control.example.com", "https://c\u043entrol.example.com",
            "https://login.example.com", "https://login.example.com:8444", "https://login.example.com:8443/", "http://login.example.com:8443", "https://localhost", "https://localhost:8443", "android:apk-key-hash:AAAA", "null", "",
        })
        {
            Assert.DoesNotContain(origin, good);
            key.Origin = origin;
            Assert.True(await SignInAsync(host, key) == HttpStatusCode.Unauthorized, $"'{origin}' may use a passkey");
        }

        // The page's own domain has to be the key's as well.
        key.Origin = Portal;
        foreach (var other in new[] { "evil.example", "com", "localhost", domain == "example.com" ? "control.example.com" : "example.com" })
        {
            key.Domain = other;
            Assert.Equal(HttpStatusCode.Unauthorized, await SignInAsync(host, key));
        }

        key.Domain = domain;
        foreach (var origin in good)
        {
            key.Origin = origin;
            Assert.Equal(HttpStatusCode.OK, await SignInAsync(host, key));
        }
    }

    private static async Task<HttpStatusCode> SignInAsync(ControlPlane host, SoftPasskey key)
    {
        using var anonymous = host.Client(host.Portal);
        using var begun = await anonymous.PostAsync(new Uri("/api/v1/identity/sign-in/passkey/begin", UriKind.Relative), null);
        var asked = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
        using var answer = await anonymous.PostAsJsonAsync("/api/v1/identity/sign-in/passkey", new PasskeySignInRequest(asked.Challenge, key.Get(asked.Options), "a test"));
        return answer.StatusCode;
    }
}
