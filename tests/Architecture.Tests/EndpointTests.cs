using System.Text;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts;
using MissionControl.Host;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using Swashbuckle.AspNetCore.Swagger;

namespace MissionControl.Architecture.Tests;

/// <summary>
/// Every endpoint of the real host, built and not started. That each is guarded is checked at every start; here is checked what
/// people read: names, summaries, scopes that exist, and the page that lists them.
/// </summary>
public sealed class EndpointTests : IAsyncDisposable
{
    private readonly string data = Directory.CreateTempSubdirectory("mc-architecture-").FullName;
    private readonly WebApplication app;
    private readonly RouteEndpoint[] endpoints;

    public EndpointTests()
    {
        app = ControlPlaneHost.Build(new HostSettings { Data = data });
        endpoints = [.. ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()];
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public void Every_endpoint_is_guarded_or_on_the_anonymous_list() => EndpointSecurity.AssertEveryEndpointIsGuarded(app);

    [Fact]
    public void Every_endpoint_of_the_api_has_a_name_and_a_summary()
    {
        Assert.NotEmpty(Api());
        Assert.DoesNotContain(Api(), endpoint => string.IsNullOrWhiteSpace(NameOf(endpoint)) || string.IsNullOrWhiteSpace(SummaryOf(endpoint)));
    }

    [Fact]
    public void Every_endpoint_of_the_api_asks_for_a_right_of_its_own_role()
    {
        // Parked messages, jobs and the state of a role are the business of whoever keeps the system, whichever role they lie in.
        var strays = Api().Where(endpoint => !IsOpen(endpoint) && !IsOnesOwn(endpoint) && !ScopesOf(endpoint).Any(scope => scope.StartsWith(RoleOf(endpoint) + ":", StringComparison.Ordinal)
            || (scope.StartsWith("system:", StringComparison.Ordinal) && PatternOf(endpoint).Split('/')[4] is "parked-messages" or "jobs" or "job-runs" or "status")));

        Assert.Empty(strays.Select(endpoint => endpoint.DisplayName));
    }

    [Fact]
    public void What_changes_something_asks_for_more_than_reading()
    {
        // The check of a licence is a question with a body.
        var lax = Api().Where(endpoint => PatternOf(endpoint) != "/api/v1/licensing/licenses/{id:guid}/check" && !IsOpen(endpoint) && !IsOnesOwn(endpoint) && MethodsOf(endpoint).Any(method => method is not ("GET" or "HEAD")) && ScopesOf(endpoint).All(scope => scope.EndsWith(":read", StringComparison.Ordinal)));

        Assert.Empty(lax.Select(endpoint => endpoint.DisplayName));
    }

    [Fact]
    public void Every_right_that_an_endpoint_asks_for_is_said_to_be_ordinary_or_sensitive()
    {
        var asked = Api().SelectMany(ScopesOf).Distinct().ToList();

        Assert.NotEmpty(asked);
        Assert.DoesNotContain(asked, scope => !ApiScopes.IsKnown(scope));
        Assert.Empty(ApiScopes.Ordinary.Intersect(ApiScopes.Sensitive));
        Assert.All(asked.Where(scope => scope.StartsWith("identity:", StringComparison.Ordinal) && scope != "identity:read"), scope => Assert.True(ApiScopes.IsSensitive(scope)));
    }

    [Fact]
    public void What_creates_may_be_asked_again_with_an_idempotency_key()
    {
        var creating = Api().Where(endpoint => endpoint.Metadata.GetOrderedMetadata<IProducesResponseTypeMetadata>().Any(produces => produces.StatusCode == 201));

        Assert.NotEmpty(creating);
        Assert.Empty(creating.Where(endpoint => endpoint.Metadata.GetMetadata<AcceptsIdempotencyKey>() is null).Select(endpoint => endpoint.DisplayName));
    }

    [Fact]
    public void Every_list_that_takes_an_order_names_its_orders()
    {
        var sorted = Api().Where(endpoint => QueryParameters.Of(endpoint).ContainsKey("sort")).ToList();

        Assert.NotEmpty(sorted);
        Assert.Empty(sorted.Where(endpoint => endpoint.Metadata.GetMetadata<SortNames>() is not { } sort || !sort.Names.Contains(sort.Usual)).Select(endpoint => endpoint.DisplayName));
    }

    [Fact]
    public void Every_parameter_of_a_query_is_of_a_kind_that_can_be_refused_in_words()
    {
        var types = Api().SelectMany(endpoint => QueryParameters.Of(endpoint).Values).Select(QueryParameters.Plain).Distinct().ToList();

        Assert.NotEmpty(types);
        Assert.All(types, type => Assert.True(QueryParameters.Kinds.ContainsKey(type), $"{type} has no words for what it takes"));
    }

    [Fact]
    public void The_page_of_routes_is_what_the_host_serves()
    {
        var text = new StringBuilder("""
            # Routes of the REST API

            Bearer tokens only. The scope is the right the token needs; tokens bound to a customer see that customer's rows only. Refusals: [problem codes](problem-codes.md). Clusters use [the call-home protocol](../protocol.md) instead.

            - A list answers `{"items": […], "next": "<link or null>"}` and takes `limit` (1 to 500, default 50) and `cursor` besides its own filters. A parameter that a route does not have is 400 `unknown-parameter`, and the answer names those it has; a value that is none of its kind is 400 `malformed`, and the answer says what it takes.
            - `sort` is one of the keys that the table names; a leading minus reverses the order (all but `worst`), and the one in bold is had without `sort`. An order is by the key and then by the id, so equal keys page right; what is absent counts as greater than all there is; texts are compared by code points. Another key is 400 `unknown-parameter`, and the answer names the known ones. A cursor belongs to its order. Hours of usage are sorted by `from` within a customer or a cluster only. Jobs, meters and nodes are few and come whole, in one order.
            - `q` finds a part of a text, whatever its case. In audit entries it looks at type, actor, target and reason within at most 92 days: the last ones, those before `to`, or from `from` on; a longer span is 400. In a cluster's events it looks at kind, text and node of all that is kept. Other filters narrow both.
            - What creates something (201) takes an `Idempotency-Key` of 16 to 100 visible ASCII characters: for 24 hours the same principal, route, key and body get the first answer again (`Idempotency-Replayed: true`), another body 422 `idempotency-key-reused`. A refused request leaves the key free.
            - A change of a resource that has an `ETag` names it in `If-Match`: 428 without, 412 when it moved. Switches of a cluster's state (`suspend`, `resume`, `decommission`, `confirm`) take one and do without: thrown in need, they are refused by 409 from any other state; thrown after reading, by 412 when it moved.
            - 1,200 requests a minute and caller; over that 429 with `Retry-After`.

            Written from the code by `infra/dev docs`.

            | method | route | scope | |
            | --- | --- | --- | --- |

            """);
        foreach (var (line, _) in Api()
            .SelectMany(endpoint => MethodsOf(endpoint).Select(method => ($"| {method} | `{PatternOf(endpoint)}` | {(IsForAnyToken(endpoint) ? "any valid token" : IsOpen(endpoint) ? "anonymous" : string.Join(' ', ScopesOf(endpoint)))} | {SummaryOf(endpoint)}{OrdersOf(endpoint)} |\n", $"{PatternOf(endpoint)} {method}")))
            .OrderBy(entry => entry.Item2, StringComparer.Ordinal))
        {
            text.Append(line);
        }

        GoldenFile.Check("docs/api/routes.md", text.ToString());
    }

    [Fact]
    public async Task The_committed_description_of_the_api_is_the_real_one()
    {
        var text = await ApiDescription.WriteAsync(app.Services.GetRequiredService<ISwaggerProvider>());

        // One that describes nothing is equal to itself, too.
        Assert.All(Api().Select(endpoint => NameOf(endpoint)!), name => Assert.Contains($"\"operationId\": \"{name}\"", text, StringComparison.Ordinal));
        GoldenFile.Check("docs/api/openapi.v1.json", text);
    }

    private IEnumerable<RouteEndpoint> Api() => endpoints.Where(endpoint => PatternOf(endpoint) is var pattern
        && pattern.StartsWith("/api/v1/", StringComparison.Ordinal) && pattern.Split('/').Length > 4);

    private static string PatternOf(RouteEndpoint endpoint) => "/" + endpoint.RoutePattern.RawText!.Trim('/');

    private static string RoleOf(RouteEndpoint endpoint) => PatternOf(endpoint).Split('/')[3];

    // Each such endpoint stands on the list that the host checks at start, with its reason; the page of routes shows them.
    // One's own password, factors and sessions are everybody's business: no right is needed, and nobody else's can be named.
    private static bool IsOnesOwn(RouteEndpoint endpoint) => PatternOf(endpoint).Split('/')[4] is "me";

    private static bool IsOpen(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null || IsForAnyToken(endpoint);

    // Signing in to the portal needs a valid token and no right of its own: the session has the token's rights. Views and tasks are
    // those of whoever made or started them; what others may see of them, the endpoints say themselves.
    private static bool IsForAnyToken(RouteEndpoint endpoint) => (PatternOf(endpoint) == "/api/v1/identity/sessions" || PatternOf(endpoint).StartsWith("/api/v1/identity/views", StringComparison.Ordinal) || PatternOf(endpoint).Split('/')[4] is "tasks")
        && endpoint.Metadata.GetMetadata<IAuthorizeData>() is not null;

    private static IEnumerable<string> MethodsOf(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [];

    private static string? NameOf(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName;

    private static string OrdersOf(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<SortNames>() is not { } sort ? ""
        : "; `sort` " + string.Join(", ", sort.Names.Where(name => name[0] != '-').Select(name => name == sort.Usual.TrimStart('-') ? $"**{sort.Usual}**" : name));

    private static string? SummaryOf(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<IEndpointSummaryMetadata>()?.Summary;

    private static IEnumerable<string> ScopesOf(RouteEndpoint endpoint) =>
        endpoint.Metadata.GetOrderedMetadata<AuthorizationPolicy>().SelectMany(policy => policy.Requirements).OfType<RequiredScope>().Select(requirement => requirement.Scope).Distinct();
}
