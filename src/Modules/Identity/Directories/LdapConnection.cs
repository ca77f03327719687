using System.Formats.Asn1;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using MissionControl.Identity.Federation;
using MissionControl.Platform.Http;

namespace MissionControl.Identity.Directories;

/// <summary>What a directory answered.</summary>
/// <param name="Code">resultCode (RFC 4511, appendix A); 0 is success.</param>
/// <param name="Message">What the server says besides, short and in one line.</param>
internal sealed record LdapResult(int Code, string Message);

/// <summary>An entry that a search found.</summary>
/// <param name="Dn">Its name, as the server writes it.</param>
/// <param name="Attributes">Values by attribute, whatever case its name has.</param>
internal sealed record LdapEntry(string Dn, IReadOnlyDictionary<string, IReadOnlyList<byte[]>> Attributes);

/// <summary>
/// One connection to a directory by LDAP version 3 (RFC 4511): simple bind, search, StartTLS, and nothing else. Always inside of TLS.
/// References and referrals are never followed. Each wait ends with the caller's token; each message, and all of an answer, are bounded.
/// </summary>
internal sealed class LdapConnection : IAsyncDisposable
{
    private const int Version = 3;
    private const int LongestMessage = 1024 * 1024;
    private const int LongestAnswer = 8 * 1024 * 1024;
    private const string StartTls = "1.3.6.1.4.1.1466.20037";

    public const int SizeLimitExceeded = 4;

    private static readonly Asn1Tag Simple = new(TagClass.ContextSpecific, 0);

    private Stream stream;
    private int lastId;

    private LdapConnection(Stream stream) => this.stream = stream;

