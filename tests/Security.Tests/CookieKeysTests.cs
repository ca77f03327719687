using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Platform.Data;
using MissionControl.Portal.Sessions;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests;

/// <summary>The keys of the portal's cookies at rest.</summary>
public sealed class CookieKeysTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("mc-cookies-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task They_lie_sealed_and_a_start_warns_of_nothing()
    {
        var warnings = new Warnings();
        await using var host = await ControlPlane.StartAsync(Path.Combine(root, "a"), services: services => services.AddSingleton<ILoggerProvider>(warnings));
        Protector(host).Protect("anything");

        var file = await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(Path.Combine(host.Data, "cookie-keys"))));
        Assert.Contains("<sealed", file);
        Assert.DoesNotContain("masterKey", file);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(host.Data, "keys", "cookie-sealing.key")));
        Assert.Empty(warnings.All);
    }

    [Fact]
    public async Task Replicas_with_the_sealing_key_open_each_others_cookies_and_nobody_else_does()
    {
        string cookie;
        await using (var host = await ControlPlane.StartAsync(Path.Combine(root, "a")))
        {
            cookie = Protector(host).Protect("signed in");
        }

        await using (var replica = await ReplicaAsync())
        {
            Assert.Equal("signed in", Protector(replica).Unprotect(cookie));
        }

        // A copy of the directory alone: the thief's own key opens nothing of it.
        var lying = XElement.Load(Assert.Single(Directory.GetFiles(Path.Combine(root, "a", "cookie-keys")))).Descendants("sealed").Single();
        var thief = new CookieSeal(new DataDirectory(Path.Combine(root, "c")), TimeProvider.System);
        Assert.Throws<CryptographicException>(() => thief.Decrypt(lying));
    }

    [Fact]
    public async Task A_rotated_sealing_key_opens_what_its_predecessor_sealed()
    {
        string cookie;
        await using (var host = await ControlPlane.StartAsync(Path.Combine(root, "a")))
        {
            cookie = Protector(host).Protect("signed in");
        }

        await HostCommand.RunAsync(0, "admin", "keys", "rotate", "cookie-sealing", "--after", "0m", "--data", Path.Combine(root, "a"));

        await using var again = await ControlPlane.StartAsync(Path.Combine(root, "a"));
        Assert.Equal("signed in", Protector(again).Unprotect(cookie));
    }

    private static IDataProtector Protector(ControlPlane host) => host.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("test");

    /// <summary>Another data directory with a copy of the cookies' keys, and of the file that opens them.</summary>
    private async Task<ControlPlane> ReplicaAsync()
    {
        var data = Directory.CreateDirectory(Path.Combine(root, "b")).FullName;
        foreach (var directory in new[] { "cookie-keys", "keys" })
        {
            Directory.CreateDirectory(Path.Combine(data, directory));
        }

        foreach (var path in Directory.GetFiles(Path.Combine(root, "a", "cookie-keys")).Concat(Directory.GetFiles(Path.Combine(root, "a", "keys"), "cookie-sealing.key")))
        {
            File.Copy(path, path.Replace(Path.Combine(root, "a"), data, StringComparison.Ordinal));
        }

        return await ControlPlane.StartAsync(data);
    }

    /// <summary>What a start says beyond the ordinary.</summary>
    private sealed class Warnings : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> all = new();

        public IReadOnlyCollection<string> All => all;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                all.Enqueue(formatter(state, exception));
            }
        }

        public void Dispose()
        {
        }
    }
}
