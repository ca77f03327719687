using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Audit.Guard;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Testing;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>What the server knows of its logs outside the database, and whether the database still protects them: who takes one of both away is noticed.</summary>
public sealed class AuditGuardTests : IAsyncLifetime
{
    private readonly string data = Directory.CreateTempSubdirectory("mc-guard-").FullName;
    private ControlPlane host = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Heads => Path.Combine(data, "audit", "heads");

    public async ValueTask InitializeAsync() => await StartAsync();

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task A_database_from_a_backup_is_written_to_and_not_signed_until_somebody_says_that_it_is_the_right_one()
    {
        var customer = (await host.CreateCustomerAsync("Acme")).Id;
        var other = (await host.CreateCustomerAsync("Beta")).Id;
        using var endpoint = await host.Admin.PostAsJsonAsync("/api/v1/notifications/endpoints", new AddEndpointRequest(null, "webhook", "SIEM", "https://hooks.vendor.example/"), Token);
        using var made = await host.Admin.PostAsJsonAsync("/api/v1/audit/exports", new CreateAuditExportRequest((await SignedAsync(customer, 1)).Id, (await endpoint.Content.ReadFromJsonAsync<EndpointSecret>(Token))!.Id, null, "ocsf", null), Token);
        var export = $"/api/v1/audit/exports/{(await made.Content.ReadFromJsonAsync<AuditExportItem>(Token))!.Id}";
        var before = await SignedAsync(customer, 2);
        var untouched = await SignedAsync(other, 1);
        var backup = Path.Combine(data, "backup.db");
        await HostCommand.RunAsync(0, "admin", "backup", "--data", data, backup);
        await ApplyAsync(customer, 3);
        var pinned = (await VerifiedLog.ReadAsync(host.Admin, await SignedAsync(customer, 5))).Checkpoint;
        await StopAsync();

        Assert.Contains("accept-restored", await HostCommand.RunAsync(0, "admin", "restore", "--data", data, backup));
        await StartAsync();
        await ApplyAsync(customer, 2);
        await ApplyAsync(other, 1);

        // Others are as they were, and this one keeps what it is told without saying so to anybody.
        Assert.Null((await SignedAsync(other, untouched.Size + 1)).Problem);
        var held = await HeldAsync(customer);
        Assert.Equal((before.Size + 2, before.SignedSize), (held.Size, held.SignedSize));
        Assert.Contains("5 entries of it were signed, and the database has", held.Problem, StringComparison.Ordinal);
        await host.StopAsync();
        await StartAsync();
        held = await HeldAsync(customer);
        Assert.Equal(before.SignedSize, held.SignedSize);
        using (var operations = new HttpClient { BaseAddress = host.Operations })
        {
            var ready = JsonDocument.Parse(await operations.GetStringAsync("/health/ready")).RootElement;
            Assert.Equal("ready", ready.GetProperty("status").GetString());
            Assert.Contains("not signed", ready.GetProperty("warnings").GetProperty("audit-logs").GetString(), StringComparison.Ordinal);
            Assert.Matches("missioncontrol_audit_logs_held [1-9]", await operations.GetStringAsync("/metrics"));
        }

        Assert.Contains("--reason", await HostCommand.RunAsync(2, "admin", "audit", "accept-restored", "--data", data, "--log", "all", "--reason", " "));
        Assert.Contains(held.Id.ToString(), await HostCommand.RunAsync(0, "admin", "audit", "accept-restored", "--data", data, "--log", "all", "--reason", "the disk failed"));
        var log = await SignedAsync(customer, held.Size + 1);
        Assert.Null(log.Problem);
        Assert.StartsWith("The log came back from an older backup", (await host.Admin.GetFromJsonAsync<AuditExportItem>(export, Token))!.Problem, StringComparison.Ordinal);

        // Everybody who reads the log reads that, and who had pinned it sees that it went back.
        var entry = (await VerifiedLog.ReadAsync(host.Admin, log)).Entries.Select(text => JsonDocument.Parse(text).RootElement).Single(entry => entry.GetProperty("type").GetString() == "audit.restored-accepted");
        Assert.Equal("the disk failed", entry.GetProperty("reason").GetString());
        Assert.Equal(5, entry.GetProperty("changes").EnumerateArray().First(change => change.GetProperty("path").GetString() == "/size").GetProperty("oldValue").GetInt64());
        await Assert.ThrowsAsync<InvalidOperationException>(() => VerifiedLog.ReadAsync(host.Admin, log, pinned));
        Assert.Contains("nothing to accept", await HostCommand.RunAsync(2, "admin", "audit", "accept-restored", "--data", data, "--log", "all", "--reason", "again"));
    }

