using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Tasks;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>The orders of every list of the API: a new one is walked without being named here.</summary>
public sealed class ListSortTests : IAsyncLifetime
{
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000" });

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task Every_list_is_walked_in_every_order_both_ways()
    {
        var (customer, cluster, task) = await FillAsync();
        var faults = new List<string>();
        var lists = Sorted(customer, cluster, task).ToList();
        foreach (var (path, sort) in lists)
        {
            using var unknown = await host.Admin.GetAsync(new Uri($"{path}sort=no-such-order", UriKind.Relative));
            var problem = (await unknown.Content.ReadFromJsonAsync<ProblemDocument>())!;
            if ((unknown.StatusCode, problem.Code) != (HttpStatusCode.BadRequest, "unknown-parameter") || sort.Names.Any(name => !problem.Detail!.Contains(name, StringComparison.Ordinal)))
            {
                faults.Add($"{path}sort=no-such-order: {(int)unknown.StatusCode} {problem.Code} {problem.Detail}");
            }

            foreach (var name in sort.Names)
            {
                var whole = await RowsAsync($"{path}limit=500&sort={name}");
                var paged = await WalkAsync($"{path}limit=2&sort={name}");
                Compare(faults, $"{path}sort={name} in pages of two", whole, paged);
                Compare(faults, $"{path}sort={name} in pages of one", whole, await WalkAsync($"{path}limit=1&sort={name}"));
                if (sort.Names.Contains("-" + name))
                {
                    Compare(faults, $"{path}sort=-{name} reversed", whole, Enumerable.Reverse(await RowsAsync($"{path}limit=500&sort=-{name}")).ToList());
                }

                if (name == sort.Usual)
                {
                    Compare(faults, $"{path} without sort", whole, await RowsAsync($"{path}limit=500"));
                }

                var keys = (name[0] == '-' ? Enumerable.Reverse(whole) : whole).Select(row => row.TryGetProperty(name.TrimStart('-'), out var key) ? KeyOf(key) : default).ToList();
                if (!keys.SequenceEqual(keys.Order(Comparer<(bool Absent, double Number, string Text)>.Create((one, other) =>
                    (one.Absent, one.Number).CompareTo((other.Absent, other.Number)) is not 0 and var order ? order : string.CompareOrdinal(one.Text, other.Text)))))
                {
                    faults.Add($"{path}sort={name} is not in that order: {string.Join(", ", keys)}");
                }
            }
        }

        Assert.Empty(faults);
        Assert.Superset(new HashSet<string>(["audit-entries", "audit-exports", "callhome-enrollment-tokens", "fleet-clusters", "fleet-events", "fleet-changes", "fleet-incidents", "fleet-parked-messages", "identity-groups", "identity-invitations", "identity-leaks", "identity-people", "identity-providers", "identity-service-accounts", "identity-tokens", "identity-views", "licensing-billing-accounts", "licensing-contracts", "licensing-customers", "licensing-licenses", "licensing-plans", "licensing-price-books", "licensing-windows", "notifications-contacts", "notifications-deliveries", "notifications-endpoints", "updates-items", "updates-job-runs", "updates-tasks"]),
            lists.Select(list => $"{list.Path.Split('/')[3]}-{list.Path.Split('?')[0].Split('/')[^1]}").ToHashSet());
    }

    [Fact]
    public async Task A_position_belongs_to_its_order()
    {
        await host.CreateCustomerAsync("Alone Ltd");
        await host.CreateCustomerAsync("Other Ltd");
        var next = (await host.Admin.GetFromJsonAsync<Page<CustomerItem>>("/api/v1/licensing/customers?limit=1&sort=name&count=exact"))!.Next!;

        // The link repeats the question, and does not count again.
        Assert.StartsWith("/api/v1/licensing/customers?limit=1&sort=name&cursor=", next, StringComparison.Ordinal);
        Assert.Null((await host.Admin.GetFromJsonAsync<Page<CustomerItem>>(next))!.Total);
        using var other = await host.Admin.GetAsync(new Uri(next.Replace("sort=name", "sort=-name", StringComparison.Ordinal), UriKind.Relative));
        Assert.Equal(HttpStatusCode.BadRequest, other.StatusCode);
        Assert.Equal("malformed", (await other.Content.ReadFromJsonAsync<ProblemDocument>())!.Code);
    }

