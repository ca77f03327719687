using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace MissionControl.Security.Tests.Web;

/// <summary>A connection on which a test writes what no HTTP library would.</summary>
internal sealed class RawHttp : IAsyncDisposable
{
    private readonly TcpClient tcp = new();
    private Stream stream = Stream.Null;

    public static async Task<RawHttp> ConnectAsync(Uri address, string caFile)
    {
        var raw = new RawHttp();
        await raw.tcp.ConnectAsync("127.0.0.1", address.Port);
        raw.stream = raw.tcp.GetStream();
        if (address.Scheme == "https")
        {
            var tls = new SslStream(raw.stream);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(caFile)) }, RevocationMode = X509RevocationMode.NoCheck },
            });
            raw.stream = tls;
        }

        return raw;
    }

    public async Task WriteAsync(string text)
    {
        await stream.WriteAsync(Encoding.Latin1.GetBytes(text));
        await stream.FlushAsync();
    }

    /// <summary>All that comes until the server closes the connection, or nothing came for a while after an answer.</summary>
    public async Task<string> ReadToEndAsync(TimeSpan deadline)
    {
        using var stop = new CancellationTokenSource(deadline);
        var text = new StringBuilder();
        var buffer = new byte[8192];
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer, stop.Token)) > 0)
            {
                text.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }

            return text.ToString();
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            return text.ToString();
        }
    }

    /// <summary>Sends one request that asks to close, and returns status and whole answer.</summary>
    public static async Task<(int Status, string Text)> AskAsync(Uri address, string caFile, string request)
    {
        await using var raw = await ConnectAsync(address, caFile);
        await raw.WriteAsync(request);
        var text = await raw.ReadToEndAsync(TimeSpan.FromSeconds(20));
        return (text.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? int.Parse(text.AsSpan(9, 3)) : 0, text);
    }

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        tcp.Dispose();
    }
}
