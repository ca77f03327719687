using System.Net;
using System.Net.Http.Json;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Contracts.Events.Identity;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Retention;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>A parked message is looked at, and a person decides that it is not applied.</summary>
public sealed class GiveUpTests : IAsyncLifetime
{
    private const string Consumer = "fleet.keep-customer";
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync();

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task What_is_shown_of_a_message_holds_both_errors_and_nothing_secret_or_personal()
    {
        var broken = Broken();
        var (context, id) = await ParkAsync(broken);
        await SetAsync(id, "Another error of a later try");

        var detail = (await host.Admin.GetFromJsonAsync<ParkedMessageDetail>(Address(id)))!;

        Assert.Contains("NOT NULL", detail.FirstError);
        Assert.Equal("Another error of a later try", detail.LastError);
        Assert.Equal((context.MessageId, broken.Key, 0), (detail.MessageId, detail.Key, detail.OthersOfKey));
        Assert.Equal(new MessageSubject("customer", broken.CustomerId.ToString()), Assert.Single(detail.About));
        Assert.Equal([("retry", true), ("give-up", true)], detail.Actions.Select(action => (action.Name, action.Allowed)));
        Assert.Equal("eu", detail.Fields.Single(field => field.Name == "region").Value);

        var secret = new TokenChanged("AbCdEfGhIjKl", [1, 2, 3], "person:anna@example.com", "staff", null, ["fleet:read"], ["10.0.0.0/8"], DateTimeOffset.UnixEpoch, null, 4);
        var named = new CustomerChanged(Guid.CreateVersion7(), "Anna Andersson AB", "eu", "active", 1);
        foreach (var (wire, body) in new (string, IMessage)[] { ("identity.token-changed", secret), ("licensing.customer-changed", named), ("nobody.knows-this", named) })
        {
            await SetAsync(id, "x", wire, MessageJson.Write(body));
            var text = await host.Admin.GetStringAsync(Address(id));
            Assert.DoesNotContain("anna", text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("AQID", text);
            Assert.DoesNotContain("10.0.0.0", text);
            Assert.Contains("text of ", text);
        }

        // Nothing of the body can be read: that may be why it is parked, and the page must still open.
        await SetAsync(id, "x", "callhome.items-received", Encoding.UTF8.GetBytes("{"));
        Assert.Empty((await host.Admin.GetFromJsonAsync<ParkedMessageDetail>(Address(id)))!.Fields);
    }

    [Fact]
    public async Task A_message_that_is_given_up_leaves_the_list_is_never_applied_by_itself_and_a_person_can_take_it_back()
    {
        var broken = Broken();
        var (context, id) = await ParkAsync(broken);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await GiveUpAsync(id, " ")).StatusCode);
        using (var stale = new HttpRequestMessage(HttpMethod.Post, Address(id, "give-up")) { Content = JsonContent.Create(new GiveUpRequest("it is moot")) })
        {
            stale.Headers.TryAddWithoutValidation("If-Match", "\"4711\"");
            Assert.Equal(HttpStatusCode.PreconditionFailed, (await host.Admin.SendAsync(stale)).StatusCode);
        }

        Assert.Equal(HttpStatusCode.NoContent, (await GiveUpAsync(id, "it is moot")).StatusCode);

        Assert.Equal(0, (await ListAsync("")).Total);
        var item = Assert.Single((await ListAsync("?state=given-up")).Items);
        Assert.Equal(("given-up", id), (item.State, item.Id));
        var detail = (await host.Admin.GetFromJsonAsync<ParkedMessageDetail>(Address(id)))!;
        Assert.Equal("it is moot", detail.GivenUp!.Reason);
        Assert.Equal(TimeSpan.FromDays(detail.KeptDays), detail.GivenUp.KeptUntil - detail.GivenUp.At);
        Assert.Equal([("retry", true), ("give-up", false)], detail.Actions.Select(action => (action.Name, action.Allowed)));
        Assert.Equal(HttpStatusCode.Conflict, (await GiveUpAsync(id, "once more")).StatusCode);
        Assert.Equal(0, (await host.Services.GetRequiredService<QueueGauges>().LookAsync(CancellationToken.None))["fleet"].Parked);
        await Eventually.TrueAsync(async () =>
        {
            var entry = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type=fleet.parked-message-given-up&target={id}"))!.Items.SingleOrDefault();
            return entry?.Reason == "it is moot";
        }, "the entry says why");

        // Neither the broker's second delivery nor a try that began before, of whichever outcome, brings it back.
        var runner = host.Services.GetRequiredService<HandlerRunner>();
        var mended = broken with { Name = "Acme" };
        await runner.ApplyAsync(Binding, mended, context, CancellationToken.None);
        await WithDbAsync(async db =>
        {
            var before = await db.ParkedMessages("fleet").AsNoTracking().SingleAsync(row => row.Id == id);
            before.State = ParkedState.Parked;
            await runner.RetryAsync(Binding, before, CancellationToken.None);
            Assert.Equal(0, await db.Database.SqlQuery<int>($"SELECT COUNT(*) AS Value FROM fleet_customer WHERE id = {broken.CustomerId}").SingleAsync());
            Assert.Equal(ParkedState.GivenUp, (await db.ParkedMessages("fleet").AsNoTracking().SingleAsync(row => row.Id == id)).State);
        });
        using var all = await host.Admin.PostAsJsonAsync("/api/v1/fleet/parked-messages/retry", new RetryParkedMessagesRequest(Consumer, 1));
        Assert.Equal(HttpStatusCode.Conflict, all.StatusCode);
        using var wrong = await host.Admin.PostAsJsonAsync("/api/v1/fleet/parked-messages/retry", new RetryParkedMessagesRequest(Consumer, 1, "given-up"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);

        // A person who asks for this very one may: it fails and stays given up, and is applied once its cause is gone.
        Assert.False((await RetryAsync(id)).Applied);
        Assert.Equal("given-up", (await host.Admin.GetFromJsonAsync<ParkedMessageDetail>(Address(id)))!.State);
        await SetAsync(id, "x", payload: MessageJson.Write(mended));
        Assert.True((await RetryAsync(id)).Applied);
        Assert.Equal(0, (await ListAsync("?state=given-up")).Total);
        await WithDbAsync(async db => Assert.Equal(1, await db.Database.SqlQuery<int>($"SELECT COUNT(*) AS Value FROM fleet_customer WHERE id = {broken.CustomerId}").SingleAsync()));
    }

