using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Contracts.Events.Notifications;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Notifications.Tests;

/// <summary>Audit logs that are sent to a SIEM: by the role audit, through this one, and back the word of what became of it.</summary>
public sealed class AuditExportTests
{
    private const string Root = "/api/v1/audit/exports";

    [Fact]
    public async Task A_webhook_gets_every_signed_entry_without_a_hole_through_failures_a_restart_and_words_that_come_twice_or_late()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var installation = await Installation.StartAsync(time, mail: false);
        await using var receiver = await WebhookReceiver.StartAsync(installation.Certificate);
        var customer = await installation.CustomerAsync();
        var endpoint = await installation.EndpointAsync(null, "webhook", receiver.Address);
        await TellAsync(installation, customer, 600);
        var log = await LogAsync(installation, customer, 600);

        var export = await CreateAsync(installation, new CreateAuditExportRequest(log.Id, endpoint.Id, null, "jsonl", null));
        await CaughtUpAsync(installation, export, 600);
        Assert.True(receiver.Requests.Count >= 3);
        Assert.All(receiver.Requests, request => Assert.True(WebhookReceiver.Verifies(endpoint.Secret!, request)));
        var batches = receiver.Requests.Select(request => Data(request.Body)).ToList();
        Assert.Equal(batches.Select(one => one.GetProperty("next").GetInt64()).SkipLast(1), batches.Skip(1).Select(one => one.GetProperty("first").GetInt64()));

