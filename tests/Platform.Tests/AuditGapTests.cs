using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Numbers;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>What is lost between those who tell and the audit logs, and who is told of it.</summary>
public sealed class AuditGapTests
{
    private readonly ManualTime time = new(DateTimeOffset.UtcNow);

    [Fact]
    public async Task An_event_that_was_taken_out_of_its_outbox_is_told_to_all_customers_once_and_so_is_that_it_came_after_all()
    {
        await using var host = await ControlPlane.StartAsync(time: time, configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000" });
        var customer = await host.CreateCustomerAsync("Acme");
        var dropped = await DropAsync(host, customer.Id);
        await host.CreateCustomerAsync("Beta");
        await ReadAsync(host);
        Assert.Empty(await ToldAsync(host, "audit.gap"));

        // Not before its time, and then once, however many replicas look at once and however often.
        time.Advance(TimeSpan.FromMinutes(4));
        await ReadAsync(host);
        Assert.Empty(await ToldAsync(host, "audit.gap"));
        time.Advance(TimeSpan.FromMinutes(2));
        await ReadAsync(host);
        var gap = Assert.Single(await ToldAsync(host, "audit.gap"));
        Assert.Equal((dropped.Producer, dropped.ProducerSeq + 1, dropped.Producer, "failed"), (gap.Producer, gap.ProducerSeq, gap.TargetId, gap.Outcome));
        Assert.Equal((dropped.ProducerSeq, dropped.ProducerSeq), NumbersOf(gap));
        var next = await FoundAsync(host, entry => (entry.Producer, entry.ProducerSeq, entry.TargetType) == (dropped.Producer, dropped.ProducerSeq + 1, "customer"));
        Assert.Equal(next.RecordedAt, gap.Entry.GetProperty("changes")[2].GetProperty("value").GetDateTimeOffset());

        // All of it can be made again of the index, and nothing is told a second time.
        await WriteAsync(host, (db, _) => db.Database.ExecuteSqlRawAsync("DELETE FROM audit_producer; DELETE FROM audit_numbers_read"));
        await ReadAsync(host);
        Assert.Single(await ToldAsync(host, "audit.gap"));

        // It lay somewhere: twice over, it is told once. And that the number is named by three is no repetition.
        Assert.Empty(await ToldAsync(host, "audit.gap-filled"));
        await ApplyAsync(host, dropped);
        await ApplyAsync(host, dropped);
        await ReadAsync(host);
        var filled = Assert.Single(await ToldAsync(host, "audit.gap-filled"));
        Assert.Equal((dropped.Producer, dropped.ProducerSeq, (dropped.ProducerSeq, dropped.ProducerSeq)), (filled.Producer, filled.ProducerSeq, NumbersOf(filled)));
        time.Advance(TimeSpan.FromHours(1));
        await ReadAsync(host);
        Assert.Equal((1, 1, 0), ((await ToldAsync(host, "audit.gap")).Count, (await ToldAsync(host, "audit.gap-filled")).Count, (await ToldAsync(host, "audit.number-repeated", "customer")).Count + (await ToldAsync(host, "audit.number-repeated")).Count));

        // Whose it was nobody knows: every customer reads it, and it is proven as all of the log is.
        var (client, _) = await host.ClientWithTokenAsync(customer.Id, "audit:read");
        using (client)
        {
            var log = (await client.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs"))!.Items.Single(one => one.Kind == "fleet");
            await Eventually.TrueAsync(async () => (await VerifiedLog.ReadAsync(client, (await client.GetFromJsonAsync<AuditLogItem>($"/api/v1/audit/logs/{log.Id}"))!)).Entries.Count(entry => entry.Contains("\"type\":\"audit.gap", StringComparison.Ordinal)) == 2, "both stand in the log of the fleet, and are signed");
        }

        using var metrics = new HttpClient { BaseAddress = host.Operations };
        await Eventually.TrueAsync(async () => (await metrics.GetStringAsync("/metrics")).Contains("missioncontrol_audit_gaps_total", StringComparison.Ordinal), "gaps are counted");
    }

    [Fact]
    public async Task Numbers_that_come_in_any_order_over_several_logs_and_more_than_once_leave_the_gaps_that_there_are()
    {
        await using var host = await ControlPlane.StartAsync(time: time);
        var (first, second) = (await host.CreateCustomerAsync("Acme"), await host.CreateCustomerAsync("Beta"));
        var random = new Random(7);
        int[] missing = [1, 40, 41, 42, 600];
        var sent = Enumerable.Range(1, 700).Except(missing).Append(5_000).Select(number => Event(number % 3 == 0 ? first.Id : second.Id, number)).ToArray();
        random.Shuffle(sent);
        foreach (var batch in sent.Concat(sent.Take(20)).Chunk(100))
        {
            await using var scope = host.Services.CreateAsyncScope();
            await using var transaction = await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().BeginWriteAsync();
            await scope.ServiceProvider.GetRequiredService<Sequencer>().AppendAsync([.. batch.Select(Told.Of)], TestContext.Current.CancellationToken);
            await transaction.CommitAsync();
        }

        // Whoever knows the id under which a gap will be told, and tells something under it before, keeps nobody from reading of it.
        await ApplyAsync(host, Event(first.Id, 1) with { EventId = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes("audit.gap 1 1 licensing/test")).AsSpan(0, 16), bigEndian: true), Producer = "licensing/other", Log = "fleet", CustomerId = null });
        time.Advance(TimeSpan.FromMinutes(6));
        await ReadAsync(host);
        await ReadAsync(host);

        Assert.Equal([(1L, 1L), (40L, 42L), (600L, 600L), (701L, 4_999L)], (await ToldAsync(host, "audit.gap")).Select(NumbersOf).Order());
        await ApplyAsync(host, Event(first.Id, 41));
        await ReadAsync(host);
        Assert.Equal([(41L, 41L)], (await ToldAsync(host, "audit.gap-filled")).Select(NumbersOf));
        Assert.Equal(4, (await ToldAsync(host, "audit.gap")).Count);
    }

