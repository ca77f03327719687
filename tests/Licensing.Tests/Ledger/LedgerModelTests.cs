using System.Security.Cryptography;
using FsCheck.Fluent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Licensing.Ledger;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using MissionControl.Trust.Envelopes;
using Xunit;

namespace MissionControl.Licensing.Tests.Ledger;

/// <summary>The ledger against a model that fits on a page: whatever comes, in whatever order and however often, only (epoch, revision) decides.</summary>
public sealed class LedgerModelTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        key.Dispose();
    }

    // The second epoch begins when hour 2 begins: hours 0 and 1 belong to the first, 2 and 3 to the second.
    private sealed record Sent(int Epoch, int Hour, int Revision, int Quantity, bool EndsGroup);

    [Fact]
    public async Task Order_repetition_and_grouping_never_change_what_counts()
    {
        var schedules = (from epoch in Gen.Choose(1, 2)
                         from hour in Gen.Choose(0, 3)
                         from revision in Gen.Choose(1, 3)
                         from quantity in Gen.Choose(0, 2)
                         from ends in Gen.Choose(0, 2)
                         select new Sent(epoch, hour, revision, quantity, ends == 0)).ListOf(24).Sample(40).ToList();

        foreach (var schedule in schedules)
        {
            var cluster = Guid.CreateVersion7();
            await TellAsync(cluster, epoch: 1, Start.AddHours(-10), version: 1);
            await TellAsync(cluster, epoch: 2, Start.AddHours(2), version: 2);
            var group = new List<Arrival>();
            var seq = 0;
            foreach (var sent in schedule)
            {
                group.Add(Arrive(cluster, sent, ++seq));
                if (sent.EndsGroup)
                {
                    await RecordAsync(group);
                    group.Clear();
                }
            }

            await RecordAsync(group);
            await CompareAsync(cluster, schedule);
        }
    }

    [Fact]
    public async Task Windows_that_come_before_their_cluster_is_known_wait_for_it()
    {
        var cluster = Guid.CreateVersion7();
        List<Sent> early = [new(1, 0, 1, 5, true), new(2, 3, 1, 7, true)];

        await RecordAsync([Arrive(cluster, early[0], 1), Arrive(cluster, early[1], 2)]);
        await TellAsync(cluster, epoch: 2, Start.AddHours(2), version: 2);
        await TellAsync(cluster, epoch: 1, Start.AddHours(-10), version: 1);

        await CompareAsync(cluster, early);
    }

    [Fact]
    public async Task However_often_a_window_is_offered_it_waits_once_and_however_many_wait_all_are_judged()
    {
        var cluster = Guid.CreateVersion7();

        // The last of them contradicts the one before it.
        List<Sent> early = [.. Enumerable.Range(2, 1_100).Select(hour => new Sent(2, hour, 1, 1, true)), new Sent(2, 1_101, 1, 2, true)];
        var offered = early.Select((sent, i) => Arrive(cluster, sent, i + 1)).ToList();

        await RecordAsync(offered);
        await RecordAsync([.. offered.Select(arrival => arrival with { Seq = arrival.Seq + 2_000 })]);
        await using (var scope = Scope())
        {
            Assert.Equal(offered.Count, await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Set<WaitingWindow>().CountAsync(row => row.ClusterId == cluster));
        }

        await TellAsync(cluster, epoch: 1, Start.AddHours(-10), version: 1);
        await TellAsync(cluster, epoch: 2, Start.AddHours(2), version: 2);
        var told = await ToldAsync();
        for (var run = 0; run < 3; run++)
        {
            await using var scope = Scope();
            await host.Services.GetServices<Platform.Time.Sweeper>().OfType<JudgeWaitingWindows>().Single().RunAsync(scope.ServiceProvider, default);
        }

        await CompareAsync(cluster, early);
        Assert.True(await ToldAsync() > told, "what is disputed stands in the audit log");
    }

    [Fact]
    public async Task The_first_revision_after_a_restore_counts_whatever_the_lost_life_wrote_of_that_hour()
    {
        var cluster = Guid.CreateVersion7();
        await TellAsync(cluster, epoch: 1, Start.AddHours(-10), version: 1);
        await RecordAsync([Arrive(cluster, new Sent(1, 3, 3, 5, true), 1)]);

        // The second epoch began when hour 2 did; licensing hears of it afterwards.
        await TellAsync(cluster, epoch: 2, Start.AddHours(2), version: 2);
        Sent restored = new(2, 3, 1, 7, true);
        await RecordAsync([Arrive(cluster, restored, 2)]);

        await CompareAsync(cluster, [restored]);
    }

    [Fact]
    public async Task A_group_that_dies_before_its_commit_is_counted_once_when_it_comes_again()
    {
        var cluster = Guid.CreateVersion7();
        await TellAsync(cluster, epoch: 1, Start.AddHours(-10), version: 1);
        await TellAsync(cluster, epoch: 2, Start.AddHours(2), version: 2);
        List<Sent> sent = [new(1, 0, 1, 5, true), new(1, 1, 2, 6, true), new(2, 3, 1, 7, true)];
        List<Arrival> group = [.. sent.Select((one, i) => Arrive(cluster, one, i + 1))];

        await RecordAsync(group, dies: true);
        await CompareAsync(cluster, []);
        await RecordAsync(group);
        await RecordAsync(group);

        await CompareAsync(cluster, sent);
    }

    private async Task CompareAsync(Guid cluster, IReadOnlyList<Sent> schedule)
    {
        var counted = schedule.Where(sent => sent.Epoch == (sent.Hour < 2 ? 1 : 2)).ToList();
        var expected = counted.GroupBy(sent => sent.Hour).OrderBy(hour => hour.Key)
            .Select(hour => hour.GroupBy(sent => sent.Revision).MaxBy(revision => revision.Key)!.First())
            .Select(sent => (sent.Hour, sent.Revision, (long)sent.Quantity)).ToList();
        var conflicts = counted.GroupBy(sent => (sent.Hour, sent.Revision)).Sum(same => same.Select(sent => sent.Quantity).Distinct().Count() - 1);
        var rejected = schedule.Except(counted).Select(sent => (sent.Epoch, sent.Hour, sent.Revision, sent.Quantity)).Distinct().Count();

        await using var scope = Scope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var first = UsageWindow.HourOf(Start);
        var heads = from head in db.Set<WindowHead>()
                    join cell in db.Set<LedgerCell>() on new { head.ClusterId, head.Hour, head.Epoch, head.Revision } equals new { cell.ClusterId, cell.Hour, cell.Epoch, cell.Revision }
                    where head.ClusterId == cluster
                    orderby head.Hour
                    select new { head.Hour, head.Revision, cell.Quantity };
        Assert.Equal(expected, (await heads.ToListAsync()).Select(row => (row.Hour - first, (int)row.Revision, row.Quantity)));
        Assert.Equal(conflicts, await db.Set<QuarantinedWindow>().CountAsync(row => row.ClusterId == cluster && row.Problem == QuarantinedWindow.RevisionConflict));
        Assert.Equal(rejected, await db.Set<QuarantinedWindow>().CountAsync(row => row.ClusterId == cluster && row.Problem != QuarantinedWindow.RevisionConflict));
        Assert.Equal(0, await db.Set<WaitingWindow>().CountAsync(row => row.ClusterId == cluster));
    }

    private Arrival Arrive(Guid cluster, Sent sent, long seq)
    {
        using var signer = EcdsaSigner.From(key);
        var window = new UsageWindow(
            1, cluster.ToString("D"), sent.Epoch, UsageWindow.Text(Start.AddHours(sent.Hour)), 3600, sent.Revision, UsageWindow.Text(Start.AddHours(sent.Hour + 1)), true,
            [new UsageCell("data_points", 1, new Dictionary<string, string>(), sent.Quantity.ToString(System.Globalization.CultureInfo.InvariantCulture))]);
        return new Arrival(cluster, cluster, sent.Epoch, seq, host.Time.GetUtcNow(), Dsse.Sign(UsageWindow.PayloadType, window.ToBytes(), signer));
    }

    private async Task TellAsync(Guid cluster, int epoch, DateTimeOffset issuedAt, int version)
    {
        var spki = key.ExportSubjectPublicKeyInfo();
        await using var scope = Scope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync();
        IMessageHandler<ClusterChanged> handler = ActivatorUtilities.CreateInstance<KeepCluster>(scope.ServiceProvider);
        await handler.HandleAsync(
            new ClusterChanged(cluster, cluster, "model", "active", false, epoch, issuedAt, [new ClusterKey(KeyIds.Of(spki), spki, Start.AddDays(-1), null)], Start.AddHours(-10), false, issuedAt, version),
            new MessageContext(Guid.CreateVersion7(), issuedAt), default);
        await db.SaveChangesAsync();
        await transaction.CommitAsync();
    }

    private async Task<long> ToldAsync()
    {
        await using var scope = Scope();
        return await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().AuditProducers("licensing").SumAsync(row => row.Sequence);
    }

    private async Task RecordAsync(IReadOnlyList<Arrival> group, bool dies = false)
    {
        await using var scope = Scope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync();
        await scope.ServiceProvider.GetRequiredService<Licensing.Ledger.Ledger>().RecordAsync(group, default);
        await db.SaveChangesAsync();
        if (!dies)
        {
            await transaction.CommitAsync();
        }
    }

    private AsyncServiceScope Scope()
    {
        var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("licensing");
        scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Scope.OpenAll("the test looks at everything");
        return scope;
    }
}
