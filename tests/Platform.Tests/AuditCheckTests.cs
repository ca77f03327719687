using System.Net.Http.Json;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Time;
using MissionControl.Testing;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>Who owns the database can change every row of it, each alone or so that some fit each other: the check says which one it was.</summary>
public sealed class AuditCheckTests : IAsyncLifetime
{
    private const int Entries = 600;
    private ControlPlane host = null!;
    private AuditLogItem log = null!;
    private string key = "";
    private DateTimeOffset fire = new(2026, 3, 1, 2, 41, 0, TimeSpan.Zero);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000" });
        var customer = (await host.CreateCustomerAsync("Acme")).Id;

        await Eventually.TrueAsync(async () => (await LogAsync(customer))?.Size == 1, "its log was begun");

        // Signed twice on the way, so that a checkpoint lies between some entries and others.
        foreach (var size in new[] { 100, Entries - 1 })
        {
            await TellAsync(customer, size);
            await Eventually.TrueAsync(async () => (log = await LogAsync(customer)) is { } && log.SignedSize == log.Size && log.Size >= size, "it is signed");
        }

        key = log.Id.ToString().ToUpperInvariant();
        foreach (var table in new[] { "audit_log_leaf", "audit_log_tile", "audit_log_checkpoint" })
        {
            await ExecuteAsync($"DROP TRIGGER {table}_no_update");
            await ExecuteAsync($"DROP TRIGGER {table}_no_delete");
        }
    }

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task Every_change_is_found_and_said_where_it_is()
    {
        await SoundAsync();
        byte[] changed = [.. Encoding.UTF8.GetBytes("{}")], hash = TreeHash.OfLeaf(changed).Span.ToArray(), other = new byte[32];

        // In a full tile three say what the entry is; of the last ones two, and a checkpoint.
        await FindsAsync("The content of entry 10 was changed", "audit_log_leaf", "position = 10", ("content", changed));
        await FindsAsync("The stored hash of entry 10 was changed", "audit_log_leaf", "position = 10", ("hash", other));
        await FindsAsync("Entry 10 was changed, with its hash", "audit_log_leaf", "position = 10", ("content", changed), ("hash", hash));
        await FindsAsync("Entry 10 was changed, and its hash, too", "audit_log_leaf", "position = 10", ("content", changed), ("hash", other));
        await FindsAsync("The content of entry 590 was changed", "audit_log_leaf", "position = 590", ("content", changed));
        await FindsAsync("The stored hash of entry 590 was changed", "audit_log_leaf", "position = 590", ("hash", other));
        await FindsAsync("was changed, or it was", "audit_log_leaf", "position = 590", ("content", changed), ("hash", hash));

        var tile = await ReadAsync("SELECT hex(hashes) AS Value FROM audit_log_tile WHERE position = 0 AND level = 0 AND log_id = {0}");
        var flipped = Convert.FromHexString(tile);
        flipped[(10 * 32) + 3] ^= 1;
        await FindsAsync("tile/0/000 was changed at entry 10", "audit_log_tile", "position = 0 AND level = 0", ("hashes", flipped));
        await FindsAsync("The root beside tile/0/001 is not that of its hashes", "audit_log_tile", "position = 1 AND level = 0", ("root", other));
        await FindsAsync("The head of 600 entries has another root", "audit_log_head", "true", ("root", other));
        var range = Convert.FromHexString(await ReadAsync("SELECT hex(range) AS Value FROM audit_log_head WHERE log_id = {0}"));
        range[5] ^= 1;
        await FindsAsync("The range of the head is not that of its entries", "audit_log_head", "true", ("range", range));
        await FindsAsync("The checkpoint of 600 entries is none of this log", "audit_log_checkpoint", "size = 600", ("note", "no note"));
        await FindsAsync("The value address kept beside entry 10 is not what the entry is committed to", "audit_log_personal", "position = 10", ("value", "192.0.2.8"));

        // What is gone is no change, and one of the two is nobody's fault.
        await ExecuteAsync($"CREATE TABLE kept AS SELECT * FROM audit_log_leaf WHERE position IN (300, 590) AND log_id = '{key}'");
        await ExecuteAsync($"DELETE FROM audit_log_leaf WHERE position = 300 AND log_id = '{key}'");
        Assert.Contains("Entry 300 is missing.", await ProblemAsync(), StringComparison.Ordinal);
        await ExecuteAsync("INSERT INTO audit_log_leaf SELECT * FROM kept WHERE position = 300");
        await ExecuteAsync($"DELETE FROM audit_log_leaf WHERE position = 590 AND log_id = '{key}'");
        Assert.Contains("Entry 590 is missing.", await ProblemAsync(), StringComparison.Ordinal);
        Assert.Contains("Entry 590 is missing.", await HostCommand.RunAsync(2, "admin", "audit", "fsck", "--data", host.Data, "--log", log.Id.ToString()), StringComparison.Ordinal);
        await ExecuteAsync("INSERT INTO audit_log_leaf SELECT * FROM kept WHERE position = 590");

        // Who takes a value away has to say so in the log, as whoever may erase it does.
        await ExecuteAsync($"CREATE TABLE kept_value AS SELECT * FROM audit_log_personal WHERE position IN (10, 20) AND log_id = '{key}'");
        await ExecuteAsync($"DELETE FROM audit_log_personal WHERE position IN (10, 20) AND log_id = '{key}'");
        Assert.Equal("The value address kept beside entry 10 is not there, and no entry says that it was erased; of 1 others the same is true.", await ProblemAsync());
        await ExecuteAsync("INSERT INTO audit_log_personal SELECT * FROM kept_value");

        await SoundAsync();
        Assert.Contains("all as it was signed", await HostCommand.RunAsync(0, "admin", "audit", "fsck", "--data", host.Data, "--log", "all"), StringComparison.Ordinal);
        await HostCommand.RunAsync(2, "admin", "audit", "fsck", "--data", host.Data, "--log", Guid.CreateVersion7().ToString());

        // Each time it was written down, for whoever comes later.
        var told = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=audit.log-damaged&limit=1"))!.Items.Single();
        Assert.Equal(("operator", log.Id.ToString(), "failed"), (told.Log, told.TargetId, told.Outcome));
        Assert.NotEmpty((await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=audit.logs-verified&limit=1"))!.Items);

        // What is not what was hashed any more does not leave; a line says so in its place, and what stands around it does.
        await ExecuteAsync($"UPDATE audit_log_leaf SET content = {{0}} WHERE position = 10 AND log_id = '{key}'", changed);
        var lines = (await host.Admin.GetStringAsync(new Uri($"/api/v1/audit/logs/{log.Id}/export?limit=20", UriKind.Relative), Token)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(20, lines.Length);
        Assert.Equal([10], Enumerable.Range(0, 20).Where(i => lines[i].Contains("\"damaged\":true", StringComparison.Ordinal)));
        Assert.DoesNotContain("\"entry\"", lines[10], StringComparison.Ordinal);
    }

    // Changes a row, looks, and puts it back as it was.
    private async Task FindsAsync(string problem, string table, string where, params (string Column, object Value)[] changes)
    {
        await ExecuteAsync($"CREATE TABLE kept_row AS SELECT * FROM {table} WHERE {where} AND log_id = '{key}'");
        foreach (var (column, value) in changes)
        {
            await ExecuteAsync($"UPDATE {table} SET {column} = {{0}} WHERE {where} AND log_id = '{key}'", value);
        }

        Assert.Contains(problem, await ProblemAsync(), StringComparison.Ordinal);
        foreach (var (column, _) in changes)
        {
            await ExecuteAsync($"UPDATE {table} SET {column} = (SELECT {column} FROM kept_row) WHERE {where} AND log_id = '{key}'");
        }

        await ExecuteAsync("DROP TABLE kept_row");
        await SoundAsync();
    }

    private async Task<string> SoundAsync()
    {
        await ProblemAsync();

        // Who watches what was signed may have seen a change, too, and lets go of it when it looks again.
        string? problem = null;
        await Eventually.TrueAsync(async () => (problem = (await FoundAsync()).Problem) is null, () => $"nothing is wrong any more; it was: {problem}");
        await using var scope = host.Services.CreateAsyncScope();
        var run = await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().JobRuns("audit").AsNoTracking().SingleAsync(row => row.Job == "audit.verify-logs" && row.ScheduledAt == fire, Token);
        Assert.Contains("all as it was signed", run.Outcome, StringComparison.Ordinal);
        return run.Outcome!;
    }

    private async Task<string?> ProblemAsync()
    {
        fire = fire.AddDays(1);
        await host.Services.GetRequiredService<JobRunner>().RunAsync(host.Services.GetServices<Job>().Single(job => job.Name == "audit.verify-logs"), fire, Token);
        var found = await FoundAsync();
        Assert.Equal(Entries, found.CheckedSize);
        return found.Problem;
    }

    private async Task<AuditLogItem> FoundAsync() => (await host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs"))!.Items.Single(one => one.Id == log.Id);

    private async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
        await db.Database.ExecuteSqlRawAsync(sql, values, Token);
        await transaction.CommitAsync(Token);
    }

    private async Task<string> ReadAsync(string sql)
    {
        await using var scope = host.Services.CreateAsyncScope();
        return (await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Database.SqlQueryRaw<string>(sql, key).ToListAsync(Token)).Single();
    }

    private async Task TellAsync(Guid customer, int upTo)
    {
        var from = (await LogAsync(customer)).Size;
        await Parallel.ForEachAsync(Enumerable.Range((int)from, upTo - (int)from + 1), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) =>
        {
            var message = new AuditEntryRecorded(
                1, Guid.CreateVersion7(), $"licensing/{customer:N}", i, DateTimeOffset.UtcNow, "customer", customer, null, "licensing.customer-renamed", "success",
                new AuditActor("staff", "person:1", "session"), new AuditTarget("customer", customer.ToString()), [], null, null, null, "none", new Dictionary<string, string> { ["address"] = "192.0.2.7" });
            await host.Services.GetRequiredService<HandlerRunner>().ApplyAsync(host.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(binding => binding.Name == "audit.append-entry"), message, new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow), Token);
        });
    }

    private async Task<AuditLogItem> LogAsync(Guid customer) => (await host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs"))!.Items.SingleOrDefault(one => one.CustomerId == customer)!;
}
