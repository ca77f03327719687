using System.Net;
using System.Net.Http.Json;
using System.Web;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Platform.Data;
using MissionControl.Testing;

namespace MissionControl.Identity.Tests;

/// <summary>A host that knows providers on loopback, and a browser's way through a sign-in.</summary>
internal static class FederationHost
{
    public const string Portal = "https://control.example.com";

    public static Dictionary<string, string?> Configuration(TestAuthority authority, params (string Id, string Issuer)[] staffs)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Api:RequestsPerMinute"] = "1000000",
            ["Identity:PortalAddress"] = Portal,
            ["Identity:AllowedNetworks:0"] = "127.0.0.0/8",
            ["Identity:CustomerNetworks:0"] = "127.0.0.0/8",
            ["Identity:CaFile"] = authority.CaFile,
            ["Identity:KeepBootstrapToken"] = "true",
        };
        foreach (var (i, (id, issuer)) in staffs.Index())
        {
            var secret = Path.Combine(Path.GetDirectoryName(authority.CaFile)!, $"{id}.secret");
            File.WriteAllText(secret, $"the secret of {id}: a+b/c\n");
            foreach (var (key, value) in new[]
            {
                ("Id", id), ("Name", $"Provider {id}"), ("Issuer", issuer), ("ClientId", $"mission-control-{id}"), ("ClientSecretFile", secret), ("Scopes", "openid profile email groups"),
                ("Roles:admins", "administrator"), ("Roles:viewers", "viewer"), ("RequiredAmr", "hwk otp"), ("RequiredAcr", "urn:test:mfa"),
            })
            {
                settings[$"Identity:Providers:{i}:{key}"] = value;
            }
        }

        return settings;
    }

    public static OpenIdClient Client(string id, string? logout = null, string? secret = null, string authentication = "client_secret_basic", string algorithm = "RS256") =>
        new($"mission-control-{id}", secret ?? $"the secret of {id}: a+b/c", $"{Portal}/signin/{id}/callback", logout, authentication, algorithm);

    public static async Task<BegunFederatedSignIn> BeginAsync(this ControlPlane host, string provider, string returnUrl = "/clusters")
    {
        using var anonymous = host.Client(host.Portal);
        using var answer = await anonymous.PostAsJsonAsync($"/api/v1/identity/federation/{provider}/begin", new BeginFederatedSignInRequest(returnUrl));
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<BegunFederatedSignIn>())!;
    }

    /// <summary>Posts what a browser brings back.</summary>
    public static async Task<HttpResponseMessage> FinishAsync(this ControlPlane host, string provider, string browser, string? state, string? code, string? iss, string? error = null)
    {
        using var anonymous = host.Client(host.Portal);
        return await anonymous.PostAsJsonAsync($"/api/v1/identity/federation/{provider}/finish", new FinishFederatedSignInRequest(browser, state, code, iss, error, "a test"));
    }

    public static Task<HttpResponseMessage> FinishAsync(this ControlPlane host, string provider, string browser, Uri came)
    {
        var query = HttpUtility.ParseQueryString(came.Query);
        return host.FinishAsync(provider, browser, query["state"], query["code"], query["iss"], query["error"]);
    }

    /// <summary>The whole of a sign-in, up to what identity answers.</summary>
    public static async Task<HttpResponseMessage> TryAsync(this ControlPlane host, OpenIdProvider peer, string provider, string login, HttpClient? browser = null, bool declines = false)
    {
        using var own = browser is null ? peer.Browser() : null;
        var begun = await host.BeginAsync(provider);
        return await host.FinishAsync(provider, begun.Browser, await peer.SignInAsync(browser ?? own!, begun.Address, login, declines));
    }

    public static async Task<(FederatedSignIn SignIn, TradedSession Traded)> SignInAsync(this ControlPlane host, OpenIdProvider peer, string provider, string login, HttpClient? browser = null)
    {
        using var answer = await host.TryAsync(peer, provider, login, browser);
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            throw new InvalidOperationException($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}\n{string.Join('\n', peer.Errors)}");
        }

        var signIn = (await answer.Content.ReadFromJsonAsync<FederatedSignIn>())!;
        return (signIn, signIn.Session is null ? null! : (await host.TradeAsync(signIn.Session))!);
    }

    public static async Task<TradedSession?> TradeAsync(this ControlPlane host, string session)
    {
        using var anonymous = host.Client(host.Portal);
        using var answer = await anonymous.PostAsJsonAsync("/api/v1/identity/sessions/trade", new TradeSessionRequest(session));
        return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<TradedSession>() : null;
    }

    public static async Task<string> DetailAsync(this HttpResponseMessage answer) => (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!.Detail ?? "";

    public static async Task<PersonDetail> PersonAsync(this ControlPlane host, string subject) =>
        (await host.Admin.GetFromJsonAsync<PersonDetail>($"/api/v1/identity/people/{Guid.Parse(subject["person:".Length..])}"))!;

    /// <summary>Why sign-ins were refused, newest first, once there are so many.</summary>
    public static async Task<IReadOnlyList<string>> RefusalsAsync(this ControlPlane host, int count)
    {
        IReadOnlyList<string> reasons = [];
        await Eventually.TrueAsync(async () =>
        {
            var page = await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=identity.sign-in-refused&limit=100");
            reasons = [.. page!.Items.Select(entry => entry.Entry.TryGetProperty("reason", out var reason) ? reason.GetString() ?? "" : "")];
            return reasons.Count >= count;
        }, $"{count} refused sign-ins are in the log");
        return reasons;
    }

    public static async Task<List<T>> RowsAsync<T>(this ControlPlane host)
        where T : class
    {
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("a test looks");
        return await db.Set<T>().AsNoTracking().ToListAsync();
    }
}
