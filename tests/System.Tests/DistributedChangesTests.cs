using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Licensing;
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

        using var admin = installation.Client(installation.Portal, installation.AdminToken);
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

        await Senders.VerifyAsync(installation, [sender]);
        installation.AssertNothingCritical();
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
