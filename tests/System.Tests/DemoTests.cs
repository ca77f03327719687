using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>What <c>infra/dev run</c> shows, and that nothing of it stays behind.</summary>
public sealed class DemoTests
{
    [Theory]
    [InlineData("-TERM")]
    [InlineData("-KILL")]
    public async Task The_demo_shows_its_whole_fleet_and_the_simulator_ends_with_the_host_however_that_ends(string signal)
    {
        await using var host = new HostProcess();
        var began = Stopwatch.StartNew();
        await host.StartAsync("--demo");
        using var admin = host.Client(host.Portal, host.AdminToken);
        Page<ClusterSummary>? page = null;
        await ShowsAsync(items => items.Count == 26, "all 26 clusters are there");
        Assert.InRange(began.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(60));
        await ShowsAsync(items => items.All(cluster => cluster.LastContact is not null), "all of them called home");
        Assert.Single(page!.Items, cluster => cluster.Name == "This machine");

        // Of every colour, as fleets are, and of different sizes.
        await ShowsAsync(items => items.Select(cluster => cluster.Health).ToHashSet().IsSupersetOf(["green", "yellow", "red"]), "moods differ");
        foreach (var rule in new[] { "disk-free", "node-down", "backup-age", "certificate-expiry" })
        {
            await Eventually.TrueAsync(async () => (await admin.GetFromJsonAsync<Page<ClusterSummary>>($"/api/v1/fleet/clusters?rule={rule}"))!.Items.Count > 0, $"a cluster breaks {rule}", TimeSpan.FromSeconds(60));
        }

        Assert.True(page!.Items.Select(cluster => cluster.NodesAll).Distinct().Count() > 2);
        var before = page.Items.Select(cluster => cluster.Id).Order().ToList();

        var simulator = Assert.Single(ChildrenOf(host.ProcessId));
        using var sent = Process.Start("kill", [signal, host.ProcessId.ToString(CultureInfo.InvariantCulture)]);
        var since = Stopwatch.StartNew();
        await Eventually.TrueAsync(() => !IsAlive(simulator), "the simulator has ended");
        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));
        await Eventually.TrueAsync(() => !IsAlive(host.ProcessId), "the host has ended");

        if (signal == "-KILL")
        {
            return;
        }

        // Started again it goes on where it was: the same clusters, heard of again.
        var stopped = TimeProvider.System.GetUtcNow();
        await host.StartAsync("--demo");
        await ShowsAsync(items => items.Count(cluster => cluster.LastContact > stopped) >= 20, "they call home again");
        Assert.Equal(before, page!.Items.Select(cluster => cluster.Id).Order());

        async Task ShowsAsync(Func<IReadOnlyList<ClusterSummary>, bool> fits, string what) =>
            await Eventually.TrueAsync(async () => fits((page = await admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters?limit=100"))!.Items), what, TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_demo_never_runs_over_customers_that_are_not_its_own()
    {
        await using var host = new HostProcess();
        await host.StartAsync();
        using (var admin = host.Client(host.Portal, host.AdminToken))
        {
            using var created = await admin.PostAsJsonAsync("/api/v1/licensing/customers", new CreateCustomerRequest("A real one", "eu"));
            created.EnsureSuccessStatusCode();
        }

        host.Terminate();
        Assert.Equal(0, await host.ExitAsync());
        host.Launch("--demo");
        Assert.Equal(2, await host.ExitAsync());

        await host.StartAsync();
        using var after = host.Client(host.Portal, host.AdminToken);
        Assert.Equal("A real one", Assert.Single((await after.GetFromJsonAsync<Page<CustomerItem>>("/api/v1/licensing/customers"))!.Items).Name);
        Assert.Empty((await after.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters"))!.Items);
    }

    private static List<int> ChildrenOf(int parent) => [.. Directory.EnumerateDirectories("/proc").Select(path => int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var id) ? id : 0)
        .Where(id => id > 0 && Stat(id) is { } stat && stat[1] == parent.ToString(CultureInfo.InvariantCulture))];

    // One that has ended and was not waited for yet is a zombie, which is as good as gone.
    private static bool IsAlive(int id) => Stat(id) is { } stat && stat[0] != "Z";

    private static string[]? Stat(int id)
    {
        try
        {
            // State and parent follow the name, which stands in brackets.
            var line = File.ReadAllText($"/proc/{id}/stat");
            return line[(line.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