    /// <summary>Connects, and has the server prove who it is before anything is said.</summary>
    /// <exception cref="ProviderException">Nobody answers, or the answer cannot be trusted.</exception>
    public static async Task<LdapConnection> OpenAsync(Uri server, OutboundGuard trust, CancellationToken cancellationToken)
    {
        var port = server.Port > 0 ? server.Port : server.Scheme == "ldaps" ? 636 : 389;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        LdapConnection? connection = null;
        try
        {
            await socket.ConnectAsync(server.IdnHost.Trim('[', ']'), port, cancellationToken);
            connection = new LdapConnection(new NetworkStream(socket, ownsSocket: true));
            if (server.Scheme != "ldaps")
            {
                await connection.StartTlsAsync(cancellationToken);
            }

            var secure = new SslStream(connection.stream, leaveInnerStreamOpen: false, (_, certificate, chain, errors) => trust.Trusts(certificate, chain, errors));
            connection.stream = secure;
            await secure.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = server.IdnHost.Trim('[', ']') }, cancellationToken);
            return connection;
        }
        catch (Exception exception)
        {
            socket.Dispose();
            if (connection is not null)
            {
                await connection.stream.DisposeAsync();
            }

            throw exception switch
            {
                SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } => new ProviderException("not-reachable", $"The name {server.Host} is not known."),
                SocketException => new ProviderException("not-reachable", $"Nobody answers at {server.Host}, port {port}."),
                AuthenticationException => new ProviderException("certificate", $"The certificate of {server.Host} is not trusted or is another host's, or no TLS came about. Name its authority in CaFile, and the server as the certificate does."),
                IOException => new ProviderException("not-tls", $"{server.Host}, port {port}, broke off before TLS stood."),
                _ => exception,
            };
        }
    }

    /// <summary>Binds by name and password (RFC 4513, 5.1.3).</summary>
    public async Task<LdapResult> BindAsync(string dn, string password, CancellationToken cancellationToken)
    {
        // With an empty one servers answer success to anybody (RFC 4513, 5.1.2: unauthenticated bind).
        ArgumentException.ThrowIfNullOrEmpty(password);
        ArgumentException.ThrowIfNullOrEmpty(dn);
        var id = await SendAsync(0, writer =>
        {
            writer.WriteInteger(Version);
            writer.WriteOctetString(Encoding.UTF8.GetBytes(dn));
            writer.WriteOctetString(Encoding.UTF8.GetBytes(password), Simple);
        }, cancellationToken);
        var (_, answer, _) = await ReceiveAsync(id, [1], cancellationToken);
        return Read(() => ResultOf(answer));
    }

    /// <summary>Searches; aliases are not followed, and no more is taken than was asked for, whatever the server sends.</summary>
    /// <returns>The result, 4 also when the server sent too many, and the entries.</returns>
    public async Task<(LdapResult Result, IReadOnlyList<LdapEntry> Entries)> SearchAsync(string baseDn, bool isSubtree, LdapFilter filter, IReadOnlyList<string> attributes, int most, CancellationToken cancellationToken)
    {
        var id = await SendAsync(3, writer =>
        {
            writer.WriteOctetString(Encoding.UTF8.GetBytes(baseDn));
            writer.WriteEnumeratedValue(isSubtree ? Scope.Subtree : Scope.Base);
            writer.WriteEnumeratedValue(Dereference.Never);
            writer.WriteInteger(most);
            writer.WriteInteger(0);
            writer.WriteBoolean(false);
            filter.Write(writer);
            using (writer.PushSequence())
            {
                foreach (var attribute in attributes)
                {
                    writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
                }
            }
        }, cancellationToken);
        List<LdapEntry> entries = [];
        var length = 0;
        while (true)
        {
            var (tag, answer, size) = await ReceiveAsync(id, [4, 5, 19], cancellationToken);
            length += size;
            if (tag == 5)
            {
                return (Read(() => ResultOf(answer)), entries);
            }

            if ((tag == 4 && entries.Count == most) || length > LongestAnswer)
            {
                return (new LdapResult(SizeLimitExceeded, "more than was asked for"), entries);
            }

            // 19 says that there is more on another server, which is nobody's whom the configuration named.
            if (tag == 4)
            {
                entries.Add(Read(() => EntryOf(answer)));
            }
        }
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();

    private async Task StartTlsAsync(CancellationToken cancellationToken)
    {
        var id = await SendAsync(23, writer => writer.WriteOctetString(Encoding.ASCII.GetBytes(StartTls), new Asn1Tag(TagClass.ContextSpecific, 0)), cancellationToken);
        var (_, answer, _) = await ReceiveAsync(id, [24], cancellationToken);
        var result = Read(() => ResultOf(answer));

        // Whoever stands between strips it so; in the clear nothing is said, least of all a password. What was sent along
        // with the answer is still unread, and no TLS.
        if (result.Code != 0)
        {
            throw new ProviderException("no-start-tls", $"The server refuses StartTLS ({result.Code}). Use ldaps, or set up TLS there.");
        }
    }

    private async Task<int> SendAsync(int operation, Action<AsnWriter> body, CancellationToken cancellationToken)
    {
        var id = ++lastId;
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(new Asn1Tag(TagClass.Application, operation, isConstructed: true)))
            {
                body(writer);
            }
        }

        var message = writer.Encode();
        try
        {
            await stream.WriteAsync(message, cancellationToken);
            await stream.FlushAsync(cancellationToken);
        }
        catch (IOException)
        {
            throw Broken();
        }
        finally
        {
            // A password may stand in it.
            Array.Clear(message);
        }

        return id;
    }

    /// <summary>The next message, which must be of the request and of one of these operations.</summary>
    private async Task<(int Operation, ReadOnlyMemory<byte> Body, int Length)> ReceiveAsync(int id, int[] operations, CancellationToken cancellationToken)
    {
        byte[] message;
        try
        {
            message = await ReadMessageAsync(cancellationToken);
        }
        catch (IOException)
        {
            throw Broken();
        }

        var (found, operation, body) = Read(() =>
        {
            var reader = new AsnReader(message, AsnEncodingRules.BER).ReadSequence();
            return reader.TryReadInt32(out var number) ? (number, reader.PeekTag(), reader.PeekContentBytes()) : throw new AsnContentException();
        });

        // 0 is the server's own: it is about to close (RFC 4511, 4.4.1).
        return found == 0 ? throw Broken()
            : found == id && operation.TagClass == TagClass.Application && operations.Contains(operation.TagValue) ? (operation.TagValue, body, message.Length)
            : throw NotLdap();
    }

    // Exactly one message and no octet more: what follows StartTLS' answer in the clear stays unread, and breaks the handshake.
    private async Task<byte[]> ReadMessageAsync(CancellationToken cancellationToken)
    {
        var head = new byte[6];
        await stream.ReadExactlyAsync(head.AsMemory(0, 2), cancellationToken);
        if (head[0] != 0x30)
        {
            throw NotLdap();
        }

        var (length, begin) = ((int)head[1], 2);
        if (head[1] >= 0x80)
        {
            // Definite lengths only (RFC 4511, 5.1).
            var octets = head[1] & 0x7f;
            if (octets is 0 or > 4)
            {
                throw NotLdap();
            }

            await stream.ReadExactlyAsync(head.AsMemory(2, octets), cancellationToken);
            var long64 = 0L;
            for (var i = 0; i < octets; i++)
            {
                long64 = (long64 << 8) | head[2 + i];
            }

            (length, begin) = (long64 <= LongestMessage ? (int)long64 : throw NotLdap(), 2 + octets);
        }

        var message = new byte[begin + length];
        head.AsSpan(0, begin).CopyTo(message);
        await stream.ReadExactlyAsync(message.AsMemory(begin), cancellationToken);
        return message;
    }

    // LDAPResult: code, matchedDN, diagnosticMessage; what follows is of no use here.
    private static LdapResult ResultOf(ReadOnlyMemory<byte> body)
    {
        // The content of a sequence, without its head.
        var reader = new AsnReader(body, AsnEncodingRules.BER);
        var code = reader.ReadEnumeratedBytes();
        reader.ReadOctetString();
        var message = Encoding.UTF8.GetString(reader.ReadOctetString());
        return code.Length > 3 ? throw new AsnContentException() : new LdapResult(code.ToArray().Aggregate(0, (sum, octet) => (sum << 8) | octet), new string([.. message.Where(letter => letter is >= ' ' and < '\u007f').Take(200)]));
    }

    private static LdapEntry EntryOf(ReadOnlyMemory<byte> body)
    {
        var reader = new AsnReader(body, AsnEncodingRules.BER);
        var dn = Utf8(reader.ReadOctetString());
        var attributes = new Dictionary<string, IReadOnlyList<byte[]>>(StringComparer.OrdinalIgnoreCase);
        var list = reader.ReadSequence();
        while (list.HasData)
        {
            var attribute = list.ReadSequence();
            var name = Utf8(attribute.ReadOctetString());
            var set = attribute.ReadSetOf(skipSortOrderValidation: true);
            List<byte[]> values = [];
            while (set.HasData)
            {
                values.Add(set.ReadOctetString());
            }

            attributes[name] = values;
        }

        return new LdapEntry(dn, attributes);
    }

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private static string Utf8(byte[] octets) => Strict.GetString(octets);

    private static T Read<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is AsnContentException or ArgumentException or OverflowException)
        {
            throw NotLdap();
        }
    }

    private static ProviderException Broken() => new("not-reachable", "The directory broke the connection off.");

    private static ProviderException NotLdap() => new("not-ldap", string.Create(CultureInfo.InvariantCulture, $"What answers there does not speak LDAP version {Version}."));

    private enum Scope
    {
        Base = 0,
        Subtree = 2,
    }

    private enum Dereference
    {
        Never = 0,
    }
}
