using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MissionControl.Security.Tests.Fuzz;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Api;

/// <summary>Every body and every parameter of every endpoint, spoiled in every way, as an administrator whom no right holds back.</summary>
public sealed class BadRequestTests(SecurityFixture fixture)
{
    private static readonly string[] Values =
    [
        "", "%00", "a%00b", "-1", "0", "99999999999999999999", "2147483648", "1.5", "NaN", "null", "true", "%ff%fe", "%ed%a0%80", "%F0%9F%92%A3", "'%20OR%201=1--", "..%2f..%2fetc%2fpasswd", "%25", "_",
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01", "00000000-0000-0000-0000-000000000000", "{}", "online,late", "7,7",
    ];

    private static IEnumerable<string> Cursors()
    {
        foreach (var first in new[] { long.MaxValue.ToString(), long.MinValue.ToString(), "0", "-1", "253402300800000", "", "\0", "x", Guid.Empty.ToString() })
        {
            foreach (var second in new[] { "", "\0", "x", Guid.Empty.ToString(), "2147483647", "-2147483648" })
            {
                yield return Platform.Http.Cursors.Encode(first, second);
                yield return Platform.Http.Cursors.Encode(first, second, Guid.Empty.ToString());
            }

            yield return Platform.Http.Cursors.Encode(first);
        }

        yield return "e30";
        yield return "W10";
        yield return "W251bGxd";
        yield return "%%%";
        yield return new string('A', 5000);
    }

    [Fact]
    public async Task Every_hostile_parameter_gets_a_documented_answer()
    {
        using var client = await ManyAsync(fixture.Host);
        var turn = 0;
        foreach (var endpoint in ApiEndpoint.All(fixture.Host).Where(endpoint => endpoint.Method == "GET"))
        {
            var path = endpoint.Pattern.Fill(_ => Guid.Empty.ToString());
            foreach (var parameter in endpoint.QueryParameters)
            {
                // Every value meets some parameter in every run, and every parameter with --long.
                var every = Mutator.Rounds(1) > 1 ? 1 : 4;
                turn++;
                var hostile = parameter == "cursor" ? Values.Concat(Cursors()) : Values.Where((_, i) => (i + turn) % every == 0).Append(new string('x', 4000));
                foreach (var value in hostile)
                {
                    using var response = await client.GetAsync(new Uri($"{path}?{parameter}={value}", UriKind.Relative));
                    await Answers.DocumentedAsync(response, $"{endpoint.Name}?{parameter}={(value.Length > 60 ? value[..60] : value)}");
                }
            }

            // Both ends of time at once, and a parameter given twice.
            foreach (var query in new[] { "from=9999-12-31T23:00:00Z&to=9999-12-31T23:59:59Z", "from=0001-01-01T00:00:00Z&to=9999-12-31T23:00:00Z&granularity=hour", "limit=1&limit=2", "cursor=a&cursor=b", $"facets={string.Join(',', Enumerable.Repeat("version", 900))}" })
            {
                using var response = await client.GetAsync(new Uri($"{path}?{query}", UriKind.Relative));
                await Answers.DocumentedAsync(response, $"{endpoint.Name}?{query}");
            }
        }
    }

    [Fact]
    public async Task Every_hostile_place_in_a_path_gets_a_documented_answer()
    {
        using var client = await ManyAsync(fixture.Host);
        foreach (var endpoint in ApiEndpoint.All(fixture.Host).Where(endpoint => endpoint.Pattern.Names.Count > 0))
        {
            foreach (var value in new[] { Guid.Empty.ToString(), "x", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "a\u0001b", "\u00e9", "💣", "..", "' OR 1=1--", new string('x', 3000), long.MaxValue.ToString() })
            {
                using var request = new HttpRequestMessage(new HttpMethod(endpoint.Method), endpoint.Pattern.Fill(_ => value)) { Content = endpoint.Method == "GET" ? null : Json("{}") };
                using var response = await client.SendAsync(request);
                var status = (int)response.StatusCode;
                Assert.True(status < 500, $"{endpoint.Name} with {value}: {status} {await response.Content.ReadAsStringAsync()}");
            }
        }
    }

