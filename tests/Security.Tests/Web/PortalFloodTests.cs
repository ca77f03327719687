using System.Buffers.Text;
using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MissionControl.Client;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Portal.Sessions;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Web;

/// <summary>The portal under the limits that it ships with: strangers use up their own addresses and nobody else's.</summary>
public sealed class PortalFloodTests
{
    [Fact]
    public async Task Strangers_with_invented_cookies_do_not_shut_out_whoever_is_signed_in()
    {
        await using var host = await ControlPlane.StartAsync();
        using var opened = await host.Admin.PostAsync(new Uri("/api/v1/identity/sessions", UriKind.Relative), null);
        var session = (await opened.Content.ReadFromJsonAsync<CreatedSession>())!.Session;
        using var reader = host.Client(host.Portal);

        // Each address stays below its own bound; together they are far over that of one.
        foreach (var address in new[] { "127.0.0.2", "127.0.0.3", "127.0.0.4" })
        {
            using var stranger = From(address, host);
            await Parallel.ForEachAsync(Enumerable.Range(0, 1150), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, _) =>
                Assert.Equal(HttpStatusCode.Redirect, await AskAsync(stranger, Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)))));
        }

        Assert.Equal(HttpStatusCode.OK, await AskAsync(reader, session));

        using var flood = From("127.0.0.2", host);
        var (answer, asked) = (HttpStatusCode.Redirect, 0);
        while (answer != HttpStatusCode.TooManyRequests && asked++ < 5000)
        {
            answer = await AskAsync(flood, "x");
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, answer);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(reader, session));
    }

    [Fact]
    public async Task An_invented_cookie_asks_identity_once_in_three_seconds()
    {
        await using var host = await ControlPlane.StartAsync();
        using var counted = new Counted();
        using var api = new HttpClient(counted) { BaseAddress = host.Operations };
        var time = new Hand();
        var signedIn = new SignedIn(new MissionControlClient(api), time);
        var invented = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

        for (var i = 0; i < 10; i++)
        {
            Assert.Null(await signedIn.FindAsync(invented, isActive: true, CancellationToken.None));
        }

        Assert.Equal(1, counted.Requests);
        time.Ticks += 4 * time.TimestampFrequency;
        Assert.Null(await signedIn.FindAsync(invented, isActive: true, CancellationToken.None));
        Assert.Equal(2, counted.Requests);
    }

    private static async Task<HttpStatusCode> AskAsync(HttpClient client, string session)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/clusters");
        request.Headers.TryAddWithoutValidation("Cookie", $"{SignedIn.Cookie}={session}");
        using var response = await client.SendAsync(request);
        return response.StatusCode;
    }

    /// <summary>A client that speaks from an address of its own; all of 127.0.0.0/8 is this machine.</summary>
    private static HttpClient From(string address, ControlPlane host)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509Certificate2.CreateFromPem(File.ReadAllText(host.CaFile)));
        return new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, context.DnsEndPoint.Port), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        }) { BaseAddress = host.Portal };
    }

    private sealed class Counted() : DelegatingHandler(new SocketsHttpHandler())
    {
        public int Requests { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Requests++;
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class Hand : TimeProvider
    {
        public long Ticks { get; set; }

        public override long GetTimestamp() => Ticks;
    }
}
