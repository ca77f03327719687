using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Testing;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>The anchor as everybody sees it, and what it proves to whoever may read a log.</summary>
public sealed class AnchorTests : IAsyncLifetime
{
    private static readonly Dictionary<string, string?> Settings = new() { ["Api:RequestsPerMinute"] = "1000000", ["Audit:Epoch"] = "00:00:01" };
    private readonly ManualTime time = new(DateTimeOffset.UtcNow);
    private ControlPlane host = null!;
    private DirectoryInfo? data;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync(time: time, configuration: Settings);

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        data?.Delete(recursive: true);
    }

    [Fact]
    public async Task Every_epoch_binds_every_log_in_its_own_slot_which_the_log_of_the_fleet_gives()
    {
        foreach (var name in new[] { "Acme", "Beta", "Gamma" })
        {
            await host.CreateCustomerAsync(name);
        }

        var proofs = await BoundAsync(5);
        var epochs = await EpochsAsync();
        foreach (var (log, proof) in proofs)
        {
            proof.Verify(epochs[(int)proof.Epoch - 1]);
            using var policy = LogPolicy.Parse($"log {log.Keys[^1]}\nquorum none\n");
            Assert.Equal(log.Origin, policy.Judge(proof.Note).Checkpoint.Origin);
        }

        // Slots are dense, one log's each, and told in the fleet's log.
        Assert.Equal(Enumerable.Range(0, proofs.Count).Select(i => (long)i), proofs.Select(one => one.Proof.Slot).Order());
        List<(string Origin, long Slot)> given = [];
        await Eventually.TrueAsync(async () =>
        {
            var fleet = await VerifiedLog.ReadAsync(host.Admin, proofs.Single(one => one.Log.Kind == "fleet").Log);
            given = [.. fleet.Entries.Select(entry => JsonDocument.Parse(entry).RootElement).Where(entry => entry.GetProperty("type").GetString() == "audit.log-registered")
                .Select(entry => (entry.GetProperty("target").GetProperty("id").GetString()!, entry.GetProperty("changes")[0].GetProperty("value").GetInt64()))];
            return given.Count >= proofs.Count;
        }, "the log of the fleet tells the slots");
        Assert.All(proofs, one => Assert.Single(given, (one.Log.Origin, one.Proof.Slot)));
        Assert.Equal(given.Count, given.DistinctBy(one => one.Slot).Count());
        Assert.Equal(given.Count, given.DistinctBy(one => one.Origin).Count());
    }

    [Fact]
    public async Task Whoever_is_not_signed_in_reads_the_anchor_and_nothing_else_and_a_customer_gets_no_proof_of_another_log()
    {
        var (mine, other) = (await host.CreateCustomerAsync("Acme"), await host.CreateCustomerAsync("Beta"));
        var proofs = await BoundAsync(4);
        var (own, foreign) = (proofs.Single(one => one.Log.CustomerId == mine.Id), proofs.Single(one => one.Log.CustomerId == other.Id));
        using var nobody = host.Client(host.Portal);
        foreach (var (path, expected) in new[]
        {
            ("anchor/checkpoint", HttpStatusCode.OK), ("anchor/tile/0/000.p/1", HttpStatusCode.OK), ("anchor/tile/entries/000.p/1", HttpStatusCode.OK), ("anchor/tile/entries/999", HttpStatusCode.NotFound),
            ($"{own.Log.Id}/checkpoint", HttpStatusCode.Unauthorized), ($"{own.Log.Id}/anchor", HttpStatusCode.Unauthorized), ("", HttpStatusCode.Unauthorized),
        })
        {
            using var answer = await nobody.GetAsync(new Uri($"/api/v1/audit/logs/{path}", UriKind.Relative));
            Assert.True(answer.StatusCode == expected, $"{path}: {answer.StatusCode}");
        }

        var (client, _) = await host.ClientWithTokenAsync(mine.Id, "audit:read");
        using (client)
        {
            foreach (var (path, expected) in new[]
            {
                ($"{own.Log.Id}/anchor", HttpStatusCode.OK), ($"{own.Log.Id}/anchor?epoch={own.Proof.Epoch}", HttpStatusCode.OK), ($"{own.Log.Id}/anchor?epoch=0", HttpStatusCode.NotFound), ($"{own.Log.Id}/anchor?epoch={long.MaxValue}", HttpStatusCode.NotFound),
                ($"{own.Log.Id}/anchor?epoch=x", HttpStatusCode.BadRequest), ($"{foreign.Log.Id}/anchor", HttpStatusCode.NotFound), ($"{foreign.Log.Id}/anchor?epoch={foreign.Proof.Epoch}", HttpStatusCode.NotFound), ($"{Guid.CreateVersion7()}/anchor", HttpStatusCode.NotFound),
                ($"{proofs.Single(one => one.Log.Kind == "operator").Log.Id}/anchor", HttpStatusCode.NotFound), ($"{await AnchorIdAsync()}/anchor", HttpStatusCode.NotFound),
            })
            {
                using var answer = await client.GetAsync(new Uri($"/api/v1/audit/logs/{path}", UriKind.Relative));
                Assert.True(answer.StatusCode == expected, $"{path}: {answer.StatusCode}");
            }
        }

        // What its neighbours are shown is another hash in every epoch, whether they have grown or not.
        await EpochsAsync((int)own.Proof.Epoch + 1);
        var (before, after) = (own.Proof, SlotProof.Parse(await host.Admin.GetByteArrayAsync($"/api/v1/audit/logs/{own.Log.Id}/anchor?epoch={own.Proof.Epoch + 1}")));
        Assert.Empty(before.Path.Intersect(after.Path));
        Assert.NotEqual(before.Blinding.ToArray(), after.Blinding.ToArray());
    }

    [Fact]
    public async Task A_start_goes_on_behind_the_last_epoch_and_a_clock_that_was_put_back_makes_none_twice_or_earlier()
    {
        data = Directory.CreateTempSubdirectory("mc-anchor-");
        await host.DisposeAsync();
        host = await ControlPlane.StartAsync(data.FullName, time, Settings);
        var before = await EpochsAsync(3);
        await host.DisposeAsync();
        host = await ControlPlane.StartAsync(data.FullName, time, Settings);
        var gone = await EpochsAsync(before.Count + 2);
        Assert.Equal(before, gone.Take(before.Count));

        time.Advance(TimeSpan.FromHours(-1));
        var back = await EpochsAsync(gone.Count + 2);
        Assert.Equal(gone, back.Take(gone.Count));
    }

    [Fact]
    public async Task Replicas_that_close_an_epoch_at_once_close_one()
    {
        var sweeper = host.Services.GetServices<Time.Sweeper>().Single(one => one.Name == "audit.close-epochs");
        using var enough = new CancellationTokenSource();
        var replicas = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            var replica = (Time.Sweeper)ActivatorUtilities.CreateInstance(host.Services, sweeper.GetType());
            while (!enough.IsCancellationRequested)
            {
                await using var scope = host.Services.CreateAsyncScope();
                scope.ServiceProvider.GetRequiredService<Modules.ModuleScope>().Enter("audit");
                await replica.RunAsync(scope.ServiceProvider, CancellationToken.None);
            }
        })).ToList();

        await EpochsAsync(5);
        await enough.CancelAsync();
        await Task.WhenAll(replicas);
        await EpochsAsync(6);
    }

    [Fact]
    public async Task An_entry_names_an_epoch_that_was_closed_before_it()
    {
        await EpochsAsync(2);
        var customer = await host.CreateCustomerAsync("Acme");
        var (log, _) = (await BoundAsync(3)).Single(one => one.Log.CustomerId == customer.Id);
        var after = JsonDocument.Parse((await VerifiedLog.ReadAsync(host.Admin, log)).Entries[0]).RootElement.GetProperty("afterEpoch");
        var epochs = await EpochsAsync();

        Assert.Equal(TreeHash.OfLeaf(epochs[(int)after.GetProperty("number").GetInt64() - 1].ToBytes()).ToString(), after.GetProperty("hash").GetString());
    }

    [Fact]
    public async Task No_event_comes_into_the_anchor()
    {
        await EpochsAsync(1);
        var message = new AuditEntryRecorded(
            1, Guid.CreateVersion7(), "licensing/test", 1, DateTimeOffset.UnixEpoch, "anchor", null, null, "licensing.customer-renamed", "success", new AuditActor("staff", "person:1", "session"), new AuditTarget("customer", "1"), [], null, null, null, "none", new Dictionary<string, string>());

        await host.Services.GetRequiredService<HandlerRunner>().ApplyAsync(
            host.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(binding => binding.Name == "audit.append-entry"), message, new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow), TestContext.Current.CancellationToken);
        await using var scope = host.Services.CreateAsyncScope();
        var parked = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Database.SqlQueryRaw<string>("SELECT consumer AS \"Value\" FROM audit_parked_message");
        Assert.Equal("audit.append-entry", await parked.SingleAsync());
        await EpochsAsync((await EpochsAsync()).Count + 1);
    }

    private async Task<Guid> AnchorIdAsync() => (await LogsAsync()).Single(log => log.Kind == "anchor").Id;

    private async Task<IReadOnlyList<AuditLogItem>> LogsAsync() => (await host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs?limit=500"))!.Items;

    /// <summary>The logs that are bound by an epoch, once they are so many, each with its proof of the newest epoch.</summary>
    private async Task<List<(AuditLogItem Log, SlotProof Proof)>> BoundAsync(int least)
    {
        List<(AuditLogItem Log, SlotProof Proof)> bound = [];
        await Eventually.TrueAsync(async () =>
        {
            bound = [];
            foreach (var log in (await LogsAsync()).Where(log => log.Kind != "anchor"))
            {
                using var answer = await host.Admin.GetAsync(new Uri($"/api/v1/audit/logs/{log.Id}/anchor", UriKind.Relative));
                if (answer.StatusCode == HttpStatusCode.NotFound)
                {
                    return false;
                }

                bound.Add((log, SlotProof.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync())));
            }

            return bound.Count >= least;
        }, $"an epoch binds {least} logs");
        return bound;
    }

    /// <summary>All epochs, once there are so many, as somebody reads them who is not signed in: each at its place, later than the one before, and bound to what the anchor was before it.</summary>
    private async Task<IReadOnlyList<Epoch>> EpochsAsync(int least = 1)
    {
        var anchor = (await LogsAsync()).SingleOrDefault(log => log.Kind == "anchor");
        await Eventually.TrueAsync(async () => (anchor = (await LogsAsync()).SingleOrDefault(log => log.Kind == "anchor"))?.SignedSize >= least, $"{least} epochs are closed");
        using var nobody = host.Client(host.Portal);
        using var policy = LogPolicy.Parse($"log {anchor!.Keys[^1]}\nquorum none\n");
        var checkpoint = policy.Judge(SignedNote.Parse(await nobody.GetByteArrayAsync("/api/v1/audit/logs/anchor/checkpoint"))).Checkpoint;
        var (epochs, range) = (new List<Epoch>(), new CompactRange());
        var finding = await LogWalk.RunAsync(checkpoint, null, async (id, cancellationToken) => await nobody.GetByteArrayAsync($"/api/v1/audit/logs/anchor/{id}", cancellationToken), null, CancellationToken.None, (index, entry) =>
        {
            var epoch = Epoch.Parse(entry);
            Assert.Equal((index + 1, Epoch.HashOf(new Checkpoint(checkpoint.Origin, index, range.Root))), (epoch.Number, epoch.Previous));
            Assert.True(epochs.Count == 0 || epoch.Time > epochs[^1].Time);
            epochs.Add(epoch);
            range.Append(TreeHash.OfLeaf(entry));
        });
        Assert.Equal(WalkResult.Good, finding.Result);
        return epochs;
    }
}