    [Fact]
    public async Task The_longest_names_page_too()
    {
        // Each letter is six characters of the cursor before it is wrapped.
        var names = new[] { 'ж', 'з', 'и' }.Select(letter => new string(letter, 200)).ToList();
        foreach (var name in names)
        {
            await host.CreateCustomerAsync(name);
        }

        var walked = await WalkAsync("/api/v1/licensing/customers?limit=1&q=" + Uri.EscapeDataString(new string('ж', 1)));
        Assert.Equal(names[0], Assert.Single(walked).GetProperty("name").GetString());
        Assert.Equal(names, (await WalkAsync("/api/v1/licensing/customers?limit=1")).Select(row => row.GetProperty("name").GetString()!).Where(names.Contains));
    }

    [Fact]
    public async Task Hours_in_the_order_of_time_are_those_of_one_customer_or_cluster()
    {
        var customer = (await host.CreateCustomerAsync("Alone Ltd")).Id;
        var (client, _) = await host.ClientWithTokenAsync(customer, "licensing:read");
        foreach (var (caller, query, status) in new[]
        {
            (host.Admin, "", HttpStatusCode.BadRequest), (host.Admin, $"&state=missing&customer={customer}", HttpStatusCode.BadRequest), (host.Admin, $"&customer={customer}", HttpStatusCode.OK), (client, "", HttpStatusCode.OK),
        })
        {
            using var response = await caller.GetAsync(new Uri($"/api/v1/licensing/windows?sort=-from{query}", UriKind.Relative));
            Assert.Equal(status, response.StatusCode);
        }
    }

