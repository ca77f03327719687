using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MissionControl.Benchmarks.Measuring;
using MissionControl.ClusterAgent;
using MissionControl.ClusterAgent.Licenses;
using MissionControl.Protocol.Documents;
using MissionControl.Protocol.Licenses;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Benchmarks;

/// <summary>How often a product may ask the agent for its licence: over the loopback listener, and without it.</summary>
internal static class LeaseBenchmark
{
    private const int Connections = 8;
    private static readonly string Question = """{"used":{"sessions":"120","host_unit_seconds":"3600"},"entitlements":["sso"]}""";

    public static async Task<bool> RunAsync(TimeSpan length, int rounds)
    {
        var verdict = Verdict.Begin(
            "lease", $"one check of a licence with ten limits: POST /license/check with a question, keep-alive, {Connections} connections, client and agent in this process; checks per second of processor time of both together",
            "none: a check is a look into memory; floor: the check itself, without HTTP");
        var data = Directory.CreateTempSubdirectory("mc-lease-").FullName;
        using var root = EcdsaSigner.Create();
        using var key = EcdsaSigner.Create();
        using var identity = new FileIdentity(data);
        var keeper = Keeper(data, identity, root, key);
        using var endpoint = new LicenseEndpoint(FreePort(out var port), keeper.Check);
        var figures = new List<double>();
        await AskAsync(port, TimeSpan.FromSeconds(2));
        for (var i = 0; i < rounds; i++)
        {
            var floor = Floor(keeper);
            var (checks, wall, processor) = await AskAsync(port, length);
            figures.Add(checks / processor.TotalSeconds);
            Verdict.Note(string.Create(CultureInfo.InvariantCulture, $"round {i + 1}: {checks / wall.TotalSeconds:0} checks/s on {processor / wall:0.00} cores, {figures[^1]:0} per second of processor time; floor {floor:0} checks/s, ratio {figures[^1] / floor:0.0000}"));
        }

        verdict.AtLeast("checks per second on one core, client included", figures.Order().ElementAt(figures.Count / 2), 5_000, "/s");
        Directory.Delete(data, recursive: true);
        return verdict.Passed;
    }

    private static double Floor(LicenseKeeper keeper)
    {
        const int Count = 200_000;
        var question = new LicenseQuestion(new Dictionary<string, string> { ["sessions"] = "120", ["host_unit_seconds"] = "3600" }, ["sso"]);
        var since = Stopwatch.GetTimestamp();
        for (var i = 0; i < Count; i++)
        {
            _ = keeper.Check(question);
        }

        return Count / Stopwatch.GetElapsedTime(since).TotalSeconds;
    }

    private static async Task<(long Checks, TimeSpan Wall, TimeSpan Processor)> AskAsync(int port, TimeSpan length)
    {
        var request = Encoding.ASCII.GetBytes($"POST /license/check HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {Question.Length}\r\n\r\n{Question}");
        var (since, spent, checks) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime, 0L);
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(async () =>
        {
            var buffer = new byte[16 * 1024];
            while (Stopwatch.GetElapsedTime(since) < length)
            {
                // The listener ends a connection after a hundred requests.
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, port);
                for (var open = true; open && Stopwatch.GetElapsedTime(since) < length;)
                {
                    await socket.SendAsync(request);
                    open = await ReadAsync(socket, buffer);
                    Interlocked.Increment(ref checks);
                }
            }
        })));
        return (checks, Stopwatch.GetElapsedTime(since), Environment.CpuUsage.TotalTime - spent);
    }

    // One answer, whole: head, then as many bytes as it says; and whether another can be asked for.
    private static async Task<bool> ReadAsync(Socket socket, byte[] buffer)
    {
        var (read, end, open) = (0, -1, true);
        while (end < 0 || read < end)
        {
            var got = await socket.ReceiveAsync(buffer.AsMemory(read));
            if (got == 0)
            {
                throw new InvalidOperationException("The agent closed the connection.");
            }

            read += got;
            if (end < 0 && buffer.AsSpan(0, read).IndexOf("\r\n\r\n"u8) is var head and >= 0)
            {
                var text = Encoding.ASCII.GetString(buffer, 0, head);
                var at = text.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase) + 16;
                var stop = text.IndexOf('\r', at);
                end = head + 4 + int.Parse(text.AsSpan(at, (stop < 0 ? text.Length : stop) - at), CultureInfo.InvariantCulture);
                open = !text.Contains("Connection: close", StringComparison.OrdinalIgnoreCase);
                if (!text.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
                {
                    throw new InvalidOperationException(text);
                }
            }
        }

        return open;
    }

    private static LicenseKeeper Keeper(string data, FileIdentity identity, EcdsaSigner root, EcdsaSigner key)
    {
        var (cluster, now) = (Guid.CreateVersion7(), TimeProvider.System.GetUtcNow());
        var anchors = new AnchorDocument(1, 1, now, [Anchor(root, "root"), Anchor(key, "lease")]);
        identity.Enrollment = new Enrollment(new Uri("https://localhost"), cluster, 1, "sha256:", false, 60, 0, Dsse.Sign(AnchorDocument.PayloadType, anchors.ToBytes(), root));
        string[] meters = ["sessions", "host_unit_seconds", "gib_hours", "data_points", "log_bytes", "m5", "m6", "m7", "m8", "m9"];
        var lease = new LicenseLease(
            1, Guid.CreateVersion7().ToString("D"), 1, [new LeaseCluster(cluster.ToString("D"), [KeyIds.Of(identity.Key.ExportSubjectPublicKeyInfo())])], "production", "active",
            Text(-1), Text(365), Text(395), Text(0), Text(35), 3600, 43200, 14, "block", ["sso"], [.. meters.Select(meter => new LeaseLimit(meter, 1, "100000.5", "month", "up-to", "17.25", 5, 4, Text(0)))]);
        var keeper = new LicenseKeeper(data, identity, TimeProvider.System);
        keeper.Take(Dsse.Sign(LicenseLease.PayloadType, lease.ToBytes(), key));
        return keeper;

        AnchorKey Anchor(EcdsaSigner signer, string use) => new(signer.KeyId, "ES256", signer.PublicKeySpki, [use], now.AddDays(-1), now.AddDays(1000));

        string Text(int days) => UsageWindow.Text(now.AddDays(days));
    }

    private static int FreePort(out int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return port = ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
