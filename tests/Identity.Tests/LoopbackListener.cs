using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace MissionControl.Identity.Tests;

/// <summary>Takes connections on loopback, keeps what comes, and answers what it is told to, if anything.</summary>
internal sealed class LoopbackListener : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Func<Stream, Task> serve;
    private readonly ConcurrentBag<TcpClient> clients = [];
    private readonly Task loop;
    private int connections;

    /// <param name="serve">What it does with each connection; null: it says nothing.</param>
    public LoopbackListener(Func<Stream, Task>? serve = null)
    {
        this.serve = serve ?? (_ => Task.CompletedTask);
        listener.Start();
        loop = LoopAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public int Connections => Volatile.Read(ref connections);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        await loop;
        foreach (var client in clients)
        {
            client.Dispose();
        }

        stop.Dispose();
    }

    private async Task LoopAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptTcpClientAsync(stop.Token);
                Interlocked.Increment(ref connections);
                clients.Add(client);
                _ = ServeAsync(client);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            await serve(client.GetStream());
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
        {
            // Whoever came is gone.
        }
    }
}
