using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Google.Protobuf;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Fleet.Clusters;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Data;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;
using Wire = MissionControl.Protocol.CallHome.Health;

namespace MissionControl.Fleet.Tests;

/// <summary>A host with 10,000 clusters as they stand in the tables after their first day.</summary>
public sealed class LargeFleet : IAsyncLifetime
{
    public const int Clusters = 10_000;

    public ControlPlane Host { get; private set; } = null!;

    public IReadOnlyList<Guid> Customers { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        Host = await ControlPlane.StartAsync();
        Customers = [(await Host.CreateCustomerAsync("Acme")).Id, (await Host.CreateCustomerAsync("Beta")).Id, (await Host.CreateCustomerAsync("Ceres")).Id];
        await using var scope = Host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("a test makes a fleet");
        await Eventually.TrueAsync(async () => await db.Set<FleetCustomer>().CountAsync() == 3, "fleet knows the customers");
        await using var transaction = await db.BeginWriteAsync();
        var now = DateTimeOffset.UtcNow;
        var ids = Enumerable.Range(0, Clusters).Select(i => Guid.CreateVersion7(now.AddSeconds(i - Clusters))).ToList();
        var at = now.ToUnixTimeMilliseconds();
        await db.Dialect.InsertIfAbsentAsync(db, new BulkRows("fleet_cluster", ["id", "customer_id", "name", "state", "clone_suspected", "enrolled_at", "version"], ["id"],
            [.. ids.Select((id, i) => new object?[] { id, Customers[i % 3], $"Cluster {i * 7919 % Clusters}", i % 100 == 0 ? "suspended" : "active", false, at - i, 1L })]), CancellationToken.None);
        await db.Dialect.InsertIfAbsentAsync(db, ClusterLiveness.Table with { Rows = [.. ids.Select((id, i) => new object?[] { id, Customers[i % 3], (i % 50 == 0 ? LivenessState.Missing : LivenessState.Online).ToString(), at })] }, CancellationToken.None);
        await db.Dialect.InsertIfAbsentAsync(db, new BulkRows("fleet_last_contact", ["cluster_id", "customer_id", "received_at", "next_seconds", "late_at"], ["cluster_id"],
            [.. ids.Select((id, i) => i % 50 == 0 ? new object?[] { id, Customers[i % 3], at - 3_600_000, 60, at - 3_500_000 } : [id, Customers[i % 3], at, 60, at + 86_400_000])]), CancellationToken.None);
        var stored = ids.Select((id, i) =>
        {
            var row = Fleet.Health.StoredHealth.New(id, Customers[i % 3]);
            (row.Status, row.ProductVersion, row.NodesUp, row.NodesAll) = (i % 20 == 0 ? "red" : i % 7 == 0 ? "yellow" : "green", $"1.{i % 5}.0", 3, 3);
            (row.WorstReason, row.Rank, row.Body) = (row.Status == "green" ? null : "Disk /data of n1 has 5 % free.", 1, Said(i));
            row.Broken = row.Status == "red" ? " backup-age disk-free " : row.Status == "yellow" ? " disk-free " : "";
            return row;
        }).ToList();
        await Fleet.Health.StoredHealth.WriteAsync(db, stored, CancellationToken.None);
        await ClusterOverview.RefreshAsync(db, ids, now, CancellationToken.None);
        await transaction.CommitAsync();
    }

    public async ValueTask DisposeAsync() => await Host.DisposeAsync();

    private static byte[] Said(int i)
    {
        var health = new Wire { IntervalS = 60, Backup = new Backup { LastSuccessMs = 1_700_000_000_000 + i, ScheduleS = 86_400 } };
        health.Certificates.Add([new Certificate { Purpose = "cluster", NotAfterMs = 1_900_000_000_000 }, new Certificate { Purpose = "gateway", NotAfterMs = 1_800_000_000_000 }]);
        foreach (var (node, used) in new[] { ("n1", i % 90), ("n2", 5), ("n3", 7) })
        {
            health.Nodes.Add(new NodeHealth { Id = node, Role = "server", State = "running", Version = "1.0.0", Disks = { new Disk { Mount = "/data", Purpose = "data", TotalBytes = 100, UsedBytes = used } } });
        }

        return health.ToByteArray();
    }
}

