using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Usage that has come and is not counted is not passed over in silence.</summary>
public sealed class WaitingUsageTests(PortalFixture portal)
{
    [Fact]
    public async Task Whoever_looks_at_the_usage_of_a_cluster_sees_how_much_of_it_waits_and_for_what()
    {
        await using var window = await portal.OpenAsync();
        var cluster = Guid.Parse(portal.Green.Id);
        await window.GoAsync($"/clusters/{cluster}/usage");
        var before = await window.Page.Locator("main").InnerTextAsync();
        await using var scope = portal.Host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        string after;
        try
        {
            // Not due: what waits for a person's word stays.
            await using (var transaction = await db.BeginWriteAsync())
            {
                await db.Dialect.InsertIfAbsentAsync(db, new BulkRows("licensing_waiting_window", ["cluster_id", "sha256", "customer_id", "epoch", "seq", "reason", "due", "received_at", "body"], ["cluster_id", "sha256"],
                    [[cluster, "sha256:waits", portal.OtherCustomer, 1L, 1L, "clone-suspected", false, portal.Host.Time.GetUtcNow().ToUnixTimeMilliseconds(), Array.Empty<byte>()]]), TestContext.Current.CancellationToken);
                await transaction.CommitAsync();
            }

            await window.GoAsync($"/clusters/{cluster}/usage");
            after = await window.Page.Locator("main").InnerTextAsync();
        }
        finally
        {
            // News of the cluster, which another test may make, would have it judged.
            await using var transaction = await db.BeginWriteAsync();
            await db.Database.ExecuteSqlRawAsync("DELETE FROM licensing_waiting_window WHERE sha256 = 'sha256:waits'");
            await transaction.CommitAsync();
        }

        Assert.DoesNotContain("cannot be counted yet", before, StringComparison.Ordinal);
        Assert.Contains("1 window of usage has come and cannot be counted yet", after, StringComparison.Ordinal);
    }
}