    [Fact]
    public void A_line_of_numbers_is_what_a_naive_one_is_whatever_comes_in_which_order()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            var (line, there, since, told) = (new NumberLine(0, []), new HashSet<long>(), new Dictionary<long, long>(), new HashSet<long>());
            for (var at = 1L; at <= 60; at++)
            {
                var number = (long)random.Next(0, 50);
                var reached = there.DefaultIfEmpty(0).Max();
                Assert.Equal(told.Remove(number), line.Take(number, at));
                since.Remove(number);
                if (number > 0)
                {
                    there.Add(number);
                }

                for (var n = reached + 1; n < number; n++)
                {
                    since[n] = at;
                }

                if (random.Next(4) == 0)
                {
                    var upTo = at - random.Next(10);
                    var due = since.Where(one => one.Value <= upTo && told.Add(one.Key)).Select(one => one.Key).ToList();
                    Assert.Equal(NumberLine.Runs(due), line.Tell(upTo).Select(hole => (hole.First, hole.Last)));
                }

                // As it is stored, and read again.
                line = new NumberLine(line.Reached, JsonSerializer.Deserialize<Hole[]>(JsonSerializer.Serialize(line.Holes))!);
                Assert.Equal(there.DefaultIfEmpty(0).Max(), line.Reached);
                Assert.Equal(since.OrderBy(one => one.Key).Select(one => (one.Key, one.Value, told.Contains(one.Key))), line.Holes.SelectMany(hole => Enumerable.Range(0, (int)(hole.Last - hole.First + 1)).Select(i => (hole.First + i, hole.Since, hole.IsTold))));
            }
        }
    }

    [Fact]
    public void Holes_beyond_what_is_remembered_are_told_at_once_and_a_number_of_any_size_costs_one()
    {
        var line = new NumberLine(0, []);
        for (var i = 1; i <= NumberLine.MostHoles + 3; i++)
        {
            line.Take(i * 2L, 5);
        }

        Assert.Equal([1L, 3L, 5L], line.Tell(4).Select(hole => hole.First));
        Assert.Equal(NumberLine.MostHoles, line.Holes.Count);
        Assert.Equal(NumberLine.MostHoles, line.Tell(5).Count);
        Assert.False(line.Take(3, 6));
        line.Take(long.MaxValue, 7);
        Assert.Equal((long.MaxValue, long.MaxValue - 1), (line.Reached, line.Holes[^1].Last));
        Assert.Single(line.Tell(7));
    }

    // In the transaction of what it tells of, whoever owns the database takes it away again.
    private static async Task<AuditEntryRecorded> DropAsync(ControlPlane host, Guid customer)
    {
        byte[] payload = [];
        await WriteAsync(host, async (db, events) =>
        {
            events.Audit(new AuditFact("licensing.customer-renamed", AuditLog.Customer, "customer", customer.ToString()) { CustomerId = customer, Actor = new AuditActor("system", "licensing", "local") });
            await db.SaveChangesAsync();
            var row = db.Outbox("licensing").Local.Single(row => row.Type == "audit.entry");
            payload = row.Payload;
            db.Remove(row);
            await db.SaveChangesAsync();
        });
        return JsonSerializer.Deserialize<AuditEntryRecorded>(Encoding.UTF8.GetString(payload), MessageJson.Options)!;
    }

    private static async Task WriteAsync(ControlPlane host, Func<ControlPlaneDbContext, IEvents, Task> write)
    {
        await using var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("licensing");
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync();
        await write(db, scope.ServiceProvider.GetRequiredService<IEvents>());
        await transaction.CommitAsync();
    }

    /// <summary>Waits until all that was told so far is in its log, and lets three replicas look at the numbers at once.</summary>
    private static async Task ReadAsync(ControlPlane host)
    {
        await Eventually.TrueAsync(async () => await OutboxesAsync(host) == 0, "all that was told is delivered");
        var sweeper = host.Services.GetServices<Sweeper>().Single(one => one.Name == "audit.tell-gaps");
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            using var replica = (IDisposable)ActivatorUtilities.CreateInstance(host.Services, sweeper.GetType());
            await using var scope = host.Services.CreateAsyncScope();
            scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
            await ((Sweeper)replica).RunAsync(scope.ServiceProvider, TestContext.Current.CancellationToken);
        })));
    }

    private static async Task<int> OutboxesAsync(ControlPlane host)
    {
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        return await db.Outbox("licensing").CountAsync() + await db.Outbox("audit").CountAsync() + await db.Outbox("identity").CountAsync();
    }

    private static async Task<IReadOnlyList<AuditEntryItem>> ToldAsync(ControlPlane host, string type, string log = "fleet") =>
        (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?log={log}&type={type}&limit=100"))!.Items;

    private static async Task<AuditEntryItem> FoundAsync(ControlPlane host, Func<AuditEntryItem, bool> which) =>
        (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?limit=500"))!.Items.Single(which);

    private static (long First, long Last) NumbersOf(AuditEntryItem entry) => (entry.Entry.GetProperty("changes")[0].GetProperty("value").GetInt64(), entry.Entry.GetProperty("changes")[1].GetProperty("value").GetInt64());

    private static AuditEntryRecorded Event(Guid customer, long number) => new(
        1, new Guid(17, (short)number, 7, [1, 2, 3, 4, 5, 6, 7, 8]), "licensing/test", number, new DateTimeOffset(2026, 11, 28, 10, 0, 0, TimeSpan.Zero), "customer", customer, null, "licensing.customer-renamed", "success",
        new AuditActor("staff", "person:1", "session"), new AuditTarget("customer", customer.ToString()), [], null, null, null, "none", new Dictionary<string, string>());

    private static Task ApplyAsync(ControlPlane host, AuditEntryRecorded message) => host.Services.GetRequiredService<HandlerRunner>().ApplyAsync(
        host.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(binding => binding.Name == "audit.append-entry"), message, new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow), TestContext.Current.CancellationToken);
}
