using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Host;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Testing;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>The audit logs as somebody sees them who believes nothing: read by the API, and verified by what stands in the standards.</summary>
public sealed class AuditLogTests : IAsyncLifetime
{
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000" });

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task What_was_done_stands_in_the_log_of_its_customer_and_the_whole_log_verifies()
    {
        var customer = await host.CreateCustomerAsync("Acme");
        var other = await host.CreateCustomerAsync("Beta");
        await SignedAsync(customer.Id, 1);
        await TellAsync(700, customer.Id);
        var log = await SignedAsync(customer.Id, 701);

        var whole = await VerifiedLog.ReadAsync(host.Admin, log);

        // Who created the customer stands first, and nobody else's.
        var first = JsonDocument.Parse(whole.Entries[0]).RootElement;
        Assert.Equal(("licensing.customer-created", customer.Id.ToString()), (first.GetProperty("type").GetString(), first.GetProperty("customerId").GetString()));
        Assert.Equal(first.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal), first.EnumerateObject().Select(member => member.Name));
        Assert.NotEqual(log.Id, (await SignedAsync(other.Id, 1)).Id);

        // A receipt proves an entry to whoever holds the log's key.
        var proof = LogProof.Parse(Encoding.UTF8.GetBytes(await host.Admin.GetStringAsync($"/api/v1/audit/logs/{log.Id}/proofs/{first.GetProperty("eventId").GetString()}")));
        using var policy = LogPolicy.Parse($"log {log.Keys[^1]}\nquorum none\n");
        Assert.Equal(0, proof.Index);
        Assert.Equal(log.Origin, proof.Verify(proof.Extra.Span, policy).Checkpoint.Origin);