    [Fact]
    public async Task Every_hostile_body_gets_a_documented_answer()
    {
        using var client = await ManyAsync(fixture.Host);
        foreach (var endpoint in ApiEndpoint.All(fixture.Host).Where(endpoint => endpoint.Body is not null))
        {
            var path = endpoint.Pattern.Fill(name => name == "window" ? "2026-01-01T00:00:00Z" : name is "epoch" or "number" or "line" ? "1" : fixture.Customer.Id.ToString());
            var sample = Sample(endpoint.Body!);
            var raw = new[] { "", "null", "[]", "{", "7", "{}", "{\"a\":1}", sample[..^1], sample + sample, string.Concat(Enumerable.Repeat("[", 5000)), "{\"name\":\"a\",\"name\":\"b\"}", "{\"name\":NaN}" };
            foreach (var (what, json) in raw.Select(json => (json, json)).Concat(JsonMutations.Of(sample)))
            {
                await SendAsync(client, endpoint, path, Json(json), what);
            }

            await SendAsync(client, endpoint, path, new ByteArrayContent([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } }, "not UTF-8");
            await SendAsync(client, endpoint, path, new StringContent(sample, Encoding.UTF8, "text/plain"), "another media type");
            try
            {
                await SendAsync(client, endpoint, path, Json($"{{\"name\":\"{new string('x', 2 * 1024 * 1024)}\"}}"), "too large");
            }
            catch (HttpRequestException)
            {
                // Closed under the sender, who went on sending.
            }
        }
    }

    private static async Task SendAsync(HttpClient client, ApiEndpoint endpoint, string path, HttpContent content, string what)
    {
        using var request = new HttpRequestMessage(new HttpMethod(endpoint.Method), path) { Content = content };
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        using var response = await client.SendAsync(request);
        await Answers.DocumentedAsync(response, $"{endpoint.Name}: {(what.Length > 80 ? what[..80] : what)}");
    }

    /// <summary>A body with something plausible in every member.</summary>
    private static string Sample(Type body)
    {
        var members = new JsonObject();
        foreach (var property in body.GetProperties())
        {
            var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            members[JsonNamingPolicy.CamelCase.ConvertName(property.Name)] = type == typeof(string) ? "sum"
                : type == typeof(int) || type == typeof(long) ? 1
                : type == typeof(bool) ? true
                : type == typeof(Guid) ? Guid.Empty.ToString()
                : type == typeof(DateTimeOffset) ? "2026-01-01T00:00:00Z"
                : type == typeof(IReadOnlyList<Guid>) ? new JsonArray(Guid.Empty.ToString())
                : property.Name == "Scopes" ? new JsonArray("fleet:read")
                : new JsonArray("192.0.2.0/24");
        }

        return members.ToJsonString();
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    // Several administrators in turn: each has a rate limit, which is not what is tested here.
    private static async Task<HttpClient> ManyAsync(ControlPlane host)
    {
        var clients = new List<HttpClient>();
        for (var i = 0; i < 6; i++)
        {
            clients.Add((await host.ClientWithTokenAsync(null, "*")).Client);
        }

        return new HttpClient(new InTurn(clients)) { BaseAddress = host.Portal };
    }

    private sealed class InTurn(List<HttpClient> clients) : HttpMessageHandler
    {
        private int next;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            // A request can be sent once; only its rate-limited copy is thrown away.
            var body = request.Content is null ? null : await request.Content.ReadAsByteArrayAsync(cancellationToken);
            HttpResponseMessage? response = null;
            await Eventually.TrueAsync(async () =>
            {
                response?.Dispose();
                using var copy = new HttpRequestMessage(request.Method, request.RequestUri) { Content = body is null ? null : new ByteArrayContent(body) };
                foreach (var header in request.Headers)
                {
                    copy.Headers.TryAddWithoutValidation(header.Key, header.Value);
                }

                foreach (var header in request.Content?.Headers ?? Enumerable.Empty<KeyValuePair<string, IEnumerable<string>>>())
                {
                    copy.Content!.Headers.TryAddWithoutValidation(header.Key, header.Value);
                }

                response = await clients[next++ % clients.Count].SendAsync(copy, cancellationToken);
                return (int)response.StatusCode != 429;
            }, "the rate limit lets us on");
            return response!;
        }

        protected override void Dispose(bool disposing)
        {
            clients.ForEach(client => client.Dispose());
            base.Dispose(disposing);
        }
    }
}