    /// <summary>Some rows of each kind, among them such as are equal in everything that lists are sorted by, and such as lack it.</summary>
    private async Task<(Guid Customer, Guid Cluster, Guid Task)> FillAsync()
    {
        var customer = (await host.CreateCustomerAsync("Alone Ltd")).Id;
        await host.CreateCustomerAsync("Same Ltd");
        await host.CreateCustomerAsync("Same Ltd");
        await host.CreateEnrollmentTokenAsync(customer, hours: 2);
        await host.ClientWithTokenAsync(null, "fleet:read");
        foreach (var name in new[] { "One", "One", "Two" })
        {
            using var added = await host.Admin.PostAsJsonAsync("/api/v1/identity/providers", new SetProviderRequest(name, "https://login.example.com", "mission-control", null, [new GroupRole("*", "customer-viewer")], CustomerId: customer));
            added.EnsureSuccessStatusCode();
        }

        foreach (var (name, of) in new (string, Guid?)[] { ("Same", null), ("Same", customer), ("Other", null) })
        {
            using var made = await host.Admin.PostAsJsonAsync("/api/v1/identity/groups", new SetGroupRequest(name, [], [], CustomerId: of));
            made.EnsureSuccessStatusCode();
        }

        await AgreeAsync(customer);
        foreach (var name in new[] { "One", "Two", "Three" })
        {
            using var saved = await host.Admin.PostAsJsonAsync("/api/v1/identity/views", new SaveViewRequest("clusters", name, "health=red"));
            saved.EnsureSuccessStatusCode();
        }

        foreach (var name in new[] { "same@a.example", "same@b.example", "other@a.example" })
        {
            await SomebodySignedIn.InviteAsync(host, name, "viewer");
        }

        var owner = (await host.Admin.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?limit=1"))!.Items[0].Id;
        foreach (var name in new[] { "same", "same", "other" })
        {
            using var program = await host.Admin.PostAsJsonAsync("/api/v1/identity/service-accounts", new CreateServiceAccountRequest(name, ["fleet:read"], OwnerId: owner, Networks: ["192.0.2.0/24"]));
            program.EnsureSuccessStatusCode();
        }

        for (var i = 0; i < 3; i++)
        {
            using var made = await host.Admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("leaks", ["fleet:read"]));
            using var leaked = await host.Admin.PostAsJsonAsync("/api/v1/identity/leaks/report", new ReportLeakRequest((await made.Content.ReadFromJsonAsync<CreatedToken>())!.Token));
            leaked.EnsureSuccessStatusCode();
        }

        var fleet = Guid.Empty;
        await Eventually.TrueAsync(async () => (fleet = (await host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs?limit=500"))!.Items.FirstOrDefault(log => log.Kind == "fleet")?.Id ?? Guid.Empty) != Guid.Empty, "the fleet's log has begun");
        foreach (var name in new[] { "same", "same", "other" })
        {
            using var contact = await host.Admin.PostAsJsonAsync("/api/v1/notifications/contacts", new AddContactRequest(null, "technical", name, $"{Guid.NewGuid():N}@vendor.example"));
            contact.EnsureSuccessStatusCode();
            using var endpoint = await host.Admin.PostAsJsonAsync("/api/v1/notifications/endpoints", new AddEndpointRequest(null, "webhook", name, "https://hooks.vendor.example/"));
            endpoint.EnsureSuccessStatusCode();
            using var export = await host.Admin.PostAsJsonAsync("/api/v1/audit/exports", new CreateAuditExportRequest(fleet, Guid.CreateVersion7(), null, "ocsf", null));
            export.EnsureSuccessStatusCode();
        }

        using var silent = await TestCluster.EnrollAsync(host, customer, "Same");
        using var alike = await TestCluster.EnrollAsync(host, customer, "Same");
        using var cluster = await TestCluster.EnrollAsync(host, customer, "Kepler");
        var hour = Protocol.Documents.UsageWindow.HourOf(host.Time.GetUtcNow());
        var events = Enumerable.Range(0, 5).Select(i => cluster.Event($"alike-{i}")).ToList();
        events.ForEach(item => item.AtMs = events[0].AtMs);
        var inventory = new Inventory { ProductVersion = "1.0.0" };
        await cluster.CheckInAsync(Item(cluster, inventory));
        await Eventually.TrueAsync(async () => (await host.Admin.GetStringAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}/inventory", UriKind.Relative))).Contains("1.0.0", StringComparison.Ordinal), "the first inventory is kept");
        inventory.ProductVersion = "1.1.0";
        inventory.Nodes.Add(new Node { Id = "n1" });
        inventory.Nodes.Add(new Node { Id = "n2" });

        // Several rules turn at one instant.
        var ill = cluster.Health(bend: health => (health.Nodes[0].ClockOffsetMs, health.Nodes[0].Disks[0].ReadOnly, health.QuorumSpare) = (-90_000, true, 0));
        await cluster.CheckInAsync([ill, .. events, Item(cluster, inventory), cluster.Usage(cluster.Window(hour - 3)), cluster.Usage(cluster.Window(hour - 2))]);
        var id = Guid.Parse(cluster.Id);
        await Eventually.TrueAsync(async () => (await RowsAsync($"/api/v1/fleet/clusters/{id}/inventory/changes?")).Count >= 3, "the inventories are compared");
        await Eventually.TrueAsync(async () => (await RowsAsync($"/api/v1/fleet/clusters/{id}/events?")).Count >= 5, "the events are kept");
        await Eventually.TrueAsync(async () => (await RowsAsync("/api/v1/licensing/windows?")).Count == 2, "the hours are counted");
        foreach (var (licensed, plan, days) in new[] { (silent, "Same", 100), (alike, "Same", 100), (cluster, "Other", 50) })
        {
            await Eventually.TrueAsync(async () =>
            {
                using var issued = await host.Admin.PostAsJsonAsync("/api/v1/licensing/licenses", new IssueLicenseRequest(customer, [Guid.Parse(licensed.Id)], plan, "production", null, DateTimeOffset.UnixEpoch.AddDays(40_000 + days)));
                return issued.IsSuccessStatusCode;
            }, "licensing knows the cluster");
        }

        await Eventually.TrueAsync(async () => (await RowsAsync("/api/v1/fleet/clusters?")).Count == 3, "fleet knows the clusters");
        await Eventually.TrueAsync(async () => !(await host.Admin.GetStringAsync(new Uri($"/api/v1/fleet/clusters/{id}", UriKind.Relative))).Contains("\"health\":\"unknown\"", StringComparison.Ordinal), "its health is judged");

        var at = DateTimeOffset.FromUnixTimeMilliseconds(host.Time.GetUtcNow().ToUnixTimeMilliseconds());
        var tasks = Enumerable.Range(0, 6).Select(i => new LongTask
        {
            Id = Guid.CreateVersion7(at), Kind = "none", Summary = $"Task {i}", StartedBy = "token:test", Actor = "{}", State = LongTaskState.Cancelled, Total = 3, StartedAt = at, EndedAt = i < 2 ? null : at.AddSeconds(i / 2),
        }).ToList();
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.LongTasks("updates").AddRange(tasks);
        db.LongTaskItems("updates").AddRange(Enumerable.Range(1, 5).Select(i => new LongTaskItem { TaskId = tasks[0].Id, Number = i, Target = "t", Label = "Thing" }));
        db.ParkedMessages("fleet").AddRange(Enumerable.Range(0, 6).Select(i => new ParkedMessage
        {
            Id = Guid.CreateVersion7(at), Consumer = $"fleet.none-{i % 2}", MessageId = Guid.CreateVersion7(at), Type = "none", Key = "k", Payload = [], SentAt = at, FirstFailedAt = at, LastFailedAt = at, FirstError = "test", LastError = "test", State = ParkedState.Parked,
        }));
        await db.SaveChangesAsync();
        await using var transaction = await db.BeginWriteAsync();
        await db.Dialect.InsertIfAbsentAsync(db, new BulkRows("fleet_incident", ["id", "kind", "began_at", "ended_at", "cause", "clusters", "change", "version"], ["id"],
            [.. Enumerable.Range(0, 6).Select(i => new object?[] { Guid.CreateVersion7(at), "test", 1_790_000_000_000L + (i / 2), i % 3 == 0 ? null : 1_790_000_000_000L + (i % 3), "test", i / 3, 0L, 1L })]), CancellationToken.None);
        await transaction.CommitAsync();
        return (customer, id, tasks[0].Id);
    }

    private async Task AgreeAsync(Guid customer)
    {
        var account = (await MadeAsync<BillingAccountItem>("billing-accounts", new CreateBillingAccountRequest(customer, "Same", "EUR", "eu"))).Id;
        await MadeAsync<BillingAccountItem>("billing-accounts", new CreateBillingAccountRequest(customer, "Same", "EUR", "eu"));
        var book = (await MadeAsync<PriceBookItem>("price-books", new CreatePriceBookRequest("Same", "EUR"))).Id;
        await MadeAsync<PriceBookItem>("price-books", new CreatePriceBookRequest("Same", "EUR"));
        var plan = (await MadeAsync<PlanItem>("plans", new CreatePlanRequest("One", [new EntitlementItem("sso", "boolean")]))).Id;
        await MadeAsync<PlanItem>("plans", new CreatePlanRequest("Two", [new EntitlementItem("sso", "boolean")]));
        var from = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        await MadeAsync<PriceBookVersionItem>($"price-books/{book}/versions", new PriceSheetItem("EUR", "2026-01-01T00:00:00Z", [new RateItem("fee", "", null, "month", "1", "fixed", null, "0", "none", [new TierItem(null, "1", "0")])]));
        await MadeAsync<PriceBookVersionItem>($"price-books/{book}/versions/1/publish", new { });
        foreach (var number in new[] { "2", "1" })
        {
            await MadeAsync<ContractDetail>("contracts", new CreateContractRequest(customer, account, number, from, new AgreedTerms(from.AddYears(1), null, book, plan, 1)));
        }
    }

    private async Task<T> MadeAsync<T>(string path, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/licensing/{path}") { Content = JsonContent.Create(body, body.GetType()), Headers = { { "If-Match", "*" }, { "Idempotency-Key", Guid.CreateVersion7().ToString() } } };
        using var made = await host.Admin.SendAsync(request);
        Assert.True(made.IsSuccessStatusCode, $"{path}: {await made.Content.ReadAsStringAsync()}");
        return (await made.Content.ReadFromJsonAsync<T>())!;
    }

    private static Item Item(TestCluster cluster, Inventory inventory) => new() { Seq = cluster.Next(), Type = "inventory", AtMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), Body = inventory.ToByteString() };

    /// <summary>Every list that can be sorted, those within a cluster or a task too; its address ends where more parameters begin.</summary>
    private IEnumerable<(string Path, SortNames Sort)> Sorted(Guid customer, Guid cluster, Guid task) =>
        from endpoint in host.Services.GetRequiredService<IEnumerable<EndpointDataSource>>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
        let sort = endpoint.Metadata.GetMetadata<SortNames>()
        let pattern = endpoint.RoutePattern.RawText!.TrimEnd('/')
        where sort is not null && (!pattern.Contains("/tasks/", StringComparison.Ordinal) || pattern.Contains("/updates/", StringComparison.Ordinal))
        select (pattern.Replace("{id:guid}", (pattern.Contains("/tasks/", StringComparison.Ordinal) ? task : cluster).ToString(), StringComparison.Ordinal)
            + (pattern.EndsWith("/windows", StringComparison.Ordinal) ? $"?customer={customer}&" : "?"), sort);

    private async Task<IReadOnlyList<JsonElement>> RowsAsync(string path) => (await host.Admin.GetFromJsonAsync<Page<JsonElement>>(path))!.Items;

    private async Task<IReadOnlyList<JsonElement>> WalkAsync(string path)
    {
        var rows = new List<JsonElement>();
        for (string? next = path; next is not null;)
        {
            var page = (await host.Admin.GetFromJsonAsync<Page<JsonElement>>(next))!;
            rows.AddRange(page.Items);
            next = page.Next;
        }

        return rows;
    }

    // What comes by itself meanwhile (audit entries, job runs) is not looked at.
    private static void Compare(List<string> faults, string what, IReadOnlyList<JsonElement> whole, IReadOnlyList<JsonElement> other)
    {
        var (expected, found) = (whole.Select(Identity).ToList(), other.Select(Identity).ToList());
        if (expected.Count < 2 && !what.Contains("/tasks?", StringComparison.Ordinal) && !what.Contains("/parked-messages?", StringComparison.Ordinal) && !what.Contains("/job-runs?", StringComparison.Ordinal))
        {
            faults.Add($"{what}: {expected.Count} rows prove nothing");
        }

        if (found.Distinct().Count() != found.Count || !found.Where(expected.Contains).SequenceEqual(expected))
        {
            faults.Add($"{what}: expected {string.Join(' ', expected)}, found {string.Join(' ', found)}");
        }
    }

    private static string Identity(JsonElement row) => row.TryGetProperty("id", out var id) ? id.ToString()
        : string.Join('/', new[] { "clusterId", "from", "job", "scheduledAt", "number", "kind", "subject", "after" }.Select(name => row.TryGetProperty(name, out var part) ? part.ToString() : ""));

    private static (bool Absent, double Number, string Text) KeyOf(JsonElement key) => key.ValueKind switch
    {
        JsonValueKind.Null => (true, 0, ""),
        JsonValueKind.Number => (false, key.GetDouble(), ""),
        _ => (false, 0, key.GetString()!),
    };
}
