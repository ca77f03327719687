using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Fleet.Incidents;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Api;

/// <summary>Every endpoint as the customer next door, with every right that a token of that customer can hold: nothing of the other is seen, changed or even confirmed to exist.</summary>
public sealed class StrangerTests : IAsyncLifetime
{
    private readonly Statements statements = new();
    private ControlPlane host = null!;
    private HttpClient stranger = null!;
    private Dictionary<string, string> foreign = null!;
    private string[] traces = null!;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync(services: services => services.AddSingleton<ILoggerProvider>(statements), configuration: new Dictionary<string, string?> { ["Logging:LogLevel:Microsoft.EntityFrameworkCore.Database.Command"] = "Information" });
        var victim = await host.CreateCustomerAsync("Victim-4711");
        var own = await host.CreateCustomerAsync("Stranger");
        using var cluster = await TestCluster.EnrollAsync(host, victim.Id, "victim-cluster-4711");
        var hour = UsageWindow.HourOf(host.Time.GetUtcNow()) - 2;
        var window = cluster.Window(hour);
        await cluster.CheckInAsync(cluster.Health(), cluster.Event("victim-event-4711"), cluster.Usage(window), cluster.Usage(window with { Complete = false }));
        await cluster.ReceiptAsync(receipt => receipt.Results.Any(result => result.Verdict == "conflict"));
        await Eventually.TrueAsync(async () => (await host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}/events", UriKind.Relative))).IsSuccessStatusCode, "fleet knows the cluster");
        var token = await host.CreateEnrollmentTokenAsync(victim.Id);
        var (victims, victimsToken) = await host.ClientWithTokenAsync(victim.Id, "*");
        victims.Dispose();
        var (_, lost) = await host.ClientWithTokenAsync(victim.Id, "fleet:read");
        using var reported = await host.Admin.PostAsJsonAsync("/api/v1/identity/leaks/report", new ReportLeakRequest(lost.Token, "https://pastes.example/victim-4711"));
        using var grouped = await host.Admin.PostAsJsonAsync("/api/v1/identity/groups", new SetGroupRequest("victim-group-4711", ["customer-viewer"], [], CustomerId: victim.Id));
        using var licensed = await host.Admin.PostAsJsonAsync("/api/v1/licensing/licenses", new IssueLicenseRequest(victim.Id, [Guid.Parse(cluster.Id)], "victim-plan-4711", "production", null, host.Time.GetUtcNow().AddDays(100)));
        (stranger, _) = await host.ClientWithTokenAsync(own.Id, "*");
        foreign = new Dictionary<string, string>
        {
            ["customer"] = victim.Id.ToString(), ["cluster"] = cluster.Id, ["token"] = victimsToken.Id, ["enrollment"] = token.Id, ["window"] = window.Window, ["leak"] = (await reported.Content.ReadFromJsonAsync<ReportedLeak>())!.IncidentId!.Value.ToString(),
            ["license"] = (await licensed.Content.ReadFromJsonAsync<LicenseItem>())!.Id.ToString(), ["group"] = (await grouped.Content.ReadFromJsonAsync<CreatedGroup>())!.Id.ToString(),
        };
        traces = [victim.Id.ToString(), cluster.Id, victimsToken.Id, token.Id, lost.Id, foreign["leak"], foreign["group"], foreign["license"], "victim-plan", "victim-4711", "victim-group", "victim-cluster", "victim-event"];
    }

