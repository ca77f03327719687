using System.Net;
using System.Net.Http.Json;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Tasks;
using MissionControl.Platform.Time;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>Long tasks: each thing is dealt with once, whoever dies or hurries meanwhile, and what became of it is told.</summary>
public sealed class TaskTests : IAsyncLifetime
{
    private const string Consumer = "fleet.keep-customer";
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync();

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task All_parked_messages_of_a_consumer_are_tried_again_and_each_has_its_result()
    {
        var good = await ParkAsync(12, mended: true);
        var bad = await ParkAsync(3, mended: false);

        var task = await StartAsync(15, "the consumer was corrected");

        var ended = await EndedAsync(task.Id);
        Assert.Equal(("incomplete", 15, 12, 3, 0), (ended.State, ended.Total, ended.Succeeded, ended.Failed, ended.Waiting));
        Assert.Equal("the consumer was corrected", ended.Reason);
        Assert.StartsWith("token:", ended.StartedBy, StringComparison.Ordinal);
        var failures = (await host.Admin.GetFromJsonAsync<Page<TaskResult>>($"/api/v1/fleet/tasks/{task.Id}/items?state=failed&state=refused"))!;
        Assert.Equal(3, failures.Total);
        Assert.Equal(bad.Select(id => id.ToString()).Order(), failures.Items.Select(item => item.Target).Order());
        Assert.All(failures.Items, item => Assert.Contains("NOT NULL", item.Reason, StringComparison.Ordinal));
        var left = (await host.Admin.GetFromJsonAsync<Page<ParkedMessageItem>>($"/api/v1/fleet/parked-messages?consumer={Consumer}&state=parked&facets=consumer"))!;
        Assert.Equal(3, left.Facets!["consumer"][Consumer]);

        // Every effect is told, with who answers for it.
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=fleet.parked-message-retried&limit=500"))!.Items.Count == 15, "fifteen entries");
        var entry = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type=fleet.parked-message-retried&target={good[0]}"))!.Items.Single();
        Assert.Equal(("success", ended.StartedBy), (entry.Outcome, entry.ActorId));
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type=fleet.task-ended&target={task.Id}"))!.Items.Count == 1, "its end is told");

        // What failed is tried again as a task of its own, and not twice at once.
        await MendAsync();
        using var again = await host.Admin.PostAsync(new Uri($"/api/v1/fleet/tasks/{task.Id}/retry-failed", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Accepted, again.StatusCode);
        var second = (await again.Content.ReadFromJsonAsync<TaskSummary>())!;
        Assert.Equal((task.Id, 3), (second.RetryOf!.Value, second.Total));
        Assert.Equal("completed", (await EndedAsync(second.Id)).State);
        Assert.Empty((await host.Admin.GetFromJsonAsync<Page<ParkedMessageItem>>("/api/v1/fleet/parked-messages"))!.Items);

        // Nor a second time: what was done since would be done twice.
        using var twice = await host.Admin.PostAsync(new Uri($"/api/v1/fleet/tasks/{task.Id}/retry-failed", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Conflict, twice.StatusCode);
        Assert.False((await host.Admin.GetFromJsonAsync<TaskSummary>($"/api/v1/fleet/tasks/{task.Id}"))!.Actions.Single(action => action.Name == "retry-failed").Allowed);
    }

    [Fact]
    public async Task Nothing_is_begun_when_another_number_matches_than_was_seen()
    {
        await ParkAsync(2, mended: false);

        using var moved = await PostAsync(new RetryParkedMessagesRequest(Consumer, 5));
        using var nothing = await PostAsync(new RetryParkedMessagesRequest("fleet.no-such", 1));
        using var unsaid = await PostAsync(new RetryParkedMessagesRequest(null, 0, "lost"));

        Assert.Equal(HttpStatusCode.Conflict, moved.StatusCode);
        var problem = (await moved.Content.ReadFromJsonAsync<ProblemDocument>())!;
        Assert.Equal("count-moved", problem.Code);
        Assert.Contains("2 messages match now, not 5.", problem.Detail, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Conflict, nothing.StatusCode);
        Assert.Equal(["/consumer", "/expectedCount", "/state"], (await unsaid.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!.Select(error => error.Pointer));
        Assert.Equal(0, (await host.Admin.GetFromJsonAsync<Page<TaskSummary>>("/api/v1/fleet/tasks"))!.Total);
    }

    [Fact]
    public async Task The_same_request_again_is_the_same_task()
    {
        await ParkAsync(4, mended: true);
        var key = Guid.CreateVersion7().ToString();

        var first = await StartAsync(4, null, key);
        await EndedAsync(first.Id);
        var second = await StartAsync(4, null, key);

        Assert.Equal(first.Id, second.Id);
        Assert.Equal(1, (await host.Admin.GetFromJsonAsync<Page<TaskSummary>>("/api/v1/fleet/tasks"))!.Total);
    }

    [Fact]
    public async Task A_cancelled_task_leaves_the_rest_alone_and_counts_nothing_twice()
    {
        await ParkAsync(60, mended: true);
        var task = await StartAsync(60, null);

        using var cancelled = await host.Admin.PostAsync(new Uri($"/api/v1/fleet/tasks/{task.Id}/cancel", UriKind.Relative), null);

        // It may have been too fast for us; then it says so.
        Assert.True(cancelled.StatusCode is HttpStatusCode.OK or HttpStatusCode.Conflict);
        var ended = await EndedAsync(task.Id);
        Assert.Equal(cancelled.IsSuccessStatusCode ? "cancelled" : "completed", ended.State);
        var items = (await host.Admin.GetFromJsonAsync<Page<TaskResult>>($"/api/v1/fleet/tasks/{task.Id}/items?limit=500"))!.Items;
        Assert.Equal((ended.Succeeded, ended.Waiting), (items.Count(item => item.State == "succeeded"), items.Count(item => item.State == "cancelled")));
        Assert.Equal(ended.Waiting, (await host.Admin.GetFromJsonAsync<Page<ParkedMessageItem>>("/api/v1/fleet/parked-messages?limit=1"))!.Total);
        using var again = await host.Admin.PostAsync(new Uri($"/api/v1/fleet/tasks/{task.Id}/cancel", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
    }

    [Fact]
    public async Task Two_workers_whose_lease_overlaps_do_nothing_twice()
    {
        // The host's own workers have no task of this kind and leave it alone.
        var action = new CountingAction();
        var task = await WriteAsync(action, 100);

        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => RunWorkerAsync(action)));

        var ended = await EndedAsync(task.Id);
        Assert.Equal(("incomplete", 98, 1, 1), (ended.State, ended.Succeeded, ended.Failed, ended.Refused));
        Assert.Equal(98, (await RowsAsync()).Count);
        var results = (await host.Admin.GetFromJsonAsync<Page<TaskResult>>($"/api/v1/updates/tasks/{task.Id}/items?state=refused&state=failed"))!.Items;
        Assert.Equal([("7", "refused", "the seventh is not to be touched"), ("9", "failed", "InvalidOperationException: the ninth cannot be done")], results.Select(item => (item.Target, item.State, item.Reason!)));
    }

    [Fact]
    public async Task A_thing_for_which_the_database_is_always_away_fails_at_last_and_the_others_go_on()
    {
        var action = new CountingAction { BusyAt = 3 };
        var task = await WriteAsync(action, 6);
        var worker = WorkerOf(action);
        var away = 0;
        while ((await host.Admin.GetFromJsonAsync<TaskSummary>($"/api/v1/updates/tasks/{task.Id}"))!.State == "running")
        {
            await using var scope = host.Services.CreateAsyncScope();
            try
            {
                await worker.RunAsync(scope.ServiceProvider, TestContext.Current.CancellationToken);
            }
            catch (SqliteException)
            {
                away++;
            }
        }

        var ended = await EndedAsync(task.Id);
        Assert.Equal((5, 1), (ended.Succeeded, ended.Failed));
        Assert.InRange(away, 1, 20);
    }

    [Fact]
    public async Task A_worker_that_dies_between_an_effect_and_its_commit_leaves_neither_and_the_next_one_goes_on()
    {
        var action = new CountingAction { DieAt = 30 };
        var task = await WriteAsync(action, 50);
        using (var dying = new CancellationTokenSource())
        {
            action.Dying = dying;
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RunWorkerAsync(action, dying.Token));
        }

        Assert.Equal(27, (await RowsAsync()).Count);
        action.DieAt = 0;
        await RunWorkerAsync(action);

        var ended = await EndedAsync(task.Id);
        Assert.Equal((48, 1, 1, 0), (ended.Succeeded, ended.Failed, ended.Refused, ended.Waiting));
        var rows = await RowsAsync();
        Assert.Equal(48, rows.Count);
        Assert.Equal(48, rows.Distinct().Count());
    }

    [Fact]
    public async Task Whoever_may_not_see_the_system_sees_its_own_tasks_only()
    {
        await ParkAsync(1, mended: true);
        var task = await StartAsync(1, null);
        await EndedAsync(task.Id);
        var (few, _) = await host.ClientWithTokenAsync(null, "fleet:read");
        var (keeper, _) = await host.ClientWithTokenAsync(null, "system:read");
        var (customer, _) = await host.ClientWithTokenAsync((await host.CreateCustomerAsync()).Id, "*");

        foreach (var stranger in new[] { few, customer })
        {
            Assert.Equal(0, (await stranger.GetFromJsonAsync<Page<TaskSummary>>("/api/v1/fleet/tasks"))!.Total);
            foreach (var path in new[] { "", "/items" })
            {
                Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync(new Uri($"/api/v1/fleet/tasks/{task.Id}{path}", UriKind.Relative))).StatusCode);
            }

            Assert.Equal(HttpStatusCode.NotFound, (await stranger.PostAsync(new Uri($"/api/v1/fleet/tasks/{task.Id}/cancel", UriKind.Relative), null)).StatusCode);
        }

        var seen = (await keeper.GetFromJsonAsync<TaskSummary>($"/api/v1/fleet/tasks/{task.Id}"))!;
        Assert.Equal([("cancel", false), ("retry-failed", false)], seen.Actions.Select(action => (action.Name, action.Allowed)));
        Assert.Equal(HttpStatusCode.Forbidden, (await keeper.PostAsync(new Uri($"/api/v1/fleet/tasks/{task.Id}/cancel", UriKind.Relative), null)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await keeper.PostAsync(new Uri($"/api/v1/fleet/tasks/{task.Id}/retry-failed", UriKind.Relative), null)).StatusCode);
        Array.ForEach([few, keeper, customer], client => client.Dispose());
    }

