using System.Net.Http.Json;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Contracts.Api;
using MissionControl.Fleet.Incidents;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Tasks;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Api;

/// <summary>A real row of every kind that somebody can have, of a customer or of the vendor, for whoever must not touch them. Named by what stands before the id in an address.</summary>
internal sealed class Belongings : IDisposable
{
    /// <summary>What every log that is signed has: the hash of its first entry (C2SP tlog-tiles).</summary>
    public const string FirstTile = "0/000.p/1";

    private static readonly string[] WithTasks = ["fleet", "licensing", "audit", "callhome", "identity", "notifications", "updates"];
    private readonly Dictionary<string, string> ids = [];

    private Belongings(SomebodySignedIn owner, Guid? customer) => (Owner, Customer) = (owner, customer);

    /// <summary>Whose they are: an administrator.</summary>
    public SomebodySignedIn Owner { get; }

    /// <summary>The customer; null: the vendor.</summary>
    public Guid? Customer { get; }

    /// <summary>The ids, which nobody else may be shown.</summary>
    public IReadOnlyDictionary<string, string> Ids => ids;

    /// <summary>Makes one of each.</summary>
    /// <param name="host">The host.</param>
    /// <param name="customer">The customer; null: the vendor.</param>
    /// <param name="name">What all is called, so that it is found where it must not be.</param>
    public static async Task<Belongings> MakeAsync(ControlPlane host, Guid? customer, string name)
    {
        var owner = await SomebodySignedIn.InviteAsync(host, $"owner@{name}.example", customer is null ? "administrator" : "customer-administrator", customer);
        var made = new Belongings(owner, customer);
        using var api = await owner.ApiAsync();
        await made.PeopleAsync(host, api, name);
        await made.ProgramAsync(api, name);
        await made.MessagesAsync(host, name);
        await made.OperationAsync(host);
        if (customer is { } of)
        {
            await made.ClusterAsync(host, api, of, name);
            await made.AgreementAsync(host, of, name);
        }

        await made.LogAsync(host);
        return made;
    }

    public void Dispose() => Owner.Passkey.Dispose();