public sealed class ClusterListTests(LargeFleet fleet) : IClassFixture<LargeFleet>
{
    [Theory]
    [InlineData("worst")]
    [InlineData("name")]
    [InlineData("-name")]
    [InlineData("version")]
    [InlineData("-version")]
    [InlineData("customer")]
    [InlineData("-enrolledAt")]
    public async Task Every_order_pages_through_all_that_match_once(string sort)
    {
        var seen = new List<ClusterSummary>();
        var next = $"/api/v1/fleet/clusters?limit=97&sort={sort}&health=red&health=yellow&liveness=online&customer={fleet.Customers[0]}&count=exact";
        long? total = null;
        while (next is not null)
        {
            var page = await fleet.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>(next);
            seen.AddRange(page!.Items);
            total ??= page.Total;
            next = page.Next;
        }

        Assert.Equal(total, seen.Count);
        Assert.Equal(seen.Count, seen.Select(cluster => cluster.Id).Distinct().Count());
        Assert.All(seen, cluster => Assert.True(cluster.Health is "red" or "yellow" && cluster.Liveness == "online" && cluster.CustomerId == fleet.Customers[0]));
        var keys = seen.Select(cluster => sort.TrimStart('-') switch { "name" => cluster.Name.ToLowerInvariant(), "version" => cluster.Version, "customer" => cluster.CustomerName, "worst" => cluster.Health == "red" ? "0" : "1", _ => $"{cluster.EnrolledAt:O}" }).ToList();
        var ordered = keys.Order(StringComparer.Ordinal);
        Assert.Equal(sort[0] == '-' ? ordered.Reverse() : ordered, keys);
    }

