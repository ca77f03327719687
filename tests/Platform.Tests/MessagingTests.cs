using System.Collections.Concurrent;
using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

public sealed class MessagingTests : IAsyncLifetime
{
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync();

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task A_message_delivered_twice_has_its_effect_once()
    {
        var binding = Binding("callhome.keep-customer");
        var runner = host.Services.GetRequiredService<HandlerRunner>();
        var message = new CustomerChanged(Guid.CreateVersion7(), "Acme", "eu", "active", 1);
        var context = new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => runner.ApplyAsync(binding, message, context, CancellationToken.None)));

        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        Assert.Equal(1, await db.Inbox("callhome").CountAsync(row => row.MessageId == context.MessageId));
        Assert.Equal(0, await db.ParkedMessages("callhome").CountAsync());
    }

    [Fact]
    public async Task What_waits_is_told_by_role_with_the_age_of_the_oldest()
    {
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            var now = host.Time.GetUtcNow();
            foreach (var minutes in new[] { 7, 3 })
            {
                // Not due within the test.
                db.Outbox("updates").Add(new OutboxMessage { Id = Guid.CreateVersion7(now.AddMinutes(-minutes)), Type = "test", Key = "k", Payload = [], CreatedAt = now.AddMinutes(-minutes), NextAttemptAt = now.AddMinutes(9) });
            }

            db.ParkedMessages("updates").Add(new ParkedMessage { Id = Guid.CreateVersion7(), Consumer = "updates.none", MessageId = Guid.CreateVersion7(), Type = "test", Key = "k", Payload = [], SentAt = now, FirstFailedAt = now, LastFailedAt = now, FirstError = "test", LastError = "test", State = ParkedState.Parked });
            await using var transaction = await db.BeginWriteAsync();
            await db.SaveChangesAsync();
            await transaction.CommitAsync();
        }

        var seen = await host.Services.GetRequiredService<QueueGauges>().LookAsync(CancellationToken.None);

        Assert.Equal((2, 1), (seen["updates"].Waiting, seen["updates"].Parked));
        Assert.InRange(host.Time.GetUtcNow() - seen["updates"].OldestSince!.Value, TimeSpan.FromMinutes(7), TimeSpan.FromMinutes(8));
        Assert.Equal(new QueueDepth(0, null, 0), seen["remoteaccess"]);
        using var operations = new HttpClient { BaseAddress = host.Operations };
        var metrics = await operations.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        Assert.All(["missioncontrol_outbox_waiting", "missioncontrol_outbox_oldest_age", "missioncontrol_messages_parked"], name => Assert.Contains(name + "{role=\"updates\"} ", metrics));
    }

    [Fact]
    public async Task An_older_message_that_comes_later_changes_nothing()
    {
        var binding = Binding("fleet.keep-customer");
        var runner = host.Services.GetRequiredService<HandlerRunner>();
        var id = Guid.CreateVersion7();

        await runner.ApplyAsync(binding, new CustomerChanged(id, "New name", "eu", "active", 2), new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow), CancellationToken.None);
        await runner.ApplyAsync(binding, new CustomerChanged(id, "Old name", "eu", "active", 1), new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow), CancellationToken.None);

        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var name = await db.Database.SqlQuery<string>($"SELECT name AS Value FROM fleet_customer WHERE id = {id}").SingleAsync();
        Assert.Equal("New name", name);
    }

    [Fact]
    public async Task A_message_that_fails_is_parked_visible_and_applied_by_a_retry()
    {
        // A name longer than its column's contract makes the consumer fail by a real constraint: null where none is allowed.
        var binding = Binding("fleet.keep-customer");
        var runner = host.Services.GetRequiredService<HandlerRunner>();
        var broken = new CustomerChanged(Guid.CreateVersion7(), null!, "eu", "active", 1);

        await runner.ApplyAsync(binding, broken, new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow), CancellationToken.None);

        await host.ClientWithTokenAsync(null, "system:read");
        var parked = Assert.Single((await host.Admin.GetFromJsonAsync<Page<ParkedMessageItem>>("/api/v1/fleet/parked-messages"))!.Items);
        Assert.Equal("fleet.keep-customer", parked.Consumer);
        Assert.Contains("NOT NULL", parked.LastError);
        using var retry = await host.Admin.PostAsync(new Uri($"/api/v1/fleet/parked-messages/{parked.Id}/retry", UriKind.Relative), null);
        var result = (await retry.Content.ReadFromJsonAsync<RetryResult>())!;
        Assert.False(result.Applied);

        // The cause ends: here, the row's own payload is mended, as a corrected consumer would.
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            var mended = MessageJson.Write(broken with { Name = "Acme" });
            await using var transaction = await db.BeginWriteAsync();
            await db.ParkedMessages("fleet").ExecuteUpdateAsync(set => set.SetProperty(row => row.Payload, mended));
            await transaction.CommitAsync();
        }

        await Eventually.TrueAsync(async () =>
        {
            using var again = await host.Admin.PostAsync(new Uri($"/api/v1/fleet/parked-messages/{parked.Id}/retry", UriKind.Relative), null);
            return !again.IsSuccessStatusCode || (await again.Content.ReadFromJsonAsync<RetryResult>())!.Applied;
        }, "the retry applies the message");
        Assert.Empty((await host.Admin.GetFromJsonAsync<Page<ParkedMessageItem>>("/api/v1/fleet/parked-messages"))!.Items);
    }

    [Fact]
    public async Task Audit_numbers_have_no_gaps_however_many_write_at_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 30).Select(i => host.CreateCustomerAsync($"C{i}")));

        var sequences = new ConcurrentBag<long>();
        await Eventually.TrueAsync(async () =>
        {
            sequences.Clear();
            var page = await host.Admin.GetFromJsonAsync<Page<Contracts.Api.Audit.AuditEntryItem>>("/api/v1/audit/entries?type=licensing.customer-created&limit=500");
            foreach (var entry in page!.Items)
            {
                sequences.Add(entry.ProducerSeq);
            }

            return sequences.Count == 30;
        }, "thirty entries are recorded");
        Assert.Equal(Enumerable.Range(1, 30).Select(i => (long)i), sequences.Order());
    }

    private HandlerBinding Binding(string name) => host.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(binding => binding.Name == name);
}
