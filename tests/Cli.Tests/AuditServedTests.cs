using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using MissionControl.Cli.Audit;
using MissionControl.Testing;

namespace MissionControl.Cli.Tests;

/// <summary>Logs that somebody serves: as the standard says, or as somebody who would rather not be verified.</summary>
public sealed class AuditServedTests : IDisposable
{
    private readonly Workspace space = new();
    private readonly TestLog log = TestLog.Of(600);

    public AuditServedTests()
    {
        log.Write(space.PathOf("log"));
        space.Write("audit.policy", log.Policy());
    }

    public void Dispose()
    {
        log.Dispose();
        space.Dispose();
    }

    [Fact]
    public async Task A_log_is_read_below_any_address_and_compressed_bundles_are_too()
    {
        using var authority = new TestAuthority();
        await using var server = await HostileServer.StartAsync(ServeCompressedAsync, authority);

        var (code, said, error) = await VerifyAsync($"{server.Address}/logs/acme/", "--ca-file", authority.CaFile);
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("Good: ", said, StringComparison.Ordinal);
        Assert.Equal(["GET /logs/acme/checkpoint", "GET /logs/acme/tile/entries/000"], server.Asked.Order().Where(asked => asked.EndsWith("checkpoint", StringComparison.Ordinal) || asked.EndsWith("entries/000", StringComparison.Ordinal)));
        Assert.Equal(8, server.Asked.Count);

        // Nobody is asked who cannot be trusted.
        var (stopped, why, _) = await VerifyAsync($"{server.Address}/logs/acme");
        Assert.Equal(3, stopped);
        Assert.StartsWith("Incomplete: The server cannot be trusted: ", why, StringComparison.Ordinal);
        Assert.Contains(" name its certificate: --ca-file FILE.\n", why, StringComparison.Ordinal);
        Assert.Equal(8, server.Asked.Count);
    }