        // It wants nothing more: the export stops, keeps its place and says so. The batch is not kept, and of another one nothing is as long as the endpoint is disabled.
        receiver.Answers = _ => 410;
        await TellAsync(installation, customer, 3);
        var stopped = await StateAsync(installation, export, "stopped");
        Assert.Equal("It answered 410: it wants nothing more.", stopped.Problem);
        receiver.Answers = _ => 204;
        var failed = await installation.DeliveryAsync($"?recipient={endpoint.Id}&state=failed", _ => true, "the delivery failed");
        using var byHand = await installation.Host.Admin.PostAsync(new Uri($"/api/v1/notifications/deliveries/{failed.Id}/redeliver", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Conflict, byHand.StatusCode);
        await PostAsync(installation, $"{Root}/{export}/resume");
        Assert.Equal("The endpoint is disabled.", (await StateAsync(installation, export, "stopped")).Problem);
        Assert.Single(await installation.DeliveriesAsync($"?recipient={endpoint.Id}&state=failed"));
        await PostAsync(installation, $"/api/v1/notifications/endpoints/{endpoint.Id}/enable");
        await PostAsync(installation, $"{Root}/{export}/resume");
        await CaughtUpAsync(installation, export, stopped.Next + 1);

        // Stopped once more, and resumed: the same range under another id.
        receiver.Answers = _ => 410;
        await TellAsync(installation, customer, 3);
        stopped = await StateAsync(installation, export, "stopped");
        var (before, late) = (receiver.Requests.Count, receiver.Requests.Last());
        receiver.Answers = _ => 204;
        await PostAsync(installation, $"/api/v1/notifications/endpoints/{endpoint.Id}/enable");
        await PostAsync(installation, $"{Root}/{export}/resume");
        await CaughtUpAsync(installation, export, stopped.Next + 1);
        var again = receiver.Requests.ElementAt(before);
        Assert.NotEqual(late.Id, again.Id);
        Assert.Equal(Data(late.Body).GetProperty("first").GetInt64(), Data(again.Body).GetProperty("first").GetInt64());
        using var runs = await installation.Host.Admin.PostAsync(new Uri($"{Root}/{export}/resume", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Conflict, runs.StatusCode);

        // What is told of batches of before, in whatever order, changes nothing.
        await SayAsync(installation, "audit", late.Body, DeliveryEnded.Failed);
        await SayAsync(installation, "audit", late.Body, DeliveryEnded.Sent);
        await SayAsync(installation, "audit", again.Body, DeliveryEnded.Failed);

        // Killed while the receiver has it and has not answered: the same batch comes again.
        using var gate = new CancellationTokenSource();
        receiver.AnswersAsync = async _ => await Task.Delay(Timeout.Infinite, gate.Token).ContinueWith(_ => 204, TaskScheduler.Default);
        before = receiver.Requests.Count;
        await TellAsync(installation, customer, 3);
        await Eventually.TrueAsync(() => receiver.Requests.Count > before, "a batch is with the receiver");
        await installation.Host.DisposeAsync();
        receiver.Answers = _ => 204;
        await gate.CancelAsync();
        time.Advance(TimeSpan.FromMinutes(1));
        await installation.StartHostAsync(time);
        log = await LogAsync(installation, customer, log.SignedSize + 3);
        await CaughtUpAsync(installation, export, log.SignedSize);

        var lines = receiver.Requests.SelectMany(request => Data(request.Body).GetProperty("lines").EnumerateArray()).GroupBy(line => line.GetProperty("index").GetInt64()).OrderBy(group => group.Key).ToList();
        Assert.Equal(Enumerable.Range(0, lines.Count), lines.Select(group => (int)group.Key));
        Assert.All(lines, group => Assert.Single(group.Select(line => line.GetRawText()).Distinct()));
        Assert.Equal((await PullAsync(installation, log.Id, "jsonl"))[..lines.Count], lines.Select(group => group.First().GetRawText()));
        var said = (await installation.Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?customer={customer}&target={export}&sort=occurredAt"))!.Items.Select(entry => entry.Type);
        Assert.Equal(["audit.export-created", "audit.export-stopped", "audit.export-resumed", "audit.export-stopped", "audit.export-resumed", "audit.export-stopped", "audit.export-resumed"], said);
    }

    [Fact]
    public async Task A_syslog_server_gets_a_message_for_each_line_whatever_is_written_in_it_and_nobody_gets_what_is_meant_for_another()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var installation = await Installation.StartAsync(time, mail: false);
        using var server = new SyslogServer(installation.Certificate);
        var (customer, other) = (await installation.CustomerAsync(), (await installation.Host.CreateCustomerAsync("Other")).Id);
        var endpoint = await installation.EndpointAsync(null, "syslog", server.Address);
        const string Hostile = "a\nb\r\n<110>1 - evil|x=y\\ [sd x=\"]\"] 12 CEF:0|fake \u2028\u0085\u001b[2J \ud83d\ude00";
        await TellAsync(installation, customer, 3, Hostile);
        var log = await LogAsync(installation, customer, 3);
        foreach (var format in new[] { "cef", "ocsf", "jsonl" })
        {
            var export = await CreateAsync(installation, new CreateAuditExportRequest(log.Id, endpoint.Id, null, format, 1));
            server.Messages.Clear();
            await CaughtUpAsync(installation, export, 3);
            await Eventually.TrueAsync(() => server.Messages.Count >= 2, "the lines arrive");
            (await installation.Host.Admin.DeleteAsync(new Uri($"{Root}/{export}", UriKind.Relative))).EnsureSuccessStatusCode().Dispose();

            var messages = server.Messages.ToList();
            Assert.All(messages, message => Assert.Matches("^<110>1 20[^ ]{22}Z? - missioncontrol - [0-9a-f]{32} - \uFEFF[C{]", message));
            Assert.All(messages, message => Assert.DoesNotMatch(new Regex("[\\p{Cc}\u2028\u2029]"), message));
            Assert.Equal((await PullAsync(installation, log.Id, format))[1..][..messages.Count], messages.Select(message => message[(message.IndexOf('\uFEFF', StringComparison.Ordinal) + 1)..]));
        }

        // To an endpoint that is another's, or none, nothing goes, and the answer is the same.
        var foreign = await installation.EndpointAsync(other, "webhook", new Uri("https://hooks.other.example/"));
        foreach (var (id, owner) in new (Guid, Guid?)[] { (foreign.Id, null), (foreign.Id, customer), (Guid.CreateVersion7(), customer), (endpoint.Id, customer) })
        {
            var export = await CreateAsync(installation, new CreateAuditExportRequest(log.Id, id, owner, "ocsf", null));
            Assert.Equal("There is no such endpoint.", (await StateAsync(installation, export, "stopped")).Problem);
        }

        Assert.Empty(await installation.DeliveriesAsync($"?recipient={foreign.Id}"));

        // Nobody has sent what is not theirs to read.
        var logs = (await installation.Host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs?limit=500"))!.Items;
        foreach (var (id, owner, from, pointer) in new (Guid, Guid?, long?, string)[]
        {
            (log.Id, other, null, "/logId"), (logs.Single(one => one.Kind == "operator").Id, customer, null, "/logId"), (logs.Single(one => one.Kind == "anchor").Id, null, null, "/logId"), (log.Id, null, 1_000_000, "/from"), (log.Id, null, -1, "/from"),
        })
        {
            using var refused = await installation.Host.Admin.PostAsJsonAsync(Root, new CreateAuditExportRequest(id, endpoint.Id, owner, "ocsf", from));
            Assert.Equal((HttpStatusCode.UnprocessableEntity, pointer), (refused.StatusCode, (await refused.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!.Single().Pointer));
        }

        // Who may change and not read has nothing sent; a customer sees its own.
        var (writer, _) = await installation.Host.ClientWithTokenAsync(customer, "audit:write");
        var (own, _) = await installation.Host.ClientWithTokenAsync(customer, "audit:read", "audit:write");
        var request = new CreateAuditExportRequest(log.Id, endpoint.Id, null, "ocsf", null);
        HttpResponseMessage? answer = null;
        await Eventually.TrueAsync(async () => (answer = await writer.PostAsJsonAsync(Root, request)).StatusCode == HttpStatusCode.Forbidden, "the token is known");
        Assert.Contains("audit:read", await answer!.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => (await own.GetAsync(new Uri(Root, UriKind.Relative))).IsSuccessStatusCode, "the token is known");
        Assert.All((await own.GetFromJsonAsync<Page<AuditExportItem>>(Root))!.Items, one => Assert.Equal(customer, one.CustomerId));
        for (var i = 0; i < 7; i++)
        {
            (await own.PostAsJsonAsync(Root, request)).EnsureSuccessStatusCode().Dispose();
        }

        using var tooMany = await own.PostAsJsonAsync(Root, request);
        Assert.Equal(HttpStatusCode.Conflict, tooMany.StatusCode);

        // No word within 26 hours is a word, too.
        var deaf = await installation.EndpointAsync(null, "webhook", new Uri("https://hooks.other.example/"));
        var waiting = await CreateAsync(installation, new CreateAuditExportRequest(log.Id, deaf.Id, null, "ocsf", null));
        await Eventually.TrueAsync(async () => (await GetAsync(installation, waiting)).WaitingSince is not null, "a batch is on its way");
        time.Advance(TimeSpan.FromHours(27));
        Assert.NotNull((await StateAsync(installation, waiting, "stopped")).Problem);
    }

    [Fact]
    public async Task What_waits_for_a_receiver_is_called_back_with_its_export_and_is_bounded_for_a_customer()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var installation = await Installation.StartAsync(time, mail: false);
        await using var receiver = await WebhookReceiver.StartAsync(installation.Certificate);
        receiver.Answers = _ => 503;
        var customer = await installation.CustomerAsync();
        var endpoint = await installation.EndpointAsync(null, "webhook", receiver.Address);
        await TellAsync(installation, customer, 3);
        var log = await LogAsync(installation, customer, 3);

        // Removed while its batch waits to be tried again: nothing of it is kept, and it is not tried any more.
        var removed = await CreateAsync(installation, new CreateAuditExportRequest(log.Id, endpoint.Id, null, "jsonl", null));
        await installation.DeliveryAsync($"?recipient={endpoint.Id}&state=waiting", row => row.Attempts > 0, "it was tried");
        (await installation.Host.Admin.DeleteAsync(new Uri($"{Root}/{removed}", UriKind.Relative))).EnsureSuccessStatusCode().Dispose();
        const string Withdrawn = "It was withdrawn by who asked for it.";
        var ended = await installation.DeliveryAsync($"?recipient={endpoint.Id}&state=failed", row => row.Error == Withdrawn, "it was called back");
        using var byHand = await installation.Host.Admin.PostAsync(new Uri($"/api/v1/notifications/deliveries/{ended.Id}/redeliver", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Conflict, byHand.StatusCode);

        // What comes after the word that takes it back makes nothing, and nobody takes back what is another's.
        var (early, others) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await InAsync(installation, "audit", events => events.Publish(new WithdrawEvent(early, endpoint.Id, new DeliveryReport("audit.export", null))));
        await Eventually.TrueAsync(async () => (await installation.DeliveriesAsync($"?recipient={endpoint.Id}&state=failed")).Count == 2, "the word that came first is noted");
        await InAsync(installation, "audit", events => events.Publish(Some(others, endpoint.Id, null)));
        await InAsync(installation, "audit", events => events.Publish(Some(early, endpoint.Id, null)));
        await installation.DeliveryAsync($"?recipient={endpoint.Id}&state=waiting", _ => true, "what is not taken back waits");
        foreach (var report in new[] { new DeliveryReport("somebody", null), new DeliveryReport("audit.export", customer) })
        {
            await InAsync(installation, "audit", events => events.Publish(new WithdrawEvent(others, endpoint.Id, report)));
        }

        var (before, next) = (receiver.Requests.Count, await CreateAsync(installation, new CreateAuditExportRequest(log.Id, endpoint.Id, null, "cef", null)));
        receiver.Answers = _ => 204;
        await Eventually.TrueAsync(async () => (await GetAsync(installation, next)).WaitingSince is not null, "the next batch is made");
        await Eventually.TrueAsync(async () =>
        {
            time.Advance(TimeSpan.FromSeconds(15));
            return (await GetAsync(installation, next)).Next >= 3;
        }, "the next export is sent");
        await Eventually.TrueAsync(() => receiver.Requests.Any(request => Id(request.Body) == others), "what is not taken back is sent");
        Assert.DoesNotContain(receiver.Requests.Skip(before), request => Id(request.Body) == early || (Data(request.Body).TryGetProperty("exportId", out var export) && export.GetGuid() == removed));

        // Of one customer 20 wait at most; what is beyond stops its export at once, until there is room again.
        var deaf = await installation.EndpointAsync(customer, "webhook", new Uri("https://hooks.other.example/"));
        var batches = Enumerable.Range(0, 20).Select(_ => Guid.CreateVersion7()).ToList();
        await InAsync(installation, "audit", events => batches.ForEach(batch => events.Publish(Some(batch, deaf.Id, customer))));
        await Eventually.TrueAsync(async () => (await installation.DeliveriesAsync($"?recipient={deaf.Id}&state=waiting&limit=100")).Count == 20, "20 wait");
        var full = await CreateAsync(installation, new CreateAuditExportRequest(log.Id, deaf.Id, customer, "jsonl", null));
        Assert.Equal("20 batches wait for receivers already that do not take them.", (await StateAsync(installation, full, "stopped")).Problem);
        await InAsync(installation, "audit", events => events.Publish(new WithdrawEvent(batches[0], deaf.Id, new DeliveryReport("audit.export", customer))));
        await Eventually.TrueAsync(async () => (await installation.DeliveriesAsync($"?recipient={deaf.Id}&state=waiting&limit=100")).Count == 19, "there is room");
        await PostAsync(installation, $"{Root}/{full}/resume");
        await Eventually.TrueAsync(async () => (await installation.DeliveriesAsync($"?recipient={deaf.Id}&state=waiting&limit=100")).Count == 20, "it goes on");
        Assert.Equal("running", (await GetAsync(installation, full)).State);
    }

    private static DeliverEvent Some(Guid id, Guid endpoint, Guid? customer) =>
        new(id, endpoint, Encoding.UTF8.GetBytes($$$"""{"specversion":"1.0","id":"{{{id}}}","type":"missioncontrol.audit.entries","source":"/","data":{}}"""), new DeliveryReport("audit.export", customer));

    private static Guid Id(byte[] body) => JsonElement.Parse(body).GetProperty("id").GetGuid();

    private static JsonElement Data(byte[] body) => JsonElement.Parse(body).GetProperty("data");

    private static async Task TellAsync(Installation installation, Guid customer, int count, string? reason = null) => await InAsync(installation, "licensing", events =>
    {
        for (var i = 0; i < count; i++)
        {
            events.Audit(new AuditFact("licensing.customer-changed", AuditLog.Customer, "customer", customer.ToString()) { CustomerId = customer, Reason = reason ?? $"change {i}", Personal = new Dictionary<string, string> { ["address"] = "192.0.2.7" } });
        }
    });

    // By the id that the event bears: that of the command.
    private static Task SayAsync(Installation installation, string role, byte[] cloudEvent, string outcome) => InAsync(installation, role, events =>
        events.Publish(new DeliveryEnded(JsonElement.Parse(cloudEvent).GetProperty("id").GetGuid(), "audit.export", outcome, null, DateTimeOffset.UnixEpoch)));

    private static async Task InAsync(Installation installation, string role, Action<IEvents> act)
    {
        await using var scope = installation.Host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(role);
        act(scope.ServiceProvider.GetRequiredService<IEvents>());
        await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync();
    }

    private static async Task<AuditLogItem> LogAsync(Installation installation, Guid customer, long atLeast)
    {
        AuditLogItem? log = null;
        await Eventually.TrueAsync(async () => (log = (await installation.Host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs?limit=500"))!.Items.SingleOrDefault(one => one.CustomerId == customer && one.SignedSize >= atLeast)) is not null, $"{atLeast} entries are signed", TimeSpan.FromMinutes(1));
        return log!;
    }

    private static async Task<Guid> CreateAsync(Installation installation, CreateAuditExportRequest request)
    {
        using var answer = await installation.Host.Admin.PostAsJsonAsync(Root, request);
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AuditExportItem>())!.Id;
    }

    private static async Task<AuditExportItem> GetAsync(Installation installation, Guid export) => (await installation.Host.Admin.GetFromJsonAsync<AuditExportItem>($"{Root}/{export}"))!;

    private static async Task<AuditExportItem> StateAsync(Installation installation, Guid export, string state)
    {
        AuditExportItem? item = null;
        await Eventually.TrueAsync(async () => (item = await GetAsync(installation, export)).State == state, $"the export is {state}", TimeSpan.FromMinutes(1));
        return item!;
    }

    private static Task CaughtUpAsync(Installation installation, Guid export, long atLeast) =>
        Eventually.TrueAsync(async () => await GetAsync(installation, export) is { State: "running" } item && item.Next >= atLeast && item.Next == item.SignedSize, $"{atLeast} entries are sent", TimeSpan.FromMinutes(1));

    private static async Task PostAsync(Installation installation, string path) => (await installation.Host.Admin.PostAsync(new Uri(path, UriKind.Relative), null)).EnsureSuccessStatusCode().Dispose();

    private static async Task<string[]> PullAsync(Installation installation, Guid log, string format)
    {
        var (text, from) = ("", 0L);
        for (var steps = 0; steps < 5; steps++)
        {
            using var answer = await installation.Host.Admin.GetAsync(new Uri($"/api/v1/audit/logs/{log}/export?format={format}&from={from}", UriKind.Relative));
            text += await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
            from = long.Parse(answer.Headers.GetValues("MC-Next-Index").Single(), null);
        }

        return text.Split('\n')[..^1];
    }
}
