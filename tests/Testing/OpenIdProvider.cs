using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;

namespace MissionControl.Testing;

/// <summary>A client that the provider knows.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Secret">Its secret.</param>
/// <param name="RedirectUri">Where browsers are sent back to.</param>
/// <param name="LogoutUri">Where it is told of people who signed out; null: nowhere.</param>
/// <param name="Authentication">How it authenticates.</param>
/// <param name="Algorithm">How its id_tokens are signed.</param>
/// <param name="IsProgram">Whether it speaks for itself, and nobody signs in by it.</param>
public sealed record OpenIdClient(string Id, string Secret, string RedirectUri, string? LogoutUri = null, string Authentication = "client_secret_basic", string Algorithm = "RS256", bool IsProgram = false);

/// <summary>Somebody who can sign in at the provider.</summary>
/// <param name="Sub">The subject.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Email">The address that it claims.</param>
/// <param name="Groups">Its groups.</param>
/// <param name="Acr">What its sign-ins say of how it proved who it is.</param>
/// <param name="Amr">By which methods it does.</param>
public sealed record OpenIdAccount(string Sub, string Name, string? Email, string[] Groups, string? Acr = null, string[]? Amr = null);

/// <summary>The certified OpenID provider of npm as a process of its own, over TLS.</summary>
public sealed partial class OpenIdProvider(TestAuthority authority, string host = "localhost") : IAsyncDisposable
{
    private readonly int port = Ports.Free();
    private readonly NodePeer peer = new();

    /// <summary>Its issuer.</summary>
    public string Issuer => $"https://{host}:{port}";

    /// <summary>What went wrong in it.</summary>
    public IEnumerable<string> Errors => peer.Errors;

    /// <summary>Starts it.</summary>
    /// <param name="trusted">PEM of the authority of those whom it tells of people who signed out.</param>
    /// <param name="clients">The clients that it knows.</param>
    public Task StartAsync(string? trusted, params OpenIdClient[] clients) =>
        peer.StartAsync(trusted, "openid-provider.mjs", Issuer, authority.CertificateFile, authority.KeyFile, NodePeer.Write(clients.Select(Describe)));

    /// <summary>Makes somebody, or changes what is told of it from now on.</summary>
    public Task KeepAsync(OpenIdAccount account) => peer.KeepAsync(account.Sub, account);

    /// <summary>A browser of somebody who has signed in nowhere yet.</summary>
    public HttpClient Browser()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509Certificate2.CreateFromPem(File.ReadAllText(authority.CaFile)));
        return new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = true, SslOptions = { CertificateChainPolicy = policy } });
    }

    /// <summary>Does at the provider what a person does there, and returns where it sends the browser at last.</summary>
    /// <param name="browser">The browser.</param>
    /// <param name="address">Where it was sent.</param>
    /// <param name="login">The account.</param>
    /// <param name="declines">Whether the person declines.</param>
    public async Task<Uri> SignInAsync(HttpClient browser, string address, string login, bool declines = false)
    {
        var at = new Uri(address);
        for (var step = 0; step < 10; step++)
        {
            using var answer = await browser.GetAsync(at);
            if (answer.StatusCode == HttpStatusCode.OK)
            {
                using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["login"] = login, ["decline"] = declines ? "1" : "" });
                using var posted = await browser.PostAsync(at, form);
                at = new Uri(at, posted.Headers.Location ?? throw new InvalidOperationException($"The provider answers {(int)posted.StatusCode}: {await posted.Content.ReadAsStringAsync()}"));
            }
            else
            {
                at = new Uri(at, answer.Headers.Location ?? throw new InvalidOperationException($"The provider answers {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}"));
            }

            if (!at.ToString().StartsWith(Issuer, StringComparison.Ordinal))
            {
                return at;
            }
        }

        throw new InvalidOperationException("The provider sends the browser round.");
    }

    /// <summary>Signs out there, as the person's browser does.</summary>
    public async Task SignOutAsync(HttpClient browser)
    {
        using var page = await browser.GetAsync(new Uri($"{Issuer}/session/end"));
        var xsrf = Xsrf().Match(await page.Content.ReadAsStringAsync()).Groups[1].Value;
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["xsrf"] = xsrf, ["logout"] = "yes" });
        using var done = await browser.PostAsync(new Uri($"{Issuer}/session/end/confirm"), form);
        if ((int)done.StatusCode >= 400)
        {
            throw new InvalidOperationException($"Signing out answers {(int)done.StatusCode}: {await done.Content.ReadAsStringAsync()}");
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => peer.DisposeAsync();

    private static Dictionary<string, object> Describe(OpenIdClient client) => new Dictionary<string, object?>
    {
        ["client_id"] = client.Id,
        ["client_secret"] = client.Secret,
        ["redirect_uris"] = client.IsProgram ? Array.Empty<string>() : [client.RedirectUri],
        ["response_types"] = client.IsProgram ? Array.Empty<string>() : ["code"],
        ["grant_types"] = new[] { client.IsProgram ? "client_credentials" : "authorization_code" },
        ["token_endpoint_auth_method"] = client.Authentication,
        ["id_token_signed_response_alg"] = client.Algorithm,
        ["backchannel_logout_uri"] = client.LogoutUri,
        ["backchannel_logout_session_required"] = client.LogoutUri is null ? null : true,
    }.Where(pair => pair.Value is not null).ToDictionary(pair => pair.Key, pair => pair.Value!);

    [GeneratedRegex("name=\"xsrf\" value=\"([^\"]+)\"")]
    private static partial Regex Xsrf();
}
