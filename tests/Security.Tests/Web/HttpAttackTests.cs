using MissionControl.Contracts;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Web;

/// <summary>The HTTP below the endpoints: smuggling, hosts, huge headers, path tricks, slow senders, and what each listener serves.</summary>
public sealed class HttpAttackTests(SecurityFixture fixture)
{
    private ControlPlane Host => fixture.Host;

    private IEnumerable<(string Name, Uri Address, string Path)> Listeners =>
    [
        ("portal", Host.Portal, "/signin"), ("callhome", Host.CallHome, "/callhome/v1/ping"), ("ops", Host.Operations, "/health/live"),
    ];

    [Theory]
    [InlineData("Content-Length: 5\r\nContent-Length: 6\r\n", "hello")]
    [InlineData("Content-Length: 5, 6\r\n", "hello")]
    [InlineData("Content-Length: -1\r\n", "")]
    [InlineData("Content-Length: 0x5\r\n", "hello")]
    [InlineData("Content-Length: +5\r\n", "hello")]
    [InlineData("Content-Length: 5 5\r\n", "hello")]
    [InlineData("Content-Length: 00000000000000000000000005\r\n", "hello")]
    [InlineData("Content-Length: 99999999999999999999\r\n", "hello")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")]
    [InlineData("Transfer-Encoding: gzip\r\n", "0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")]
    [InlineData("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n", "zz\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n")]
    public async Task A_request_whose_length_can_be_read_in_two_ways_is_answered_once_and_the_connection_ends(string headers, string body)
    {
        foreach (var (name, address, _) in Listeners)
        {
            var path = name == "callhome" ? "/callhome/v1/token" : "/api/v1/identity/sessions/trade";
            var (status, text) = await RawHttp.AskAsync(address, Host.CaFile, $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}\r\n{body}");

            Assert.True(status is 400 or 411 or 413 or 415 or 501, $"{name}: {text}");
            Assert.True(text.Split("HTTP/1.1 ").Length == 2, $"{name} answered twice: {text}");
        }
    }

    [Theory]
    [InlineData("Host: evil.example\r\n")]
    [InlineData("Host: localhost.evil.example\r\n")]
    [InlineData("Host: localhost\r\nHost: evil.example\r\n")]
    [InlineData("Host: localhost@evil.example\r\n")]
    [InlineData("Host: \r\n")]
    [InlineData("")]
    public async Task No_listener_answers_to_a_host_that_is_not_its_own(string host)
    {
        foreach (var (name, address, path) in Listeners)
        {
            var (status, text) = await RawHttp.AskAsync(address, Host.CaFile, $"GET {path} HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
            Assert.True(status == 400, $"{name}: {text}");
        }
    }

    [Fact]
    public async Task A_host_in_the_request_line_or_in_forwarded_headers_changes_nothing()
    {
        foreach (var (name, address, path) in Listeners)
        {
            var (absolute, text) = await RawHttp.AskAsync(address, Host.CaFile, $"GET https://evil.example{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            Assert.True(absolute == 400, $"{name}: {text}");
            var (old, oldText) = await RawHttp.AskAsync(address, Host.CaFile, $"GET {path} HTTP/1.0\r\n\r\n");
            Assert.True(old == 400, $"{name} without any host: {oldText}");
        }

        var (_, redirect) = await RawHttp.AskAsync(Host.Portal, Host.CaFile, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\nX-Original-URL: /signin\r\nConnection: close\r\n\r\n");
        Assert.DoesNotContain("evil", redirect, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headers_beyond_their_limit_are_refused()
    {
        foreach (var (name, address, path) in Listeners)
        {
            var (large, _) = await RawHttp.AskAsync(address, Host.CaFile, $"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Large: {new string('x', 40_000)}\r\n\r\n");
            var (many, _) = await RawHttp.AskAsync(address, Host.CaFile, $"GET {path} HTTP/1.1\r\nHost: localhost\r\n{string.Concat(Enumerable.Range(0, 500).Select(i => $"X-{i}: y\r\n"))}\r\n");
            var (line, _) = await RawHttp.AskAsync(address, Host.CaFile, $"GET {path}?{new string('x', 20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            Assert.True((large, many, line) == (431, 431, 414), $"{name}: {large}, {many}, {line}");
        }
    }

    [Theory]
    [InlineData("//evil.example/")]
    [InlineData("/..%2f..%2fetc/passwd")]
    [InlineData("/assets/..%2f..%2fadmin.token")]
    [InlineData("/assets/%2e%2e/%2e%2e/admin.token")]
    [InlineData("/callhome/v1/..%2f..%2fapi/v1/fleet/clusters")]
    [InlineData("/api/v1/fleet/clusters/..;/..;/")]
    [InlineData("/API/V1/FLEET/CLUSTERS%2f")]
    [InlineData("/problems/..%2f..%2fadmin.token")]
    [InlineData("/%00")]
    [InlineData("/problems/a%00b")]
    [InlineData("/%c0%ae%c0%ae/")]
    public async Task No_trick_with_a_path_gets_anywhere(string path)
    {
        foreach (var (name, address, _) in Listeners)
        {
            var (status, text) = await RawHttp.AskAsync(address, Host.CaFile, $"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            Assert.True(status is 400 or 401 or 404, $"{name}: {text}");
            Assert.DoesNotContain("Location: //", text, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task Every_problem_code_is_explained_where_its_type_points_to()
    {
        foreach (var (code, problem) in ProblemCodes.All)
        {
            Assert.Contains(problem.Title, await Host.Admin.GetStringAsync(new Uri($"/problems/{code}", UriKind.Relative)), StringComparison.Ordinal);
        }

        foreach (var (name, address, _) in Listeners)
        {
            var (status, text) = await RawHttp.AskAsync(address, Host.CaFile, "GET /problems/rate-limited HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            Assert.True(status == 200, $"{name}: {text}");
        }
    }

    [Fact]
    public async Task Each_listener_serves_what_it_is_for_and_nothing_else()
    {
        var paths = new Dictionary<string, string[]>
        {
            ["/signin"] = ["portal"], ["/"] = ["portal"], ["/clusters"] = ["portal"], ["/assets/tabler.css"] = ["portal"],
            ["/api/v1/fleet/clusters"] = ["portal", "ops"], ["/api/v1/identity/tokens"] = ["portal", "ops"],
            ["/callhome/v1/ping"] = ["callhome"], ["/health/ready"] = ["ops"], ["/metrics"] = ["ops"],
        };
        foreach (var (path, served) in paths)
        {
            foreach (var (name, address, _) in Listeners)
            {
                var (status, text) = await RawHttp.AskAsync(address, Host.CaFile, $"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {Host.AdminToken}\r\nConnection: close\r\n\r\n");
                Assert.True(status == 404 == !served.Contains(name), $"{path} on {name}: {text[..Math.Min(text.Length, 300)]}");
                Assert.True(name == "portal" || !text.Contains("Set-Cookie", StringComparison.OrdinalIgnoreCase), $"{name} sets a cookie");
            }
        }
    }

    [Theory]
    [InlineData("TRACE")]
    [InlineData("CONNECT")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("PROPFIND")]
    [InlineData("ping")]
    public async Task Methods_that_nobody_offers_do_nothing(string method)
    {
        foreach (var (name, address, path) in Listeners)
        {
            var (status, text) = await RawHttp.AskAsync(address, Host.CaFile, $"{method} {(method == "CONNECT" ? "localhost:80" : path)} HTTP/1.1\r\nHost: localhost{(method == "CONNECT" ? ":80" : "")}\r\nConnection: close\r\n\r\n");
            Assert.True(status is 400 or 401 or 404 or 405, $"{name}: {text}");
        }
    }

    [Fact]
    public async Task A_slow_sender_is_cut_off_and_holds_nobody_up()
    {
        var slow = new List<RawHttp>();
        try
        {
            foreach (var (_, address, path) in Listeners)
            {
                for (var i = 0; i < 100; i++)
                {
                    var raw = await RawHttp.ConnectAsync(address, Host.CaFile);
                    await raw.WriteAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
                    slow.Add(raw);
                }
            }

            // Headers that never end, and a body that comes drop by drop, both while others are served.
            var dripping = await RawHttp.ConnectAsync(Host.CallHome, Host.CaFile);
            slow.Add(dripping);
            await dripping.WriteAsync("POST /callhome/v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{");
            using var cluster = await fixture.EnrollAsync();
            Assert.Equal(1, (await cluster.CheckInAsync(cluster.Health(1))).Ack);

            var answers = await Task.WhenAll(slow.Select(raw => raw.ReadToEndAsync(TimeSpan.FromSeconds(30))));
            Assert.All(answers, answer => Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 408", StringComparison.Ordinal) || answer.StartsWith("HTTP/1.1 400", StringComparison.Ordinal), answer));
        }
        finally
        {
            foreach (var raw in slow)
            {
                await raw.DisposeAsync();
            }
        }
    }
}