    public async ValueTask DisposeAsync()
    {
        stranger.Dispose();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task No_list_shows_a_trace_of_another_customer()
    {
        foreach (var endpoint in ApiEndpoint.All(host).Where(endpoint => endpoint.Method == "GET" && endpoint.Pattern.Names.Count == 0))
        {
            foreach (var query in new[] { "", $"?customer={foreign["customer"]}", $"?cluster={foreign["cluster"]}", "?q=4711&count=exact", "?count=exact&facets=health,version,liveness", "?groupBy=customer", "?state=received", "?log=operator" })
            {
                using var response = await stranger.GetAsync(new Uri(endpoint.Pattern.Text.TrimEnd('/') + query, UriKind.Relative));
                await Answers.DocumentedAsync(response, endpoint.Name + query);
                var text = await response.Content.ReadAsStringAsync();
                Assert.DoesNotContain(traces, trace => text.Contains(trace, StringComparison.OrdinalIgnoreCase) && !query.Contains(trace, StringComparison.Ordinal));
                if (response.IsSuccessStatusCode && query.Contains("q=4711", StringComparison.Ordinal) && endpoint.QueryParameters.Contains("q") && JsonDocument.Parse(text).RootElement.TryGetProperty("total", out var total))
                {
                    Assert.True(total.ValueKind == JsonValueKind.Null || total.GetInt64() == 0, $"{endpoint.Name} counts what it does not show");
                }
            }
        }
    }

    [Fact]
    public async Task Nothing_vendor_wide_is_shown_to_a_customer_whatever_scopes_its_token_holds()
    {
        var walked = new HashSet<string>();
        foreach (var endpoint in ApiEndpoint.All(host).Where(endpoint => endpoint.Method == "GET" && endpoint.Scopes.Any(scope => scope.StartsWith("system:", StringComparison.Ordinal))))
        {
            using var response = await stranger.GetAsync(new Uri(endpoint.Pattern.Fill(_ => Guid.CreateVersion7().ToString()), UriKind.Relative));
            await Answers.RefusedAsync("scope-missing", response, endpoint.Name);
            walked.Add(endpoint.Name);
        }

        Assert.Superset(new HashSet<string>(["ListParkedMessages-fleet", "GetParkedMessage-callhome", "ListJobs-callhome", "ListJobRuns-licensing", "GetStatus-identity"]), walked);
    }

    [Fact]
    public async Task Incidents_of_our_own_side_are_not_even_counted_for_a_customer()
    {
        await using (var scope = host.Services.CreateAsyncScope())
        {
            scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("fleet");
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            db.Scope.OpenAll("a test begins an incident");
            var now = host.Time.GetUtcNow();
            await using var transaction = await db.BeginWriteAsync();
            await Incident.OpenAsync(db, Incident.MassOutage, now, "The network of the vendor was cut.", 1, now, CancellationToken.None);
            await db.SaveChangesAsync();
            await transaction.CommitAsync();
        }

        Assert.Equal(1, (await host.Admin.GetFromJsonAsync<FleetSummary>("/api/v1/fleet/summary"))!.OpenIncidents);
        Assert.Equal(0, (await stranger.GetFromJsonAsync<FleetSummary>("/api/v1/fleet/summary"))!.OpenIncidents);
    }

    [Fact]
    public async Task What_is_anothers_answers_exactly_as_what_is_not_there()
    {
        var walked = 0;
        foreach (var endpoint in ApiEndpoint.All(host).Where(endpoint => endpoint.Pattern.Names.Count > 0 && !endpoint.Name.StartsWith("RetryParkedMessage", StringComparison.Ordinal)))
        {
            var theirs = endpoint.Pattern.Fill(name => Value(endpoint, name, known: true));
            var absent = endpoint.Pattern.Fill(name => Value(endpoint, name, known: false));
            var body = endpoint.Body is null ? null : Body(endpoint.Body);
            var (answer, asked) = await AskAsync(endpoint.Method, theirs, body);
            var (nothing, askedForNothing) = await AskAsync(endpoint.Method, absent, body);

            Assert.True(answer.Status is HttpStatusCode.NotFound or HttpStatusCode.Forbidden or HttpStatusCode.UnprocessableEntity, $"{endpoint.Name} {theirs}: {answer.Status} {answer.Text}");
            Assert.Equal(nothing, answer);

            // The same statements in the same number: no clock outside can tell one from the other.
            Assert.True(asked.SequenceEqual(askedForNothing), $"{endpoint.Name}:\n{string.Join("\n", asked)}\n--\n{string.Join("\n", askedForNothing)}");
            walked++;
        }

        Assert.True(walked >= 12, $"only {walked} endpoints were walked");
        var after = await host.Admin.GetFromJsonAsync<ClusterSummary>($"/api/v1/fleet/clusters/{foreign["cluster"]}");
        Assert.Equal("active", after!.State);
    }

    private string Value(ApiEndpoint endpoint, string name, bool known)
    {
        var path = endpoint.Pattern.Text;
        return name switch
        {
            "window" => foreign["window"],
            "epoch" or "number" or "line" => "1",
            _ when !known => name == "id" && (path.Contains("tokens/", StringComparison.Ordinal)) ? "AAAAAAAAAAAA" : Guid.CreateVersion7().ToString(),
            _ when path.Contains("enrollment-tokens/", StringComparison.Ordinal) => foreign["enrollment"],
            _ when path.Contains("/tokens/", StringComparison.Ordinal) => foreign["token"],
            _ when path.Contains("/leaks/", StringComparison.Ordinal) => foreign["leak"],
            _ when path.Contains("/groups/", StringComparison.Ordinal) => foreign["group"],
            _ when path.Contains("/licenses/", StringComparison.Ordinal) => foreign["license"],
            _ when path.Contains("/customers/", StringComparison.Ordinal) => foreign["customer"],
            _ => foreign["cluster"],
        };
    }

    // What can be left out is.
    private static string Body(Type type) => JsonSerializer.Serialize(type.GetProperties().Where(property => !property.PropertyType.IsValueType || Nullable.GetUnderlyingType(property.PropertyType) is not null)
        .ToDictionary(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name), property => (object?)(property.PropertyType == typeof(string) ? "active" : null)));