    [Fact]
    public async Task Who_writes_to_the_file_of_heads_without_its_key_is_noticed_and_nothing_is_signed()
    {
        var customer = (await host.CreateCustomerAsync("Acme")).Id;
        await SignedAsync(customer, 1);
        var older = await File.ReadAllBytesAsync(Heads, Token);
        await ApplyAsync(customer, 1);
        await SignedAsync(customer, 2);

        // An older copy, under the eyes of a process that knows better.
        await File.WriteAllBytesAsync(Heads, older, Token);
        var log = await HeldAsync(customer);
        Assert.Contains("cannot be believed", log.Problem, StringComparison.Ordinal);
        await ApplyAsync(customer, 1);
        Assert.Equal(2, (await HeldAsync(customer)).SignedSize);
        await HostCommand.RunAsync(0, "admin", "audit", "accept-restored", "--data", data, "--log", "all", "--reason", "a mistake");
        await SignedAsync(customer, 3);

        await StopAsync();
        var changed = await File.ReadAllBytesAsync(Heads, Token);
        changed[^40] ^= 1;
        await File.WriteAllBytesAsync(Heads, changed, Token);
        await StartAsync();
        await ApplyAsync(customer, 1);
        log = await HeldAsync(customer);
        Assert.Equal((4, 3), (log.Size, log.SignedSize));
        await HostCommand.RunAsync(2, "admin", "audit", "accept-restored", "--data", data, "--log", log.Id.ToString(), "--reason", "one alone");
        await HostCommand.RunAsync(0, "admin", "audit", "accept-restored", "--data", data, "--log", "all", "--reason", "the disk failed");
        Assert.Null((await SignedAsync(customer, 4)).Problem);
    }

    [Fact]
    public async Task Without_the_file_of_heads_what_was_signed_is_believed_once_more_and_that_is_told()
    {
        var customer = (await host.CreateCustomerAsync("Acme")).Id;
        await SignedAsync(customer, 1);
        await StopAsync();
        File.Delete(Heads);

        await StartAsync();
        await ApplyAsync(customer, 1);
        var log = await SignedAsync(customer, 2);
        Assert.Null(log.Problem);
        Assert.Equal(2, (await KnownAsync(log.Id)).Size);
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=audit.guard-adopted"))!.Items is [{ Log: "operator" }], "it stands in the log of those who operate");

        // Taken away while a process runs that knows what it said: it is back, and knows no less.
        File.Delete(Heads);
        await Eventually.TrueAsync(() => File.Exists(Heads), "it was written anew");
        Assert.Equal(2, (await KnownAsync(log.Id)).Size);
    }

    [Fact]
    public async Task A_crash_between_the_memory_of_a_checkpoint_and_the_checkpoint_holds_nothing_up_in_either_order()
    {
        var customer = (await host.CreateCustomerAsync("Acme")).Id;
        var log = await SignedAsync(customer, 1);
        var older = await File.ReadAllBytesAsync(Heads, Token);

        // The database takes no checkpoint: what is about to be signed is remembered already.
        await ExecuteAsync("CREATE TRIGGER no_checkpoint BEFORE INSERT ON audit_log_checkpoint BEGIN SELECT RAISE(ABORT, 'full'); END");
        await ApplyAsync(customer, 1);
        await Eventually.TrueAsync(async () => (await KnownAsync(log.Id)).Size == 2, "it is remembered");
        await StopAsync();
        Execute("DROP TRIGGER no_checkpoint");
        await StartAsync();
        Assert.Null((await SignedAsync(customer, 2)).Problem);

        // And the other way round, as with another replica's: the database knows more.
        await StopAsync();
        await File.WriteAllBytesAsync(Heads, older, Token);
        await StartAsync();
        await ApplyAsync(customer, 1);
        Assert.Null((await SignedAsync(customer, 3)).Problem);
        await Eventually.TrueAsync(async () => (await KnownAsync(log.Id)).Size == 3, "it is remembered");
    }

