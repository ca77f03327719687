using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Messaging;
using MissionControl.Testing;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>One host with small bundles, for all of the class.</summary>
public sealed class AuditBundleHost : IAsyncLifetime
{
    public ControlPlane Host { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000", ["Audit:Epoch"] = "00:00:01", ["Audit:BundleEntries"] = "512" });

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}

/// <summary>A log in one file as the server gives it, and what is kept beside a log when it was erased.</summary>
public sealed partial class AuditBundleTests(AuditBundleHost fixture) : IClassFixture<AuditBundleHost>
{
    private readonly ControlPlane host = fixture.Host;

    [Fact]
    public async Task A_customer_gets_its_log_and_the_fleets_in_one_file_that_proves_itself_and_nobody_elses()
    {
        var (mine, other) = (await host.CreateCustomerAsync("Acme"), await host.CreateCustomerAsync("Beta"));
        await TellAsync(400, mine.Id);
        var (log, foreign) = (await SignedAsync(mine.Id, 401), await SignedAsync(other.Id, 1));
        var (client, _) = await host.ClientWithTokenAsync(mine.Id, "audit:read");
        using var _1 = client;
        SortedDictionary<string, byte[]> files = [];
        await Eventually.TrueAsync(async () => (files = await ReadAsync(client, log.Id)).ContainsKey("slot-proof"), "an epoch binds the log");

        var read = await WalkAsync(files, log, 0);
        Assert.Equal((await VerifiedLog.ReadAsync(host.Admin, log)).Entries.Take(401), read[..401]);
        Assert.Equal(["README.txt", "log.vkey", "policy"], files.Keys.Where(name => !name.Contains('/', StringComparison.Ordinal) && name is not ("checkpoint" or "slot-proof")));
        Assert.Equal($"{log.Keys[^1]}\n", Encoding.UTF8.GetString(files["log.vkey"]));
        Assert.Contains(log.Origin, Encoding.UTF8.GetString(files["README.txt"]), StringComparison.Ordinal);
        var proof = SlotProof.Parse(files["slot-proof"]);
        Assert.True(proof.Epoch <= Checkpoint.Parse(SignedNote.Parse(files["anchor/checkpoint"]).Text).Size && files.ContainsKey("fleet/slot-proof"));

        // A part begins with its tile and ends with a checkpoint, and is the same bytes whenever it is asked for.
        var part = await ReadAsync(client, log.Id, "?from=300");
        Assert.DoesNotContain("tile/entries/000", part.Keys);
        Assert.Equal(read[256..], (await WalkAsync(part, log, 256))[..(read.Count - 256)]);
        using (var first = await client.GetAsync(Bundle(log.Id, "?from=0&to=1")))
        {
            Assert.Equal("application/zip", first.Content.Headers.ContentType!.MediaType);
            Assert.StartsWith($"audit-log-{log.Id:N}-0-", first.Content.Headers.ContentDisposition!.FileNameStar ?? first.Content.Headers.ContentDisposition.FileName!.Trim('"'), StringComparison.Ordinal);
        }

        // All but what binds it: epochs go on.
        var (once, again) = (await ReadAsync(client, log.Id, "?from=0&to=1"), await ReadAsync(client, log.Id, "?from=0&to=1"));
        Assert.All(once.Where(file => file.Key.StartsWith("tile/entries", StringComparison.Ordinal) || file.Key == "checkpoint"), file => Assert.Equal(file.Value, again[file.Key]));

        var logs = (await host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs"))!.Items;
        foreach (var (id, query, expected) in new[]
        {
            (foreign.Id, "", HttpStatusCode.NotFound), (logs.Single(one => one.Kind == "operator").Id, "", HttpStatusCode.NotFound), (Guid.CreateVersion7(), "", HttpStatusCode.NotFound),
            (logs.Single(one => one.Kind == "fleet").Id, "", HttpStatusCode.OK), (log.Id, "?from=-1", HttpStatusCode.BadRequest), (log.Id, "?to=0", HttpStatusCode.BadRequest),
            (log.Id, $"?from={long.MaxValue}", HttpStatusCode.BadRequest), (log.Id, $"?to={long.MaxValue}", HttpStatusCode.BadRequest), (log.Id, "?from=5&to=5", HttpStatusCode.BadRequest),
            (log.Id, "?from=10&to=9", HttpStatusCode.BadRequest), (log.Id, "?to=99999999999999999999", HttpStatusCode.BadRequest), (log.Id, "?from=x", HttpStatusCode.BadRequest),
        })
        {
            using var answer = await client.GetAsync(Bundle(id, query));
            Assert.True(answer.StatusCode == expected, $"{query}: {answer.StatusCode}");
        }

        // Staff that takes it is told in it.
        await ReadAsync(host.Admin, log.Id);
        await Eventually.TrueAsync(async () => (await client.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=audit.log-read"))!.Items.Count > 0, "the customer's log says that staff read it");
    }

    [Fact]
    public async Task What_is_too_large_for_one_file_says_which_parts_to_ask_for()
    {
        var customer = await host.CreateCustomerAsync("Gamma");
        await TellAsync(300, customer.Id);
        var before = await SignedAsync(customer.Id, 301);
        await TellAsync(300, customer.Id);
        var log = await SignedAsync(customer.Id, before.Size + 300);

        var (from, parts) = (0L, new List<string>());
        while (from < log.SignedSize)
        {
            var query = $"?from={from}&to={log.SignedSize}";
            using var answer = await host.Admin.GetAsync(Bundle(log.Id, query));
            if (!answer.IsSuccessStatusCode)
            {
                Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
                var detail = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("detail").GetString()!;
                Assert.Contains("a bundle has 512 entries and 512 MiB of them at most", detail, StringComparison.Ordinal);
                query = detail[detail.IndexOf("?from=", StringComparison.Ordinal)..detail.IndexOf(", and the next one", StringComparison.Ordinal)];
            }

            var files = await ReadAsync(host.Admin, log.Id, query);
            parts.AddRange((await WalkAsync(files, log, from / 256 * 256))[(int)(from % 256)..]);
            from = Checkpoint.Parse(SignedNote.Parse(files["checkpoint"]).Text).Size;
        }

        Assert.Equal((await VerifiedLog.ReadAsync(host.Admin, log)).Entries.Take((int)log.SignedSize), parts[..(int)log.SignedSize]);
    }

    [Fact]
    public async Task What_was_erased_of_a_person_does_not_come_back_and_the_log_says_that_it_was_erased_and_verifies_on()
    {
        var (customer, other) = (await host.CreateCustomerAsync("Delta"), await host.CreateCustomerAsync("Epsilon"));
        var (ada, eve) = ($"person:{Guid.CreateVersion7()}", $"person:{Guid.CreateVersion7()}");
        AuditEntryRecorded Named(string actor, long number, Guid? of = null) => Event(of ?? customer.Id, number) with { Actor = new AuditActor("staff", actor, "session"), Personal = new Dictionary<string, string> { ["name"] = "Ada Lovelace", ["address"] = "192.0.2.7" } };
        var told = new[] { Named(ada, 1), Named(ada, 2), Named(eve, 3), Named(eve, 4) with { Target = new AuditTarget("person", ada) }, Named(ada, 5, other.Id) };
        await ApplyAsync(told);
        var log = await SignedAsync(customer.Id, 5);
        var before = await VerifiedLog.ReadAsync(host.Admin, log);

        // No customer does that, whatever it may, and nobody who may only write.
        foreach (var (scope, of, expected) in new[] { ("audit:erase", (Guid?)customer.Id, HttpStatusCode.NotFound), ("*", customer.Id, HttpStatusCode.NotFound), ("audit:write", customer.Id, HttpStatusCode.Forbidden), ("audit:write", null, HttpStatusCode.Forbidden) })
        {
            var (client, _) = await host.ClientWithTokenAsync(of, scope);
            using var _1 = client;
            using var refused = await client.PostAsJsonAsync("/api/v1/audit/erasures", new ErasePersonalRequest(customer.Id, ada, null, "she asked for it"));
            Assert.True(refused.StatusCode == expected, $"{scope}: {refused.StatusCode}");
        }

        foreach (var (wrong, expected) in new[]
        {
            (new ErasePersonalRequest(customer.Id, null, null, "she asked for it"), HttpStatusCode.UnprocessableEntity), (new ErasePersonalRequest(customer.Id, ada, told[0].EventId, "she asked for it"), HttpStatusCode.UnprocessableEntity),
            (new ErasePersonalRequest(customer.Id, ada, null, " "), HttpStatusCode.UnprocessableEntity), (new ErasePersonalRequest(Guid.CreateVersion7(), ada, null, "she asked for it"), HttpStatusCode.NotFound),
        })
        {
            using var refused = await host.Admin.PostAsJsonAsync("/api/v1/audit/erasures", wrong);
            Assert.Equal(expected, refused.StatusCode);
        }

        Assert.Equal(4, (await PersonalAsync(customer.Id)).Count(one => one.Value.Count == 2));
        var erased = await EraseAsync(new ErasePersonalRequest(customer.Id, ada, null, "she asked for it"));
        Assert.Equal((3, 3, 2), (erased.Entries, erased.Fields["name"], erased.Fields["address"]));
        Assert.Equal(0, (await EraseAsync(new ErasePersonalRequest(customer.Id, ada, null, "she asked for it"))).Entries);

        // The same events again, under other message ids, with other values, and with others around them: their entries stand already.
        await ApplyAsync([.. told, .. told.Select(one => one with { Personal = new Dictionary<string, string> { ["name"] = "Ada again", ["address"] = "192.0.2.8" } }), told[0] with { Reason = "another one" }]);
        var kept = await PersonalAsync(customer.Id);
        Assert.All(told[..2], one => Assert.Empty(kept[one.EventId]));
        Assert.Equal(["192.0.2.7"], kept[told[3].EventId]);
        Assert.Equal(["Ada Lovelace", "192.0.2.7"], kept[told[2].EventId]);
        Assert.Equal(2, (await PersonalAsync(other.Id))[told[4].EventId].Count);

        // One entry by itself; what it is committed to stays, and what was erased is named.
        Assert.Equal(1, (await EraseAsync(new ErasePersonalRequest(customer.Id, null, told[2].EventId, "a name by mistake"))).Entries);
        var hit = (await EntriesAsync(customer.Id)).Single(entry => entry.Id == told[2].EventId).Entry;
        Assert.Equal(["address", "name"], hit.GetProperty("erased").EnumerateArray().Select(field => field.GetString()).Order());
        Assert.Equal(2, hit.GetProperty("commitments").EnumerateObject().Count());

        List<AuditEntryItem> says = [];
        await Eventually.TrueAsync(async () => (says = [.. (await EntriesAsync(customer.Id)).Where(entry => entry.Type == "audit.personal-erased")]).Count == 2, "the log says what was erased");
        var first = says.Single(entry => entry.TargetId == ada);
        Assert.Equal(("person", "she asked for it"), (first.TargetType, first.Reason));
        Assert.Equal([("/entries", 3), ("/fields/address", 2), ("/fields/name", 3)], first.Entry.GetProperty("changes").EnumerateArray().Select(change => (change.GetProperty("path").GetString()!, change.GetProperty("value").GetInt32())));
        Assert.DoesNotContain(says, entry => entry.Entry.GetRawText().Contains("Lovelace", StringComparison.Ordinal) || entry.Entry.GetRawText().Contains("192.0.2.7", StringComparison.Ordinal));

        var after = await VerifiedLog.ReadAsync(host.Admin, await SignedAsync(customer.Id, before.Entries.Count + 3), before.Checkpoint);
        Assert.Equal(before.Entries, after.Entries.Take(before.Entries.Count));

        // What was erased so, and told, is no damage.
        Assert.Contains("all as it was signed. Personal values that are not there: 7.", await HostCommand.RunAsync(0, "admin", "audit", "fsck", "--data", host.Data, "--log", (await SignedAsync(customer.Id, 0)).Id.ToString()), StringComparison.Ordinal);
    }

    private static Uri Bundle(Guid log, string query = "") => new($"/api/v1/audit/logs/{log}/bundle{query}", UriKind.Relative);

    private static async Task<SortedDictionary<string, byte[]>> ReadAsync(HttpClient client, Guid log, string query = "")
    {
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        await using var zip = await ZipArchive.CreateAsync(new MemoryStream(await client.GetByteArrayAsync(Bundle(log, query))), ZipArchiveMode.Read, leaveOpen: false, null);
        foreach (var entry in zip.Entries)
        {
            using var content = new MemoryStream();
            await using var stream = await entry.OpenAsync();
            await stream.CopyToAsync(content);
            files.Add(entry.FullName, content.ToArray());
        }

        return files;
    }

    private static async Task<List<string>> WalkAsync(SortedDictionary<string, byte[]> files, AuditLogItem log, long first)
    {
        using var policy = LogPolicy.Parse($"log {log.Keys[^1]}\nquorum none\n");
        var entries = new List<string>();
        var found = await LogWalk.RunAsync(policy.Judge(SignedNote.Parse(files["checkpoint"])).Checkpoint, null, (id, _) => Task.FromResult(files.TryGetValue(id.ToString(), out var content) ? content : (ReadOnlyMemory<byte>?)null), null, TestContext.Current.CancellationToken, (_, entry) => entries.Add(Encoding.UTF8.GetString(entry)), first);
        Assert.True(found.Result == WalkResult.Good, found.Problem);
        return entries;
    }

    private static AuditEntryRecorded Event(Guid customer, long sequence) => new(
        1, Guid.CreateVersion7(), $"licensing/{customer:N}", sequence, new DateTimeOffset(2026, 11, 28, 10, 0, 0, TimeSpan.Zero), "customer", customer, null, "licensing.customer-renamed", "success",
        new AuditActor("staff", "person:1", "session"), new AuditTarget("customer", customer.ToString()), [], null, null, null, "none", new Dictionary<string, string>());

    private Task TellAsync(int count, Guid customer) => Parallel.ForEachAsync(Enumerable.Range(1, count), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) => await ApplyAsync([Event(customer, i) with { Producer = $"licensing/{Guid.CreateVersion7()}" }]));

    private async Task ApplyAsync(IEnumerable<AuditEntryRecorded> messages)
    {
        foreach (var message in messages)
        {
            await host.Services.GetRequiredService<HandlerRunner>().ApplyAsync(
                host.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(binding => binding.Name == "audit.append-entry"), message, new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow), TestContext.Current.CancellationToken);
        }
    }

    private async Task<ErasedValues> EraseAsync(ErasePersonalRequest request)
    {
        using var answer = await host.Admin.PostAsJsonAsync("/api/v1/audit/erasures", request);
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ErasedValues>())!;
    }

    private async Task<IReadOnlyList<AuditEntryItem>> EntriesAsync(Guid customer) => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?customer={customer}&limit=500"))!.Items;

    private async Task<Dictionary<Guid, List<string>>> PersonalAsync(Guid customer) => (await EntriesAsync(customer)).ToDictionary(entry => entry.Id, entry => entry.Entry.GetProperty("personal").EnumerateObject().Select(field => field.Value.GetString()!).OrderDescending(StringComparer.Ordinal).ToList());

    private async Task<AuditLogItem> SignedAsync(Guid customer, long size)
    {
        AuditLogItem? log = null;
        await Eventually.TrueAsync(async () =>
        {
            log = (await host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs?limit=500"))!.Items.SingleOrDefault(one => one.CustomerId == customer);
            return log?.SignedSize >= size && log.Size == log.SignedSize;
        }, $"the log has {size} entries and is signed");
        return log!;
    }
}
