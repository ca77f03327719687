using System.Net;
using System.Net.Http.Json;
using System.Text;
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

    private static AuditEntryRecorded Event(Guid id, Guid customer, long sequence) => new(
        1, id, "licensing/test", sequence, new DateTimeOffset(2026, 11, 28, 10, 0, 0, TimeSpan.Zero), "customer", customer, null, "licensing.customer-renamed", "success",
        new AuditActor("staff", "person:1", "session"), new AuditTarget("customer", customer.ToString()), [], null, null, null, "none", new Dictionary<string, string>());

    private Task TellAsync(int count, Guid customer) => Parallel.ForEachAsync(Enumerable.Range(1, count), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) => await ApplyAsync(Event(Guid.CreateVersion7(), customer, i) with { Producer = $"licensing/{customer:N}{count}" }));

    private Task ApplyAsync(AuditEntryRecorded message) => host.Services.GetRequiredService<HandlerRunner>().ApplyAsync(
        host.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(binding => binding.Name == "audit.append-entry"), message, new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow), TestContext.Current.CancellationToken);

    private async Task<AuditLogItem> SignedAsync(Guid customer, long size)
    {
        AuditLogItem? log = null;
        await Eventually.TrueAsync(async () =>
        {
            log = (await host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs"))!.Items.SingleOrDefault(one => one.CustomerId == customer);
            return log?.SignedSize >= size && log.Size == log.SignedSize;
        }, $"the log has {size} entries and is signed");
        return log!;
    }
}
