using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.CallHome.Clusters;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Security;
using MissionControl.Platform.Tasks;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.CallHome.Tests;

/// <summary>Suspending and resuming many clusters: what the preview says, what the task does, and whom it reaches.</summary>
public sealed class SwitchManyClustersTests(HostFixture fixture)
{
    private const string Reason = "the contract has ended";

    private ControlPlane Host => fixture.Host;

    [Fact]
    public async Task The_clusters_of_a_customer_are_previewed_suspended_one_by_one_and_resumed()
    {
        var (customer, clusters) = await EnrolAsync("Bergen", "Oslo", "Tromso", "Narvik");
        await SwitchAsync(clusters[1], "suspend");
        await SwitchAsync(clusters[3], "decommission");
        var filter = new ClusterFilter(customer, Ids: [.. clusters.Select(cluster => Guid.Parse(cluster.Id)), Guid.NewGuid()]);

        var preview = await PreviewAsync("suspend", filter);

        Assert.Equal((2, 5), (preview.Count, preview.HoldsWithinSeconds));
        Assert.Equal([("already-suspended", 1L), ("decommissioned", 1L), ("not-found", 1L)], preview.Exclusions.Select(exclusion => (exclusion.Reason, exclusion.Count)));
        Assert.Equal([("Bergen", customer), ("Tromso", customer)], preview.Sample.Select(target => (target.Name, target.CustomerId)));

        // Without ids those that are gone for good are not meant, as in the list of the fleet.
        Assert.Equal([("already-suspended", 1L)], (await PreviewAsync("suspend", new ClusterFilter(customer))).Exclusions.Select(exclusion => (exclusion.Reason, exclusion.Count)));

        var task = await StartAsync("suspend", new SwitchClustersRequest(filter, Reason, preview.Count));
        var ended = await EndedAsync(task.Id);

        Assert.Equal(("completed", 2, "Suspend 2 clusters", Reason), (ended.State, ended.Succeeded, ended.Summary, ended.Reason));
        foreach (var cluster in new[] { clusters[0], clusters[2] })
        {
            await Eventually.TrueAsync(async () => (await Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type=callhome.cluster-suspended&target={cluster.Id}"))!.Items.Count == 1, "each has an entry");
            var entry = (await Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type=callhome.cluster-suspended&target={cluster.Id}"))!.Items.Single();
            Assert.Equal(("customer", customer, Reason, ended.StartedBy), (entry.Log, entry.CustomerId!.Value, entry.Reason, entry.ActorId));
            await Eventually.TrueAsync(async () => await StatusAsync(cluster) == HttpStatusCode.Forbidden, "the door is closed");
        }

        var resumed = await EndedAsync((await StartAsync("resume", new SwitchClustersRequest(new ClusterFilter(customer, "suspended", "OM"), Reason, 1))).Id);

        Assert.Equal(("completed", "Resume a cluster"), (resumed.State, resumed.Summary));
        await Eventually.TrueAsync(async () => await StatusAsync(clusters[2]) == HttpStatusCode.OK, "the door is open again");
        Assert.Equal(("suspended", "suspended"), (await StateAsync(clusters[0]), await StateAsync(clusters[1])));
        clusters.ForEach(cluster => cluster.Dispose());
    }

    [Fact]
    public async Task Nothing_is_begun_when_another_number_matches_than_was_previewed()
    {
        var (customer, clusters) = await EnrolAsync("Lund", "Malmo");
        await SwitchAsync(clusters[0], "suspend");

        using var moved = await PostAsync("suspend", new SwitchClustersRequest(new ClusterFilter(customer), Reason, 2));

        Assert.Equal(HttpStatusCode.Conflict, moved.StatusCode);
        var problem = (await moved.Content.ReadFromJsonAsync<ProblemDocument>())!;
        Assert.Equal("count-moved", problem.Code);
        Assert.Contains("1 cluster of this filter can be suspended now, not 2.", problem.Detail, StringComparison.Ordinal);
        Assert.Equal("active", await StateAsync(clusters[1]));
        clusters.ForEach(cluster => cluster.Dispose());
    }

    [Fact]
    public async Task Every_mistake_is_named_at_once_and_no_filter_is_not_the_whole_fleet()
    {
        var ids = Enumerable.Range(0, 1001).Select(_ => Guid.NewGuid()).ToList();
        using var wrong = await PostAsync("suspend", new SwitchClustersRequest(new ClusterFilter(State: "asleep", Q: new string('x', 101), Ids: ids), " x ", 0));
        using var none = await PostAsync("resume", new SwitchClustersRequest(new ClusterFilter(Q: "  ", Ids: []), Reason, 1));
        using var preview = await Host.Admin.PostAsJsonAsync("/api/v1/callhome/clusters/suspend/preview", new PreviewSwitchRequest(null));

        Assert.Equal(["/filter/state", "/filter/q", "/filter/ids", "/reason", "/expectedCount"], await PointersAsync(wrong));
        Assert.Equal(["/filter"], await PointersAsync(none));
        Assert.Equal(["/filter"], await PointersAsync(preview));
    }

    [Fact]
    public async Task A_token_of_a_customer_reaches_its_own_clusters_only()
    {
        var (mine, own) = await EnrolAsync("Aarhus");
        var (_, other) = await EnrolAsync("Aarhus");
        var (customer, _) = await Host.ClientWithTokenAsync(mine, "callhome:write", "callhome:read");
        var (reader, _) = await Host.ClientWithTokenAsync(null, "callhome:read");
        var both = new ClusterFilter(Ids: [Guid.Parse(own[0].Id), Guid.Parse(other[0].Id)]);

        using var named = await customer.PostAsJsonAsync("/api/v1/callhome/clusters/suspend/preview", new PreviewSwitchRequest(both));
        using var all = await customer.PostAsJsonAsync("/api/v1/callhome/clusters/suspend", new SwitchClustersRequest(new ClusterFilter(State: "active"), Reason, 1));
        using var refused = await reader.PostAsJsonAsync("/api/v1/callhome/clusters/suspend", new SwitchClustersRequest(both, Reason, 2));

        var preview = (await named.Content.ReadFromJsonAsync<SwitchPreview>())!;
        Assert.Equal((1, "not-found"), (preview.Count, Assert.Single(preview.Exclusions).Reason));
        Assert.Equal(HttpStatusCode.Accepted, all.StatusCode);
        var task = (await all.Content.ReadFromJsonAsync<TaskSummary>())!;
        await EndedAsync(task.Id);
        Assert.Equal(own[0].Id, Assert.Single((await customer.GetFromJsonAsync<Page<TaskResult>>($"/api/v1/callhome/tasks/{task.Id}/items"))!.Items).Target);
        Assert.Equal(("suspended", "active"), (await StateAsync(own[0]), await StateAsync(other[0])));
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Array.ForEach([customer, reader], client => client.Dispose());
        Array.ForEach([own[0], other[0]], cluster => cluster.Dispose());
    }

    [Fact]
    public async Task A_customers_task_leaves_alone_what_staff_suspended_also_when_they_did_so_meanwhile()
    {
        var (mine, own) = await EnrolAsync("Bodo", "Alta");
        var (customer, _) = await Host.ClientWithTokenAsync(mine, "callhome:write", "callhome:read");
        await SwitchAsync(own[0], "suspend");
        using var suspended = await customer.PostAsJsonAsync($"/api/v1/callhome/clusters/{own[1].Id}/suspend", new ReasonRequest("a test says so"));
        suspended.EnsureSuccessStatusCode();
        var filter = new ClusterFilter(mine, "suspended");

        using var asked = await customer.PostAsJsonAsync("/api/v1/callhome/clusters/resume/preview", new PreviewSwitchRequest(filter));
        using var all = await customer.PostAsJsonAsync("/api/v1/callhome/clusters/resume", new SwitchClustersRequest(filter, Reason, 2));

        var preview = (await asked.Content.ReadFromJsonAsync<SwitchPreview>())!;
        Assert.Equal((1, "suspended-by-staff", 1L), (preview.Count, Assert.Single(preview.Exclusions).Reason, preview.Exclusions[0].Count));
        Assert.Equal(own[1].Id, Assert.Single(preview.Sample).Id.ToString());
        Assert.Equal(2, (await PreviewAsync("resume", filter)).Count);
        Assert.Equal("count-moved", (await all.Content.ReadFromJsonAsync<ProblemDocument>())!.Code);

        var task = await EndedAsync(await WriteAsync(mine, [own[0].Id, own[1].Id], "resume"));

        Assert.Equal(("incomplete", 1, 1), (task.State, task.Succeeded, task.Refused));
        Assert.Equal(("suspended", "active"), (await StateAsync(own[0]), await StateAsync(own[1])));
        customer.Dispose();
        own.ForEach(cluster => cluster.Dispose());
    }

    [Fact]
    public async Task The_same_request_again_is_the_same_task()
    {
        var (customer, clusters) = await EnrolAsync("Turku");
        var (key, request) = (Guid.CreateVersion7().ToString(), new SwitchClustersRequest(new ClusterFilter(customer), Reason, 1));

        var first = await StartAsync("suspend", request, key);
        await EndedAsync(first.Id);

        Assert.Equal(first.Id, (await StartAsync("suspend", request, key)).Id);
        clusters[0].Dispose();
    }

    [Fact]
    public async Task What_has_changed_since_or_is_another_customers_is_refused_and_the_refusal_kept()
    {
        var (mine, own) = await EnrolAsync("Vaasa", "Oulu");
        var (_, other) = await EnrolAsync("Vaasa");
        await SwitchAsync(own[0], "suspend");

        var task = await EndedAsync(await WriteAsync(mine, [own[0].Id, other[0].Id, own[1].Id]));

        Assert.Equal(("incomplete", 1, 2), (task.State, task.Succeeded, task.Refused));
        var results = (await Host.Admin.GetFromJsonAsync<Page<TaskResult>>($"/api/v1/callhome/tasks/{task.Id}/items"))!.Items;
        Assert.Equal(
            [("refused", "The cluster is suspended; it cannot be suspended."), ("refused", "There is no such cluster any more."), ("succeeded", null)],
            results.Select(result => (result.State, result.Reason)));
        Assert.Equal("active", await StateAsync(other[0]));
        Array.ForEach([.. own, .. other], cluster => cluster.Dispose());
    }

    private async Task<(Guid Customer, List<TestCluster> Clusters)> EnrolAsync(params string[] names)
    {
        var customer = (await Host.CreateCustomerAsync()).Id;
        var clusters = new List<TestCluster>();
        foreach (var name in names)
        {
            clusters.Add(await TestCluster.EnrollAsync(Host, customer, name));
        }

        return (customer, clusters);
    }

    /// <summary>A task as it stands when its clusters were chosen a while ago.</summary>
    private async Task<Guid> WriteAsync(Guid customer, IEnumerable<string> targets, string verb = "suspend")
    {
        await using var scope = Host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("callhome");
        scope.ServiceProvider.GetRequiredService<CurrentPrincipal>().Set(new AuditActor("customerUser", "token:test", "token"), null);
        scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Scope.OpenOne(customer);
        var action = scope.ServiceProvider.GetServices<TaskAction>().OfType<SwitchManyClusters>().Single(action => action.Kind == $"{verb}-clusters");
        return (await scope.ServiceProvider.GetRequiredService<LongTasks>().StartAsync(action, "Suspend", Reason, [.. targets.Select(target => new TaskTarget(target, "a cluster"))], null, CancellationToken.None))!.Id;
    }

    private async Task<SwitchPreview> PreviewAsync(string verb, ClusterFilter filter)
    {
        using var response = await Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{verb}/preview", new PreviewSwitchRequest(filter));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<SwitchPreview>())!;
    }

    private async Task<TaskSummary> StartAsync(string verb, SwitchClustersRequest body, string? key = null)
    {
        using var response = await PostAsync(verb, body, key);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<TaskSummary>())!;
    }

    private async Task<HttpResponseMessage> PostAsync(string verb, SwitchClustersRequest body, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/callhome/clusters/{verb}") { Content = JsonContent.Create(body) };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await Host.Admin.SendAsync(request);
    }

    private async Task<TaskSummary> EndedAsync(Guid id)
    {
        TaskSummary? task = null;
        await Eventually.TrueAsync(async () => (task = await Host.Admin.GetFromJsonAsync<TaskSummary>($"/api/v1/callhome/tasks/{id}"))!.State != "running", "the task ends");
        return task!;
    }

    private async Task SwitchAsync(TestCluster cluster, string verb)
    {
        using var response = await Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster.Id}/{verb}", new ReasonRequest("a test says so"));
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }

    private async Task<string> StateAsync(TestCluster cluster) => (await Host.Admin.GetFromJsonAsync<ClusterIdentity>($"/api/v1/callhome/clusters/{cluster.Id}"))!.State;

    private static async Task<HttpStatusCode> StatusAsync(TestCluster cluster)
    {
        using var response = await cluster.SendAsync("checkin", cluster.Request(cluster.Health()));
        return response.StatusCode;
    }

    private static async Task<IEnumerable<string>> PointersAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!.Select(error => error.Pointer);
    }
}
