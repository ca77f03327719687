using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

public sealed class TaskKillTests
{
    private const int Messages = 300;
    private const string Consumer = "fleet.keep-customer";

    [Fact]
    public async Task A_task_goes_on_after_kill_9_and_does_nothing_twice()
    {
        await using var host = new HostProcess();
        await ParkAsync(host.Data);
        await host.StartAsync();
        Guid id;
        using (var admin = host.Client(host.Portal, host.AdminToken))
        {
            await Eventually.TrueAsync(async () => (await admin.GetAsync(new Uri("/api/v1/fleet/parked-messages", UriKind.Relative))).IsSuccessStatusCode, "fleet knows the token");
            using var answer = await admin.PostAsJsonAsync("/api/v1/fleet/parked-messages/retry", new RetryParkedMessagesRequest(Consumer, Messages));
            id = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<TaskSummary>())!.Id;
        }

        var done = 0;
        for (var round = 0; round < 2; round++)
        {
            using (var admin = host.Client(host.Portal, host.AdminToken))
            {
                await Eventually.TrueAsync(async () =>
                {
                    var task = (await admin.GetFromJsonAsync<TaskSummary>($"/api/v1/fleet/tasks/{id}"))!;
                    var goesOn = task.Succeeded >= done + 50 || task.State != "running";
                    done = goesOn ? task.Succeeded : done;
                    return goesOn;
                }, "the task goes on", TimeSpan.FromMinutes(2));
            }

            await host.KillAsync();
            await host.StartAsync();
        }

        using var reader = host.Client(host.Portal, host.AdminToken);
        await Eventually.TrueAsync(async () => (await reader.GetFromJsonAsync<TaskSummary>($"/api/v1/fleet/tasks/{id}"))!.State != "running", "the task ends", TimeSpan.FromMinutes(3));
        var ended = (await reader.GetFromJsonAsync<TaskSummary>($"/api/v1/fleet/tasks/{id}"))!;
        Assert.Equal(("completed", Messages, 0), (ended.State, ended.Succeeded, ended.Waiting));
        Assert.Equal(0, (await reader.GetFromJsonAsync<Page<ParkedMessageItem>>("/api/v1/fleet/parked-messages?limit=1"))!.Total);

        // An entry is written with the effect: one for each message, and none twice.
        await Eventually.TrueAsync(async () => (await TargetsAsync(reader)).Count == Messages, "every entry has arrived", TimeSpan.FromMinutes(2));
        Assert.Equal(Messages, (await TargetsAsync(reader)).Distinct().Count());
    }

    private static async Task<List<string>> TargetsAsync(HttpClient reader)
    {
        var targets = new List<string>();
        for (var next = "/api/v1/audit/entries?type=fleet.parked-message-retried&limit=500"; next is not null;)
        {
            var page = (await reader.GetFromJsonAsync<Page<AuditEntryItem>>(next))!;
            targets.AddRange(page.Items.Select(entry => entry.TargetId));
            next = page.Next;
        }

        return targets;
    }

    /// <summary>Messages whose consumer was corrected since they were parked, written before the process has its first life.</summary>
    private static async Task ParkAsync(string data)
    {
        await using var host = await ControlPlane.StartAsync(data);
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var now = host.Time.GetUtcNow();
        db.ParkedMessages("fleet").AddRange(Enumerable.Range(0, Messages).Select(i => Guid.CreateVersion7(now)).Select(id => new ParkedMessage
        {
            Id = id,
            Consumer = Consumer,
            MessageId = id,
            Type = "licensing.customer-changed",
            Key = id.ToString(),
            Payload = MessageJson.Write(new CustomerChanged(id, "Parked", "eu", "active", 1)),
            SentAt = now,
            FirstFailedAt = now,
            LastFailedAt = now,
            Attempts = HandlerRunner.MaxAttempts,
            FirstError = "test",
            LastError = "test",
            State = ParkedState.Parked,
        }));
        await db.SaveChangesAsync();
        await host.StopAsync();
    }
}
