using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MissionControl.Audit;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.ClusterLogs;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Numbers;
using MissionControl.Audit.Prune;
using MissionControl.Audit.Receipts;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>The command as an operator runs it, beside a server that goes on: what is gone is answered as gone, and all that is left verifies.</summary>
public sealed class AuditPruneTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_command_prunes_beside_the_server_and_the_server_says_what_is_gone()
    {
        await using var host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Audit:RetentionDays"] = "30" });
        var (customer, now) = (Guid.CreateVersion7(), TimeProvider.System.GetUtcNow());
        var (log, old) = (Log.IdOf(Log.NameOf("customer", customer)), Enumerable.Range(0, 600).Select(_ => Event(customer, now.AddDays(-60))).ToList());
        await AppendAsync(host, old, now.AddDays(-60));
        await AppendAsync(host, [Event(customer, now)], now);
        await Eventually.TrueAsync(() => InAuditAsync(host, async db => await RetentionPolicy.ReadAsync(db, Token) is { Days: 30 } && await db.Set<NumbersRead>().AnyAsync(row => row.LogId == log && row.Position >= 601, Token)), "the term is published, and the numbers were looked at");
        var path = $"/api/v1/audit/logs/{log}";
        Assert.Equal(0, (await host.Admin.GetFromJsonAsync<AuditLogItem>(path, Token))!.MinimumIndex);

        // What they go by nobody tells by a message.
        await InAuditAsync(host, async (_, services) =>
        {
            var append = ActivatorUtilities.CreateInstance<AppendEntry>(services);
            foreach (var own in new[] { Event(customer, now) with { Type = PruneLogs.Told }, Event(customer, now) with { Type = RetentionPolicy.Told, Producer = "audit/1" } })
            {
                Assert.Contains("is never told by a message", (await Assert.ThrowsAsync<InvalidOperationException>(() => append.PrepareAsync([Event(customer, now), own], Token))).Message, StringComparison.Ordinal);
            }

            return true;
        });

        // As the operator's page has them.
        var page = File.ReadAllLines(Path.Combine(SourceTree.Root, "docs", "operations.md")).Where(line => line.StartsWith("missioncontrol admin audit prune ", StringComparison.Ordinal)).ToList();
        Assert.Equal(3, page.Count);
        Assert.Contains("entries 0 to 511 would be pruned.", await PruneAsync(0, page[0]), StringComparison.Ordinal);
        Assert.Contains("nothing of it is old enough", await PruneAsync(2, page[2]), StringComparison.Ordinal);
        Assert.Contains("pruned entries 0 to 511; entry ", await PruneAsync(0, page[1]), StringComparison.Ordinal);

        Assert.Equal(512, (await host.Admin.GetFromJsonAsync<AuditLogItem>(path, Token))!.MinimumIndex);
        foreach (var gone in new[] { "tile/entries/000", $"proofs/{old[7].EventId}", "export?from=511", "bundle?from=0", "bundle?to=100" })
        {
            using var answer = await host.Admin.GetAsync(new Uri($"{path}/{gone}", UriKind.Relative), Token);
            Assert.Equal(HttpStatusCode.Gone, answer.StatusCode);
            var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(Token);
            Assert.Equal("audit-pruned", problem.GetProperty("code").GetString());
            Assert.Contains("begins at entry 512", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        // Nor does anybody have sent what is gone.
        using (var refused = await host.Admin.PostAsJsonAsync("/api/v1/audit/exports", new CreateAuditExportRequest(log, Guid.CreateVersion7(), null, "jsonl", 511), Token))
        {
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
            Assert.Contains("kept from 512 on", await refused.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        }

        using (var made = await host.Admin.PostAsJsonAsync("/api/v1/audit/exports", new CreateAuditExportRequest(log, Guid.CreateVersion7(), null, "jsonl", null), Token))
        {
            Assert.Equal(512, (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AuditExportItem>(Token))!.From);
        }

        foreach (var there in new[] { "tile/0/000", "tile/0/000.p/7", "tile/entries/002.p/80", $"proofs/{old[520].EventId}", "bundle", "export" })
        {
            using var answer = await host.Admin.GetAsync(new Uri($"{path}/{there}", UriKind.Relative), Token);
            Assert.Equal((there, HttpStatusCode.OK), (there, answer.StatusCode));
            Assert.True(there != "export" || (await answer.Content.ReadAsStringAsync(Token)).Split('\n')[0].Contains("\"index\":512", StringComparison.Ordinal));
        }

        // What a cluster says was done to it is missed only if it was not among what is gone: not from about then, and of what is counted nothing.
        var cluster = new ClusterLog { ClusterId = Guid.CreateVersion7(), CustomerId = customer, Epoch = 1, Origin = "cluster", Size = 4, BegunAt = now.AddDays(-1), ConfirmedAt = now, DueAt = now.AddHours(1) };
        await InAuditAsync(host, async (db, services) =>
        {
            db.Scope.OpenAll("a test looks at all");
            await using (var transaction = await db.BeginWriteAsync(cancellationToken: Token))
            {
                await ClusterLogLine.AddAsync(db, new (DateTimeOffset At, string Type, string Reference)[]
                {
                    (now.AddDays(-61), Reconciliation.InventoryAsked, "inventory:1"), (now.AddDays(-60).AddMinutes(30), Reconciliation.InventoryAsked, "inventory:2"), (now.AddDays(-60).AddHours(2), Reconciliation.InventoryAsked, "inventory:3"), (now, Reconciliation.Suspended, "suspended:1"),
                }.Select((one, i) => new ClusterLogLine { ClusterId = cluster.ClusterId, Epoch = 1, Position = i, TakenAt = now.AddDays(-1), Content = new ClusterLogEntry(one.At, one.Type, "", one.Reference).ToBytes() }), Token);
                await ClusterLog.StoreAsync(db, [cluster], Token);
                await transaction.CommitAsync(Token);
            }

            await ActivatorUtilities.CreateInstance<ReconcileLogs>(services, Options.Create(new AuditOptions { ReconcileAfter = TimeSpan.FromHours(1) }), new Fixed(now.AddHours(2))).RunAsync(services, Token);
            Assert.Equal(["inventory-asked inventory:3"], await db.Set<Unmatched>().AsNoTracking().Where(row => row.ClusterId == cluster.ClusterId).Select(row => row.Reference).ToListAsync(Token));
            return true;
        });

        Task<string> PruneAsync(int code, string line) => HostCommand.RunAsync(code, [.. line.Split(' ').Skip(1).Select(word => word == "/var/lib/missioncontrol" ? host.Data : Guid.TryParse(word, out _) ? log.ToString() : word)]);
    }

    private static AuditEntryRecorded Event(Guid customer, DateTimeOffset at) => new(
        1, Guid.CreateVersion7(), "licensing/test", 0, at, "customer", customer, null, "licensing.customer-renamed", "success", new AuditActor("staff", "person:1", "session"), new AuditTarget("customer", customer.ToString()),
        [], null, null, null, "none", new Dictionary<string, string> { ["address"] = "192.0.2.7" });

    private static Task AppendAsync(ControlPlane host, IReadOnlyList<AuditEntryRecorded> events, DateTimeOffset now) => InAuditAsync(host, async db =>
    {
        using var receipts = new WantedReceipts();
        var time = new Fixed(now);
        await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
        await new Sequencer(db, new LastEpoch(time), receipts, time).AppendAsync([.. events.Select(one => Told.Of(one) with { IsNumbered = false })], Token);
        await transaction.CommitAsync(Token);
        return true;
    });

    private static Task<T> InAuditAsync<T>(ControlPlane host, Func<ControlPlaneDbContext, Task<T>> work) => InAuditAsync(host, (db, _) => work(db));

    private static async Task<T> InAuditAsync<T>(ControlPlane host, Func<ControlPlaneDbContext, IServiceProvider, Task<T>> work)
    {
        await using var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
        return await work(scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>(), scope.ServiceProvider);
    }

    private sealed class Fixed(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
