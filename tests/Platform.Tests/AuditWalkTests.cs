using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Tasks;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>Walks every endpoint that changes something and finds its entry; a new endpoint without a scenario here fails the test.</summary>
public sealed partial class AuditWalkTests : IAsyncLifetime
{
    /// <summary>Endpoints that change nothing a person must answer for, each with its reason.</summary>
    private static readonly Dictionary<string, string> Exempt = new()
    {
        ["TradeSession"] = "a session gives a short token; nothing changes",
        ["BeginPasskeySignIn"] = "a question of two minutes; its answer is told",
        ["BeginDeviceSignIn"] = "a code of ten minutes; who permits it is told",
        ["FindDevice"] = "says what waits; nothing changes",
        ["TakeConfirmation"] = "the proof of an answer that is told; what it permits has its own entry",
        ["BeginFederatedPasskey"] = "a question of two minutes; its answer is told",
        ["BeginMyPasskey"] = "a question of two minutes; its answer is told",
        ["BeginStepUp"] = "a question of two minutes; its answer is told",
        ["ExchangeToken"] = "an assertion gives short access; the key's rotation has its own entry",
        ["ExchangeClientCredentials"] = "a client's proof gives ten minutes' access; what it is used for has its own entries",
        ["CheckIn"] = "telemetry; a suspected clone has its own entry",
        ["TakeBundle"] = "telemetry, as a check-in",
        ["BeginFederatedSignIn"] = "sends a browser away; what it brings back has its own entry",
        ["GetPendingSignIn"] = "says what a sign-in still needs; nothing changes",
        ["CheckPriceSheet"] = "says what is wrong with a sheet; nothing changes",
        ["CheckLicense"] = "says how a licence stands; nothing changes",
        ["PreviewSuspendClusters"] = "says what would be done; nothing changes",
        ["PreviewResumeClusters"] = "says what would be done; nothing changes",
    };

    private ControlPlane host = null!;
    private Guid customer;

    public async ValueTask InitializeAsync()
    {
        await StartDirectoryAsync();
        host = await ControlPlane.StartAsync(configuration: FederationConfiguration().Concat(await ScannersAsync()).ToDictionary());
        customer = (await host.CreateCustomerAsync()).Id;
        await StartPeerAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await EndScannersAsync();
        await StopPeerAsync();
    }

    [Fact]
    public async Task Every_endpoint_that_changes_something_leaves_its_entry()
    {
        var scenarios = Scenarios().Concat(LicenseScenarios()).Concat(PeopleScenarios()).Concat(LeakScenarios()).Concat(ProgramScenarios()).Concat(FederationScenarios()).Concat(AgreementScenarios()).ToDictionary();
        var mutating = host.Services.GetRequiredService<IEnumerable<EndpointDataSource>>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Any(method => method is "POST" or "PUT" or "PATCH" or "DELETE") == true)
            .Select(endpoint => endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName)
            .OfType<string>().Where(name => !Exempt.ContainsKey(name)).Distinct().ToList();
        Assert.Empty(mutating.Select(name => name.Split('-')[0]).Except(scenarios.Keys));