    private async Task<((HttpStatusCode Status, string Text) Answer, IReadOnlyList<string> Statements)> AskAsync(string method, string path, string? body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        statements.Of(path);
        using var response = await stranger.SendAsync(request);
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return ((response.StatusCode, string.Join('\n', problem.RootElement.EnumerateObject().Where(member => member.Name != "traceId").Select(member => $"{member.Name}: {member.Value}"))), statements.Of(path.Split('?')[0]));
    }

    /// <summary>The SQL of each request, by its path; told once.</summary>
    private sealed class Statements : ILoggerProvider, ISupportExternalScope
    {
        private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> byPath = new();
        private IExternalScopeProvider scopes = new LoggerExternalScopeProvider();

        public IReadOnlyList<string> Of(string path) => byPath.TryRemove(Uri.UnescapeDataString(path), out var found) ? [.. found] : [];

        public ILogger CreateLogger(string categoryName) => new Sink(this, categoryName == "Microsoft.EntityFrameworkCore.Database.Command");

        public void SetScopeProvider(IExternalScopeProvider scopeProvider) => scopes = scopeProvider;

        public void Dispose()
        {
        }

        private sealed class Sink(Statements owner, bool isSql) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => owner.scopes.Push(state);

            public bool IsEnabled(LogLevel logLevel) => isSql;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                if (!isSql || eventId.Id != 20101 || state is not IReadOnlyList<KeyValuePair<string, object?>> values)
                {
                    return;
                }

                string? path = null;
                owner.scopes.ForEachScope((scope, _) =>
                {
                    if (scope is IReadOnlyList<KeyValuePair<string, object?>> request && request.FirstOrDefault(pair => pair.Key == "RequestPath").Value is string found)
                    {
                        path = found;
                    }
                }, 0);
                if (path is not null && values.First(pair => pair.Key == "commandText").Value is string sql && !sql.Contains("_projection", StringComparison.Ordinal))
                {
                    owner.byPath.GetOrAdd(path, _ => new ConcurrentQueue<string>()).Enqueue(sql);
                }
            }
        }
    }
}
