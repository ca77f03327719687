using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Privacy;
using MissionControl.ClusterAgent.Spool;
using MissionControl.Protocol.CallHome;
using Xunit;

namespace MissionControl.ClusterAgent.Tests;

/// <summary>The server steers: how often an agent comes, and how fast it sends what has piled up.</summary>
public sealed class DrainTests
{
    [Fact]
    public async Task A_backlog_is_sent_as_fast_as_the_server_says_and_then_the_interval_counts_again()
    {
        var directory = Directory.CreateTempSubdirectory("mc-drain-");
        try
        {
            using var door = new Door(TimeProvider.System);
            using var http = new HttpClient(door, disposeHandler: false) { BaseAddress = new Uri("https://localhost") };
            using var identity = new MemoryIdentity { Enrollment = new Enrollment(new Uri("https://localhost"), Guid.CreateVersion7(), 1, "sha256:", false, 60, 0) };
            using var cluster = new LocalCluster("Oslo", new LinuxMachine(TimeProvider.System), new CertificateFiles([]), null, Masking.In(directory.FullName, new PrivacySettings()), TimeProvider.System);
            var spool = new MemorySpool();
            for (var i = 0; i < 130; i++)
            {
                spool.Add("event", 1, [1]);
            }

            var agent = new Agent(identity, spool, cluster, new CallHomeClient(http, identity, TimeProvider.System), TimeProvider.System, new Random(1));

            // As many as it will by itself; from then on as many, and as soon, as it is told.
            door.Answer = new CheckInResponse { NextS = 600, Drain = new Drain { MaxItems = 20, MinGapS = 10 } };
            Assert.InRange((await agent.CheckInAsync(CancellationToken.None)).Next, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(12.5));
            Assert.Equal(100, door.Items.Count);
            Assert.InRange((await agent.CheckInAsync(CancellationToken.None)).Next, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(12.5));
            Assert.Equal(20, door.Items.Count);
            while (spool.Count > 0)
            {
                await agent.CheckInAsync(CancellationToken.None);
                Assert.InRange(door.Items.Count, 1, 20);
            }

            Assert.InRange((await agent.CheckInAsync(CancellationToken.None)).Next, TimeSpan.FromSeconds(599), TimeSpan.FromSeconds(661));

            // Refused for want of room: it comes back when it was told to, and keeps what it has.
            door.Refuses["checkin"] = new Refusal(503, "overloaded", RetryAfter: 17);
            spool.Add("event", 1, [1]);
            var refused = await agent.CheckInAsync(CancellationToken.None);
            Assert.False(refused.Succeeded);
            Assert.True(refused.Next >= TimeSpan.FromSeconds(17), $"{refused.Next}");
            Assert.True(spool.Count > 0);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