    [Fact]
    public async Task What_cannot_be_had_from_a_server_proves_nothing()
    {
        foreach (var (file, status, sentence) in new[]
        {
            ("checkpoint", 404, "checkpoint is not there."), ("checkpoint", 503, "checkpoint is answered with 503."), ("tile/entries/001", 403, "tile/entries/001 is not there."), ("tile/0/000", 410, "tile/0/000 is not there."),
            ("tile/1/000.p/2", 500, "tile/1/000.p/2 is answered with 500."), ("tile/0/001", 302, "tile/0/001 is answered with 302, which leads elsewhere; that is not followed."), ("tile/entries/000", 0, "tile/entries/000 cannot be fetched: "),
        })
        {
            await using var server = await HostileServer.StartAsync(context =>
            {
                if (context.Request.Path != $"/{file}")
                {
                    return ServeAsync(context);
                }

                if (status == 0)
                {
                    context.Abort();
                }

                context.Response.StatusCode = status;
                context.Response.Headers.Location = "/elsewhere";
                return Task.CompletedTask;
            });

            var (code, said, _) = await VerifyAsync(server.Address);
            Assert.Equal(3, code);
            Assert.StartsWith($"Incomplete: {sentence}", said, StringComparison.Ordinal);
            Assert.DoesNotContain("GET /elsewhere", server.Asked);
        }

        var (nowhere, nothing, _) = await VerifyAsync($"http://127.0.0.1:{Ports.Free()}");
        Assert.Equal(3, nowhere);
        Assert.StartsWith("Incomplete: checkpoint cannot be fetched: ", nothing, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_says_when_it_has_time_again_is_waited_for_and_one_that_wants_too_long_is_not()
    {
        foreach (var (seconds, expected) in new[] { ("1", 0), ("3600", 3), ("soon", 3) })
        {
            var refused = 0;
            await using var server = await HostileServer.StartAsync(context =>
            {
                if (context.Request.Path != "/tile/0/001" || Interlocked.Increment(ref refused) > 1)
                {
                    return ServeAsync(context);
                }

                context.Response.StatusCode = 429;
                context.Response.Headers.RetryAfter = seconds;
                return Task.CompletedTask;
            });

            var (code, said, error) = await VerifyAsync(server.Address);
            Assert.True(code == expected, said + error);
        }
    }

    [Fact]
    public async Task What_is_served_without_end_or_is_none_is_read_no_further_than_it_may_be_long()
    {
        foreach (var (file, zipped, code) in new[] { ("checkpoint", false, 3), ("checkpoint", true, 3), ("tile/entries/000", false, 2), ("tile/entries/001", true, 2), ("tile/0/000", true, 2), ("tile/1/000.p/2", false, 2) })
        {
            await using var server = await HostileServer.StartAsync(context => context.Request.Path == $"/{file}" ? PourAsync(context, zipped) : ServeAsync(context));

            var (ended, said, error) = await VerifyAsync(server.Address, "--evidence", "found.json");
            Assert.True(ended == code, $"{file}: {ended} {said}{error}");
        }

        await using var garbage = await HostileServer.StartAsync(context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            return context.Response.WriteAsync("no gzip");
        });
        var (unread, what, _) = await VerifyAsync(garbage.Address);
        Assert.Equal(3, unread);
        Assert.StartsWith("Incomplete: checkpoint cannot be fetched: ", what, StringComparison.Ordinal);

        await using var foreign = await HostileServer.StartAsync(context =>
        {
            context.Response.Headers.ContentEncoding = "br";
            return ServeAsync(context);
        });
        Assert.StartsWith("Incomplete: checkpoint comes in an encoding that was not asked for.\n", (await VerifyAsync(foreign.Address)).Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_does_not_go_on_is_not_waited_for()
    {
        await using var server = await HostileServer.StartAsync(async context =>
        {
            await context.Response.WriteAsync("log.example/acme\n");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
        });

        using var slow = new HttpLog(new Uri($"{server.Address}/"), null, null, TimeSpan.FromMilliseconds(200));
        Assert.StartsWith("checkpoint did not come within ", (await Assert.ThrowsAsync<SourceFailure>(() => slow.CheckpointAsync(CancellationToken.None))).Message, StringComparison.Ordinal);

        // And whoever has had enough can end it.
        var asked = server.Asked.Count;
        using var process = space.Start(Path.Combine(Workspace.Programs, "mc"), "audit", "verify", server.Address, "--policy", "audit.policy");
        await Eventually.TrueAsync(() => Task.FromResult(server.Asked.Count > asked), "mc has asked");
        await space.RunAsync("kill", "-INT", $"{process.Id}");
        var (code, said, _) = await space.TalkAsync(process, (_, _) => Task.CompletedTask);
        Assert.Equal((130, ""), (code, said));
    }

    // Until nobody listens any more; a bomb is small until it is inflated.
    private static async Task PourAsync(HttpContext context, bool isBomb)
    {
        context.Response.Headers.ContentEncoding = isBomb ? "gzip" : default;
        var some = new byte[1024 * 1024];
        var body = isBomb ? new GZipStream(context.Response.Body, CompressionLevel.Fastest) : context.Response.Body;
        while (!context.RequestAborted.IsCancellationRequested)
        {
            await body.WriteAsync(some, context.RequestAborted);
            await body.FlushAsync(context.RequestAborted);
        }
    }

    private Task<(int Code, string Said, string Error)> VerifyAsync(string source, params string[] more) => space.McAsync(["audit", "verify", source, "--policy", "audit.policy", .. more]);

    private Task ServeAsync(HttpContext context) => HostileServer.ServeAsync(context, space.PathOf("log"));

    private async Task ServeCompressedAsync(HttpContext context)
    {
        context.Request.Path = context.Request.Path.Value!.Replace("/logs/acme", "", StringComparison.Ordinal);
        if (!context.Request.Path.StartsWithSegments("/tile/entries", StringComparison.Ordinal))
        {
            await ServeAsync(context);
            return;
        }

        Assert.Equal("gzip", context.Request.Headers.AcceptEncoding);
        context.Response.Headers.ContentEncoding = "gzip";
        await using var zip = new GZipStream(context.Response.Body, CompressionLevel.Fastest);
        await zip.WriteAsync(await File.ReadAllBytesAsync(space.PathOf($"log{context.Request.Path}")));
    }
}
