using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using MissionControl.Benchmarks.Load;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;

namespace MissionControl.Benchmarks;

/// <summary>A fleet that keeps a connection of its own for every cluster, over TLS.</summary>
internal static class TlsBenchmark
{
    public static async Task<bool> RunAsync(int clusters, TimeSpan length)
    {
        var verdict = Verdict.Begin("tls", $"one check-in over a TLS connection that each of {clusters} clusters keeps for itself, once a minute each for {length.TotalSeconds:0} s; client in a process on the same cores", "answered after the commit: SQLite, WAL, synchronous=FULL");
        var data = await StoredFleet.CopyAsync(clusters);
        try
        {
            await using var host = new HostProcess(data);
            await host.StartAsync();
            var requests = await StoredClients.AuthorizeAsync(host);
            var before = Machine.MebibytesOf(host.Id, "VmRSS");
            using var ca = X509CertificateLoader.LoadCertificateFromFile(host.CaFile);
            var connections = new SslStream[clusters];
            var handshakes = new ConcurrentBag<TimeSpan>();
            var clock = Stopwatch.StartNew();
            var cpu = Cpu.Seconds(host.Id);
            await Parallel.ForAsync(0, clusters, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, cancellationToken) =>
            {
                var start = Stopwatch.GetTimestamp();
                connections[i] = await ConnectAsync(host, ca, cancellationToken);
                handshakes.Add(Stopwatch.GetElapsedTime(start));
            });
            var connected = clock.Elapsed;
            var waits = new Histogram();
            foreach (var handshake in handshakes)
            {
                waits.Add(handshake);
            }

            var after = Machine.MebibytesOf(host.Id, "VmRSS");
            Verdict.Note($"handshakes  {clusters / connected.TotalSeconds:0}/s with 16 at once, p99 {waits.Milliseconds(0.99):0.0} ms, {(Cpu.Seconds(host.Id) - cpu) / clusters * 1e6:0} µs of the host each; TLS 1.3, P-256, full, no resumption");
            Verdict.Note($"sockets     {Directory.GetFiles($"/proc/{host.Id}/fd").Length} open files of the host; memory {before:0} -> {after:0} MiB, {(after - before) * 1024 / clusters:0.0} KiB for each connection");
            var answers = new Histogram();
            var wrong = 0;
            var sending = new List<Task>();
            var turn = Stopwatch.StartNew();
            for (var i = 0; turn.Elapsed < length; i++)
            {
                var due = TimeSpan.FromSeconds(i * 60.0 / clusters);
                while (turn.Elapsed < due)
                {
                    await Task.Delay(1);
                }

                sending.Add(SendAsync(connections[i % clusters], requests[i % clusters], answers, () => wrong++));
            }

            await Task.WhenAll(sending);
            Verdict.Note($"check-ins   {answers.Count / turn.Elapsed.TotalSeconds:0}/s, p50 {answers.Milliseconds(0.5):0.0} ms; host {Machine.MebibytesOf(host.Id, "VmRSS"):0} MiB, {Machine.MebibytesOf(host.Id, "VmHWM"):0} at most");
            verdict.Holds($"every answer was 2xx ({wrong} were not)", wrong == 0);
            verdict.AtMost("p99", answers.Milliseconds(0.99), 50, " ms");
            foreach (var connection in connections)
            {
                await connection.DisposeAsync();
            }
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }

        return verdict.Passed;
    }

    private static async Task<SslStream> ConnectAsync(HostProcess host, X509Certificate2 ca, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(host.CallHomeEndPoint, cancellationToken);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", AllowTlsResume = false, CertificateChainPolicy = HostProcess.Trusting(ca) }, cancellationToken);
        return stream;
    }

    private static async Task SendAsync(SslStream stream, CheckInRequests requests, Histogram answers, Action wrong)
    {
        var buffer = new byte[4096];
        var start = Stopwatch.GetTimestamp();
        var length = requests.Write(buffer);
        await stream.WriteAsync(buffer.AsMemory(0, length));
        var read = await stream.ReadAtLeastAsync(buffer, 13, throwOnEndOfStream: false);
        lock (answers)
        {
            answers.Add(Stopwatch.GetElapsedTime(start));
            if (read < 13 || !buffer.AsSpan(9, 3).SequenceEqual("200"u8))
            {
                wrong();
            }
        }
    }
}
