using System.Globalization;
using System.Net.Http.Json;
using Microsoft.Data.Sqlite;
using MissionControl.ClusterAgent;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Spool;
using MissionControl.ClusterAgent.Usage;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>The rehearsal of a disaster: a backup while the system works, further hours, the database lost, the backup restored.</summary>
public sealed class RestoreTests : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("mc-restore-");

    // A whole hour, so that what an hour holds is the same in every run.
    private readonly ManualTime time = new(UsageWindow.StartOf(UsageWindow.HourOf(DateTimeOffset.UtcNow)));

    [Fact]
    public async Task After_a_restore_clusters_see_no_loss_and_sequences_and_ledger_agree()
    {
        var data = Path.Combine(directory.FullName, "host");
        var backup = Path.Combine(directory.FullName, "backup.db");
        List<Site> sites;
        await using (var host = await ControlPlane.StartAsync(data, time))
        {
            var customer = await host.CreateCustomerAsync();
            sites = [await EnrollAsync(host, customer.Id, "plain"), await EnrollAsync(host, customer.Id, "restarted"), await EnrollAsync(host, customer.Id, "renewed")];
            await WorkAsync(sites, hours: 4);
            await HostCommand.RunAsync(0, "admin", "backup", "--data", data, backup);

            // What the backup does not hold: further hours with receipts, and a new epoch.
            await sites[2].RenewEpochAsync();
            await WorkAsync(sites, hours: 4);
            Assert.Equal(2, sites[2].Agent.Epoch);
            await host.StopAsync();
        }

        // As the end of a process does: a pooled connection would go on with the file that the restore puts aside.
        SqliteConnection.ClearAllPools();
        await HostCommand.RunAsync(0, "admin", "restore", "--data", data, backup);
        await using (var host = await ControlPlane.StartAsync(data, time))
        {
            sites.ForEach(site => site.Connect(host));
            sites[1].Restart();
            await WorkAsync(sites, hours: 3);
            foreach (var site in sites)
            {
                var first = UsageWindow.HourOf(site.EnrolledAt.AddSeconds(3599));
                var last = UsageWindow.HourOf(time.GetUtcNow()) - 1;
                IReadOnlyList<int> hours = [];
                await Eventually.TrueAsync(async () =>
                {
                    await site.Agent.CheckInAsync(CancellationToken.None);
                    hours = await HoursAsync(host, site.Id);
                    return Enumerable.Range(first, last - first + 1).All(hours.Contains);
                }, $"the ledger holds every hour of {site.Name}");

                Assert.Equal(hours.Count, hours.Distinct().Count());
                Assert.Empty(await HoursAsync(host, site.Id, "missing"));
                Assert.Empty(await HoursAsync(host, site.Id, "disputed"));

                var report = await host.Admin.GetFromJsonAsync<UsageReport>($"/api/v1/licensing/usage?cluster={site.Id}&from={UsageWindow.StartOf(first):O}&to={UsageWindow.StartOf(last + 1):O}&granularity=hour".Replace("+", "%2B", StringComparison.Ordinal));
                Assert.Equal(0, report!.Completeness.DisputedHours);
                Assert.All(report.Series.Single().Values, value => Assert.Equal(3600.0, double.Parse(value!, CultureInfo.InvariantCulture), tolerance: 2.0));

                // Numbers agree: what the server holds to be settled is what the agent no longer keeps.
                var identity = (await host.Admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{site.Id}"))!;
                Assert.Equal(site.Agent.Epoch, identity.Epoch);
                Assert.Equal(site.Name == "renewed" ? 3 : 1, identity.Epoch);
                Assert.False(identity.CloneSuspected);
                Assert.Equal(0, site.Agent.Waiting);
                Assert.Equal(site.Spool.LowestKept - 1, identity.AcknowledgedThrough);
                Assert.Empty(site.Usage.Summary.Refused);
            }
        }
    }

    public void Dispose() => directory.Delete(recursive: true);

    private async Task<Site> EnrollAsync(ControlPlane host, Guid customer, string name)
    {
        var token = await host.CreateEnrollmentTokenAsync(customer);
        var site = new Site(name, Path.Combine(directory.FullName, name), time);
        site.Connect(host);
        await site.Enroller.EnrollAsync(host.CallHome, token.Token, token.AnchorsSha256, false, CancellationToken.None);
        Assert.True((await site.Agent.CheckInAsync(CancellationToken.None)).Succeeded);
        return site;
    }

    private async Task WorkAsync(List<Site> sites, int hours)
    {
        for (var step = 0; step < hours * 2; step++)
        {
            time.Advance(TimeSpan.FromMinutes(30));
            foreach (var site in sites)
            {
                var result = await site.Agent.CheckInAsync(CancellationToken.None);
                for (var again = 0; !result.Succeeded && again < 3; again++)
                {
                    // A new epoch, or a new access token, takes a further call.
                    result = await site.Agent.CheckInAsync(CancellationToken.None);
                }

                Assert.True(result.Succeeded, $"{site.Name}: {result.Problem}");
            }
        }

        // The receipts of what was sent have come, as they would in the long run.
        foreach (var site in sites)
        {
            await Eventually.TrueAsync(async () =>
            {
                await site.Agent.CheckInAsync(CancellationToken.None);
                return site.Usage.Summary.Waiting == 0;
            }, $"every window of {site.Name} has its receipt");
        }
    }

    private static async Task<IReadOnlyList<int>> HoursAsync(ControlPlane host, Guid cluster, string state = "received")
    {
        var page = (await host.Admin.GetFromJsonAsync<Page<UsageWindowItem>>($"/api/v1/licensing/windows?cluster={cluster}&state={state}&limit=500"))!;
        return [.. page.Items.Select(item => UsageWindow.HourOf(item.From))];
    }

    /// <summary>A customer's machine: the real agent over real files, with a counter that grows by one a second.</summary>
    private sealed class Site(string name, string directory, ManualTime time) : IClusterSource, IUsageSource, IDisposable
    {
        private readonly MachineClock clock = new(time);
        private readonly FileIdentity identity = new(directory);
        private HttpClient? http;
        private DiskSpool spool = new(Path.Combine(directory, "spool"));

        public string Name => name;

        public Guid Id => identity.Enrollment!.ClusterId;

        public DateTimeOffset EnrolledAt { get; } = time.GetUtcNow();

        public DiskSpool Spool => spool;

        public UsageRecorder Usage { get; private set; } = null!;

        public CallHomeClient Client { get; private set; } = null!;

        public Agent Agent { get; private set; } = null!;

        public Enroller Enroller => new(identity, this, Client);

        public string ProductVersion => "1.0.0";

        public void Connect(ControlPlane host)
        {
            http?.Dispose();
            http = host.Client(host.CallHome);
            Client = new CallHomeClient(http, identity, clock);
            Start();
        }

        /// <summary>The machine was restored: it speaks in a new epoch.</summary>
        public async Task RenewEpochAsync()
        {
            var granted = await Client.EpochAsync("restored", Facts().InstallFingerprint, CancellationToken.None);
            identity.Enrollment = identity.Enrollment! with { Epoch = granted.Epoch, EpochIssuedAt = DateTimeOffset.FromUnixTimeMilliseconds(granted.IssuedAtMs) };
            spool.BeginEpoch();
        }

        /// <summary>The process ends and begins anew over its files.</summary>
        public void Restart()
        {
            spool.Dispose();
            spool = new DiskSpool(Path.Combine(directory, "spool"));
            Start();
        }

        public Facts Facts() => new() { Name = name, AgentVersion = "test", InstallFingerprint = Google.Protobuf.ByteString.CopyFromUtf8(name) };

        public IReadOnlyList<Happened> Events => [];

        public Task RefreshAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Inventory? Inventory() => null;

        public void Tell(string kind, string severity, string text)
        {
        }

        public void EventsKept()
        {
        }

        public Health Health(int intervalSeconds, TimeSpan? clockOffset) => new() { IntervalS = intervalSeconds, ExpectedNodes = 1, Nodes = { new NodeHealth { Id = "n1", Role = "server", State = "running" } } };

        public UsageReading? Read(DateTimeOffset now) =>
            new(now, [new UsageCounter("host_unit_seconds", 1, new Dictionary<string, string> { ["env"] = name }, (long)(now - EnrolledAt).TotalSeconds, EnrolledAt)]);

        public void Dispose()
        {
            Usage.Dispose();
            spool.Dispose();
            identity.Dispose();
            http?.Dispose();
        }

        private void Start()
        {
            Usage?.Dispose();
            Usage = new UsageRecorder(new DiskUsageStore(Path.Combine(directory, "usage")), this, identity, spool);
            Agent = new Agent(identity, spool, this, Client, clock, new Random(1), Usage);
        }
    }
}
