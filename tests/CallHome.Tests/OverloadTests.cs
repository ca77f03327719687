using System.Net;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.CallHome.Intake;
using MissionControl.Platform.Data;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.CallHome.Tests;

/// <summary>
/// More than the database takes: the intervals that are handed out grow with the queue, a backlog is asked for in smaller pieces, and
/// what finds no room is told so at once. Nothing that was acknowledged is lost by it.
/// </summary>
public sealed class OverloadTests : IAsyncLifetime
{
    private ControlPlane host = null!;
    private GroupCommit intake = null!;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["CallHome:EnrollmentsPerSecond"] = "1000" });
        intake = host.Services.GetRequiredService<GroupCommit>();
    }

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task Intervals_grow_with_the_queue_and_what_finds_no_room_is_told_when_to_come_back()
    {
        var customer = (await host.CreateCustomerAsync()).Id;
        using var filler = await TestCluster.EnrollAsync(host, customer);
        using var early = await TestCluster.EnrollAsync(host, customer);
        using var late = await TestCluster.EnrollAsync(host, customer);
        using var shed = await TestCluster.EnrollAsync(host, customer);
        Assert.True(host.Services.GetRequiredService<ClusterDirectory>().TryGet(Guid.Parse(filler.Id), out var known));
        var quiet = await early.CheckInAsync(early.Health(1));

        var waiting = new List<Submission>();
        Task<CheckInResponse> first, second;
        Drain busy;
        await using (await HoldWritersAsync())
        {
            // The first group is taken off the queue and waits at the gate; it is full, so that it takes nothing of what follows with it.
            Fill(1, GroupCommit.MaxGroupBytes);
            await Eventually.TrueAsync(() => intake.Depth == 0, "a group is on its way");
            Fill(1500);
            first = early.CheckInAsync(early.Health(2));
            await Eventually.TrueAsync(() => intake.Depth == 1501, "the first check-in waits");
            Fill(1000);
            second = late.CheckInAsync(late.Health(1));
            await Eventually.TrueAsync(() => intake.Depth == 2502, "the second check-in waits");
            busy = host.Services.GetRequiredService<Handover>().Acknowledge(new IntakeOutcome(IntakeVerdict.Durable, IntakeState.Initial(1, 0), []), 60).Drain;
            Fill(GroupCommit.QueueCapacity - intake.Depth);

            using var refused = await shed.SendAsync("checkin", shed.Request(shed.Health(1)));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal("overloaded", (await TestCluster.ProblemAsync(refused)).Code);
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30));
        }

        Assert.Equal((60, 500, 1), (quiet.NextS, quiet.Drain.MaxItems, quiet.Drain.MinGapS));
        Assert.Equal((20, 10), (busy.MaxItems, busy.MinGapS));
        Assert.Equal(120, (await first).NextS);
        Assert.Equal(300, (await second).NextS);
        Assert.Equal((2, 1), ((await first).Ack, (await second).Ack));
        Assert.Equal(1, (await shed.CheckInAsync(shed.Health(1))).Ack);
        await Task.WhenAll(waiting.Select(submission => submission.Done));
        Assert.All(waiting, submission => Assert.Equal(IntakeVerdict.Durable, submission.Done.Result.Kind));

        void Fill(int count, int? bytes = null)
        {
            for (var i = 0; i < count; i++)
            {
                var item = filler.Event($"e{waiting.Count}", waiting.Count + 1);
                waiting.Add(new Submission(known!, filler.Epoch, 0, [], [new SubmittedItem { Item = item, Digest = Door.Digest(item) }], bytes ?? item.Body.Length, 60));
                Assert.True(intake.TrySubmit(waiting[^1]));
            }
        }
    }

    private async Task<Held> HoldWritersAsync()
    {
        var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        return new Held(scope, await db.BeginWriteAsync(WritePriority.Intake));
    }

    /// <summary>The one place at which everything is written, taken and given back unused.</summary>
    private sealed class Held(AsyncServiceScope scope, WriteTransaction transaction) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            await scope.DisposeAsync();
        }
    }
}
