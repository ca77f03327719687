using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests;

/// <summary>With every logger talking as much as it can, no line holds a secret.</summary>
public sealed partial class SecretsInLogsTests
{
    [Fact]
    public async Task No_line_of_any_log_level_holds_a_secret()
    {
        var lines = new Lines();
        await using var host = await ControlPlane.StartAsync(
            services: services => services.AddSingleton<ILoggerProvider>(lines).AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace)),
            configuration: new Dictionary<string, string?> { ["Logging:LogLevel:Default"] = "Trace", ["Logging:LogLevel:Microsoft"] = "Trace", ["Logging:Console:LogLevel:Default"] = "None" });
        var customer = await host.CreateCustomerAsync();
        var enrollment = await host.CreateEnrollmentTokenAsync(customer.Id);
        using var cluster = await TestCluster.EnrollAsync(host, customer.Id);
        await cluster.CheckInAsync(cluster.Health(), cluster.Event("e1"));
        var assertion = cluster.Assertion(await cluster.NonceAsync());
        using var exchanged = await cluster.SendAsync("token", new TokenRequest { Assertion = assertion });
        var (client, token) = await host.ClientWithTokenAsync(null, "fleet:read", "identity:read");
        using var made = await client.PostAsync(new Uri("/api/v1/identity/sessions", UriKind.Relative), null);
        var session = (await made.Content.ReadFromJsonAsync<CreatedSession>())!.Session;
        using var traded = await client.PostAsJsonAsync("/api/v1/identity/sessions/trade", new TradeSessionRequest(session));
        var user = (await traded.Content.ReadFromJsonAsync<TradedSession>())!.AccessToken;

        // Refusals and failures are where values like to be told.
        using var thief = new TestCluster(host);
        using var used = await thief.SendAsync("enroll", thief.EnrollmentRequest(enrollment.Token));
        using var again = await cluster.SendAsync("enroll", cluster.EnrollmentRequest(enrollment.Token));
        using var replay = await cluster.SendAsync("token", new TokenRequest { Assertion = assertion });
        using var broken = host.Client(host.Portal, token.Token + "x");
        using var refused = await broken.GetAsync(new Uri("/api/v1/fleet/clusters", UriKind.Relative));
        using var bad = await host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{customer.Id}/suspend", new ReasonRequest(token.Token));
        var (other, leaked) = await host.ClientWithTokenAsync(null, "fleet:read");
        other.Dispose();
        foreach (var text in new[] { enrollment.Token, leaked.Token, leaked.Token[..^1], cluster.AccessToken })
        {
            using var report = await host.Admin.PostAsJsonAsync("/api/v1/identity/leaks/report", new ReportLeakRequest(text, $"https://pastes.example/?token={leaked.Token}"));
        }

        using var misplaced = await host.Admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("x", ["fleet:read"], Networks: [leaked.Token]));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, misplaced.StatusCode);
        Assert.DoesNotContain(leaked.Token[17..], await misplaced.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        // What is for good: the reason that a token was pasted into stands in the log without it.
        using var suspended = await host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster.Id}/suspend", new ReasonRequest($"found {token.Token} there"));
        suspended.EnsureSuccessStatusCode();
        JsonElement? entry = null;
        await Eventually.TrueAsync(async () => (entry = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=callhome.cluster-suspended"))!.Items.SingleOrDefault()?.Entry) is not null, "the suspension is in the log");
        Assert.Equal($"found {token.Token[..17]}… there", entry!.Value.GetProperty("reason").GetString());

        client.Dispose();
        await host.StopAsync();

        Assert.True(lines.All.Count > 500, $"only {lines.All.Count} lines were logged");
        foreach (var (what, secret) in new[]
        {
            ("enrolment token", enrollment.Token[17..]), ("bootstrap token", host.AdminToken[17..]), ("API token", token.Token[17..]), ("access token", cluster.AccessToken[17..]),
            ("assertion", assertion.Split('.')[2]), ("session", session), ("leaked token", leaked.Token[17..]), ("user token", user.Split('.')[2]),
        })
        {
            Assert.DoesNotContain(lines.All, line => line.Contains(secret, StringComparison.Ordinal) ? Fail(what, line) : false);
        }

        Assert.DoesNotContain(lines.All, line => TokenShape().IsMatch(line) && Fail("a token's shape", line));
        foreach (var key in Directory.EnumerateFiles(Path.Combine(host.Data, "keys"), "*.pem"))
        {
            var pem = (await File.ReadAllLinesAsync(key))[1];
            Assert.DoesNotContain(lines.All, line => line.Contains(pem, StringComparison.Ordinal));
        }
    }

    private static bool Fail(string what, string line) => throw new InvalidOperationException($"{what}: {line}");

    [GeneratedRegex(@"\bmc[eauws]_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\b|\bmcc_[0-9A-Za-z]{12}_[0-9A-Za-z]{20,}|eyJ[0-9A-Za-z_-]{20,}\.eyJ")]
    private static partial Regex TokenShape();

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentBag<string> All { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            All.Add(state.ToString() ?? "");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            All.Add($"{formatter(state, exception)} {exception}");
            if (state is IReadOnlyList<KeyValuePair<string, object?>> values)
            {
                All.Add(string.Join(' ', values.Select(pair => $"{pair.Key}={pair.Value}")));
            }
        }

        public void Dispose()
        {
        }
    }
}
