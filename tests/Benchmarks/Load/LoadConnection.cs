using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MissionControl.Benchmarks.Load;

/// <summary>One keep-alive HTTP/1.1 connection with one request in flight. Its callbacks run on the socket engine's one thread.</summary>
internal sealed class LoadConnection : IDisposable
{
    private readonly Socket socket;
    private readonly SocketAsyncEventArgs receive = new();
    private readonly byte[] input = new byte[16 * 1024];
    private readonly byte[] output = new byte[16 * 1024];
    private readonly Func<Span<byte>, int> write;
    private int received;
    private long due;
    private long sentAt;

    private LoadConnection(Socket socket, Func<Span<byte>, int> write)
    {
        this.socket = socket;
        this.write = write;
        receive.Completed += (_, _) => Continue();
    }

    /// <summary>Called with status and latency of every answer; says when the next request is due, or null for none yet.</summary>
    public Func<LoadConnection, int, TimeSpan, long?> Answered { get; set; } = (_, _, _) => null;

    /// <summary>Since the request was sent; what it waited for a free connection is not in it.</summary>
    public TimeSpan SinceSent => Stopwatch.GetElapsedTime(sentAt);

    public string LastAnswer => Encoding.ASCII.GetString(input, 0, Math.Min(received, 600));

    public static async Task<LoadConnection> OpenAsync(IPEndPoint server, Func<Span<byte>, int> write)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server);
        return new LoadConnection(socket, write);
    }

    /// <summary>Sends a request that was due at <paramref name="dueAt"/> (a <see cref="Stopwatch"/> timestamp) and goes on as <see cref="Answered"/> says.</summary>
    public void Send(long dueAt)
    {
        Post(dueAt);
        if (!ReceiveMore())
        {
            Continue();
        }
    }

    public void Dispose()
    {
        receive.Dispose();
        socket.Dispose();
    }

    private void Post(long dueAt)
    {
        due = dueAt;
        received = 0;
        var length = write(output);
        sentAt = Stopwatch.GetTimestamp();
        var sent = 0;
        while (sent < length)
        {
            sent += socket.Send(output, sent, length - sent, SocketFlags.None);
        }
    }

    /// <summary>False when bytes were there at once.</summary>
    private bool ReceiveMore()
    {
        receive.SetBuffer(input, received, input.Length - received);
        return socket.ReceiveAsync(receive);
    }

    private void Continue()
    {
        while (true)
        {
            if (receive.SocketError != SocketError.Success || receive.BytesTransferred == 0)
            {
                Answered(this, 0, Stopwatch.GetElapsedTime(due));
                return;
            }

            received += receive.BytesTransferred;
            if (StatusOf(input.AsSpan(0, received)) is { } status)
            {
                if (Answered(this, status, Stopwatch.GetElapsedTime(due)) is not { } next)
                {
                    return;
                }

                Post(next);
            }

            if (ReceiveMore())
            {
                return;
            }
        }
    }

    /// <summary>The status, once the whole answer is there.</summary>
    private static int? StatusOf(ReadOnlySpan<byte> answer)
    {
        var head = answer.IndexOf("\r\n\r\n"u8);
        if (head < 0)
        {
            return null;
        }

        var status = Number(answer[9..]);
        var length = answer[..head].IndexOf("Content-Length: "u8);
        if (length >= 0)
        {
            return answer.Length >= head + 4 + Number(answer[(length + 16)..]) ? status : null;
        }

        return answer[..head].IndexOf("chunked"u8) < 0 || answer.EndsWith("\r\n0\r\n\r\n"u8) ? status : null;
    }

    private static int Number(ReadOnlySpan<byte> text) => Utf8Parser.TryParse(text, out int number, out _) ? number : 0;
}