    /// <summary>Parks messages that can never be applied, and then mends them, as a corrected consumer would.</summary>
    private async Task<List<Guid>> ParkAsync(int count, bool mended)
    {
        var now = host.Time.GetUtcNow();
        var rows = Enumerable.Range(0, count).Select(i => new ParkedMessage
        {
            Id = Guid.CreateVersion7(now),
            Consumer = Consumer,
            MessageId = Guid.CreateVersion7(now),
            Type = "licensing.customer-changed",
            Key = $"k{i}",
            Payload = MessageJson.Write(new CustomerChanged(Guid.CreateVersion7(now), mended ? $"Parked {i}" : null!, "eu", "active", 1)),
            SentAt = now,
            FirstFailedAt = now,
            LastFailedAt = now,
            Attempts = HandlerRunner.MaxAttempts,
            FirstError = "test",
            LastError = "test",
            State = ParkedState.Parked,
        }).ToList();
        await WithDbAsync(async db =>
        {
            db.ParkedMessages("fleet").AddRange(rows);
            await db.SaveChangesAsync();
        });
        return [.. rows.Select(row => row.Id)];
    }

    private Task MendAsync() => WithDbAsync(async db =>
    {
        var payload = MessageJson.Write(new CustomerChanged(Guid.CreateVersion7(), "Mended", "eu", "active", 1));
        await using var transaction = await db.BeginWriteAsync();
        await db.ParkedMessages("fleet").ExecuteUpdateAsync(set => set.SetProperty(row => row.Payload, payload));
        await transaction.CommitAsync();
    });

