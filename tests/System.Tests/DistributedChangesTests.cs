using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>
/// What people change, while clusters call home: the role that passes the change on, the one that knows who they are and the one that
/// keeps the log of it each die in the middle.
/// </summary>
[Collection(Shapes.Distributed)]
public sealed class DistributedChangesTests(DistributedFixture fixture)
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(400);
    private readonly DistributedInstallation installation = fixture.Installation;

    [Fact]
    public async Task What_was_changed_while_a_role_died_is_there_once_and_in_the_audit_log_once()
    {
        var sender = Assert.Single(await Senders.EnrollAsync(installation, 1));
        using var load = new CancellationTokenSource();
        using var admin = installation.Client(installation.Portal, installation.AdminToken);

        // Beside it a SIEM is sent what the logs of all tell, and a cluster's own log says what nobody has done to it.
        await using var siem = await WebhookReceiver.StartAsync(Outside.Authority.Certificate);
        var fleet = await LogAsync(admin, "createdAt", log => log.Kind == "fleet", "the log of the fleet is signed");
        var (endpoint, export) = await ExportAsync(admin, siem, fleet.Id);
        var watched = await Senders.CustomerAsync(admin);
        using var agent = new RealAgent(installation.CallHomes[0], installation.CaFile, witness: true);
        await agent.EnrollAsync(await Senders.TokenAsync(admin, watched));
        agent.Log!.Note(Reconciliation.InventoryAsked, "Nobody asked.", "inventory:1", TimeProvider.System.GetUtcNow());
        await LogAsync(admin, "-createdAt", log => log.CustomerId == watched, "the customer's log is signed");
        await Eventually.TrueAsync(async () =>
        {
            // It is asked at once when it begins, and then once an hour.
            agent.Restart();
            await agent.CheckInAsync();
            await agent.CheckInAsync();
            return (await LogAsync(admin, "-createdAt", log => log.CustomerId == watched, "the customer's log is signed")).Reconciliation is { Clusters: 1 };
        }, "the cluster's own log is held", TimeSpan.FromMinutes(2));

        var (run, made) = ($"made-{Guid.NewGuid():N}"[..13], new ConcurrentDictionary<string, CustomerItem>());
        var calling = sender.SendUntilAsync(load.Token, Pace);
        var changing = installation.Of("portal").Select((portal, i) => ChangeUntilAsync(portal.Portal, $"{run}-{i}", made, load.Token)).ToList();
        foreach (var role in new[] { "identity", "audit", "portal" })
        {
            await MoreAsync(made, $"changes are made before {role} dies");
            var victim = installation.Of(role)[1];
            await victim.KillAsync();
            await MoreAsync(made, $"changes are made while a replica of {role} is dead");
            await victim.StartAsync();
        }

        await MoreAsync(made, "changes are made after all of it");
        await load.CancelAsync();
        await Task.WhenAll([calling, .. changing]);

        var stored = new Dictionary<string, Guid>();
        for (var next = $"/api/v1/licensing/customers?q={run}&limit=200"; next is not null;)
        {
            var page = (await admin.GetFromJsonAsync<Page<CustomerItem>>(next))!;
            Assert.All(page.Items, customer => stored.Add(customer.Name, customer.Id));
            next = page.Next;
        }

        // The last of each, whose answer nobody waited for, may be there too.
        Assert.InRange(stored.Count - made.Count, 0, changing.Count);
        Assert.All(made, one => Assert.Equal(one.Value.Id, stored[one.Key]));
        foreach (var id in stored.Values)
        {
            Page<AuditEntryItem>? entries = null;
            await Eventually.TrueAsync(async () => (entries = await admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?target={id}&type=licensing.customer-created"))!.Items.Count > 0, "the entry has arrived");
            Assert.Single(entries!.Items);
        }

        // And in a log of its own: whole, signed and once, although a replica that kept it was killed. Some of them, from the first to the last.
        var some = stored.Values.Order().Where((_, i) => i % Math.Max(1, stored.Count / 12) == 0).ToList();
        foreach (var (id, item) in await LogsAsync(admin, some))
        {
            var log = await VerifiedLog.ReadAsync(admin, item);
            Assert.Single(log.Entries, entry => entry.Contains("\"type\":\"licensing.customer-created\"", StringComparison.Ordinal) && entry.Contains(id.ToString(), StringComparison.Ordinal));
        }

        // One anchor for both replicas: each epoch stands once, at its place.
        var anchor = await VerifiedLog.ReadAsync(admin, (await admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs?sort=createdAt&limit=500"))!.Items.Single(log => log.Kind == "anchor"));
        Assert.NotEmpty(anchor.Entries);
        Assert.Equal(Enumerable.Range(1, anchor.Entries.Count), anchor.Entries.Select(entry => (int)Epoch.Parse(Encoding.ASCII.GetBytes(entry)).Number));

        // What both sides do not say is told, once, and nothing else is missed.
        await Eventually.TrueAsync(async () => (await LogAsync(admin, "-createdAt", log => log.CustomerId == watched, "the log is signed")).Reconciliation is { Clusters: 1, Unmatched: 1, Refused: 0 }, "what the cluster alone says is missed", TimeSpan.FromMinutes(3));
        await Eventually.TrueAsync(async () => (await admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?customer={watched}&type=audit.entry-unmatched"))!.Items.Count == 1, "and told");
        await VerifySentAsync(admin, siem, fleet, endpoint, export);
        await Senders.VerifyAsync(installation, [sender]);
        installation.AssertNothingCritical();
    }

    private static async Task<AuditLogItem> LogAsync(HttpClient admin, string sort, Func<AuditLogItem, bool> wanted, string what)
    {
        AuditLogItem? log = null;
        await Eventually.TrueAsync(async () => (log = (await admin.GetFromJsonAsync<Page<AuditLogItem>>($"/api/v1/audit/logs?sort={sort}&limit=500"))!.Items.SingleOrDefault(one => one.SignedSize > 0 && wanted(one))) is not null, what, TimeSpan.FromMinutes(1));
        return log!;
    }

    private static async Task<(Guid Endpoint, Guid Export)> ExportAsync(HttpClient admin, WebhookReceiver siem, Guid log)
    {
        using var added = await admin.PostAsJsonAsync("/api/v1/notifications/endpoints", new AddEndpointRequest(null, "webhook", "siem", siem.Address.ToString()));
        var endpoint = (await added.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<EndpointSecret>())!.Id;
        return (endpoint, await ExportAsync(admin, endpoint, log));
    }

    private static async Task<Guid> ExportAsync(HttpClient admin, Guid endpoint, Guid log)
    {
        using var made = await admin.PostAsJsonAsync("/api/v1/audit/exports", new CreateAuditExportRequest(log, endpoint, null, "jsonl", null));
        return (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AuditExportItem>())!.Id;
    }

    // Every entry came, as it stands in the log, and however often it came it was the same; and what is removed is called back.
    private static async Task VerifySentAsync(HttpClient admin, WebhookReceiver siem, AuditLogItem fleet, Guid endpoint, Guid export)
    {
        AuditExportItem? sent = null;
        await Eventually.TrueAsync(async () => (sent = await admin.GetFromJsonAsync<AuditExportItem>($"/api/v1/audit/exports/{export}")) is { State: "running" } one && one.Next == one.SignedSize, "all of it is sent", TimeSpan.FromMinutes(2));
        var lines = siem.Requests.SelectMany(request => JsonElement.Parse(request.Body).GetProperty("data").GetProperty("lines").EnumerateArray()).GroupBy(line => line.GetProperty("index").GetInt32()).OrderBy(group => group.Key).ToList();
        var log = await VerifiedLog.ReadAsync(admin, fleet);
        Assert.True(sent!.Next > fleet.SignedSize, "the log has grown");
        Assert.Equal(log.Entries.Take((int)sent.Next), lines.Take((int)sent.Next).Select((group, i) => group.Key == i ? group.Select(line => line.GetProperty("entry").GetRawText()).Distinct().Single() : ""));

        siem.Answers = _ => 503;
        var removed = await ExportAsync(admin, endpoint, fleet.Id);
        await Eventually.TrueAsync(async () => (await admin.GetFromJsonAsync<Page<DeliveryItem>>($"/api/v1/notifications/deliveries?recipient={endpoint}&state=waiting"))!.Items.Count > 0, "a batch waits", TimeSpan.FromMinutes(1));
        using var gone = await admin.DeleteAsync(new Uri($"/api/v1/audit/exports/{removed}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        await Eventually.TrueAsync(async () => (await admin.GetFromJsonAsync<Page<DeliveryItem>>($"/api/v1/notifications/deliveries?recipient={endpoint}&state=failed"))!.Items is [{ Error: "It was withdrawn by who asked for it." }], "it is called back", TimeSpan.FromMinutes(1));
        (await admin.DeleteAsync(new Uri($"/api/v1/audit/exports/{export}", UriKind.Relative))).EnsureSuccessStatusCode().Dispose();
    }

    private async Task ChangeUntilAsync(Uri portal, string name, ConcurrentDictionary<string, CustomerItem> made, CancellationToken enough)
    {
        using var client = installation.Client(portal, installation.AdminToken);
        using var timer = new PeriodicTimer(Pace);
        for (var number = 0; !enough.IsCancellationRequested; number++)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
            var customer = $"{name}-{number}";
            while (!enough.IsCancellationRequested && await CreateAsync(client, customer) is var answer)
            {
                if (answer is not null)
                {
                    made[customer] = answer;
                    break;
                }
            }
        }
    }

    // The key says that it is the same change, however often it is sent.
    private static async Task<CustomerItem?> CreateAsync(HttpClient client, string name)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/licensing/customers") { Content = JsonContent.Create(new CreateCustomerRequest(name, "eu")) };
            request.Headers.TryAddWithoutValidation("Idempotency-Key", name);
            using var response = await client.SendAsync(request);
            Assert.True(response.StatusCode is HttpStatusCode.Created or HttpStatusCode.ServiceUnavailable or HttpStatusCode.Conflict, await response.Content.ReadAsStringAsync());
            return response.StatusCode == HttpStatusCode.Created ? await response.Content.ReadFromJsonAsync<CustomerItem>() : null;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return null;
        }
    }

    private static Task MoreAsync(ConcurrentDictionary<string, CustomerItem> made, string what)
    {
        var target = made.Count + 6;
        return Eventually.TrueAsync(() => made.Count >= target, what);
    }

    private static async Task<Dictionary<Guid, AuditLogItem>> LogsAsync(HttpClient admin, IReadOnlyCollection<Guid> customers)
    {
        var logs = new Dictionary<Guid, AuditLogItem>();
        await Eventually.TrueAsync(async () =>
        {
            for (var next = "/api/v1/audit/logs?sort=-createdAt&limit=500"; next is not null && logs.Count < customers.Count;)
            {
                var page = (await admin.GetFromJsonAsync<Page<AuditLogItem>>(next))!;
                foreach (var log in page.Items.Where(log => log.SignedSize > 0 && log.CustomerId is { } customer && customers.Contains(customer)))
                {
                    logs[log.CustomerId!.Value] = log;
                }

                next = page.Next;
            }

            return logs.Count == customers.Count;
        }, "the logs of all of them are signed");
        return logs;
    }
}