    [Fact]
    public async Task Facets_add_up_to_the_total_and_to_the_rows_of_the_file()
    {
        const string Filter = "version=1.1.0&version=1.2.0&stale=false";
        var page = await fleet.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>($"/api/v1/fleet/clusters?{Filter}&count=exact&facets=health,liveness,version,state,region");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/fleet/clusters?{Filter}") { Headers = { Accept = { new MediaTypeWithQualityHeaderValue("text/csv") } } };
        using var file = await fleet.Host.Admin.SendAsync(request);
        var lines = (await file.Content.ReadAsStringAsync()).TrimEnd().Split("\r\n");

        Assert.Equal(5, page!.Facets!.Count);
        Assert.All(page.Facets.Values, facet => Assert.Equal(page.Total, facet.Values.Sum()));
        Assert.Equal(page.Total, lines.Length - 1);
        Assert.StartsWith("id,name,customerId,customerName,state,", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("attachment; filename=clusters-", file.Content.Headers.ContentDisposition!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clusters_are_found_and_counted_by_the_rules_they_break()
    {
        var all = (await fleet.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters?count=exact&facets=rule,health"))!;
        var (red, yellow) = (all.Facets!["health"]["red"], all.Facets["health"]["yellow"]);
        Assert.Equal(new Dictionary<string, long> { ["disk-free"] = red + yellow, ["backup-age"] = red }, all.Facets["rule"]);

        var backup = (await fleet.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters?rule=backup-age&count=exact&limit=500"))!;
        Assert.Equal(red, backup.Total);
        Assert.All(backup.Items, cluster => Assert.Equal("red", cluster.Health));
        Assert.Equal(red + yellow, (await fleet.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters?rule=backup-age&rule=DISK-FREE&count=exact&limit=1"))!.Total);
        Assert.Equal(0, (await fleet.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters?rule=cpu&count=exact&limit=1"))!.Total);
    }

    [Fact]
    public async Task Clusters_are_found_by_how_long_they_have_been_silent()
    {
        var silent = (await fleet.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters?silentFor=30m&count=exact&limit=500"))!;

        Assert.Equal(LargeFleet.Clusters / 50, silent.Total);
        Assert.All(silent.Items, cluster => Assert.Equal("missing", cluster.Liveness));
        Assert.Equal(0, (await fleet.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters?silentFor=2d&count=exact&limit=1"))!.Total);
    }

    [Fact]
    public async Task A_list_says_how_full_the_fullest_disk_is_how_old_the_backup_and_until_when_the_first_certificate_is_valid()
    {
        var some = (await fleet.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters?sort=enrolledAt&limit=3"))!.Items;

        // Enrolled in reverse: the last of them first.
        Assert.Equal(Enumerable.Range(LargeFleet.Clusters - 3, 3).Reverse().Select(i => (double?)Math.Max(7, i % 90)), some.Select(cluster => cluster.WorstDiskPercent));
        Assert.All(some, cluster => Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000), cluster.CertificateUntil));
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000 + LargeFleet.Clusters - 1), some[0].LastBackup);
    }

    [Fact]
    public async Task A_cluster_is_found_by_name_by_id_and_by_the_digits_that_people_read_out()
    {
        var any = (await fleet.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters?q=cLuSter%207919&limit=1"))!.Items[0];
        Assert.Equal("Cluster 7919", any.Name);
        foreach (var q in new[] { any.Id.ToString(), any.Id.ToString("N")[24..] })
        {
            var found = await fleet.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>($"/api/v1/fleet/clusters?q={q}");
            Assert.Contains(found!.Items, cluster => cluster.Id == any.Id);
        }

        Assert.Empty((await fleet.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters?q=%25_"))!.Items);
    }

    [Theory]
    [InlineData("liveness=gone")]
    [InlineData("health=green&health=blue")]
    [InlineData("sort=colour")]
    [InlineData("facets=health,colour")]
    [InlineData("state=gone")]
    [InlineData("cursor=nonsense")]
    [InlineData("stale=perhaps")]
    [InlineData("rule=heartbeat")]
    [InlineData("rule=backup")]
    [InlineData("silentFor=yesterday")]
    [InlineData("silentFor=-1h")]
    [InlineData("silentFor=9999d")]
    public async Task What_a_list_does_not_know_is_named(string query)
    {
        using var response = await fleet.Host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters?{query}", UriKind.Relative));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task A_cluster_that_has_not_changed_is_not_sent_again()
    {
        var any = (await fleet.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters?limit=1"))!.Items[0];
        using var first = await fleet.Host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{any.Id}", UriKind.Relative));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/fleet/clusters/{any.Id}") { Headers = { IfNoneMatch = { first.Headers.ETag! } } };

        using var again = await fleet.Host.Admin.SendAsync(request);

        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
    }

    [Fact]
    public async Task Ten_thousand_clusters_are_summed_up_and_listed_without_delay()
    {
        foreach (var path in new[] { "summary", "clusters?count=exact&facets=health,liveness,version", "clusters?sort=name&limit=200", "clusters?q=cluster%2012", "versions" })
        {
            var times = new List<double>();
            for (var i = 0; i < 15; i++)
            {
                var watch = Stopwatch.StartNew();
                using var response = await fleet.Host.Admin.GetAsync(new Uri($"/api/v1/fleet/{path}", UriKind.Relative));
                response.EnsureSuccessStatusCode();
                times.Add(watch.Elapsed.TotalMilliseconds);
            }

            // The aim is 50 ms; the bound is wide, because other work shares the machine with tests.
            var median = times.Order().ElementAt(times.Count / 2);
            TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture, $"fleet/{path}: {median:0.0} ms"));
            Assert.InRange(median, 0, 250);
        }
    }
}

public sealed class ChangesTests(RuleHost fixture) : IClassFixture<RuleHost>
{
    [Fact]
    public async Task The_feed_names_what_changed_once_and_a_customer_sees_its_own_only()
    {
        var stranger = (await fixture.Host.CreateCustomerAsync("Stranger")).Id;
        var (client, _) = await fixture.Host.ClientWithTokenAsync(stranger, "fleet:read");
        using var own = await TestCluster.EnrollAsync(fixture.Host, stranger, "Own");
        using var foreign = await TestCluster.EnrollAsync(fixture.Host, fixture.Customer, "Foreign");
        var start = (await fixture.Host.Admin.GetFromJsonAsync<FleetChanges>("/api/v1/fleet/changes"))!.After;
        await own.CheckInAsync(own.Health());
        await foreign.CheckInAsync(foreign.Health(), foreign.Event("e1"));

        var seen = new List<FleetChange>();
        var after = start;
        await Eventually.TrueAsync(async () =>
        {
            var page = await fixture.Host.Admin.GetFromJsonAsync<FleetChanges>($"/api/v1/fleet/changes?after={after}&limit=1");
            seen.AddRange(page!.Items);
            after = page.After;
            return seen.Any(change => change.Id == Guid.Parse(own.Id)) && seen.Any(change => change.Id == Guid.Parse(foreign.Id));
        }, "both changes are told");

        var mine = await client.GetFromJsonAsync<FleetChanges>($"/api/v1/fleet/changes?after={start}");
        Assert.All(mine!.Items, change => Assert.Equal(stranger, change.CustomerId));
        Assert.Equal(own.Id, Assert.Single(mine.Items).Id.ToString());
        Assert.Empty((await client.GetFromJsonAsync<Page<IncidentItem>>("/api/v1/fleet/incidents"))!.Items);
        client.Dispose();
    }

    [Fact]
    public async Task A_number_is_seen_only_when_no_lower_one_can_come()
    {
        await using var first = fixture.Host.Services.CreateAsyncScope();
        await using var second = fixture.Host.Services.CreateAsyncScope();
        var (one, two) = (first.ServiceProvider.GetRequiredService<ControlPlaneDbContext>(), second.ServiceProvider.GetRequiredService<ControlPlaneDbContext>());
        await using var transaction = await one.BeginWriteAsync();
        var lower = await ChangeCounter.NextAsync(one, 3, CancellationToken.None);

        var later = Task.Run(async () =>
        {
            await using var waiting = await two.BeginWriteAsync();
            var number = await ChangeCounter.NextAsync(two, 1, CancellationToken.None);
            await waiting.CommitAsync();
            return number;
        });
        Assert.False(later.IsCompleted);
        await transaction.CommitAsync();
        await transaction.DisposeAsync();

        Assert.True(await later >= lower + 3);
    }
}
