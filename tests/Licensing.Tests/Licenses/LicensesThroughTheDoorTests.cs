using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;
using MissionControl.Protocol.Documents;
using MissionControl.Protocol.Licenses;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Licensing.Tests.Licenses;

/// <summary>From a licence that is issued to what the agent at the customer's says of it, and back by usage.</summary>
public sealed class LicensesThroughTheDoorTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 3, 10, 0, 20, 0, TimeSpan.Zero);
    private readonly ManualTime time = new(Start);
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync(time: time);

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task A_licence_reaches_its_cluster_with_each_change_and_leaves_it_with_the_switch_to_another()
    {
        var customer = (await host.CreateCustomerAsync()).Id;
        using var first = await RealAgent.EnrollAsync(host, customer, time);
        using var second = await RealAgent.EnrollAsync(host, customer, time);
        var license = await IssueAsync(Request(customer, first.Id));
        Assert.Equal(("active", "VALID", "allow"), (license.Standing.State, license.Standing.Code, license.Standing.Decision));
        Assert.Equal((Start.AddDays(35).Date, first.Id), (license.Standing.LeaseUntil!.Value.Date, Assert.Single(license.Clusters)));
        await HoldsAsync(first, "VALID", license.Standing.Serial!.Value);

        // Nobody overwrites a change unseen, and what comes twice is done once.
        Assert.Equal(HttpStatusCode.PreconditionRequired, (await PostAsync(license, "suspend", new LicenseReasonRequest("unpaid"), etag: "")).Status);
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await PostAsync(license, "suspend", new LicenseReasonRequest("unpaid"), etag: "\"77\"")).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(license, "revoke", new { })).Status);
        license = await DoneAsync(license, "suspend", new LicenseReasonRequest("unpaid"));
        Assert.Equal(("suspended", "unpaid"), (license.Standing.State, license.Reason));
        await HoldsAsync(first, "SUSPENDED", license.Standing.Serial!.Value);
        Assert.Equal((HttpStatusCode.Conflict, "license-state-conflict"), await CodeAsync(license, "suspend", new LicenseReasonRequest("again")));
        license = await DoneAsync(license, "resume", new LicenseReasonRequest("paid"));
        Assert.Equal((null, "active"), (license.Reason, license.Standing.State));

        // Only one licence for a cluster; to other terms and another cluster it is switched.
        Assert.Equal((HttpStatusCode.Conflict, "cluster-licensed"), await CodeAsync("", Request(customer, first.Id)));
        license = await DoneAsync(license, "switch", new SwitchLicenseRequest(Plan: "Large", Clusters: [second.Id], Limits: [new LicenseLimitRequest("sessions", "1000", "up-to", null, 5, 4)], Entitlements: ["sso", "maps"]));
        Assert.Equal(("Large", second.Id, "maps"), (license.Plan, Assert.Single(license.Clusters), license.Entitlements[0]));
        await HoldsAsync(first, "REVOKED");
        await HoldsAsync(second, "VALID", license.Standing.Serial!.Value);
        Assert.Equal("1250", second.License.Check(LicenseQuestion.Plain).Limits[0].Most);

        // The cluster that was let go takes another licence, of a higher serial.
        var other = await IssueAsync(Request(customer, first.Id) with { Kind = "trial" });
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "invalid"), await CodeAsync("", Request(customer, first.Id) with { ContractId = customer }));
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "invalid"), await CodeAsync(other, "switch", new SwitchLicenseRequest(ContractId: customer)));
        await HoldsAsync(first, "VALID", other.Standing.Serial!.Value);
        Assert.Equal("trial", first.License.Check(LicenseQuestion.Plain).State);

        license = await DoneAsync(license, "renew", new RenewLicenseRequest(Start.AddDays(800)));
        Assert.Equal(Start.AddDays(800), license.NotAfter);
        license = await DoneAsync(license, "revoke", new LicenseReasonRequest("ended", "T-1"));
        await HoldsAsync(second, "REVOKED", license.Standing.Serial!.Value);
        Assert.All(license.Actions, action => Assert.Equal("The licence is revoked, for good; issue another.", action.Reason));
        Assert.Equal((HttpStatusCode.Conflict, "license-state-conflict"), await CodeAsync(license, "renew", new RenewLicenseRequest()));

        var entries = await EventuallyAsync(async () => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?customer={customer}&target={license.Id}"))!.Items.Where(entry => !entry.Type.EndsWith("-read", StringComparison.Ordinal)).ToList(), items => items.Count >= 6);
        Assert.Equal(["license-issued", "license-renewed", "license-resumed", "license-revoked", "license-suspended", "license-switched"], entries.Select(entry => entry.Type["licensing.".Length..]).Order(StringComparer.Ordinal));
        Assert.Equal("ended", entries.Single(entry => entry.Type.EndsWith("revoked", StringComparison.Ordinal)).Reason);
    }

    [Fact]
    public async Task Usage_shows_in_the_limits_a_file_is_as_good_as_a_check_in_and_keys_are_followed()
    {
        var customer = (await host.CreateCustomerAsync()).Id;
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        time.Advance(TimeSpan.FromHours(4));
        await cluster.AuthorizeAsync();
        (await host.Admin.PostAsJsonAsync("/api/v1/licensing/meters", new DefineMeterRequest("peak", 1, "host", 1, "max"))).EnsureSuccessStatusCode();
        var hour = UsageWindow.HourOf(time.GetUtcNow()) - 2;
        var license = await IssueAsync(Request(customer, Guid.Parse(cluster.Id)) with { NotBefore = Start, Limits = [new LicenseLimitRequest("host_unit_seconds", "10000"), new LicenseLimitRequest("gib_hours", "2.5", "allow", "term"), new LicenseLimitRequest("peak", "5")] });
        await cluster.CheckInAsync(cluster.Usage(cluster.Window(hour - 1, meter: "peak", quantity: "2.5")), cluster.Usage(cluster.Window(hour, quantity: "7200")), cluster.Usage(cluster.Window(hour + 1, quantity: "1800")));
        await cluster.ReceiptAsync(receipt => receipt.Results.Count == 3);
        var standing = (await host.Admin.GetFromJsonAsync<LicenseItem>($"/api/v1/licensing/licenses/{license.Id}"))!.Standing;
        Assert.Equal(("9000", "1000", 90L), (standing.Limits[0].Used, standing.Limits[0].Remaining, standing.Limits[0].Percent));
        Assert.Equal(("0", "term"), (standing.Limits[1].Used, standing.Limits[1].Per));
        Assert.Equal("2.5", standing.Limits[2].Used);

        // A window more is too much; a check may ask about what is used now.
        Assert.Equal("LIMIT_EXCEEDED", (await CheckAsync(license, new CheckLicenseRequest(new Dictionary<string, string> { ["host_unit_seconds"] = "10001" }))).Code);
        var asked = await CheckAsync(license, new CheckLicenseRequest(Entitlements: ["maps"]));
        Assert.Equal(("ENTITLEMENT_MISSING", "degrade"), (asked.Code, asked.Decision));

        // The sweeper signs anew with what is used by now, and the customer's file is what the cluster is told.
        time.Advance(TimeSpan.FromDays(8));
        await SweepAsync("licensing.renew-leases");
        await cluster.AuthorizeAsync();
        var section = await EventuallyAsync(async () => (await cluster.CheckInAsync()).Desired?.Sections.SingleOrDefault(one => one.Name == "lease"), one => one is not null && cluster.Lease(one).Limits[0].Used == "9000");
        using var file = await host.Admin.GetAsync(new Uri($"/api/v1/licensing/licenses/{license.Id}/lease", UriKind.Relative));
        var bytes = await file.Content.ReadAsByteArrayAsync();
        Assert.Equal(section!.Body.ToByteArray(), bytes);
        Assert.Equal($"\"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes))}\"", file.Headers.ETag!.Tag);
        Assert.False(file.Headers.ETag.IsWeak);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/licensing/licenses/{license.Id}/lease") { Headers = { IfNoneMatch = { file.Headers.ETag } } };
        Assert.Equal(HttpStatusCode.NotModified, (await host.Admin.SendAsync(request)).StatusCode);

        // The same in the answer that a person carries.
        var carried = cluster.Answer(await cluster.HandInAsync(cluster.Part(cluster.Request(cluster.Event("carried"))))).Answer;
        Assert.Equal(bytes, carried.Response.Desired.Sections.Single(one => one.Name == "lease").Body.ToByteArray());

        // Silent for a fortnight: the server says what the cluster says of itself.
        time.Advance(TimeSpan.FromDays(15));
        Assert.Equal("OVERAGE_ENDED", (await CheckAsync(license, new CheckLicenseRequest(new Dictionary<string, string> { ["gib_hours"] = "3" }))).Code);

        // That a clock was put right is said again with every lease; a cluster that is decommissioned has none in force any more.
        await DoneAsync(license, "renew", new RenewLicenseRequest(ResetClock: true, Reason: "the clock was years ahead"));
        var clock = (await NewestAsync()).ClockFrom;
        await DoneAsync(license, "renew", new RenewLicenseRequest());
        Assert.Equal((clock, "active"), await NewestAsync() is var lease && clock is not null ? (lease.ClockFrom, lease.Status) : default);
        (await host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster.Id}/decommission", new ReasonRequest("the test says so"))).EnsureSuccessStatusCode();
        await EventuallyAsync(async () => (await NewestAsync()).Status, status => status == "revoked");

        async Task<LicenseLease> NewestAsync()
        {
            using var envelope = JsonDocument.Parse(await host.Admin.GetByteArrayAsync(new Uri($"/api/v1/licensing/licenses/{license.Id}/lease", UriKind.Relative)));
            return LicenseLease.Read(envelope.RootElement.GetProperty("payload").GetBytesFromBase64(), out _)!;
        }
    }

    [Fact]
    public async Task A_cluster_that_replaces_its_key_is_named_by_it_in_the_next_lease()
    {
        var customer = (await host.CreateCustomerAsync()).Id;
        using var agent = await RealAgent.EnrollAsync(host, customer, time);
        var license = await IssueAsync(Request(customer, agent.Id));
        await HoldsAsync(agent, "VALID", license.Standing.Serial!.Value);
        var before = agent.KeyId;
        (await host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{agent.Id}/rotate-key", new ReasonRequest("the test says so"))).EnsureSuccessStatusCode();
        await agent.CheckInUntilAsync(() => Task.FromResult(agent.KeyId != before), "the key is replaced");
        await agent.CheckInUntilAsync(() => Task.FromResult(agent.License.Check(LicenseQuestion.Plain).Serial > license.Standing.Serial), "the lease that names the new key has come");
        Assert.Null(agent.Agent.LicenseProblem);
    }

    [Fact]
    public async Task Lists_filter_by_a_state_that_is_the_times_doing_and_what_is_impossible_is_said_at_once()
    {
        var customer = (await host.CreateCustomerAsync()).Id;
        var clusters = new List<TestCluster>();
        for (var i = 0; i < 4; i++)
        {
            clusters.Add(await TestCluster.EnrollAsync(host, customer, $"Cluster {i}"));
        }

        Guid Id(int index) => Guid.Parse(clusters[index].Id);
        var long1 = await IssueAsync(Request(customer, Id(0)));
        var trial = await IssueAsync(Request(customer, Id(1)) with { Kind = "trial", NotAfter = Start.AddDays(30), Plan = "Try" });
        await IssueAsync(Request(customer, Id(2)) with { NotBefore = Start.AddDays(10), NotAfter = Start.AddDays(26), LeaseDays = 400 });
        await DoneAsync(await IssueAsync(Request(customer, Id(3))), "suspend", new LicenseReasonRequest("because"));
        foreach (var days in new[] { 0, 11, 24, 28 })
        {
            time.Advance(Start.AddDays(days) - time.GetUtcNow());
            var all = (await host.Admin.GetFromJsonAsync<Page<LicenseItem>>("/api/v1/licensing/licenses?count=exact"))!;
            Assert.Equal(4, all.Total);
            foreach (var state in LicenseRules.States)
            {
                var listed = (await host.Admin.GetFromJsonAsync<Page<LicenseItem>>($"/api/v1/licensing/licenses?state={state}"))!.Items;
                Assert.Equal(all.Items.Where(item => item.Standing.State == state).Select(item => item.Id), listed.Select(item => item.Id));
            }
        }

        Assert.Equal(trial.Id, Assert.Single((await host.Admin.GetFromJsonAsync<Page<LicenseItem>>($"/api/v1/licensing/licenses?kind=trial&q=try&customer={customer}&cluster={Id(1)}"))!.Items).Id);
        Assert.Equal(HttpStatusCode.BadRequest, (await host.Admin.GetAsync(new Uri("/api/v1/licensing/licenses?state=best", UriKind.Relative))).StatusCode);

        // Every mistake at once. What is no sum of hours has no limit, and the versions of a meter count alike.
        (await host.Admin.PostAsJsonAsync("/api/v1/licensing/meters", new DefineMeterRequest("seats", 1, "seat", 0, "last"))).EnsureSuccessStatusCode();
        (await host.Admin.PostAsJsonAsync("/api/v1/licensing/meters", new DefineMeterRequest("seats", 2, "seat", 3, "last"))).EnsureSuccessStatusCode();
        using var unlike = await host.Admin.PostAsJsonAsync("/api/v1/licensing/meters", new DefineMeterRequest("sessions", 2, "hour", 0, "max"));
        Assert.Equal(["/unit:unit-fixed", "/aggregation:aggregation-fixed"], (await unlike.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!.Select(error => $"{error.Pointer}:{error.Code}"));
        var stranger = (await host.CreateCustomerAsync("Other")).Id;
        using var wrong = await host.Admin.PostAsJsonAsync("/api/v1/licensing/licenses", new IssueLicenseRequest(
            stranger, [Id(0), Id(0)], "X", "free", null, Start, "erase",
            [new LicenseLimitRequest("nothing", "1"), new LicenseLimitRequest("sessions", "1e9"), new LicenseLimitRequest("sessions", "1"), new LicenseLimitRequest("log_bytes", "1", "up-to", null, 1, 0), new LicenseLimitRequest("data_points", "999999999999999999999"), new LicenseLimitRequest("gib_hours", "1", "more", "week"), new LicenseLimitRequest("seats", "1")], ["SSO"]));
        var problem = (await wrong.Content.ReadFromJsonAsync<ProblemDocument>())!;
        Assert.Equal(
            ["/clusters", "/clusters", "/enforcement", "/entitlements", "/kind", "/limits/0/meter", "/limits/1/limit", "/limits/2/meter", "/limits/3", "/limits/4/limit", "/limits/5", "/limits/6/meter", "/notAfter"],
            problem.Errors!.Select(error => error.Pointer).Order(StringComparer.Ordinal));

        // A customer reads its own, and changes none.
        var (own, _) = await host.ClientWithTokenAsync(customer, "licensing:read", "licensing:write");
        var (others, _) = await host.ClientWithTokenAsync(stranger, "licensing:read");
        using var _1 = own;
        using var _2 = others;
        Assert.Equal(4, (await own.GetFromJsonAsync<Page<LicenseItem>>("/api/v1/licensing/licenses"))!.Items.Count);
        Assert.All((await own.GetFromJsonAsync<LicenseItem>($"/api/v1/licensing/licenses/{long1.Id}"))!.Actions, action => Assert.StartsWith("Only staff", action.Reason, StringComparison.Ordinal));
        Assert.Empty((await others.GetFromJsonAsync<Page<LicenseItem>>("/api/v1/licensing/licenses"))!.Items);
        Assert.Equal(HttpStatusCode.NotFound, (await others.GetAsync(new Uri($"/api/v1/licensing/licenses/{long1.Id}/lease", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(long1, "renew", new RenewLicenseRequest(), client: own)).Status);
        clusters.ForEach(cluster => cluster.Dispose());
    }

    [Fact]
    public async Task Whoever_is_to_know_is_told_at_each_threshold_once_and_anew_after_a_renewal()
    {
        using var contact = await host.Admin.PostAsJsonAsync("/api/v1/notifications/contacts", new { name = "Billing", email = "billing@example.com", kind = "billing" });
        contact.EnsureSuccessStatusCode();
        var customer = (await host.CreateCustomerAsync()).Id;
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        var license = await IssueAsync(Request(customer, Guid.Parse(cluster.Id)) with { NotAfter = Start.AddDays(31) });
        var told = 0;
        foreach (var (day, expected) in new[] { (0, 0), (1, 1), (2, 1), (17, 2), (24, 3), (28, 3) })
        {
            time.Advance(Start.AddDays(day).AddMinutes(1) - time.GetUtcNow());
            await SweepAsync("licensing.warn-of-expiry");
            await SweepAsync("licensing.warn-of-expiry");
            told = await EventuallyAsync(ToldAsync, count => count >= expected);
            Assert.Equal(expected, told);
        }

        // Another end, another time; of what lies behind already only the nearest is told.
        license = await DoneAsync(license, "renew", new RenewLicenseRequest(Start.AddDays(33)));
        Assert.Equal("expiring", license.Standing.State);
        await SweepAsync("licensing.warn-of-expiry");
        await SweepAsync("licensing.warn-of-expiry");
        Assert.Equal(4, await EventuallyAsync(ToldAsync, count => count >= 4));
        await DoneAsync(license, "suspend", new LicenseReasonRequest("unpaid"));
        time.Advance(TimeSpan.FromDays(1));
        await SweepAsync("licensing.warn-of-expiry");
        Assert.Equal(4, await ToldAsync());

        async Task<int> ToldAsync() => (await host.Admin.GetFromJsonAsync<Page<DeliveryItem>>("/api/v1/notifications/deliveries?limit=100"))!.Items.Count(item => item.Subject.StartsWith("A licence of Acme ends within", StringComparison.Ordinal));
    }

    private static IssueLicenseRequest Request(Guid customer, params Guid[] clusters) => new(customer, clusters, "Standard", "production", null, Start.AddDays(365), null, [new LicenseLimitRequest("sessions", "100")], ["sso"]);

    private async Task<LicenseItem> IssueAsync(IssueLicenseRequest request)
    {
        LicenseItem? issued = null;
        await Eventually.TrueAsync(async () =>
        {
            using var response = await host.Admin.PostAsJsonAsync("/api/v1/licensing/licenses", request);
            issued = response.StatusCode == HttpStatusCode.Created ? await response.Content.ReadFromJsonAsync<LicenseItem>() : null;
            return issued is not null;
        }, "licensing knows the cluster");
        return issued!;
    }

    private async Task<LicenseItem> DoneAsync(LicenseItem license, string verb, object body)
    {
        (HttpStatusCode Status, LicenseItem? Item) done = default;
        await Eventually.TrueAsync(async () => (done = await PostAsync(license, verb, body)).Status != HttpStatusCode.PreconditionFailed, "nobody signs the lease anew in that very moment");
        Assert.Equal(HttpStatusCode.OK, done.Status);
        return done.Item!;
    }

    // A moment before, news of its cluster may have had the lease signed anew: the newest ETag is read, as people do.
    private async Task<(HttpStatusCode Status, LicenseItem? Item)> PostAsync(LicenseItem license, string verb, object body, string? etag = null, HttpClient? client = null)
    {
        var now = (await host.Admin.GetFromJsonAsync<LicenseItem>($"/api/v1/licensing/licenses/{license.Id}"))!;
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/licensing/licenses/{license.Id}/{verb}") { Content = JsonContent.Create(body) };
        if (etag != "")
        {
            request.Headers.TryAddWithoutValidation("If-Match", etag ?? $"\"{now.Version}\"");
        }

        using var response = await (client ?? host.Admin).SendAsync(request);
        return (response.StatusCode, response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<LicenseItem>() : null);
    }

    private async Task<(HttpStatusCode Status, string Code)> CodeAsync(LicenseItem license, string verb, object body) => await CodeAsync($"/{license.Id}/{verb}", body);

    private async Task<(HttpStatusCode Status, string Code)> CodeAsync(string path, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/licensing/licenses{path}") { Content = JsonContent.Create(body), Headers = { { "If-Match", "*" } } };
        using var response = await host.Admin.SendAsync(request);
        return (response.StatusCode, (await response.Content.ReadFromJsonAsync<ProblemDocument>())!.Code);
    }

    private async Task<LicenseVerdict> CheckAsync(LicenseItem license, CheckLicenseRequest question)
    {
        using var response = await host.Admin.PostAsJsonAsync($"/api/v1/licensing/licenses/{license.Id}/check", question);
        return (await response.Content.ReadFromJsonAsync<LicenseVerdict>())!;
    }

    private static Task HoldsAsync(RealAgent agent, string code, long serial = 0) =>
        agent.CheckInUntilAsync(() => Task.FromResult(agent.License.Check(LicenseQuestion.Plain) is var verdict && verdict.Code == code && verdict.Serial >= serial), $"the agent says {code}");

    private static async Task<T> EventuallyAsync<T>(Func<Task<T>> read, Func<T, bool> fits)
    {
        var last = await read();
        await Eventually.TrueAsync(async () => fits(last = await read()), "what is read fits");
        return last;
    }

    private async Task SweepAsync(string name)
    {
        await using var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("licensing");
        await host.Services.GetServices<Sweeper>().Single(sweeper => sweeper.Name == name).RunAsync(scope.ServiceProvider, TestContext.Current.CancellationToken);
    }
}