    [Fact]
    public async Task Rows_that_somebody_else_wrote_are_neither_remembered_nor_keep_others_from_being_signed()
    {
        var (customer, other) = ((await host.CreateCustomerAsync("Acme")).Id, (await host.CreateCustomerAsync("Beta")).Id);
        var log = await SignedAsync(customer, 1);
        await SignedAsync(other, 1);
        var known = await KnownAsync(log.Id);

        // Nor is what was looked at against something else than what is remembered, nor another root for as many entries.
        var (guard, fork, further) = (host.Services.GetRequiredService<HeadGuard>(), known with { Root = TreeHash.Empty }, known with { Size = known.Size + 1 });
        foreach (var (basis, wanted) in new (KnownHead?, KnownHead)[] { (known, fork), (null, further), (fork, further), (known, known with { Size = known.Size - 1 }) })
        {
            Assert.Empty(await guard.AddAsync(basis is { } head ? new Dictionary<Guid, KnownHead> { [log.Id] = head } : [], [new(log.Id, wanted)], Token));
        }

        Assert.Equal([log.Id], await guard.AddAsync(new Dictionary<Guid, KnownHead> { [log.Id] = known }, [new(log.Id, known)], Token));
        Assert.Equal(known, await KnownAsync(log.Id));

        // A checkpoint that nobody signed, of more than there is: the log is held, and the memory of it stays what it was.
        await ExecuteAsync($"INSERT INTO audit_log_checkpoint (log_id, size, signed_at, note) SELECT log_id, 1000000, 0, replace(note, char(10) || '{known.Size}' || char(10), char(10) || '1000000' || char(10)) FROM audit_log_checkpoint WHERE log_id = (SELECT id FROM audit_log WHERE origin = '{log.Origin}') AND size = {known.Size}");
        Assert.Contains("not of what it holds", (await HeldAsync(customer)).Problem, StringComparison.Ordinal);
        await ApplyAsync(other, 1);
        await SignedAsync(other, 2);
        Assert.Equal(known, await KnownAsync(log.Id));

        // What of its own is held cannot be read: all are, until somebody has looked.
        await ExecuteAsync("INSERT INTO audit_projection (kind, id, version, body) VALUES ('held-log', 'x', 1, 'y')");
        await ApplyAsync(other, 1);
        Assert.Equal(2, (await HeldAsync(other)).SignedSize);
        await HostCommand.RunAsync(0, "admin", "audit", "accept-restored", "--data", data, "--log", "all", "--reason", "somebody wrote to the table");
        await SignedAsync(other, 3);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_trigger_that_is_gone_at_the_start_stops_the_log_unless_somebody_said_otherwise(bool strict)
    {
        var customer = (await host.CreateCustomerAsync("Acme")).Id;
        await SignedAsync(customer, 1);
        await StopAsync();
        Execute("DROP TRIGGER audit_log_leaf_no_update");
        await StartAsync(("Audit:Strict", strict ? "true" : "false"));
        await ApplyAsync(customer, 1);

        var test = host.Services.GetRequiredService<AppendOnlyTest>();
        if (!strict)
        {
            Assert.Null(test.Refusal);
            await SignedAsync(customer, 2);
            return;
        }

        Assert.Contains("audit_log_leaf", test.Refusal, StringComparison.Ordinal);
        Assert.Equal(1, (await LogAsync(customer))!.Size);
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            Assert.True(await db.ParkedMessages("audit").AnyAsync(Token));
            await db.Dialect.EnforceAppendOnlyAsync(db, Token);
        }

        await Eventually.TrueAsync(() => test.Refusal is null, "it is tested again");
        await SignedAsync(customer, 2);
    }

