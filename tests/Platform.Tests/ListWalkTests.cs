using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Platform.Http;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>Walks every list of the API: a new one is walked without being named here.</summary>
public sealed class ListWalkTests : IAsyncLifetime
{
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync();

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task Every_list_keeps_to_the_rules_of_lists()
    {
        await FillAsync();
        var faults = new List<string>();
        foreach (var (path, known) in Lists())
        {
            await ExpectAsync(faults, path, HttpStatusCode.OK);
            await ExpectAsync(faults, $"{path}?no-such-parameter=1", HttpStatusCode.BadRequest, "unknown-parameter");
            foreach (var name in known.Where(parameter => QueryParameters.Plain(parameter.Value) != typeof(string)).Select(parameter => parameter.Key))
            {
                // Whoever sent it learns which one it was.
                await ExpectAsync(faults, $"{path}?{name}=x", HttpStatusCode.BadRequest, name == "limit" ? "malformed" : name);
            }

            if (!known.ContainsKey("limit"))
            {
                continue;
            }

            foreach (var bad in new[] { "limit=0", "limit=501", "limit=x", "limit=1&limit=2", "cursor=%00", "cursor=bm90LW91cnM", $"cursor={Cursors.Encode("1")}", $"cursor={new string('a', 2000)}" })
            {
                await ExpectAsync(faults, $"{path}?{bad}", HttpStatusCode.BadRequest);
            }

            await PageThroughAsync(faults, path);
        }

        Assert.Empty(faults);
    }

    [Fact]
    public async Task A_stranger_sees_nothing_of_others_in_any_list()
    {
        var (customer, names) = await FillAsync();
        var strangers = await host.CreateCustomerAsync("Stranger");
        var (stranger, _) = await host.ClientWithTokenAsync(strangers.Id, "*");
        using var nobody = host.Client(host.Portal);
        var faults = new List<string>();
        foreach (var (path, known) in Lists())
        {
            var query = known.ContainsKey("limit") ? "?limit=500" : "";
            using var anonymous = await nobody.GetAsync(new Uri(path, UriKind.Relative));
            using var response = await stranger.GetAsync(new Uri(path + query, UriKind.Relative));
            var body = await response.Content.ReadAsStringAsync();
            if (anonymous.StatusCode != HttpStatusCode.Unauthorized)
            {
                faults.Add($"{path} answers anybody with {(int)anonymous.StatusCode}");
            }

            if (names.Append(customer.ToString()).FirstOrDefault(name => body.Contains(name, StringComparison.OrdinalIgnoreCase)) is { } leaked)
            {
                faults.Add($"{path} shows {leaked} to another customer");
            }
        }

        Assert.Empty(faults);
    }

    [Fact]
    public async Task Who_asks_too_fast_is_told_when_to_come_back()
    {
        var (client, _) = await host.ClientWithTokenAsync(null, "fleet:read");
        HttpResponseMessage? limited = null;
        for (var i = 0; i < 40 && limited is null; i++)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.GetAsync(new Uri("/api/v1/fleet/summary", UriKind.Relative))));
            limited = answers.FirstOrDefault(answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
        }

        Assert.NotNull(limited);
        Assert.True(limited.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
        Assert.Equal("rate-limited", (await limited.Content.ReadFromJsonAsync<ProblemDocument>())!.Code);

        // The limit is the caller's own: others go on.
        using var other = await host.Admin.GetAsync(new Uri("/api/v1/fleet/summary", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    private async Task<(Guid Customer, string[] Names)> FillAsync()
    {
        var customer = await host.CreateCustomerAsync("Alone Ltd");
        using var first = await TestCluster.EnrollAsync(host, customer.Id, "Kepler-one");
        using var second = await TestCluster.EnrollAsync(host, customer.Id, "Kepler-two");
        await first.CheckInAsync(first.Health(), first.Event("a"), first.Event("b"), first.Usage(first.Window(Protocol.Documents.UsageWindow.HourOf(host.Time.GetUtcNow()) - 2)));
        await host.CreateCustomerAsync("Other Ltd");
        await host.CreateEnrollmentTokenAsync(customer.Id);
        await host.ClientWithTokenAsync(customer.Id, "fleet:read");
        await Eventually.TrueAsync(async () => (await host.Admin.GetStringAsync(new Uri("/api/v1/fleet/clusters", UriKind.Relative))).Contains("Kepler-two", StringComparison.Ordinal), "fleet knows the clusters");
        await Eventually.TrueAsync(async () => !(await host.Admin.GetStringAsync(new Uri($"/api/v1/fleet/clusters/{first.Id}", UriKind.Relative))).Contains("\"health\":\"unknown\"", StringComparison.Ordinal), "its health is judged, so that the list stays in order");
        return (customer.Id, ["Alone Ltd", "Kepler-one", "Kepler-two", first.Id, second.Id]);
    }

    /// <summary>Every GET without a parameter in its route that answers with a page of items.</summary>
    private IEnumerable<(string Path, IReadOnlyDictionary<string, Type> Known)> Lists() => host.Services.GetRequiredService<IEnumerable<EndpointDataSource>>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
        .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith("/api/v1/", StringComparison.Ordinal) && endpoint.RoutePattern.Parameters.Count == 0
            && endpoint.Metadata.GetOrderedMetadata<IProducesResponseTypeMetadata>().Any(produces => produces.Type is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(Page<>)))
        .Select(endpoint => (endpoint.RoutePattern.RawText!.TrimEnd('/'), QueryParameters.Of(endpoint)));

    private async Task PageThroughAsync(List<string> faults, string path)
    {
        var whole = await ItemsAsync($"{path}?limit=500");
        var paged = new List<string>();
        var next = $"{path}?limit=1";
        while (next is not null && paged.Count <= whole.Items.Count + 5)
        {
            var page = await ItemsAsync(next);
            paged.AddRange(page.Items);
            next = page.Next;
        }

        // What comes by itself meanwhile (audit entries, job runs) stands before the first page or after the last one.
        if (paged.Distinct().Count() != paged.Count || (whole.Next is null && whole.Items.Except(paged).Any()))
        {
            faults.Add($"{path}: pages of one give {paged.Count} items, {paged.Distinct().Count()} distinct; the whole has {whole.Items.Count}");
        }
    }

    private async Task<(IReadOnlyList<string> Items, string? Next)> ItemsAsync(string path)
    {
        using var document = JsonDocument.Parse(await host.Admin.GetStringAsync(new Uri(path, UriKind.Relative)));
        return ([.. document.RootElement.GetProperty("items").EnumerateArray().Select(Identity)], document.RootElement.GetProperty("next").GetString());
    }

    /// <summary>What tells an item from others: its id where it has one, since what else is said of it may change between two pages.</summary>
    private static string Identity(JsonElement item) => item.TryGetProperty("id", out var id) ? id.GetString()! : item.GetRawText();

    private async Task ExpectAsync(List<string> faults, string path, HttpStatusCode status, string? code = null)
    {
        using var response = await host.Admin.GetAsync(new Uri(path, UriKind.Relative));
        var body = await response.Content.ReadAsStringAsync();
        if (response.StatusCode != status || (code is not null && !body.Contains($"\"{code}\"", StringComparison.Ordinal)))
        {
            faults.Add($"{path}: {(int)response.StatusCode} instead of {(int)status}: {body[..Math.Min(200, body.Length)]}");
        }
    }
}