    [Fact]
    public async Task A_task_that_began_before_leaves_what_was_given_up_alone()
    {
        var (_, id) = await ParkAsync(Broken());
        await WithDbAsync(async db =>
        {
            var row = await db.ParkedMessages("fleet").AsNoTracking().SingleAsync(row => row.Id == id);
            await using var scope = host.Services.CreateAsyncScope();
            scope.ServiceProvider.GetRequiredService<MissionControl.Platform.Modules.ModuleScope>().Enter("fleet");
            var write = await host.Services.GetRequiredService<HandlerRunner>().PrepareRetryAsync(scope.ServiceProvider, Binding, row, CancellationToken.None);
            (await GiveUpAsync(id, "it is moot")).EnsureSuccessStatusCode();

            var its = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            await using var transaction = await its.BeginWriteAsync();
            Assert.False(await write(CancellationToken.None));
        });
    }

    [Fact]
    public async Task What_was_given_up_ends_with_its_term_and_what_waits_does_not()
    {
        var (_, waits) = await ParkAsync(Broken());
        var (_, ended) = await ParkAsync(Broken());
        (await GiveUpAsync(ended, "it is moot")).EnsureSuccessStatusCode();
        await WriteAsync(async db =>
        {
            var old = host.Time.GetUtcNow().AddDays(-400);
            await db.ParkedMessages("fleet").ExecuteUpdateAsync(set => set.SetProperty(row => row.FirstFailedAt, old).SetProperty(row => row.GivenUpAt, row => row.GivenUpAt == null ? null : old));
        });

        var job = host.Services.GetServices<Time.Job>().OfType<PurgeRecords>().Single(job => job.Module == "fleet");
        await using (var scope = host.Services.CreateAsyncScope())
        {
            scope.ServiceProvider.GetRequiredService<MissionControl.Platform.Modules.ModuleScope>().Enter("fleet");
            await job.RunAsync(scope.ServiceProvider, CancellationToken.None);
        }

        await WithDbAsync(async db => Assert.Equal([waits], await db.ParkedMessages("fleet").Select(row => row.Id).ToListAsync()));
    }

    private HandlerBinding Binding => host.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(binding => binding.Name == Consumer);

    private static CustomerChanged Broken() => new(Guid.CreateVersion7(), null!, "eu", "active", 1);

    private static Uri Address(Guid id, string verb = "") => new($"/api/v1/fleet/parked-messages/{id}{(verb.Length == 0 ? "" : "/" + verb)}", UriKind.Relative);

    private async Task<(MessageContext Context, Guid Id)> ParkAsync(CustomerChanged message)
    {
        var context = new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow);
        await host.Services.GetRequiredService<HandlerRunner>().ApplyAsync(Binding, message, context, CancellationToken.None);
        var id = Guid.Empty;

        // Its own next tries would change what the test looks at.
        await WriteAsync(async db =>
        {
            id = await db.ParkedMessages("fleet").Where(row => row.MessageId == context.MessageId).Select(row => row.Id).SingleAsync();
            await db.ParkedMessages("fleet").Where(row => row.Id == id).ExecuteUpdateAsync(set => set.SetProperty(row => row.State, ParkedState.Parked));
        });
        return (context, id);
    }

    private Task SetAsync(Guid id, string error, string? type = null, byte[]? payload = null) => WriteAsync(async db =>
    {
        var row = await db.ParkedMessages("fleet").AsNoTracking().SingleAsync(row => row.Id == id);
        var (newType, newPayload) = (type ?? row.Type, payload ?? row.Payload);
        await db.ParkedMessages("fleet").Where(stored => stored.Id == id).ExecuteUpdateAsync(set => set.SetProperty(stored => stored.LastError, error).SetProperty(stored => stored.Type, newType).SetProperty(stored => stored.Payload, newPayload));
    });

    private Task<HttpResponseMessage> GiveUpAsync(Guid id, string reason) => host.Admin.PostAsJsonAsync(Address(id, "give-up"), new GiveUpRequest(reason));

    private async Task<RetryResult> RetryAsync(Guid id)
    {
        using var answer = await host.Admin.PostAsync(Address(id, "retry"), null);
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<RetryResult>())!;
    }

    private async Task<Page<ParkedMessageItem>> ListAsync(string query) => (await host.Admin.GetFromJsonAsync<Page<ParkedMessageItem>>($"/api/v1/fleet/parked-messages{query}"))!;

    private Task WriteAsync(Func<ControlPlaneDbContext, Task> act) => WithDbAsync(async db =>
    {
        await using var transaction = await db.BeginWriteAsync();
        await act(db);
        await transaction.CommitAsync();
    });

    private async Task WithDbAsync(Func<ControlPlaneDbContext, Task> act)
    {
        await using var scope = host.Services.CreateAsyncScope();
        await act(scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>());
    }
}
