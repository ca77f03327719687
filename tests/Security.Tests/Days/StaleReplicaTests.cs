using System.Net;
using Microsoft.Data.Sqlite;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Days;

/// <summary>A replica that cannot learn which clusters are suspended: it goes on for a while with what it knows, then takes nothing.</summary>
public sealed class StaleReplicaTests
{
    [Fact]
    public async Task Half_a_minute_without_news_of_suspensions_makes_a_replica_unready_and_it_takes_nothing_until_it_hears_again()
    {
        var time = new LeapingTime();
        await using var host = await ControlPlane.StartAsync(time: time);
        using var cluster = await TestCluster.EnrollAsync(host, (await host.CreateCustomerAsync()).Id);
        using var operations = host.Client(host.Operations);
        await cluster.CheckInAsync(cluster.Health(1));

        // Polls fail from here on, and nothing else that a check-in needs does.
        await ExecuteAsync(host, "ALTER TABLE callhome_cluster RENAME TO callhome_cluster_away");
        time.Leap(TimeSpan.FromSeconds(5));
        var meanwhile = await cluster.CheckInAsync(cluster.Health(2));
        time.Leap(TimeSpan.FromSeconds(31));
        using var refused = await cluster.SendAsync("checkin", cluster.Request(cluster.Health(3)));
        using var bundle = await cluster.UploadAsync(cluster.Part(cluster.Request(cluster.Health(3))));
        await Eventually.TrueAsync(async () => await ReadyAsync(operations) is (HttpStatusCode.ServiceUnavailable, var why) && why.Contains("cluster-directory", StringComparison.Ordinal), "the replica is unready and says why");

        await ExecuteAsync(host, "ALTER TABLE callhome_cluster_away RENAME TO callhome_cluster");
        await Eventually.TrueAsync(async () => await ReadyAsync(operations) is (HttpStatusCode.OK, _), "the replica is ready again");
        var after = await cluster.CheckInAsync(cluster.Health(3));

        Assert.Equal((2, 3), (meanwhile.Ack, after.Ack));
        await Answers.RefusedAsync("storage-unavailable", refused, "a check-in");
        await Answers.RefusedAsync("storage-unavailable", bundle, "a bundle");
    }

    private static async Task<(HttpStatusCode Status, string Text)> ReadyAsync(HttpClient operations)
    {
        using var response = await operations.GetAsync(new Uri("/health/ready", UriKind.Relative));
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private static async Task ExecuteAsync(ControlPlane host, string sql)
    {
        await using var other = new SqliteConnection($"Data Source={Path.Combine(host.Data, "missioncontrol.db")};Pooling=False");
        await other.OpenAsync();
        await using var command = other.CreateCommand();
#pragma warning disable CA2100 // Constants of this test.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The machine's clock, with a monotonic clock that leaps, as one does while a machine is held up and nobody measures.</summary>
    private sealed class LeapingTime : TimeProvider
    {
        private long leapt;

        public void Leap(TimeSpan by) => Interlocked.Add(ref leapt, (long)(by.TotalSeconds * TimestampFrequency));

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref leapt);
    }
}
