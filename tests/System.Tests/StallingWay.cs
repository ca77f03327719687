using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MissionControl.System.Tests;

/// <summary>A way to a server on which, from some moment on, nothing comes back any more, except to whoever names himself as one that passes.</summary>
internal sealed class StallingWay : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource end = new();
    private readonly Uri server;
    private readonly byte[] passes;
    private volatile bool stalled;

    public StallingWay(Uri server, string passes)
    {
        this.server = server;
        this.passes = Encoding.ASCII.GetBytes(passes);
        listener.Start();
        _ = AcceptAsync();
    }

    public Uri Address => new UriBuilder(server) { Port = ((IPEndPoint)listener.LocalEndpoint).Port }.Uri;

    public void Stall() => stalled = true;

    public void Dispose()
    {
        end.Cancel();
        listener.Dispose();
        end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!end.IsCancellationRequested)
        {
            _ = CarryAsync(await listener.AcceptTcpClientAsync(end.Token));
        }
    }

    private async Task CarryAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient();
        await far.ConnectAsync(server.Host, server.Port, end.Token);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(end.Token);

        // A client names itself in its second message, after the first answer of the server.
        var named = false;
        var passing = false;
        var there = CopyAsync(near.GetStream(), far.GetStream(), data =>
        {
            named |= data.Length > 8;
            passing |= data.IndexOf(passes) >= 0;
            return true;
        }, over.Token);
        var back = CopyAsync(far.GetStream(), near.GetStream(), _ => !stalled || !named || passing, over.Token);
        await Task.WhenAny(there, back);
        await over.CancelAsync();
    }

    private static async Task CopyAsync(NetworkStream from, NetworkStream to, Func<ReadOnlySpan<byte>, bool> takes, CancellationToken cancellationToken)
    {
        var buffer = new byte[65536];
        while (await from.ReadAsync(buffer, cancellationToken) is var read and > 0)
        {
            if (takes(buffer.AsSpan(0, read)))
            {
                await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
        }
    }
}
