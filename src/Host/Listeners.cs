using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using MissionControl.Platform.Http;
using MissionControl.Platform.Modules;

namespace MissionControl.Host;

/// <summary>The process's listeners, each with what it serves, and after the start the addresses they really have.</summary>
public sealed class Listeners
{
    private readonly List<(string Name, string Scheme, ListenOptions Options)> bound = [];

    /// <summary>The address of a listener after the start: portal, callhome, ops, callhome-plain, internal or edge.</summary>
    public Uri AddressOf(string name)
    {
        var (_, scheme, options) = bound.First(listener => listener.Name == name);
        return new Uri($"{scheme}://localhost:{options.IPEndPoint!.Port}");
    }

    /// <summary>Where this process itself reaches the whole REST API, on loopback.</summary>
    internal Uri ApiAddress => AddressOf(bound.Exists(listener => listener.Name == "edge") ? "edge" : "ops");

    /// <summary>Where clusters call home, when this process holds that door.</summary>
    internal Uri? CallHomeAddress => bound.Exists(listener => listener.Name == "callhome") ? AddressOf("callhome") : null;

    internal void Configure(KestrelServerOptions kestrel, HostSettings settings, Shape shape, ModuleCatalog modules, ServerCertificate certificate, IConfiguration configuration)
    {
        kestrel.AddServerHeader = false;
        // Far above the longest interval handed out (check-ins reuse their connection; a handshake costs 40 requests).
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(10);
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        kestrel.Limits.MaxConcurrentConnections = 15_000;
        kestrel.RequestHeaderEncodingSelector = StrictLength.Selector;

        var tls = new TlsSettings(certificate, configuration);
        if (Runs(modules, "portal"))
        {
            Listen(kestrel, "portal", settings.Portal, Surface.Portal | Surface.Api, tls);
            if (shape.IsDistributed)
            {
                Listen(kestrel, "edge", new Uri("http://127.0.0.1:0"), Surface.Api, null);
            }
        }

        if (Runs(modules, "callhome"))
        {
            Listen(kestrel, "callhome", settings.CallHome, Surface.CallHome, tls);
            if (settings.CallHomePlain is not null)
            {
                Listen(kestrel, "callhome-plain", settings.CallHomePlain, Surface.CallHome, null);
            }
        }

        if (shape.IsDistributed && modules.Active.Count < modules.All.Count)
        {
            Listen(kestrel, "internal", settings.Internal, Surface.Api, tls);
        }

        Listen(kestrel, "ops", settings.Operations, settings.Operations.IsLoopback ? Surface.Api | Surface.Operations : Surface.Operations, null);
    }

    private static bool Runs(ModuleCatalog modules, string role) => modules.Active.Any(module => module.Name == role);

    private void Listen(KestrelServerOptions kestrel, string name, Uri address, Surface surface, TlsSettings? tls)
    {
        void Configure(ListenOptions options)
        {
            options.Protocols = tls is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
            var served = new SurfaceOf(surface);
            options.Use(next => connection =>
            {
                connection.Features.Set(served);
                return next(connection);
            });
            if (tls is not null)
            {
                // Made or read now: a process without a certificate does not start.
                _ = tls.Now();
                options.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(tls.Now()) });
            }

            bound.Add((name, address.Scheme, options));
        }

        if (address.Host == "localhost" && address.Port != 0)
        {
            kestrel.ListenLocalhost(address.Port, Configure);
        }
        else if (address.IsLoopback)
        {
            kestrel.Listen(IPAddress.Loopback, address.Port, Configure);
        }
        else
        {
            kestrel.Listen(IPAddress.TryParse(address.Host, out var ip) ? ip : IPAddress.IPv6Any, address.Port, Configure);
        }
    }

    /// <summary>Asked at every handshake, so that a certificate can be replaced while the process runs.</summary>
    private sealed class TlsSettings(ServerCertificate certificate, IConfiguration configuration)
    {
        private readonly SslProtocols protocols = configuration["Tls:MinimumVersion"] == "1.3" ? SslProtocols.Tls13 : SslProtocols.Tls12 | SslProtocols.Tls13;
        private readonly CipherSuitesPolicy? suites = configuration.GetSection("Tls:CipherSuites").Get<string[]>() is { Length: > 0 } named && !OperatingSystem.IsWindows()
            ? new CipherSuitesPolicy(named.Select(Enum.Parse<TlsCipherSuite>))
            : null;

        public SslServerAuthenticationOptions Now() => new()
        {
            ServerCertificateContext = certificate.Chain,
            EnabledSslProtocols = protocols,
            CipherSuitesPolicy = suites,
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        };
    }
}
