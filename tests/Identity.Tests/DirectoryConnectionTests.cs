using System.Collections.Concurrent;
using System.Diagnostics;
using System.Formats.Asn1;
using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Directories;
using MissionControl.Identity.Federation;
using MissionControl.Platform.Http;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>Directories that are silent, down, somebody else's, or lie.</summary>
public sealed class DirectoryConnectionTests : IDisposable
{
    private readonly TestAuthority authority = new();
    private readonly TestAuthority other = new();

    public void Dispose()
    {
        authority.Dispose();
        other.Dispose();
    }

    [Theory]
    [InlineData("ldaps")]
    [InlineData("ldap")]
    public async Task One_that_is_silent_holds_nobody_but_its_own_and_those_not_for_long(string scheme)
    {
        await using var silent = new LoopbackListener();
        await using var directory = await DirectoryHost.StartAsync(null,
            new Dictionary<string, string> { ["Id"] = "silent", ["Server"] = $"{scheme}://localhost:{silent.Port}", ["Timeout"] = "00:00:02" },
            new Dictionary<string, string> { ["Id"] = "down", ["Server"] = $"{scheme}://localhost:{Ports.Free()}" });
        await directory.Peer.AddGroupAsync("viewers", await directory.Peer.AddPersonAsync("grace"));
        var watch = Stopwatch.StartNew();
        var held = Enumerable.Range(0, 40).Select(_ => directory.TryAsync("grace", directory: "silent")).ToArray();
        await Eventually.TrueAsync(() => silent.Connections > 0, "it was asked");
        using var grace = await directory.TryAsync("grace");
        Assert.Equal(HttpStatusCode.OK, grace.StatusCode);
        Assert.Contains(held, one => !one.IsCompleted);
        foreach (var one in await Task.WhenAll(held))
        {
            Assert.Equal((HttpStatusCode.Conflict, DirectorySignIn.Silent), (one.StatusCode, await one.DetailAsync()));
            one.Dispose();
        }

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"they were held for {watch.Elapsed}");

