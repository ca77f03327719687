using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace MissionControl.Testing;

/// <summary>Ports for servers that must keep them over a restart.</summary>
public static class Ports
{
    // Below the range from which the system gives ports to outgoing connections (32768 and up): none of those can take one in between.
    private const int First = 12_000;
    private const int Beyond = 32_000;

    // Two processes of tests at once, MC_TEST_LANE 0 and 1, never take the same: the even ones are for one, the odd ones for the other.
    private static readonly int? Lane = Environment.GetEnvironmentVariable("MC_TEST_LANE") is { Length: > 0 } lane ? int.Parse(lane, CultureInfo.InvariantCulture) : null;

    // Whoever was given one may listen much later: of sixty taken blindly two are the same once in eleven times.
    private static readonly ConcurrentDictionary<int, bool> Given = new();

    /// <summary>A port on which nobody listens on loopback, and that nobody else in this process was given.</summary>
    public static int Free()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(First, Beyond);
            if (Lane is { } lane && port % 2 != lane)
            {
                continue;
            }

            try
            {
                using var v4 = new TcpListener(IPAddress.Loopback, port);
                v4.Start();
                using var v6 = Socket.OSSupportsIPv6 ? new TcpListener(IPAddress.IPv6Loopback, port) : null;
                v6?.Start();
                if (Given.TryAdd(port, true))
                {
                    return port;
                }
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Taken: another one.
            }
        }
    }
}