        foreach (var (name, (type, act)) in scenarios)
        {
            var target = await act();
            await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type={type}&target={target}"))!.Items.Count > 0, $"{name} left an entry {type} of {target}");
        }
    }

    private Dictionary<string, (string Type, Func<Task<string>> Act)> Scenarios() => new()
    {
        ["CreateCustomer"] = ("licensing.customer-created", async () => (await host.CreateCustomerAsync("Another")).Id.ToString()),
        ["ChangeCustomer"] = ("licensing.customer-changed", ChangeCustomerAsync),
        ["HoldCustomer"] = ("licensing.customer-held", () => HoldAsync("legal-hold")),
        ["ReleaseCustomer"] = ("licensing.customer-released", () => HoldAsync("legal-hold/release")),
        ["DefineMeter"] = ("licensing.meter-defined", async () =>
        {
            await PostAsync("/api/v1/licensing/meters", new DefineMeterRequest("walks", 1, "walk", 0, "sum"));
            return "walks/1";
        }),
        ["DismissUsageDocument"] = ("licensing.usage-document-dismissed", DismissAsync),
        ["CreateToken"] = ("identity.token-created", async () => (await TokenAsync()).Id),
        ["RotateToken"] = ("identity.token-rotated", async () =>
        {
            var token = await TokenAsync();
            await PostAsync($"/api/v1/identity/tokens/{token.Id}/rotate", new RotateTokenRequest());
            return token.Id;
        }),
        ["RotateMyToken"] = ("identity.token-rotated", async () =>
        {
            var (client, token) = await host.ClientWithTokenAsync(null, "fleet:read");
            using var _ = client;
            (await client.PostAsJsonAsync("/api/v1/identity/me/token/rotate", new RotateTokenRequest())).EnsureSuccessStatusCode();
            return token.Id;
        }),
        ["RevokeToken"] = ("identity.token-revoked", async () =>
        {
            var token = await TokenAsync();
            await PostAsync($"/api/v1/identity/tokens/{token.Id}/revoke");
            return token.Id;
        }),
        ["CreateSession"] = ("identity.session-opened", async () => (await SessionAsync()).Id),
        ["EndSession"] = ("identity.session-ended", async () =>
        {
            var (id, secret) = await SessionAsync();
            await PostAsync("/api/v1/identity/sessions/end", new TradeSessionRequest(secret));
            return id;
        }),
        ["CreateEnrollmentToken"] = ("callhome.enrollment-token-created", async () => (await host.CreateEnrollmentTokenAsync(customer)).Id),
        ["RevokeEnrollmentToken"] = ("callhome.enrollment-token-revoked", async () =>
        {
            var token = await host.CreateEnrollmentTokenAsync(customer);
            await PostAsync($"/api/v1/callhome/enrollment-tokens/{token.Id}/revoke");
            return token.Id;
        }),
        ["Enroll"] = ("callhome.cluster-enrolled", () => WithClusterAsync(_ => Task.CompletedTask)),
        ["SuspendCluster"] = ("callhome.cluster-suspended", () => WithClusterAsync(cluster => SwitchAsync(cluster, "suspend"))),
        ["ResumeCluster"] = ("callhome.cluster-resumed", () => WithClusterAsync(async cluster =>
        {
            await SwitchAsync(cluster, "suspend");
            await SwitchAsync(cluster, "resume");
        })),
        ["SuspendClusters"] = ("callhome.cluster-suspended", () => WithClusterAsync(cluster => SwitchManyAsync(cluster, "suspend"))),
        ["ResumeClusters"] = ("callhome.cluster-resumed", () => WithClusterAsync(async cluster =>
        {
            await SwitchAsync(cluster, "suspend");
            await SwitchManyAsync(cluster, "resume");
        })),
        ["DecommissionCluster"] = ("callhome.cluster-decommissioned", () => WithClusterAsync(cluster => SwitchAsync(cluster, "decommission"))),
        ["RequestEpoch"] = ("callhome.epoch-issued", () => WithClusterAsync(EpochAsync)),
        ["ConfirmEpoch"] = ("callhome.epoch-confirmed", () => WithClusterAsync(async cluster =>
        {
            await EpochAsync(cluster);
            await SwitchAsync(cluster, "epochs/2/confirm");
        })),
        ["RotateKey"] = ("callhome.key-rotated", () => WithClusterAsync(RotateAsync)),
        ["AskKeyRotation"] = ("callhome.key-rotation-requested", () => WithClusterAsync(cluster => SwitchAsync(cluster, "rotate-key"))),
        ["CreateReadmissionToken"] = ("callhome.readmission-token-created", () => WithClusterAsync(cluster => SwitchAsync(cluster, "enrollment-tokens"))),
        ["RequestInventory"] = ("fleet.inventory-requested", () => WithClusterAsync(async cluster =>
        {
            await Eventually.TrueAsync(async () => (await host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}", UriKind.Relative))).IsSuccessStatusCode, "fleet knows the cluster");
            await PostAsync($"/api/v1/fleet/clusters/{cluster.Id}/inventory-request", new InventoryRequest("the walk says so"));
        })),
        ["Unenroll"] = ("callhome.cluster-unenrolled", () => WithClusterAsync(async cluster =>
            (await cluster.SendAsync("unenroll", new UnenrollRequest { Assertion = cluster.Assertion(await cluster.NonceAsync(), use: "unenroll"), Reason = "test" })).EnsureSuccessStatusCode())),
        ["RetryParkedMessage"] = ("fleet.parked-message-retried", ParkAndRetryAsync),
        ["GiveUpParkedMessage"] = ("fleet.parked-message-given-up", async () =>
        {
            var parked = await ParkAndRetryAsync();
            await PostAsync($"/api/v1/fleet/parked-messages/{parked}/give-up", new GiveUpRequest("the walk says so"));
            return parked;
        }),
        ["RunJob"] = ("fleet.job-started", async () =>
        {
            await PostAsync("/api/v1/fleet/jobs/fleet.purge-records/run", new RunJobRequest("the walk says so"));
            return "fleet.purge-records";
        }),
        ["SignAccessReview"] = ("audit.access-reviewed", async () =>
        {
            await PostAsync("/api/v1/audit/access/reviews", new SignAccessReviewRequest(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero), null, "the walk says so"));
            return "2026-01-01T00:00:00Z/2026-02-01T00:00:00Z";
        }),
        ["ErasePersonalValues"] = ("audit.personal-erased", async () =>
        {
            AuditEntryItem? entry = null;
            await Eventually.TrueAsync(async () => (entry = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?customer={customer}&type=licensing.customer-created"))!.Items.SingleOrDefault()) is not null, "the customer's first entry is there");
            await PostAsync("/api/v1/audit/erasures", new ErasePersonalRequest(customer, null, entry!.Id, "the walk says so"));
            return entry.Id.ToString();
        }),
        ["CreateAuditExport"] = ("audit.export-created", async () => (await ExportAsync()).Id.ToString()),
        ["ResumeAuditExport"] = ("audit.export-resumed", async () =>
        {
            // Nobody has that endpoint, so it stops.
            var export = await ExportAsync();
            await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<AuditExportItem>($"/api/v1/audit/exports/{export.Id}"))!.State == "stopped", "the export stops");
            await PostAsync($"/api/v1/audit/exports/{export.Id}/resume");
            return export.Id.ToString();
        }),
        ["RemoveAuditExport"] = ("audit.export-removed", async () =>
        {
            var export = await ExportAsync();
            (await host.Admin.DeleteAsync(new Uri($"/api/v1/audit/exports/{export.Id}", UriKind.Relative))).EnsureSuccessStatusCode();
            return export.Id.ToString();
        }),
        ["RetryParkedMessages"] = ("fleet.task-started", RetryAllAsync),
        ["RetryTask"] = ("fleet.task-started", async () =>
        {
            var first = await RetryAllAsync();
            await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<TaskSummary>($"/api/v1/fleet/tasks/{first}"))!.State == "incomplete", "the task has failed");
            return (await (await PostAsync($"/api/v1/fleet/tasks/{first}/retry-failed")).Content.ReadFromJsonAsync<TaskSummary>())!.Id.ToString();
        }),
        ["CancelTask"] = ("updates.task-cancelled", CancelAsync),
        ["AddContact"] = ("notifications.contact-added", async () => (await ContactAsync()).Id.ToString()),
        ["RemoveContact"] = ("notifications.contact-removed", async () =>
        {
            var contact = await ContactAsync();
            (await host.Admin.DeleteAsync(new Uri($"/api/v1/notifications/contacts/{contact.Id}", UriKind.Relative))).EnsureSuccessStatusCode();
            return contact.Id.ToString();
        }),
        ["AddEndpoint"] = ("notifications.endpoint-added", async () => (await EndpointAsync()).ToString()),
        ["TestEndpoint"] = ("notifications.endpoint-tested", () => EndpointAsync("test")),
        ["RotateEndpointSecret"] = ("notifications.endpoint-secret-rotated", () => EndpointAsync("rotate-secret")),
        ["DisableEndpoint"] = ("notifications.endpoint-disabled", () => EndpointAsync("disable")),
        ["EnableEndpoint"] = ("notifications.endpoint-enabled", () => EndpointAsync("disable", "enable")),
        ["RemoveEndpoint"] = ("notifications.endpoint-removed", async () =>
        {
            var endpoint = await EndpointAsync();
            (await host.Admin.DeleteAsync(new Uri($"/api/v1/notifications/endpoints/{endpoint}", UriKind.Relative))).EnsureSuccessStatusCode();
            return endpoint;
        }),
        ["Redeliver"] = ("notifications.redelivery-asked", RedeliverAsync),
        ["SaveView"] = ("identity.view-saved", async () => (await ViewAsync("saved")).Id.ToString()),
        ["ChangeView"] = ("identity.view-changed", async () =>
        {
            var view = await ViewAsync("to be changed");
            using var request = new HttpRequestMessage(HttpMethod.Patch, $"/api/v1/identity/views/{view.Id}") { Content = JsonContent.Create(new ChangeViewRequest(Shared: true)) };
            request.Headers.TryAddWithoutValidation("If-Match", "\"1\"");
            (await host.Admin.SendAsync(request)).EnsureSuccessStatusCode();
            return view.Id.ToString();
        }),
        ["DeleteView"] = ("identity.view-deleted", async () =>
        {
            var view = await ViewAsync("to be deleted");
            (await host.Admin.DeleteAsync(new Uri($"/api/v1/identity/views/{view.Id}", UriKind.Relative))).EnsureSuccessStatusCode();
            return view.Id.ToString();
        }),
    };

    private async Task<string> ChangeCustomerAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"/api/v1/licensing/customers/{customer}") { Content = JsonContent.Create(new ChangeCustomerRequest(Region: "us")) };
        request.Headers.TryAddWithoutValidation("If-Match", "\"1\"");
        (await host.Admin.SendAsync(request)).EnsureSuccessStatusCode();
        return customer.ToString();
    }

    private async Task<string> HoldAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/licensing/customers/{customer}/{path}") { Content = JsonContent.Create(new LegalHoldRequest("the walk says so")) };
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        (await host.Admin.SendAsync(request)).EnsureSuccessStatusCode();
        return customer.ToString();
    }

    private async Task<string> DismissAsync()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        var window = cluster.Window(UsageWindow.HourOf(host.Time.GetUtcNow()) - 2);
        var other = window with { Complete = false };
        await cluster.CheckInAsync(cluster.Usage(window), cluster.Usage(other));
        var receipt = await cluster.ReceiptAsync(receipt => receipt.Results.Any(result => result.Verdict == "conflict"));
        var conflict = receipt.Results.Single(result => result.Verdict == "conflict");
        await PostAsync($"/api/v1/licensing/windows/{cluster.Id}/{conflict.Window}/dismiss", new DismissDocumentRequest(conflict.Sha256, "the walk says so"));
        return $"{cluster.Id}/{conflict.Window}";
    }

    private async Task<CreatedToken> TokenAsync() => (await (await PostAsync("/api/v1/identity/tokens", new CreateTokenRequest("walk", ["fleet:read"]))).Content.ReadFromJsonAsync<CreatedToken>())!;

    private async Task<(string Id, string Secret)> SessionAsync()
    {
        var session = (await (await PostAsync("/api/v1/identity/sessions")).Content.ReadFromJsonAsync<CreatedSession>())!;
        await using var scope = host.Services.CreateAsyncScope();
        var digest = SHA256.HashData(System.Buffers.Text.Base64Url.DecodeFromChars(session.Session));
        var id = await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Database.SqlQuery<Guid>($"SELECT id AS Value FROM identity_session WHERE secret_sha256 = {digest}").SingleAsync();
        return (id.ToString(), session.Session);
    }

    private async Task<string> WithClusterAsync(Func<TestCluster, Task> act)
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        await act(cluster);
        return cluster.Id;
    }

    private async Task EpochAsync(TestCluster cluster) =>
        (await cluster.SendAsync("epoch", new EpochRequest { Assertion = cluster.Assertion(await cluster.NonceAsync(), use: "epoch"), Reason = "restored" })).EnsureSuccessStatusCode();

    private async Task RotateAsync(TestCluster cluster)
    {
        using var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var spki = fresh.ExportSubjectPublicKeyInfo();
        byte[] signed = [.. "mc-rotate-v1\n"u8, .. Encoding.ASCII.GetBytes(cluster.Id), .. spki];
        var assertion = cluster.Assertion(await cluster.NonceAsync(), new Dictionary<string, object> { ["new_key_sha256"] = Convert.ToHexStringLower(SHA256.HashData(spki)) }, use: "rotate");
        (await cluster.SendAsync("rotate", new RotateRequest { Assertion = assertion, NewPublicKey = ByteString.CopyFrom(spki), Proof = ByteString.CopyFrom(fresh.SignData(signed, HashAlgorithmName.SHA256)) })).EnsureSuccessStatusCode();
    }

    private Task SwitchManyAsync(TestCluster cluster, string verb) => PostAsync($"/api/v1/callhome/clusters/{verb}", new SwitchClustersRequest(new ClusterFilter(Ids: [Guid.Parse(cluster.Id)]), "the walk says so", 1));

    private Task SwitchAsync(TestCluster cluster, string verb) => PostAsync($"/api/v1/callhome/clusters/{cluster.Id}/{verb}", new ReasonRequest("the walk says so"));

    private async Task<string> ParkAndRetryAsync()
    {
        var binding = host.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(binding => binding.Name == "fleet.keep-customer");
        await host.Services.GetRequiredService<HandlerRunner>().ApplyAsync(
            binding, new CustomerChanged(Guid.CreateVersion7(), null!, "eu", "active", 1), new MessageContext(Guid.CreateVersion7(), DateTimeOffset.UtcNow), CancellationToken.None);
        var parked = (await host.Admin.GetFromJsonAsync<Page<ParkedMessageItem>>("/api/v1/fleet/parked-messages"))!.Items[0];
        await PostAsync($"/api/v1/fleet/parked-messages/{parked.Id}/retry");
        return parked.Id.ToString();
    }

    private async Task<string> RetryAllAsync()
    {
        await ParkAndRetryAsync();
        var count = (await host.Admin.GetFromJsonAsync<Page<ParkedMessageItem>>("/api/v1/fleet/parked-messages?consumer=fleet.keep-customer"))!.Total;
        return (await (await PostAsync("/api/v1/fleet/parked-messages/retry", new RetryParkedMessagesRequest("fleet.keep-customer", count))).Content.ReadFromJsonAsync<TaskSummary>())!.Id.ToString();
    }

    /// <summary>A task of a kind that nobody here works on, so that it is there to be cancelled.</summary>
    private async Task<string> CancelAsync()
    {
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var task = new LongTask { Id = Guid.CreateVersion7(), Kind = "of-another-version", Summary = "Wait", StartedBy = "token:test", Actor = "{}", Total = 1, StartedAt = host.Time.GetUtcNow() };
        db.LongTasks("updates").Add(task);
        await db.SaveChangesAsync();
        await PostAsync($"/api/v1/updates/tasks/{task.Id}/cancel");
        return task.Id.ToString();
    }

    private async Task<AuditExportItem> ExportAsync()
    {
        AuditLogItem? log = null;
        await Eventually.TrueAsync(async () => (log = (await host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs?limit=500"))!.Items.SingleOrDefault(one => one.CustomerId == customer)) is { SignedSize: > 0 }, "the customer's log is signed");
        return (await (await PostAsync("/api/v1/audit/exports", new CreateAuditExportRequest(log!.Id, Guid.CreateVersion7(), null, "ocsf", null))).Content.ReadFromJsonAsync<AuditExportItem>())!;
    }

    private async Task<ContactItem> ContactAsync() =>
        (await (await PostAsync("/api/v1/notifications/contacts", new AddContactRequest(customer, "technical", "walk", $"{Guid.NewGuid():N}@acme.example"))).Content.ReadFromJsonAsync<ContactItem>())!;

    private async Task<string> EndpointAsync(params string[] acts)
    {
        var made = (await (await PostAsync("/api/v1/notifications/endpoints", new AddEndpointRequest(customer, "webhook", "walk", "https://hooks.acme.example/"))).Content.ReadFromJsonAsync<EndpointSecret>())!;
        foreach (var act in acts)
        {
            await PostAsync($"/api/v1/notifications/endpoints/{made.Id}/{act}");
        }

        return made.Id.ToString();
    }

    /// <summary>What is for a system that is disabled fails at once, and is asked for again.</summary>
    private async Task<string> RedeliverAsync()
    {
        var endpoint = await EndpointAsync("disable");
        await using (var scope = host.Services.CreateAsyncScope())
        {
            scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
            scope.ServiceProvider.GetRequiredService<IEvents>().Publish(new DeliverEvent(Guid.NewGuid(), Guid.Parse(endpoint), """{"specversion":"1.0","type":"walk"}"""u8.ToArray()));
            await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync();
        }

        IReadOnlyList<DeliveryItem> failed = [];
        await Eventually.TrueAsync(async () => (failed = (await host.Admin.GetFromJsonAsync<Page<DeliveryItem>>($"/api/v1/notifications/deliveries?state=failed&recipient={endpoint}"))!.Items).Count == 1, "it failed");
        await PostAsync($"/api/v1/notifications/deliveries/{failed[0].Id}/redeliver");
        return failed[0].Id.ToString();
    }

    private async Task<ViewItem> ViewAsync(string name) =>
        (await (await PostAsync("/api/v1/identity/views", new SaveViewRequest("clusters", name, "health=red"))).Content.ReadFromJsonAsync<ViewItem>())!;

    private async Task<HttpResponseMessage> PostAsync(string path, object? body = null)
    {
        var response = await host.Admin.PostAsync(new Uri(path, UriKind.Relative), body is null ? null : JsonContent.Create(body, body.GetType()));
        Assert.True(response.IsSuccessStatusCode, $"{path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        return response;
    }
}