        // Later ones go on from there.
        await TellAsync(5, customer.Id);
        Assert.Equal(whole.Entries, (await VerifiedLog.ReadAsync(host.Admin, await SignedAsync(customer.Id, whole.Entries.Count + 5), whole.Checkpoint)).Entries.Take(whole.Entries.Count));
    }

    [Fact]
    public async Task The_same_event_again_is_the_same_entry_and_another_one_under_its_id_is_told()
    {
        var customer = await host.CreateCustomerAsync("Acme");
        await SignedAsync(customer.Id, 1);
        var id = Guid.CreateVersion7();
        var told = Event(id, customer.Id, 1) with { Personal = new Dictionary<string, string> { ["address"] = "192.0.2.7" } };
        foreach (var message in new[] { told, told, told with { Reason = "another one" }, told with { Reason = "another one" } })
        {
            await ApplyAsync(message);
        }

        var log = await SignedAsync(customer.Id, 3);
        var entries = (await VerifiedLog.ReadAsync(host.Admin, log)).Entries;
        var (entry, conflict) = (entries[1], JsonDocument.Parse(entries[2]).RootElement);
        Assert.Equal("audit.event-conflict", conflict.GetProperty("type").GetString());
        Assert.Equal(id.ToString(), conflict.GetProperty("target").GetProperty("id").GetString());

        // What names a person stands beside the log, and the entry is committed to it.
        Assert.DoesNotContain("192.0.2.7", entry, StringComparison.Ordinal);
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var kept = await db.Database.SqlQueryRaw<string>("SELECT hex(salt) || ' ' || value AS \"Value\" FROM audit_log_personal WHERE position = 1 AND field = 'address' AND log_id = {0}", log.Id.ToString().ToUpperInvariant()).SingleAsync();
        Assert.EndsWith(" 192.0.2.7", kept, StringComparison.Ordinal);
        Assert.True(Commitment.Verify(JsonDocument.Parse(entry).RootElement.GetProperty("commitments").GetProperty("address").GetBytesFromBase64(), Convert.FromHexString(kept.Split(' ')[0]), "address", "192.0.2.7"));
    }

    [Fact]
    public async Task A_hit_of_the_search_says_what_its_log_says_and_of_persons_what_was_not_erased()
    {
        var customer = await host.CreateCustomerAsync("Acme");
        await SignedAsync(customer.Id, 1);
        var text = new string('x', 70_000);
        var told = Event(Guid.CreateVersion7(), customer.Id, 1) with { Personal = new Dictionary<string, string> { ["name"] = "Ada Lovelace", ["address"] = "192.0.2.7" } };
        var large = Event(Guid.CreateVersion7(), customer.Id, 2) with { Changes = [Change.Replace("/text", "old", text)] };
        await ApplyAsync(told);
        await ApplyAsync(told with { Reason = "another one" });
        await ApplyAsync(large);
        await ApplyAsync(told with { EventId = Guid.CreateVersion7() });

        // Everything in the log is found, also what the log says by itself.
        var log = await SignedAsync(customer.Id, 6);
        var entries = (await VerifiedLog.ReadAsync(host.Admin, log)).Entries.Select(entry => JsonDocument.Parse(entry).RootElement).ToList();
        var hits = await HitsAsync(customer.Id, entries.Count);
        Assert.Equal(Enumerable.Range(0, entries.Count).Select(i => (log.Id, (long)i)), hits.Select(hit => (hit.LogId, hit.Index)).Order());
        Assert.Equal(["audit.event-conflict", "audit.number-repeated"], hits.Select(hit => hit.Type).Where(type => type.StartsWith("audit.", StringComparison.Ordinal)).Order());
        Assert.All(hits, hit =>
        {
            var leaf = entries[(int)hit.Index];
            Assert.Equal((hit.Id, hit.Type, hit.Producer, hit.ProducerSeq, false), (leaf.GetProperty("eventId").GetGuid(), leaf.GetProperty("type").GetString(), leaf.GetProperty("producer").GetString(), leaf.GetProperty("producerSeq").GetInt64(), hit.Imported));
            Assert.All(leaf.EnumerateObject(), member => Assert.True(JsonElement.DeepEquals(member.Value, hit.Entry.GetProperty(member.Name))));
        });

        // What does not fit into an entry is told all the same.
        var whole = hits.Single(hit => hit.Id == large.EventId);
        Assert.False(entries[(int)whole.Index].TryGetProperty("changes", out _));
        Assert.Equal(text, whole.Entry.GetProperty("changes")[0].GetProperty("value").GetString());

        // Which entry it was that had a number that was given, and that it is no reason to keep it out.
        var repeated = hits.Single(hit => hit.Type == "audit.number-repeated");
        Assert.Equal(repeated.Index - 1, hits.Single(hit => hit.Id.ToString() == repeated.TargetId).Index);

        var named = hits.Single(hit => hit.Id == told.EventId);
        Assert.Equal("Ada Lovelace", named.Entry.GetProperty("personal").GetProperty("name").GetString());
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            await using var transaction = await db.BeginWriteAsync();
            Assert.Equal(1, await db.Database.ExecuteSqlRawAsync("DELETE FROM audit_log_personal WHERE field = 'name' AND position = {0} AND log_id = {1}", named.Index, log.Id.ToString().ToUpperInvariant()));
            await transaction.CommitAsync();
        }

        var personal = (await HitsAsync(customer.Id, entries.Count)).Single(hit => hit.Id == told.EventId).Entry.GetProperty("personal");
        Assert.Equal("192.0.2.7", Assert.Single(personal.EnumerateObject()).Value.GetString());
        Assert.Equal(entries.Select(entry => entry.GetRawText()), (await VerifiedLog.ReadAsync(host.Admin, await SignedAsync(customer.Id, entries.Count))).Entries.Take(entries.Count));
    }

    [Fact]
    public async Task What_was_written_before_there_were_logs_is_found_and_stands_in_a_log_that_verifies()
    {
        var (data, customer) = (Directory.CreateTempSubdirectory("mc-upgrade-").FullName, Guid.CreateVersion7());
        var told = Enumerable.Range(1, 300).Select(number => FoundationDatabase.Event(number, customer)).ToList();
        await using (var app = ControlPlaneHost.Build(new HostSettings { Data = data, Serves = false }))
        await using (var scope = app.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            await FoundationDatabase.MigrateAsync(db, "Initial");
            await FoundationDatabase.InsertAsync(db, told, told[^1].OccurredAt);
        }

        var upgraded = await ControlPlane.StartAsync(data);
        var log = await SignedAsync(customer, 300, upgraded);
        var entries = (await VerifiedLog.ReadAsync(upgraded.Admin, log)).Entries;
        var hits = await HitsAsync(customer, entries.Count, upgraded);

        Assert.Equal(300, entries.Count);
        Assert.Equal(told.OrderBy(one => one.OccurredAt).ThenBy(one => one.EventId).Select(one => one.EventId), hits.OrderBy(hit => hit.Index).Select(hit => hit.Id));
        Assert.All(hits, hit => Assert.True(hit.Imported && hit.Entry.GetProperty("personal").GetProperty("name").GetString() == $"Ada Lovelace {hit.ProducerSeq}"));
        Assert.DoesNotContain(entries, entry => entry.Contains("Ada Lovelace", StringComparison.Ordinal));
        Assert.Equal(told.Count(one => one.Type == "callhome.cluster-read"), (await upgraded.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?customer={customer}&kind=reads&limit=500"))!.Items.Count(hit => hit.Imported));
        Assert.Equal(told[6].EventId, Assert.Single((await upgraded.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?customer={customer}&q=BECAUSE 7&actor=person:0&to=2026-11-01T10:00:03Z"))!.Items).Id);

        // The bytes that the proof hands out are those of the log.
        var proof = LogProof.Parse(Encoding.UTF8.GetBytes(await upgraded.Admin.GetStringAsync($"/api/v1/audit/logs/{log.Id}/proofs/{hits[0].Id}")));
        Assert.Equal((hits[0].Index, entries[(int)hits[0].Index]), (proof.Index, Encoding.UTF8.GetString(proof.Extra.Span)));
        await upgraded.DisposeAsync();
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task A_log_whose_rows_were_changed_is_signed_no_more_and_the_others_are()
    {
        var (victim, other) = (await host.CreateCustomerAsync("Acme"), await host.CreateCustomerAsync("Beta"));
        var log = await SignedAsync(victim.Id, 1);
        await SignedAsync(other.Id, 1);
        await using (var scope = host.Services.CreateAsyncScope())
        {
            // Whoever owns the database can do all of it.
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            await using var transaction = await db.BeginWriteAsync();
            await db.Database.ExecuteSqlRawAsync("DROP TRIGGER audit_log_leaf_no_update");
            Assert.Equal(1, await db.Database.ExecuteSqlRawAsync("UPDATE audit_log_leaf SET hash = zeroblob(32) WHERE position = 0 AND log_id = {0}", log.Id.ToString().ToUpperInvariant()));
            await transaction.CommitAsync();
        }

        await ApplyAsync(Event(Guid.CreateVersion7(), victim.Id, 1));
        await ApplyAsync(Event(Guid.CreateVersion7(), other.Id, 2));
        await SignedAsync(other.Id, 2);
        await ApplyAsync(Event(Guid.CreateVersion7(), other.Id, 3));
        await SignedAsync(other.Id, 3);

        var damaged = (await host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs"))!.Items.Single(one => one.Id == log.Id);
        Assert.Equal((2, 1), (damaged.Size, damaged.SignedSize));
        await Assert.ThrowsAsync<InvalidOperationException>(() => VerifiedLog.ReadAsync(host.Admin, damaged));
    }

    [Fact]
    public async Task A_customer_reads_its_own_log_and_the_fleets_and_finds_no_other()
    {
        var (mine, other) = (await host.CreateCustomerAsync("Acme"), await host.CreateCustomerAsync("Beta"));
        var foreign = await SignedAsync(other.Id, 1);
        var own = await SignedAsync(mine.Id, 1);
        var (client, _) = await host.ClientWithTokenAsync(mine.Id, "audit:read");
        using (client)
        {
            var seen = (await client.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs"))!.Items;
            Assert.All(seen, log => Assert.True(log.CustomerId == mine.Id || log.Kind is "fleet" or "anchor"));
            Assert.Contains(seen, log => log.Id == own.Id);
            foreach (var (log, expected) in new[] { (own.Id, HttpStatusCode.OK), (foreign.Id, HttpStatusCode.NotFound), (Guid.CreateVersion7(), HttpStatusCode.NotFound) })
            {
                foreach (var path in new[] { "checkpoint", "tile/0/000.p/1", "tile/entries/000.p/1" })
                {
                    using var answer = await client.GetAsync(new Uri($"/api/v1/audit/logs/{log}/{path}", UriKind.Relative));
                    Assert.Equal(expected, answer.StatusCode);
                }
            }

            foreach (var path in new[] { "tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1", "tile/64/000", "tile/entries/000.p/0", "tile/0/000.p/255", "tile/..%2Fcheckpoint" })
            {
                using var none = await client.GetAsync(new Uri($"/api/v1/audit/logs/{own.Id}/{path}", UriKind.Relative));
                Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
            }
        }
    }

    // That somebody looked stands in the log as well, behind what was there.
    private async Task<List<AuditEntryItem>> HitsAsync(Guid customer, int size, ControlPlane? at = null)
    {
        var hits = new List<AuditEntryItem>();
        for (var next = $"/api/v1/audit/entries?customer={customer}&limit=100"; next is not null;)
        {
            var page = (await (at ?? host).Admin.GetFromJsonAsync<Page<AuditEntryItem>>(next))!;
            hits.AddRange(page.Items.Where(hit => hit.Index < size));
            next = page.Next;
        }

        return hits;
    }

    private static AuditEntryRecorded Event(Guid id, Guid customer, long sequence) => new(
        1, id, "licensing/test", sequence, new DateTimeOffset(2026, 11, 28, 10, 0, 0, TimeSpan.Zero), "customer", customer, null, "licensing.customer-renamed", "success",
        new AuditActor("staff", "person:1", "session"), new AuditTarget("customer", customer.ToString()), [], null, null, null, "none", new Dictionary<string, string>());

    private Task TellAsync(int count, Guid customer) => Parallel.ForEachAsync(Enumerable.Range(1, count), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) => await ApplyAsync(Event(Guid.CreateVersion7(), customer, i) with { Producer = $"licensing/{customer:N}{count}" }));

    private Task ApplyAsync(AuditEntryRecorded message) => host.Services.GetRequiredService<HandlerRunner>().ApplyAsync(
        host.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(binding => binding.Name == "audit.append-entry"), message, new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow), TestContext.Current.CancellationToken);

    private async Task<AuditLogItem> SignedAsync(Guid customer, long size, ControlPlane? at = null)
    {
        AuditLogItem? log = null;
        await Eventually.TrueAsync(async () =>
        {
            log = (await (at ?? host).Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs"))!.Items.SingleOrDefault(one => one.CustomerId == customer);
            return log?.SignedSize >= size && log.Size == log.SignedSize;
        }, $"the log has {size} entries and is signed");
        return log!;
    }
}