    private async Task PeopleAsync(ControlPlane host, HttpClient api, string name)
    {
        var me = (await api.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!;
        (ids["people"], ids["passkeys"]) = (me.Id.ToString(), me.Passkeys[0].Id.ToString());
        ids["sessions"] = (await api.GetFromJsonAsync<List<SessionItem>>("/api/v1/identity/me/sessions"))![0].Id.ToString();
        await ProgramOfPersonAsync(host, api);
        ids["invitations"] = (await SomebodySignedIn.InvitedAsync(api, $"invited@{name}.example", Customer is null ? "viewer" : "customer-viewer")).Id.ToString();
        ids["views"] = (await MadeAsync<ViewItem>(api, "identity/views", new SaveViewRequest("clusters", name, "health=red", Shared: true))).Id.ToString();
        ids["tokens"] = (await MadeAsync<CreatedToken>(api, "identity/tokens", new CreateTokenRequest(name, ["fleet:read"], Networks: ["127.0.0.0/8"]))).Id;
        ids["groups"] = (await MadeAsync<CreatedGroup>(api, "identity/groups", new SetGroupRequest(name, [Customer is null ? "viewer" : "customer-viewer"], [], Reason: "a test"))).Id.ToString();
        var lost = await MadeAsync<CreatedToken>(host.Admin, "identity/tokens", new CreateTokenRequest($"lost {name}", ["fleet:read"], Customer));
        ids["leaks"] = (await MadeAsync<ReportedLeak>(host.Admin, "identity/leaks/report", new ReportLeakRequest(lost.Token))).IncidentId!.Value.ToString();
    }

    // One that was signed in already, and one thing that it asks.
    private async Task ProgramOfPersonAsync(ControlPlane host, HttpClient api)
    {
        var waiting = await MadeAsync<DeviceSignIn>(host.Admin, "identity/sign-in/device/begin", new BeginDeviceSignInRequest("mc"));
        var device = (await MadeAsync<DeviceItem>(api, "identity/me/devices/find", new FindDeviceRequest(waiting.UserCode))).Id;
        ids["devices"] = device.ToString();
        (await api.PostAsJsonAsync($"/api/v1/identity/me/devices/{device}/approve", new ApproveDeviceRequest())).EnsureSuccessStatusCode();
        using var asking = await Owner.ApiAsync(confirms: false);
        ids["confirmations"] = (await SomebodySignedIn.AskedInPortalAsync(asking)).Id.ToString();
    }

    private async Task ProgramAsync(HttpClient api, string name)
    {
        var account = (await MadeAsync<CreatedServiceAccount>(api, "identity/service-accounts", new CreateServiceAccountRequest(name, ["fleet:read"], Networks: ["192.0.2.0/24"]))).Id;
        ids["service-accounts"] = account.ToString();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ids["keys"] = (await MadeAsync<AddedClientKey>(api, $"identity/service-accounts/{account}/keys", new AddClientKeyRequest(name, key.ExportSubjectPublicKeyInfoPem()))).Id.ToString();
        ids["scope-requests"] = (await MadeAsync<AskedScope>(api, $"identity/service-accounts/{account}/scope-requests", new AskScopeRequest("identity:write", "it needs it"))).Id.ToString();
    }

    private async Task MessagesAsync(ControlPlane host, string name)
    {
        ContactItem? contact = null;
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await host.Admin.PostAsJsonAsync("/api/v1/notifications/contacts", new AddContactRequest(Customer, "technical", name, $"contact@{name}.example"));
            contact = answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<ContactItem>() : null;
            return contact is not null;
        }, "notifications knows the customer");
        ids["contacts"] = contact!.Id.ToString();
        var endpoint = (await MadeAsync<EndpointSecret>(host.Admin, "notifications/endpoints", new AddEndpointRequest(Customer, "webhook", name, $"https://hooks.{name}.example/"))).Id;
        ids["endpoints"] = endpoint.ToString();
        (await host.Admin.PostAsync(new Uri($"/api/v1/notifications/endpoints/{endpoint}/test", UriKind.Relative), null)).EnsureSuccessStatusCode();
        await Eventually.TrueAsync(async () =>
        {
            var told = (await host.Admin.GetFromJsonAsync<Page<DeliveryItem>>($"/api/v1/notifications/deliveries?recipient={endpoint}"))!.Items;
            ids["deliveries"] = told.Count == 0 ? "" : told[0].Id.ToString();
            return told.Count > 0;
        }, "there is a delivery");
    }

    // Written into the tables: what is parked or a task of long has no other way in.
    private async Task OperationAsync(ControlPlane host)
    {
        var (id, now) = (Guid.CreateVersion7(), host.Time.GetUtcNow());
        await using var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("fleet");
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("a test makes rows");
        foreach (var role in WithTasks)
        {
            db.LongTasks(role).Add(new LongTask { Id = id, Kind = "of-another-version", Summary = "Wait", StartedBy = Owner.Email, Actor = "{}", CustomerId = Customer, Total = 1, StartedAt = now });
            db.ParkedMessages(role).Add(new ParkedMessage
            {
                Id = id, Consumer = $"{role}.test", MessageId = id, Type = "test", Key = "test", Payload = [123, 125], SentAt = now, FirstFailedAt = now, LastFailedAt = now, Attempts = HandlerRunner.MaxAttempts,
                FirstError = "x", LastError = "x", State = ParkedState.Parked,
            });
        }

        await using var transaction = await db.BeginWriteAsync();
        await Incident.OpenAsync(db, Incident.MassOutage, now, "The network of the vendor was cut.", 1, now, CancellationToken.None);
        await db.SaveChangesAsync();
        await transaction.CommitAsync();
        (ids["tasks"], ids["parked-messages"], ids["jobs"]) = (id.ToString(), id.ToString(), "fleet.purge-records");
        ids["incidents"] = db.Set<Incident>().Select(row => row.Id).First().ToString();
    }

    private async Task ClusterAsync(ControlPlane host, HttpClient api, Guid customer, string name)
    {
        ids["customers"] = customer.ToString();
        ids["enrollment-tokens"] = (await host.CreateEnrollmentTokenAsync(customer)).Id;
        ids["providers"] = (await MadeAsync<AddedProvider>(api, "identity/providers", Provider(name))).Id.ToString();
        using var cluster = await TestCluster.EnrollAsync(host, customer, $"cluster-{name}");
        var window = cluster.Window(UsageWindow.HourOf(host.Time.GetUtcNow()) - 2);
        await cluster.CheckInAsync(cluster.Health(), cluster.Usage(window));
        await cluster.ReceiptAsync(receipt => receipt.Results.Count > 0);
        ids["licenses"] = (await MadeAsync<LicenseItem>(host.Admin, "licensing/licenses", new IssueLicenseRequest(customer, [Guid.Parse(cluster.Id)], name, "production", null, host.Time.GetUtcNow().AddDays(100)))).Id.ToString();
        (ids["clusters"], ids["windows"]) = (cluster.Id, window.Window);
        await Eventually.TrueAsync(async () => (await host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}/events", UriKind.Relative))).IsSuccessStatusCode, "fleet knows the cluster");
    }

    // The vendor's prices and plan, and what is agreed with the customer.
    private async Task AgreementAsync(ControlPlane host, Guid customer, string name)
    {
        var account = (await MadeAsync<BillingAccountItem>(host.Admin, "licensing/billing-accounts", new CreateBillingAccountRequest(customer, name, "EUR", "eu"))).Id;
        var book = (await MadeAsync<PriceBookItem>(host.Admin, "licensing/price-books", new CreatePriceBookRequest(name, "EUR"))).Id;
        var plan = (await MadeAsync<PlanItem>(host.Admin, "licensing/plans", new CreatePlanRequest(name, [new EntitlementItem("sso", "boolean")]))).Id;
        await MadeAsync<PriceBookVersionItem>(host.Admin, $"licensing/price-books/{book}/versions", Sheet());
        await DoneAsync(host, $"price-books/{book}/versions/1/publish", new { });
        var contract = await MadeAsync<ContractDetail>(host.Admin, "licensing/contracts", new CreateContractRequest(customer, account, name, At(2026), Terms(book, plan)));
        (ids["billing-accounts"], ids["price-books"], ids["plans"], ids["contracts"]) = (account.ToString(), book.ToString(), plan.ToString(), contract.Contract.Id.ToString());

        // A month that is long over, so that it can be billed.
        var past = (await MadeAsync<ContractDetail>(host.Admin, "licensing/contracts", new CreateContractRequest(customer, account, $"{name} before", At(2026).AddMonths(-24), Terms(book, plan) with { To = At(2026).AddMonths(-23) }))).Contract.Id;
        await DoneAsync(host, $"contracts/{past}/activate", new ActivateContractRequest());
        PeriodItem? period = null;
        await Eventually.TrueAsync(async () => (period = (await host.Admin.GetFromJsonAsync<Page<PeriodItem>>($"/api/v1/licensing/periods?contract={past}"))!.Items.SingleOrDefault()) is not null, "the month can be billed");
        ids["adjustments"] = (await DoneAsync<AdjustmentItem>(host, "adjustments", new CreateAdjustmentRequest(past, "-1", name, "because"))).Id.ToString();
        using var preview = await host.Admin.GetAsync(new Uri($"/api/v1/licensing/periods/{period!.Id}/preview", UriKind.Relative));
        (ids["periods"], ids["statements"]) = (period.Id.ToString(), (await DoneAsync<StatementItem>(host, $"periods/{period.Id}/close", new ClosePeriodRequest(), preview.Headers.ETag!.ToString())).Id.ToString());
    }

    private static async Task DoneAsync(ControlPlane host, string path, object body) => await DoneAsync<object>(host, path, body);

    private static async Task<T> DoneAsync<T>(ControlPlane host, string path, object body, string match = "*")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/licensing/{path}") { Content = JsonContent.Create(body, body.GetType()), Headers = { { "If-Match", match }, { "Idempotency-Key", Guid.CreateVersion7().ToString() } } };
        using var answer = await host.Admin.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {await answer.Content.ReadAsStringAsync()}");
        return (await answer.Content.ReadFromJsonAsync<T>())!;
    }

    /// <summary>Prices that anybody could import.</summary>
    public static PriceSheetItem Sheet() => new("EUR", "2024-01-01T00:00:00Z", [new RateItem("fee", "", null, "month", "1", "fixed", null, "0", "none", [new TierItem(null, "1", "0")])]);

    /// <summary>Terms that anybody could agree to.</summary>
    public static AgreedTerms Terms(Guid book, Guid plan) => new(At(2030), "EUR", book, plan, 1);

    private static DateTimeOffset At(int year) => new(year, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // Signed, so that a refusal is not for want of it.
    private async Task LogAsync(ControlPlane host)
    {
        AuditLogItem? log = null;
        await Eventually.TrueAsync(async () =>
        {
            var logs = (await host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs?limit=500"))!.Items;
            log = logs.SingleOrDefault(one => one.SignedSize > 0 && one.CustomerId == Customer && one.Kind == (Customer is null ? "operator" : "customer"));
            return log is not null;
        }, "the audit log is signed");
        var search = Customer is null ? "log=operator" : $"customer={Customer}";
        ids["logs"] = log!.Id.ToString();
        ids["exports"] = (await MadeAsync<AuditExportItem>(host.Admin, "audit/exports", new CreateAuditExportRequest(log.Id, Guid.Parse(ids["endpoints"]), Customer, "ocsf", null))).Id.ToString();
        ids["proofs"] = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?{search}&limit=1&sort=occurredAt"))!.Items[0].Id.ToString();
        (await host.Admin.GetAsync(new Uri($"/api/v1/audit/logs/{log.Id}/tile/{FirstTile}", UriKind.Relative))).EnsureSuccessStatusCode();
        (await host.Admin.GetAsync(new Uri($"/api/v1/audit/logs/{log.Id}/proofs/{ids["proofs"]}", UriKind.Relative))).EnsureSuccessStatusCode();
    }

    /// <summary>A provider that a customer can set.</summary>
    public static SetProviderRequest Provider(string name) => new(name, $"https://login.{name}.example", "mission-control", null, [new GroupRole("*", "customer-viewer")]);

    private static async Task<T> MadeAsync<T>(HttpClient api, string path, object body)
        where T : class
    {
        using var content = JsonContent.Create(body, body.GetType());
        using var answer = await api.PostAsync(new Uri($"/api/v1/{path}", UriKind.Relative), content);
        Xunit.Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        return (await answer.Content.ReadFromJsonAsync<T>())!;
    }
}