        // Who exists and who does not is told the same by one that is down.
        foreach (var name in new[] { "grace", "nobody" })
        {
            using var down = await directory.TryAsync(name, directory: "down");
            Assert.Equal((HttpStatusCode.Conflict, DirectorySignIn.Silent), (down.StatusCode, await down.DetailAsync()));
        }
    }

    [Fact]
    public async Task A_certificate_of_another_authority_or_another_name_is_refused_and_the_test_says_so()
    {
        await using var directory = await DirectoryHost.StartAsync(null,
            new Dictionary<string, string> { ["Id"] = "stranger", ["CaFile"] = other.CaFile }, new Dictionary<string, string> { ["Id"] = "misnamed", ["Server"] = "{misnamed}" },
            new Dictionary<string, string> { ["Id"] = "system", ["CaFile"] = "" }, new Dictionary<string, string> { ["Id"] = "start-stranger", ["CaFile"] = other.CaFile, ["Server"] = "{peer}" });
        foreach (var id in new[] { "stranger", "misnamed", "system", "start-stranger" })
        {
            using var answer = await directory.Host.Admin.PostAsJsonAsync($"/api/v1/identity/staff-providers/{id}/test", new TestStaffProviderRequest());
            var test = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ProviderTest>())!;
            Assert.Equal((id, false, "certificate"), (id, test.Succeeded, Assert.Single(test.Checks).Code));
            using var tried = await directory.TryAsync("grace", directory: id);
            Assert.Equal(DirectorySignIn.Silent, await tried.DetailAsync());
        }
    }

    [Theory]
    [InlineData("refused")]
    [InlineData("followed by more in the clear")]
    [InlineData("answered by something else")]
    public async Task Whoever_strips_TLS_hears_no_password(string how)
    {
        var heard = new ConcurrentQueue<byte>();
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var between = new LoopbackListener(async stream =>
        {
            var buffer = new byte[4096];
            var read = await stream.ReadAsync(buffer);
            buffer.Take(read).ToList().ForEach(heard.Enqueue);
            await stream.WriteAsync(how switch
            {
                "refused" => Answer(1, 24, 2),
                "followed by more in the clear" => [.. Answer(1, 24, 0), .. Answer(2, 1, 0), .. Answer(3, 5, 0)],
                _ => Answer(1, 1, 0),
            });
            try
            {
                while ((read = await stream.ReadAsync(buffer)) > 0)
                {
                    buffer.Take(read).ToList().ForEach(heard.Enqueue);
                }
            }
            finally
            {
                gone.TrySetResult();
            }
        });
        var server = new Uri($"ldap://localhost:{between.Port}");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await Assert.ThrowsAsync<ProviderException>(async () =>
        {
            await using var connection = await LdapConnection.OpenAsync(server, Trust, deadline.Token);
            await connection.BindAsync(DirectoryServer.Reader, DirectoryServer.ReaderPassword, deadline.Token);
        });

        // StartTLS, and at most the greeting of a TLS client, which has hung up since.
        await gone.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        var all = Encoding.Latin1.GetString([.. heard]);
        Assert.Contains("1.3.6.1.4.1.1466.20037", all, StringComparison.Ordinal);
        Assert.DoesNotContain("reader", all, StringComparison.Ordinal);
    }

    public static TheoryData<string> Lies => new(
        "garbage", "nothing", "endless length", "too long", "indefinite length", "another id", "another operation", "a notice of disconnection", "half a message", "a code of many octets", "not UTF-8", "endless entries");

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task What_is_not_LDAP_is_refused_in_bounded_memory(string lie)
    {
        await using var server = new LoopbackListener(async stream =>
        {
            await using var secure = new SslStream(stream);
            await secure.AuthenticateAsServerAsync(authority.Certificate);
            var buffer = new byte[4096];
            await secure.ReadAtLeastAsync(buffer, 2);
            if (lie == "endless entries")
            {
                while (true)
                {
                    await secure.WriteAsync(Entry(1));
                }
            }

            await secure.WriteAsync(lie switch
            {
                "garbage" => "HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(),
                "nothing" => [],
                "endless length" => [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff],
                "too long" => [0x30, 0x83, 0x20, 0x00, 0x00],
                "indefinite length" => [0x30, 0x80, 0x02, 0x01, 0x01],
                "another id" => Answer(7, 5, 0),
                "another operation" => Answer(1, 15, 0),
                "a notice of disconnection" => Answer(0, 24, 52),
                "half a message" => Answer(1, 5, 0)[..^4],
                "a code of many octets" => [0x30, 0x15, 0x02, 0x01, 0x01, 0x65, 0x10, 0x0a, 0x0a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0x04, 0x00, 0x04, 0x00],
                _ => [0x30, 0x0a, 0x02, 0x01, 0x01, 0x64, 0x05, 0x04, 0x01, 0xff, 0x30, 0x00],
            });
            secure.Close();
        });
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await using var connection = await LdapConnection.OpenAsync(new Uri($"ldaps://localhost:{server.Port}"), Trust, deadline.Token);
        var search = connection.SearchAsync("dc=x", isSubtree: true, LdapFilter.Parse("(cn=*)"), ["cn"], 2, deadline.Token);
        if (lie == "endless entries")
        {
            var (result, entries) = await search;
            Assert.Equal((LdapConnection.SizeLimitExceeded, 2), (result.Code, entries.Count));
        }
        else
        {
            Assert.Contains((await Assert.ThrowsAsync<ProviderException>(() => search)).Code, new[] { "not-ldap", "not-reachable" });
        }
    }

    [Fact]
    public async Task A_configuration_that_is_not_good_is_told_whole_at_the_start()
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => DirectoryHost.StartAsync(null,
            new Dictionary<string, string> { ["Id"] = "Corp", ["Server"] = "http://ldap", ["UserFilter"] = "(uid=ada)", ["GroupFilter"] = "(member={0}", ["Roles:x"] = "customer-viewer", ["Timeout"] = "00:10:00", ["SearchBase"] = "", ["NameAttribute"] = "c n" },
            new Dictionary<string, string> { ["Id"] = "corp", [$"Roles:CN=Viewers,{DirectoryServer.Groups}"] = "viewer", ["BindPasswordFile"] = "" }));
        foreach (var wrong in new[] { "an Id is small letters", "write the Server", "the UserFilter is not good. It needs {0}", "the GroupFilter is not good. A bracket", "'customer-viewer', which is no role of staff", "Timeout 1 to 30", "needs a SearchBase", "name one attribute", "no other directory or provider has", "name the same group", "BindDn and BindPasswordFile come together" })
        {
            Assert.Contains(wrong, failure.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_password_stands_nowhere()
    {
        var lines = new Lines();
        await using var directory = await DirectoryHost.StartAsync(null, services => services.AddSingleton<ILoggerProvider>(lines).AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace)));
        await directory.Peer.AddGroupAsync("viewers", await directory.Peer.AddPersonAsync("grace"));
        await directory.SignInAsync("grace");
        using var wrong = await directory.TryAsync("grace", "a wrong one, that stands nowhere");
        using var unknown = await directory.TryAsync("in the name field, that stands nowhere", "x");
        await directory.Host.RefusalsAsync(2);
        var secrets = new[] { "of the directory: ü", "that stands nowhere", DirectoryServer.ReaderPassword };
        Assert.Contains(lines.All, line => line.Contains("directory-sign-in", StringComparison.Ordinal));
        Assert.DoesNotContain(lines.All, line => secrets.Any(secret => line.Contains(secret, StringComparison.Ordinal)));
        foreach (var file in Directory.GetFiles(directory.Host.Data, "*", SearchOption.AllDirectories))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var copy = new MemoryStream();
            await stream.CopyToAsync(copy, TestContext.Current.CancellationToken);
            Assert.All(secrets, secret => Assert.True(copy.GetBuffer().AsSpan(0, (int)copy.Length).IndexOf(Encoding.UTF8.GetBytes(secret)) < 0, file));
        }
    }

    private OutboundGuard Trust => new([], authority.CaFile, "");

    private static byte[] Answer(int id, int operation, int code)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(new Asn1Tag(TagClass.Application, operation, isConstructed: true)))
            {
                writer.WriteEncodedValue([0x0a, 0x01, (byte)code]);
                writer.WriteOctetString([]);
                writer.WriteOctetString([]);
            }
        }

        return writer.Encode();
    }

    private static byte[] Entry(int id)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(new Asn1Tag(TagClass.Application, 4, isConstructed: true)))
            {
                writer.WriteOctetString("cn=x"u8);
                using (writer.PushSequence())
                {
                }
            }
        }

        return writer.Encode();
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentBag<string> All { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => All.Add($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
