using System.Net;
using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

public sealed class RetentionTests : IAsyncLifetime
{
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync();

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task Records_end_with_their_term_unless_their_customer_is_held()
    {
        var (plain, held) = ((await host.CreateCustomerAsync("Plain")).Id, (await host.CreateCustomerAsync("Held")).Id);
        foreach (var customer in new[] { plain, held })
        {
            using var cluster = await TestCluster.EnrollAsync(host, customer);
            await cluster.CheckInAsync(cluster.Event("a"), cluster.Event("b"), cluster.Event("c"));
        }

        await Eventually.TrueAsync(async () => await EventsAsync() == 6, "the events are recorded");
        await ExecuteAsync(async db =>
        {
            await using var transaction = await db.BeginWriteAsync();
            await db.Database.ExecuteSqlAsync($"UPDATE fleet_event SET received_at = received_at - 401 * 86400000 WHERE id <> 'c'");
            await transaction.CommitAsync();
            return true;
        });
        await HoldAsync(held, "legal-hold", 1, HttpStatusCode.OK);
        await Eventually.TrueAsync(() => HasAsync(held), "fleet knows of the hold");

        await PurgeAsync("fleet");

        Assert.Equal(4, await EventsAsync());
        Assert.Equal(3, await EventsAsync(held));
        await AssertAuditedAsync("fleet.records-purged", "fleet.event", 2);

        await HoldAsync(held, "legal-hold/release", 2, HttpStatusCode.OK);
        await Eventually.TrueAsync(async () => !await HasAsync(held), "fleet knows that the hold has ended");
        await PurgeAsync("fleet");
        Assert.Equal(1, await EventsAsync(held));
    }

    [Fact]
    public async Task A_purge_goes_in_batches_and_its_count_survives_an_interruption()
    {
        var now = host.Time.GetUtcNow();
        await ExecuteAsync(async db =>
        {
            db.Inbox("updates").AddRange(Enumerable.Range(0, 1234).Select(i => new InboxMessage { Consumer = "test", MessageId = Guid.CreateVersion7(now), AppliedAt = now.AddDays(-31).AddSeconds(-i) }));
            db.Inbox("updates").Add(new InboxMessage { Consumer = "test-young", MessageId = Guid.CreateVersion7(now), AppliedAt = now.AddDays(-29) });

            // What a process that was killed between two batches leaves behind.
            db.Projections("updates").Add(new Projection { Kind = "purged", Id = "platform.inbox", Version = 1, Body = "500" });
            return await db.SaveChangesAsync();
        });

        await PurgeAsync("updates");

        await ExecuteAsync(async db =>
        {
            Assert.Equal(0, await db.Inbox("updates").CountAsync(row => row.Consumer == "test"));
            Assert.Equal(1, await db.Inbox("updates").CountAsync(row => row.Consumer == "test-young"));
            Assert.Equal(0, await db.Projections("updates").CountAsync(row => row.Kind == "purged"));
            return true;
        });
        await AssertAuditedAsync("updates.records-purged", "platform.inbox", 1734);
    }

    [Fact]
    public async Task A_legal_hold_asks_for_the_version_and_is_the_vendors_own_affair()
    {
        var customer = (await host.CreateCustomerAsync()).Id;
        using var blind = await host.Admin.PostAsJsonAsync($"/api/v1/licensing/customers/{customer}/legal-hold", new LegalHoldRequest("case 7"));
        Assert.Equal(HttpStatusCode.PreconditionRequired, blind.StatusCode);
        await HoldAsync(customer, "legal-hold", 9, HttpStatusCode.PreconditionFailed);
        await HoldAsync(customer, "legal-hold/release", 1, HttpStatusCode.Conflict);
        await HoldAsync(customer, "legal-hold", 1, HttpStatusCode.OK);
        await HoldAsync(customer, "legal-hold", 2, HttpStatusCode.Conflict);

        var item = (await host.Admin.GetFromJsonAsync<LegalHoldItem>($"/api/v1/licensing/customers/{customer}/legal-hold"))!;
        Assert.True(item.Held);
        Assert.Equal("because", item.Reason);

        var (own, _) = await host.ClientWithTokenAsync(customer, "licensing:read", "licensing:write");
        using var seen = await own.GetAsync(new Uri($"/api/v1/licensing/customers/{customer}/legal-hold", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, seen.StatusCode);
    }

    private async Task HoldAsync(Guid customer, string path, long version, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/licensing/customers/{customer}/{path}") { Content = JsonContent.Create(new LegalHoldRequest("because")) };
        request.Headers.TryAddWithoutValidation("If-Match", $"\"{version}\"");
        using var response = await host.Admin.SendAsync(request);
        Assert.Equal(expected, response.StatusCode);
    }

    private async Task<bool> HasAsync(Guid customer)
    {
        var id = customer.ToString("N");
        return await ExecuteAsync(db => db.Projections("fleet").AnyAsync(row => row.Kind == "legal-hold" && row.Id == id && row.Body.Contains("\"held\":true")));
    }

    private Task<int> EventsAsync(Guid? customer = null) => ExecuteAsync(db => customer is null
        ? db.Database.SqlQuery<int>($"SELECT count(*) AS Value FROM fleet_event").SingleAsync()
        : db.Database.SqlQuery<int>($"SELECT count(*) AS Value FROM fleet_event WHERE customer_id = {customer}").SingleAsync());

    private async Task AssertAuditedAsync(string type, string target, long count)
    {
        AuditEntryItem? entry = null;
        await Eventually.TrueAsync(async () => (entry = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type={type}&target={target}"))!.Items is [var found, ..] ? found : null) is not null, $"{type} is audited");
        Assert.Equal(count, entry!.Entry.GetProperty("changes")[0].GetProperty("value").GetInt64());
    }

    private async Task PurgeAsync(string module)
    {
        await using var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(module);
        await host.Services.GetServices<Job>().Single(job => job.Name == $"{module}.purge-records").RunAsync(scope.ServiceProvider, CancellationToken.None);
    }

    private async Task<T> ExecuteAsync<T>(Func<ControlPlaneDbContext, Task<T>> act)
    {
        await using var scope = host.Services.CreateAsyncScope();
        return await act(scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>());
    }
}
