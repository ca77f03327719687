using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;

namespace MissionControl.Identity.Tests;

/// <summary>A directory and a host that signs staff in by it, for the tests of one class.</summary>
public sealed class DirectoryHost : IAsyncDisposable
{
    private DirectoryHost(TestAuthority authority, DirectoryServer peer, ControlPlane host) => (Authority, Peer, Host) = (authority, peer, host);

    public TestAuthority Authority { get; }

    public DirectoryServer Peer { get; }

    public ControlPlane Host { get; }

    /// <summary>A configuration file that says the same as the host was told.</summary>
    public required string ConfigurationFile { get; init; }

    /// <summary>Starts both; the host knows the directory as <c>corp</c> (TLS) and <c>start</c> (StartTLS).</summary>
    /// <param name="time">The clock.</param>
    /// <param name="more">Further directories, each by what is other than of corp.</param>
    public static Task<DirectoryHost> StartAsync(TimeProvider? time = null, params Dictionary<string, string>[] more) => StartAsync(time, null, more);

    public static async Task<DirectoryHost> StartAsync(TimeProvider? time, Action<IServiceCollection>? services, params Dictionary<string, string>[] more)
    {
        var authority = new TestAuthority();
        var peer = await DirectoryServer.StartAsync(authority);
        var secret = Path.Combine(Path.GetDirectoryName(authority.CaFile)!, "reader.secret");
        await File.WriteAllTextAsync(secret, $"{DirectoryServer.ReaderPassword}\n");
        var settings = new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000", ["Identity:PortalAddress"] = FederationHost.Portal, ["Identity:KeepBootstrapToken"] = "true" };
        if (services is not null)
        {
            // Who listens hears all of it.
            (settings["Logging:LogLevel:Default"], settings["Logging:LogLevel:Microsoft"], settings["Logging:Console:LogLevel:Default"]) = ("Trace", "Trace", "None");
        }

        foreach (var (i, own) in new[] { [], new Dictionary<string, string> { ["Id"] = "start", ["Server"] = peer.Plain } }.Concat(more).Index())
        {
            var all = new Dictionary<string, string>
            {
                ["Id"] = "corp", ["Name"] = "Vendor accounts", ["Server"] = peer.Secure, ["CaFile"] = authority.CaFile, ["BindDn"] = DirectoryServer.Reader, ["BindPasswordFile"] = secret, ["SearchBase"] = DirectoryServer.People,
                ["GroupBase"] = DirectoryServer.Groups, ["Timeout"] = "00:00:30", ["Roles:Admins"] = "administrator", [$"Roles:CN=viewers, {DirectoryServer.Groups}"] = "viewer", ["Roles:support"] = "support-engineer",
            };
            own.ToList().ForEach(pair => all[pair.Key] = pair.Value.Replace("{peer}", peer.Secure, StringComparison.Ordinal).Replace("{misnamed}", peer.Misnamed, StringComparison.Ordinal));
            all.ToList().ForEach(pair => settings[$"Identity:Directories:{i}:{pair.Key}"] = pair.Value);
        }

        var file = Path.Combine(Path.GetDirectoryName(authority.CaFile)!, "mc.json");
        var corp = settings.Where(pair => pair.Key.StartsWith("Identity:Directories:0:", StringComparison.Ordinal)).ToDictionary(pair => pair.Key["Identity:Directories:0:".Length..], pair => (object?)pair.Value);
        var roles = corp.Where(pair => pair.Key.StartsWith("Roles:", StringComparison.Ordinal)).ToDictionary(pair => pair.Key["Roles:".Length..], pair => pair.Value);
        corp = corp.Where(pair => !pair.Key.StartsWith("Roles:", StringComparison.Ordinal)).Append(new("Roles", roles)).ToDictionary();
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(new { Identity = new { PortalAddress = FederationHost.Portal, Directories = new[] { corp } } }));
        return new DirectoryHost(authority, peer, await ControlPlane.StartAsync(time: time, configuration: settings, services: services)) { ConfigurationFile = file };
    }

    public async Task<HttpResponseMessage> TryAsync(string name, string password = DirectoryServer.Password, string directory = "corp")
    {
        using var anonymous = Host.Client(Host.Portal);
        return await anonymous.PostAsJsonAsync($"/api/v1/identity/federation/{directory}/directory-sign-in", new DirectorySignInRequest(name, password, "/clusters"));
    }

    /// <summary>What a right password is answered: what the second factor needs.</summary>
    public async Task<(string Browser, FederatedSignIn Missing)> BeginAsync(string name, string directory = "corp")
    {
        using var answer = await TryAsync(name, directory: directory);
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            throw new InvalidOperationException($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()} {string.Join("; ", await Host.RefusalsAsync(0))}");
        }

        var begun = (await answer.Content.ReadFromJsonAsync<BegunDirectorySignIn>())!;
        using var anonymous = Host.Client(Host.Portal);
        using var pending = await anonymous.PostAsJsonAsync("/api/v1/identity/federation/pending", new FederatedSignInRequest(begun.Browser));
        return (begun.Browser, (await pending.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<FederatedSignIn>())!);
    }

    /// <summary>The whole of a sign-in. Without a code an authenticator is set up on the way.</summary>
    public async Task<(TradedSession Traded, IReadOnlyList<string> Codes)> SignInAsync(string name, string? code = null, string directory = "corp")
    {
        var (browser, missing) = await BeginAsync(name, directory);
        using var anonymous = Host.Client(Host.Portal);
        using var answer = await anonymous.PostAsJsonAsync("/api/v1/identity/federation/prove", new ProveFederatedSignInRequest(browser, code ?? new SomebodySignedIn(Host, "") { Secret = missing.TotpSecret! }.Code(), "a test"));
        var signIn = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<FederatedSignIn>())!;
        return ((await Host.TradeAsync(signIn.Session!))!, signIn.RecoveryCodes ?? []);
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Peer.DisposeAsync();
        Authority.Dispose();
    }
}