    [Fact]
    public void A_file_of_heads_that_was_cut_off_or_changed_says_less_or_that_it_was_changed()
    {
        var key = new byte[32];
        var heads = Enumerable.Range(1, 3).Select(i => KeyValuePair.Create(Guid.CreateVersion7(), new KnownHead(i, TreeHash.OfLeaf([(byte)i])))).ToList();
        var file = HeadFile.Make(key, Guid.CreateVersion7(), 7, [heads[0]], out var made);
        byte[] second = [.. made, .. file.Append([heads[1]])], third = [.. second, .. file.Append([heads[2]])];
        Assert.Equal(heads, Read(third).OrderBy(pair => pair.Value.Size));
        for (var length = 0; length < third.Length; length++)
        {
            var cut = third[..length];
            if (length < made.Length - 92)
            {
                Assert.Throws<DamagedHeadsException>(() => Read(cut));
            }
            else
            {
                Assert.Equal(length < made.Length ? 0 : length < second.Length ? 1 : 2, Read(cut).Count);

                // As a disk leaves it that had made room and not written yet.
                Assert.Equal(Read(cut), Read([.. cut[..(length < made.Length ? made.Length - 92 : length < second.Length ? made.Length : second.Length)], .. new byte[50]]));
            }
        }

        for (var i = 0; i < second.Length; i++)
        {
            var changed = third.ToArray();
            changed[i] ^= 1;
            Assert.Throws<DamagedHeadsException>(() => Read(changed));
        }

        // Nor can one be taken out from between, and nobody else's key opens it.
        Assert.Throws<DamagedHeadsException>(() => Read([.. made, .. third[second.Length..]]));
        Assert.Throws<DamagedHeadsException>(() => HeadFile.Open(new MemoryStream(third), [new byte[] { 1 }]));

        Dictionary<Guid, KnownHead> Read(byte[] bytes)
        {
            using var stream = new MemoryStream(bytes);
            var read = HeadFile.Open(stream, [new byte[] { 1 }, key]);
            read.ReadOn(stream);
            return read.Heads;
        }
    }

    private async Task StartAsync(params (string Key, string? Value)[] settings) =>
        host = await ControlPlane.StartAsync(data, configuration: settings.Append(("Api:RequestsPerMinute", "1000000")).ToDictionary(pair => pair.Item1, pair => pair.Item2));

    private async Task StopAsync()
    {
        await host.StopAsync();
        await host.DisposeAsync();

        // As the end of a process does.
        SqliteConnection.ClearAllPools();
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(data, "missioncontrol.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The tests' own text.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
        await db.Database.ExecuteSqlRawAsync(sql, Token);
        await transaction.CommitAsync(Token);
    }

    private async Task ApplyAsync(Guid customer, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var message = new AuditEntryRecorded(
                1, Guid.CreateVersion7(), $"licensing/{Guid.CreateVersion7():N}", 1, DateTimeOffset.UtcNow, "customer", customer, null, "licensing.customer-renamed", "success",
                new AuditActor("staff", "person:1", "session"), new AuditTarget("customer", customer.ToString()), [], null, null, null, "none", new Dictionary<string, string>());
            await host.Services.GetRequiredService<HandlerRunner>().ApplyAsync(host.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(binding => binding.Name == "audit.append-entry"), message, new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow), Token);
        }
    }

    private async Task<KnownHead> KnownAsync(Guid log) => (await host.Services.GetRequiredService<HeadGuard>().ReadAsync(Token)).Heads[log];

    private async Task<AuditLogItem?> LogAsync(Guid customer) => (await host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs"))!.Items.SingleOrDefault(one => one.CustomerId == customer);

    private Task<AuditLogItem> SignedAsync(Guid customer, long size) => WaitAsync(customer, log => log.SignedSize >= size && log.Size == log.SignedSize, $"the log has {size} entries and is signed");

    private Task<AuditLogItem> HeldAsync(Guid customer) => WaitAsync(customer, log => log.Problem?.StartsWith("Not signed", StringComparison.Ordinal) == true, "the log is not signed, and says why");

    private async Task<AuditLogItem> WaitAsync(Guid customer, Func<AuditLogItem, bool> wanted, string what)
    {
        AuditLogItem? log = null;
        await Eventually.TrueAsync(async () => (log = await LogAsync(customer)) is not null && wanted(log), what);
        return log!;
    }
}
