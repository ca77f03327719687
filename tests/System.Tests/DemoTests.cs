using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
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
        await host.StartAsync("--demo");
        using var admin = host.Client(host.Portal, host.AdminToken);
        Page<ClusterSummary>? page = null;
        await Eventually.TrueAsync(async () => (page = await admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters?limit=100"))!.Items.Count == 26, "all 26 clusters are there");
        await Eventually.TrueAsync(async () => (page = await admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters?limit=100"))!.Items.All(cluster => cluster.LastContact is not null), "all of them called home");
        Assert.Single(page!.Items, cluster => cluster.Name == "This machine");

        var simulator = Assert.Single(ChildrenOf(host.ProcessId));
        using var sent = Process.Start("kill", [signal, host.ProcessId.ToString(CultureInfo.InvariantCulture)]);
        var since = Stopwatch.StartNew();
        await Eventually.TrueAsync(() => !IsAlive(simulator), "the simulator has ended");
        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));
        await Eventually.TrueAsync(() => !IsAlive(host.ProcessId), "the host has ended");
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
