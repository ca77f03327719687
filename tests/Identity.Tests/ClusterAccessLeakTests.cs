using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Protocol.Tokens;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>A cluster's access token is stored nowhere: only callhome, who sealed it, can tell whose it was, and end it.</summary>
public sealed class ClusterAccessLeakTests : IAsyncLifetime
{
    private ControlPlane host = null!;
    private HttpClient stranger = null!;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000" });
        stranger = host.Client(host.Portal);
    }

    public async ValueTask DisposeAsync()
    {
        stranger.Dispose();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task A_clusters_access_that_leaked_ends_and_the_cluster_gets_another_by_its_key()
    {
        var customer = await host.CreateCustomerAsync("Acme");
        using var cluster = await TestCluster.EnrollAsync(host, customer.Id);
        await cluster.CheckInAsync(cluster.Health());
        var leaked = cluster.AccessToken;
        Assert.True(SealedToken.TryParse(leaked, 'c', out var body));
        body[^1] ^= 1;
        foreach (var forged in new[] { SealedToken.Format('c', body), SealedToken.Format('c', new byte[60]) })
        {
            Assert.Equal("passed-on", (await ReportAsync(host.Admin, forged)).Verdict);
        }

        foreach (var none in new[] { SealedToken.Format('c', new byte[16]), SealedToken.Format('c', new byte[200]) })
        {
            Assert.Equal("not-ours", (await ReportAsync(host.Admin, none)).Verdict);
        }

        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks?state=unconfirmed"))!.Items.Count == 0, "what is not real is gone");
        await cluster.CheckInAsync(cluster.Health());
        Assert.Equal("passed-on", (await ReportAsync(stranger, leaked)).Verdict);
        LeakItem? leak = null;
        await Eventually.TrueAsync(async () => (leak = (await host.Admin.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks"))!.Items.SingleOrDefault()) is not null, "callhome has answered");
        Assert.Equal(("clusterAccess", "revoked", customer.Id, Guid.Parse(cluster.Id), leaked[..16]), (leak!.Kind, leak.Outcome, leak.CustomerId!.Value, leak.ClusterId!.Value, leak.TokenId));
        var timeline = (await host.Admin.GetFromJsonAsync<LeakDetail>($"/api/v1/identity/leaks/{leak.Id}"))!.Timeline;
        Assert.Contains(timeline, step => step.What == "dead" && step.Detail.Contains("gets another by its key", StringComparison.Ordinal));
        AuditEntryItem? entry = null;
        await Eventually.TrueAsync(async () => (entry = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type=callhome.cluster-access-ended&target={cluster.Id}"))!.Items.SingleOrDefault()) is not null, "it is in the log");
        Assert.Equal("an access token leaked", entry!.Reason);

        await Eventually.TrueAsync(async () =>
        {
            using var refused = await cluster.SendAsync("checkin", cluster.Request(cluster.Health()));
            return refused.StatusCode == HttpStatusCode.Unauthorized && (await TestCluster.ProblemAsync(refused)).Code == "access-token-invalid";
        }, "the leaked one is refused", TimeSpan.FromSeconds(5));
        await cluster.AuthorizeAsync();
        await cluster.CheckInAsync(cluster.Health());

        // It is one incident, wherever it is found again, and what the cluster got since stays good.
        Assert.Equal("passed-on", (await ReportAsync(host.Admin, leaked)).Verdict);
        Assert.Equal(leak.Id, Assert.Single((await host.Admin.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks"))!.Items).Id);
        await cluster.CheckInAsync(cluster.Health());
    }

    private static async Task<ReportedLeak> ReportAsync(HttpClient by, string text)
    {
        using var answer = await by.PostAsJsonAsync("/api/v1/identity/leaks/report", new ReportLeakRequest(text));
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ReportedLeak>())!;
    }
}
