using System.Net;
using System.Net.Sockets;
using MissionControl.Platform.Http;
using Xunit;

namespace MissionControl.Security.Tests.Web;

/// <summary>
/// A name that is somebody else's to answer for, over real sockets: 127.0.0.2 stands for what may be connected to, 127.0.0.1 for what is
/// inside. Both listen on the same port, so that whoever is connected to says where the connection went.
/// </summary>
public sealed class OutboundGuardTests : IDisposable
{
    private static readonly IPAddress May = IPAddress.Parse("127.0.0.2");
    private static readonly IPAddress Inside = IPAddress.Loopback;
    private readonly TcpListener outside;
    private readonly TcpListener inside;
    private readonly List<string> asked = [];

    public OutboundGuardTests()
    {
        (outside, inside) = SamePort();
    }

    private int Port => ((IPEndPoint)outside.LocalEndpoint).Port;

    // What is free on one address may be taken on the other.
    private static (TcpListener Outside, TcpListener Inside) SamePort()
    {
        for (var attempt = 1; ; attempt++)
        {
            var outside = new TcpListener(May, 0);
            outside.Start();
            var inside = new TcpListener(Inside, ((IPEndPoint)outside.LocalEndpoint).Port);
            try
            {
                inside.Start();
                return (outside, inside);
            }
            catch (SocketException) when (attempt < 20)
            {
                outside.Dispose();
                inside.Dispose();
            }
        }
    }

    public void Dispose()
    {
        outside.Dispose();
        inside.Dispose();
    }

    [Fact]
    public async Task A_name_is_looked_up_once_and_what_it_answers_afterwards_leads_nowhere()
    {
        // Good for whoever looks first, inside for whoever looks again.
        var guard = Guard(times => times == 1 ? [May] : [Inside]);
        await using (var connection = await guard.ConnectAsync("rebinding.example", Port, isOwn: true, TestContext.Current.CancellationToken))
        {
            using var taken = await outside.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
            Assert.Single(asked);
        }

        // Another connection is another look, and judged as the first.
        await Assert.ThrowsAsync<ForbiddenAddressException>(async () => await guard.ConnectAsync("rebinding.example", Port, isOwn: true, TestContext.Current.CancellationToken));
        Assert.Equal(2, asked.Count);
        Assert.False(inside.Pending());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_a_name_with_an_address_inside_and_one_outside_only_the_one_outside_is_connected_to(bool insideFirst)
    {
        var guard = Guard(_ => insideFirst ? [Inside, May] : [May, Inside]);
        await using (var connection = await guard.ConnectAsync("both.example", Port, isOwn: true, TestContext.Current.CancellationToken))
        {
            using var taken = await outside.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        }

        // Also when nobody answers there any more: the other one is no way out.
        outside.Stop();
        await Assert.ThrowsAsync<SocketException>(async () => await guard.ConnectAsync("both.example", Port, isOwn: true, TestContext.Current.CancellationToken));
        Assert.False(inside.Pending());
    }

    [Fact]
    public async Task A_client_sends_nothing_to_a_name_that_leads_inside_however_it_is_written()
    {
        foreach (var address in new[] { "127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fd00::1", "0.0.0.0", "100.64.0.1" })
        {
            var guard = Guard(_ => [IPAddress.Parse(address)]);
            using var client = guard.Client(isOwn: true);
            var refused = await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri($"https://inside.example:{Port}/"), TestContext.Current.CancellationToken));
            Assert.IsType<ForbiddenAddressException>(refused.InnerException);
        }

        // What the operator opened is open to the vendor's own alone.
        await Assert.ThrowsAsync<ForbiddenAddressException>(async () => await Guard(_ => [May]).ConnectAsync("inside.example", Port, isOwn: false, TestContext.Current.CancellationToken));
        Assert.False(inside.Pending());
        Assert.False(outside.Pending());
    }

    [Fact]
    public async Task A_name_without_any_address_is_refused()
    {
        await Assert.ThrowsAsync<ForbiddenAddressException>(async () => await Guard(_ => []).ConnectAsync("nothing.example", Port, isOwn: true, TestContext.Current.CancellationToken));
    }

    private OutboundGuard Guard(Func<int, IPAddress[]> answers) => new(["127.0.0.2/32"], null, "Test:Networks", (name, _) =>
    {
        asked.Add(name);
        return Task.FromResult(answers(asked.Count));
    });
}
