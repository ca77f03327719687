using System.Net.Http.Json;
using System.Web;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Federation;
using MissionControl.Identity.Federation.Saml;
using MissionControl.Testing;

namespace MissionControl.Identity.Tests;

/// <summary>A browser's way through a sign-in by SAML, and what a forger needs to know of it.</summary>
internal static class SamlHost
{
    /// <summary>What the configuration of a host needs for a provider of staff.</summary>
    public static Dictionary<string, string?> Configuration(TestAuthority authority, params (string Id, Dictionary<string, string?> Keys)[] staffs)
    {
        var settings = FederationHost.Configuration(authority);
        foreach (var (i, (id, keys)) in staffs.Index())
        {
            foreach (var (key, value) in new Dictionary<string, string?>(keys)
            {
                ["Id"] = id, ["Name"] = $"Provider {id}", ["Kind"] = "saml", ["Roles:admins"] = "administrator", ["Roles:viewers"] = "viewer", ["RequiredAcr"] = "urn:test:mfa", ["RequiredAmr"] = "otp",
            })
            {
                settings[$"Identity:Providers:{i}:{key}"] = value;
            }
        }

        return settings;
    }

    /// <summary>What a provider that a test forges for is configured by.</summary>
    public static Dictionary<string, string?> Keys(SamlForge forge)
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("mc-forge-").FullName, "idp.pem");
        File.WriteAllText(file, forge.Certificate.ExportCertificatePem());
        return new Dictionary<string, string?> { ["Issuer"] = forge.EntityId, ["SignInAddress"] = "https://idp.example.com/sso?tenant=1", ["CertificateFile"] = file };
    }

    public static string StateOf(this BegunFederatedSignIn begun) => HttpUtility.ParseQueryString(new Uri(begun.Address).Query)["RelayState"]!;

    public static SamlExpectation Expected(this BegunFederatedSignIn begun, string provider) => new(
        SignInAttempt.RequestIdOf(begun.Browser), $"{FederationHost.Portal}/api/v1/identity/federation/{provider}/metadata", $"{FederationHost.Portal}/signin/{provider}/acs");

    /// <summary>Posts what a browser brings back.</summary>
    public static async Task<HttpResponseMessage> BringAsync(this ControlPlane host, string provider, string browser, string state, string? response)
    {
        using var anonymous = host.Client(host.Portal);
        return await anonymous.PostAsJsonAsync($"/api/v1/identity/federation/{provider}/finish", new FinishFederatedSignInRequest(browser, state, null, Agent: "a test", SamlResponse: response));
    }

    /// <summary>The whole of a sign-in by an assertion that a forger signs.</summary>
    public static async Task<HttpResponseMessage> ForgeAsync(this ControlPlane host, SamlForge forge, string provider, DateTimeOffset now, string subject = "mallory", string group = "viewers", string context = "urn:test:mfa", string? id = null, Func<string, string>? change = null)
    {
        var begun = await host.BeginAsync(provider);
        var text = forge.Response(now, begun.Expected(provider), subject, group, context, id ?? $"_{Guid.NewGuid():N}");
        return await host.BringAsync(provider, begun.Browser, begun.StateOf(), SamlForge.Encode(forge.Sign(change?.Invoke(text) ?? text)));
    }
}