    private async Task<TaskSummary> StartAsync(int expected, string? reason, string? key = null)
    {
        using var response = await PostAsync(new RetryParkedMessagesRequest(Consumer, expected, null, reason), key);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var task = (await response.Content.ReadFromJsonAsync<TaskSummary>())!;
        Assert.Equal($"/api/v1/fleet/tasks/{task.Id}", response.Headers.Location!.ToString());
        return task;
    }

    private async Task<HttpResponseMessage> PostAsync(RetryParkedMessagesRequest body, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/fleet/parked-messages/retry") { Content = JsonContent.Create(body) };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await host.Admin.SendAsync(request);
    }

    private async Task<TaskSummary> EndedAsync(Guid id)
    {
        TaskSummary? task = null;
        await Eventually.TrueAsync(async () =>
        {
            using var found = await host.Admin.GetAsync(new Uri($"/api/v1/fleet/tasks/{id}", UriKind.Relative));
            task = await host.Admin.GetFromJsonAsync<TaskSummary>($"/api/v1/{(found.IsSuccessStatusCode ? "fleet" : "updates")}/tasks/{id}");
            return task!.State != "running";
        }, "the task ends");
        return task!;
    }

    private async Task<LongTask> WriteAsync(CountingAction action, int count)
    {
        await using var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<Modules.ModuleScope>().Enter("updates");
        scope.ServiceProvider.GetRequiredService<Security.CurrentPrincipal>().Set(new Contracts.Events.Audit.AuditActor("staff", "token:test", "token"), null);
        scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Scope.OpenAll("a test");
        return (await scope.ServiceProvider.GetRequiredService<LongTasks>()
            .StartAsync(action, "Count", null, [.. Enumerable.Range(1, count).Select(i => new TaskTarget(i.ToString(System.Globalization.CultureInfo.InvariantCulture), $"number {i}"))], null, CancellationToken.None))!;
    }

    private async Task RunWorkerAsync(TaskAction action, CancellationToken cancellationToken = default)
    {
        var worker = WorkerOf(action);
        var runs = true;
        while (runs)
        {
            // A run ends after some seconds, that its lease may be renewed.
            await using var scope = host.Services.CreateAsyncScope();
            await worker.RunAsync(scope.ServiceProvider, cancellationToken);
            await WithDbAsync(async db => runs = await db.LongTasks("updates").AnyAsync(row => row.State == LongTaskState.Running, cancellationToken));
        }
    }

    private Sweeper WorkerOf(TaskAction action) => new TaskWorker(
        "updates", [action], host.Services.GetRequiredService<IServiceScopeFactory>(), host.Services.GetRequiredService<IDatabaseDialect>(), host.Time, NullLogger<TaskWorker>.Instance);

    private async Task<List<string>> RowsAsync()
    {
        List<string> rows = [];
        await WithDbAsync(async db => rows = await db.Projections("updates").Where(row => row.Kind == CountingAction.Effect).Select(row => row.Body).ToListAsync());
        return rows;
    }

    private async Task WithDbAsync(Func<ControlPlaneDbContext, Task> act)
    {
        await using var scope = host.Services.CreateAsyncScope();
        await act(scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>());
    }
}
