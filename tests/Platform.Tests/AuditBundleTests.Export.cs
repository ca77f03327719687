using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>A log as lines for a SIEM, as the server gives them.</summary>
public sealed partial class AuditBundleTests
{
    [Fact]
    public async Task A_customer_exports_its_log_and_the_fleets_in_steps_of_its_own_and_gets_the_same_bytes_again()
    {
        var (mine, other) = (await host.CreateCustomerAsync("Zeta"), await host.CreateCustomerAsync("Eta"));
        var named = Event(mine.Id, 1) with { Type = "licensing.customer-changed", Reason = "a\nb", Personal = new Dictionary<string, string> { ["address"] = "192.0.2.77" } };
        await ApplyAsync([named]);
        await TellAsync(150, mine.Id);
        var log = await SignedAsync(mine.Id, 152);
        var foreign = await SignedAsync(other.Id, 1);
        var entries = (await VerifiedLog.ReadAsync(host.Admin, log)).Entries;
        var (client, _) = await host.ClientWithTokenAsync(mine.Id, "audit:read");
        using var _1 = client;

        foreach (var format in new[] { "jsonl", "ocsf", "cef" })
        {
            var (whole, next) = await ExportAsync(client, log.Id, $"?format={format}");
            Assert.True(next >= 152 && whole.EndsWith('\n'), format);

            // In other steps the same bytes, to an end at which there is nothing, and where it goes on.
            var (steps, at, count) = ("", 0L, 0);
            for (string? link = $"?format={format}&limit=70"; count == 0 || at < next; count++)
            {
                using var answer = await client.GetAsync(Export(log.Id, link));
                (steps, at, link) = (steps + await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync(), long.Parse(answer.Headers.GetValues("MC-Next-Index").Single(), null), Link(answer));
            }

            Assert.Equal((whole, true), (steps[..whole.Length], count >= 3));
            var (rest, end) = await ExportAsync(client, log.Id, $"?format={format}&from={at}");
            Assert.True(end >= at && rest.Split('\n').Length - 1 == end - at, format);
            Assert.Contains("192.0.2.77", whole, StringComparison.Ordinal);
        }

        // Each line is the entry that was signed, at its place.
        var lines = (await ExportAsync(client, log.Id, "")).Text.Split('\n')[..152].Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal(entries.Take(152), lines.Select(line => line.GetProperty("entry").GetRawText()));
        Assert.Equal(Enumerable.Range(0, 152), lines.Select(line => line.GetProperty("index").GetInt32()));

        // What is erased is not exported any more; the entry is.
        await EraseAsync(new ErasePersonalRequest(mine.Id, null, named.EventId, "she asked for it"));
        var after = (await ExportAsync(client, log.Id, "")).Text.Split('\n').Select(line => line.Length == 0 ? default : JsonElement.Parse(line)).First(line => line.GetProperty("entry").GetProperty("eventId").GetGuid() == named.EventId);
        Assert.Equal(("address", 0), (after.GetProperty("erased")[0].GetString(), after.GetProperty("personal").EnumerateObject().Count()));

        var logs = (await host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs?limit=500"))!.Items;
        foreach (var (id, query, expected) in new[]
        {
            (foreign.Id, "", HttpStatusCode.NotFound), (logs.Single(one => one.Kind == "operator").Id, "", HttpStatusCode.NotFound), (logs.Single(one => one.Kind == "anchor").Id, "", HttpStatusCode.NotFound), (Guid.CreateVersion7(), "", HttpStatusCode.NotFound),
            (log.Id, "?format=csv", HttpStatusCode.BadRequest), (log.Id, "?from=-1", HttpStatusCode.BadRequest), (log.Id, $"?from={long.MaxValue}", HttpStatusCode.BadRequest), (log.Id, "?limit=0", HttpStatusCode.BadRequest), (log.Id, "?limit=501", HttpStatusCode.BadRequest), (log.Id, "?from=x", HttpStatusCode.BadRequest),
        })
        {
            using var answer = await client.GetAsync(Export(id, query));
            Assert.True(answer.StatusCode == expected, $"{query}: {answer.StatusCode}");
        }

        // Of the fleet's log everybody has the entries, and the vendor alone what is kept beside them.
        await ApplyAsync([named with { EventId = Guid.CreateVersion7(), ProducerSeq = 2, Log = "fleet", CustomerId = null, Personal = new Dictionary<string, string> { ["address"] = "192.0.2.78" } }]);
        var fleet = logs.Single(one => one.Kind == "fleet").Id;
        await Eventually.TrueAsync(async () => (await ExportAsync(host.Admin, fleet, "")).Text.Contains("192.0.2.78", StringComparison.Ordinal), "the fleet's log has the entry");
        var seen = (await ExportAsync(client, fleet, "")).Text;
        Assert.Contains("a\\nb", seen, StringComparison.Ordinal);
        Assert.DoesNotContain("192.0.2.", seen, StringComparison.Ordinal);

        // Staff that takes it is told in it, also when it has just looked at the log itself.
        var third = await host.CreateCustomerAsync("Theta");
        var (theirs, _) = await host.ClientWithTokenAsync(third.Id, "audit:read");
        using var _2 = theirs;
        var small = await SignedAsync(third.Id, 1);
        (await host.Admin.GetAsync(new Uri($"/api/v1/audit/logs/{small.Id}/checkpoint", UriKind.Relative))).EnsureSuccessStatusCode().Dispose();
        await ExportAsync(host.Admin, small.Id, "?format=cef");
        await Eventually.TrueAsync(async () => (await theirs.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=audit.log-export-read"))!.Items.Count == 1, "the customer's log says that staff exported it");
    }

    private static Uri Export(Guid log, string query) => new($"/api/v1/audit/logs/{log}/export{query}", UriKind.Relative);

    private static async Task<(string Text, long Next)> ExportAsync(HttpClient client, Guid log, string query)
    {
        using var answer = await client.GetAsync(Export(log, query));
        return (await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync(), long.Parse(answer.Headers.GetValues("MC-Next-Index").Single(), null));
    }

    private static string Link(HttpResponseMessage answer)
    {
        var link = answer.Headers.GetValues("Link").Single();
        Assert.EndsWith(">; rel=\"next\"", link, StringComparison.Ordinal);
        return link[link.IndexOf('?', StringComparison.Ordinal)..link.IndexOf('>', StringComparison.Ordinal)];
    }
}
