using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Api;

/// <summary>
/// Every endpoint of the API as a customer's administrator who really signed in, and confirms whatever is asked, against real rows of
/// another customer and of the vendor: each is refused, and nothing of theirs is changed. A route whose id has no such row fails the walk.
/// </summary>
public sealed class CustomersUserTests : IAsyncLifetime
{
    /// <summary>Endpoints whose last place is no row of anybody.</summary>
    private static readonly Dictionary<string, string> Places = new() { ["epochs"] = "1", ["staff-providers"] = "corp", ["tile"] = Belongings.FirstTile, ["versions"] = "1", ["lines"] = "1" };

    /// <summary>What changes something without an id in its address, and is about oneself or open to everybody signed in.</summary>
    private static readonly Dictionary<string, string> AboutOneself = new()
    {
        ["CreateSession"] = "is refused to sessions",
        ["SaveView"] = "one's own view",
        ["BeginStepUp"] = "one's own proof",
        ["ProveStepUp"] = "one's own proof",
        ["FindDevice"] = "a code that only a program shows",
        ["RotateMyToken"] = "refused: a session is no token",
        ["EndMyOtherSessions"] = "one's own sessions",
        ["SetMyPreferences"] = "one's own account",
        ["ChangeMyPassword"] = "one's own account",
        ["RenewMyRecoveryCodes"] = "one's own account",
        ["BeginMyAuthenticator"] = "one's own account",
        ["ConfirmMyAuthenticator"] = "one's own account",
        ["RemoveMyAuthenticator"] = "one's own account",
        ["BeginMyPasskey"] = "one's own account",
        ["AddMyPasskey"] = "one's own account",
        ["FetchSamlMetadata"] = "an address of the public internet, and nobody's row",
    };

    private readonly string pem = Pem();
    private ControlPlane host = null!;
    private Belongings victims = null!;
    private Belongings vendors = null!;
    private SomebodySignedIn attacker = null!;
    private HttpClient api = null!;
    private Guid own;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?>
        {
            ["Api:RequestsPerMinute"] = "1000000", ["Identity:KeepBootstrapToken"] = "true",
            ["Identity:Providers:0:Id"] = Places["staff-providers"], ["Identity:Providers:0:Name"] = "Staff's", ["Identity:Providers:0:Issuer"] = "https://localhost:1", ["Identity:Providers:0:ClientId"] = "mc",
        });
        victims = await Belongings.MakeAsync(host, (await host.CreateCustomerAsync("Victim")).Id, "victim-4711");
        vendors = await Belongings.MakeAsync(host, null, "vendor-4711");
        own = (await host.CreateCustomerAsync("Attacker")).Id;
        attacker = await SomebodySignedIn.InviteAsync(host, "mallory@attacker.example", "customer-administrator", own);
        api = await attacker.ApiAsync();
        foreach (var path in new[] { "/api/v1/notifications/contacts", "/api/v1/callhome/enrollment-tokens", "/api/v1/licensing/customers", "/api/v1/audit/entries", "/api/v1/fleet/clusters" })
        {
            await Eventually.TrueAsync(async () => (await api.GetAsync(new Uri(path, UriKind.Relative))).IsSuccessStatusCode, $"the person is known for {path}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        api.Dispose();
        victims.Dispose();
        vendors.Dispose();
        attacker.Passkey.Dispose();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task Whatever_is_anothers_or_the_vendors_is_refused_by_every_endpoint_and_stays_as_it_is()
    {
        var before = await StateAsync();
        var (walked, faults) = (0, new List<string>());
        foreach (var endpoint in ApiEndpoint.All(host).Where(endpoint => !endpoint.IsOpen && endpoint.Pattern.Names.Count > 0))
        {
            foreach (var (whose, theirs) in new[] { ("the other customer's", victims), ("the vendor's", vendors) })
            {
                var path = endpoint.Pattern.Fill(name => IdOf(endpoint, name, theirs));
                using var answer = await SendAsync(endpoint.Method, path, endpoint.Body is null ? null : Body(endpoint, victims.Customer!.Value));
                var text = await answer.Content.ReadAsStringAsync();
                walked++;
                if (answer.StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.Forbidden))
                {
                    faults.Add($"{endpoint.Method} {path} ({endpoint.Name}), {whose}: {(int)answer.StatusCode} {text}");
                }
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
        Assert.True(walked > 150, $"only {walked} were walked");
        await UnchangedAsync(before);
    }

    [Fact]
    public async Task Whatever_names_another_customer_or_the_vendor_in_its_body_is_refused_and_lists_show_nothing_of_theirs()
    {
        var before = await StateAsync();
        var traces = victims.Ids.Concat(vendors.Ids).Where(pair => pair.Key is not ("windows" or "jobs" or "incidents")).Select(pair => pair.Value).Concat(["victim-4711", "vendor-4711"]).Distinct().ToList();
        var (walked, faults) = (0, new List<string>());
        foreach (var endpoint in ApiEndpoint.All(host).Where(endpoint => !endpoint.IsOpen && endpoint.Pattern.Names.Count == 0 && !AboutOneself.ContainsKey(endpoint.Name)))
        {
            using var answer = await SendAsync(endpoint.Method, endpoint.Pattern.Text.TrimEnd('/'), endpoint.Method == "GET" ? null : endpoint.Body is null ? null : Body(endpoint, victims.Customer!.Value));
            var text = await answer.Content.ReadAsStringAsync();
            walked++;
            var seen = traces.Find(trace => text.Contains(trace, StringComparison.OrdinalIgnoreCase) && (int)answer.StatusCode < 300);
            var isRefused = (int)answer.StatusCode is 403 or 404 or 409 or 422;
            if (seen is not null || (endpoint.Method != "GET" && !isRefused && !endpoint.Name.StartsWith("Preview", StringComparison.Ordinal)) || (int)answer.StatusCode is 401 or 400 or >= 500)
            {
                faults.Add($"{endpoint.Method} {endpoint.Name}: {(int)answer.StatusCode} shows {seen}: {text[..Math.Min(text.Length, 400)]}");
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
        Assert.True(walked > 40, $"only {walked} were walked");
        await UnchangedAsync(before);
    }

    // By what stands before it. A new route has to say which row it is about.
    private string IdOf(ApiEndpoint endpoint, string name, Belongings theirs)
    {
        var parts = endpoint.Pattern.Text.Split('/');
        var at = Array.FindIndex(parts, part => part.StartsWith($"{{{name}", StringComparison.Ordinal) || part.StartsWith($"{{**{name}", StringComparison.Ordinal));
        var kind = name == "window" ? "windows" : parts[at - 1] == "windows" ? "clusters" : parts[at - 1];
        return Places.TryGetValue(kind, out var place) ? place : theirs.Ids.TryGetValue(kind, out var id) || victims.Ids.TryGetValue(kind, out id) ? id
            : throw new Xunit.Sdk.XunitException($"{endpoint.Name} ({endpoint.Pattern.Text}): there is no row of another for '{kind}'; make one in Belongings.");
    }

    // Good in itself, so that what refuses it is whose the row is.
    private object Body(ApiEndpoint endpoint, Guid customer) => endpoint.Body!.Name switch
    {
        nameof(ChangeRolesRequest) => new ChangeRolesRequest(["customer-viewer"]),
        nameof(PersonActionRequest) => new PersonActionRequest("because I can"),
        nameof(InviteRequest) => new InviteRequest("friend@attacker.example", "Friend", ["customer-administrator"], customer),
        nameof(RemoveFactorRequest) => new RemoveFactorRequest(),
        nameof(ApproveDeviceRequest) => new ApproveDeviceRequest(),
        nameof(StepUpRequest) => new StepUpRequest("nothing", "{}"),
        nameof(CreateTokenRequest) => new CreateTokenRequest("mine", ["fleet:read"], customer, Networks: ["127.0.0.0/8"]),
        nameof(RotateTokenRequest) => new RotateTokenRequest(),
        nameof(CreateServiceAccountRequest) => new CreateServiceAccountRequest("mine", ["fleet:read"], customer),
        nameof(ServiceAccountActionRequest) => new ServiceAccountActionRequest("because I can"),
        nameof(ChangeOwnerRequest) => new ChangeOwnerRequest(Guid.Parse(victims.Ids["people"]), "because I can"),
        nameof(SetGroupRequest) => new SetGroupRequest("mine", ["customer-administrator"], [Guid.Parse(victims.Ids["people"])], CustomerId: customer, Reason: "because I can"),
        nameof(GroupActionRequest) => new GroupActionRequest("because I can"),
        nameof(TakeScopeRequest) => new TakeScopeRequest("fleet:read"),
        nameof(AskScopeRequest) => new AskScopeRequest("identity:write", "because I can"),
        nameof(CreateAccountTokenRequest) => new CreateAccountTokenRequest("mine"),
        nameof(CreateClientSecretRequest) => new CreateClientSecretRequest(),
        nameof(AddClientKeyRequest) => new AddClientKeyRequest("mine", pem),
        nameof(SetProviderRequest) => Belongings.Provider("attacker") with { CustomerId = customer },
        nameof(TestStaffProviderRequest) => new TestStaffProviderRequest(),
        nameof(ChangeViewRequest) => new ChangeViewRequest(Name: "mine"),
        nameof(CloseLeakRequest) => new CloseLeakRequest("test", "because I can"),
        nameof(AddContactRequest) => new AddContactRequest(customer, "security", "Mallory", "mallory@attacker.example"),
        nameof(AddEndpointRequest) => new AddEndpointRequest(customer, "webhook", "mine", "https://hooks.attacker.example/"),
        nameof(CreateEnrollmentTokenRequest) => new CreateEnrollmentTokenRequest(customer),
        nameof(PreviewSwitchRequest) => new PreviewSwitchRequest(new ClusterFilter(Ids: [Guid.Parse(victims.Ids["clusters"])])),
        nameof(SwitchClustersRequest) => new SwitchClustersRequest(new ClusterFilter(Ids: [Guid.Parse(victims.Ids["clusters"])]), "because I can", 1),
        nameof(ReadmitClusterRequest) => new ReadmitClusterRequest("because I can"),
        nameof(ReasonRequest) => new ReasonRequest("because I can"),
        nameof(InventoryRequest) => new InventoryRequest("because I can"),
        nameof(CreateCustomerRequest) => new CreateCustomerRequest("Mine", "eu"),
        nameof(ChangeCustomerRequest) => new ChangeCustomerRequest(Name: "Mine"),
        nameof(LegalHoldRequest) => new LegalHoldRequest("because I can"),
        nameof(CreateBillingAccountRequest) => new CreateBillingAccountRequest(customer, "Mine", "EUR", "eu"),
        nameof(ChangeBillingAccountRequest) => new ChangeBillingAccountRequest("Mine"),
        nameof(CreatePriceBookRequest) => new CreatePriceBookRequest("Mine", "EUR"),
        nameof(PriceSheetItem) => Belongings.Sheet(),
        nameof(CreatePlanRequest) => new CreatePlanRequest("Mine", [new EntitlementItem("sso", "boolean")]),
        nameof(AddPlanVersionRequest) => new AddPlanVersionRequest([new EntitlementItem("sso", "boolean")]),
        nameof(CreateContractRequest) => new CreateContractRequest(customer, Guid.Parse(victims.Ids["billing-accounts"]), "Mine", Soon, Terms()),
        nameof(ReplaceContractRequest) => new ReplaceContractRequest(Soon, Terms()),
        nameof(ActivateContractRequest) => new ActivateContractRequest("because I can"),
        nameof(AmendContractRequest) => new AmendContractRequest(Soon, Terms(), "because I can"),
        nameof(ClosePeriodRequest) => new ClosePeriodRequest(["grace"], "because I can"),
        nameof(CreateAdjustmentRequest) => new CreateAdjustmentRequest(Guid.Parse(victims.Ids["contracts"]), "-1000", "Mine", "because I can"),
        nameof(TerminateContractRequest) => new TerminateContractRequest(Soon, "because I can"),
        nameof(IssueLicenseRequest) => new IssueLicenseRequest(customer, [Guid.Parse(victims.Ids["clusters"])], "Mine", "production", null, DateTimeOffset.UnixEpoch.AddDays(40_000)),
        nameof(RenewLicenseRequest) => new RenewLicenseRequest(DateTimeOffset.UnixEpoch.AddDays(40_000)),
        nameof(SwitchLicenseRequest) => new SwitchLicenseRequest(Plan: "Mine"),
        nameof(LicenseReasonRequest) => new LicenseReasonRequest("because I can"),
        nameof(CheckLicenseRequest) => new CheckLicenseRequest(),
        nameof(DefineMeterRequest) => new DefineMeterRequest("mine", 1, "walk", 0, "sum"),
        nameof(DismissDocumentRequest) => new DismissDocumentRequest($"sha256:{new string('0', 64)}", "because I can"),
        nameof(SignAccessReviewRequest) => new SignAccessReviewRequest(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(1), customer, "because I can"),
        nameof(CreateAuditExportRequest) => new CreateAuditExportRequest(Guid.Parse(victims.Ids["logs"]), Guid.Parse(victims.Ids["endpoints"]), customer, "ocsf", null),
        nameof(ErasePersonalRequest) => new ErasePersonalRequest(customer, "person:1", null, "because I can"),
        nameof(RetryParkedMessagesRequest) => new RetryParkedMessagesRequest("fleet.keep-customer", 1, null, "because I can"),
        nameof(GiveUpRequest) => new GiveUpRequest("because I can"),
        nameof(RunJobRequest) => new RunJobRequest("because I can"),
        var other => throw new Xunit.Sdk.XunitException($"{endpoint.Name} takes a {other}: say here what a good one is, or among what is about oneself why it can touch nobody's."),
    };

    private static DateTimeOffset Soon => new(2029, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private AgreedTerms Terms() => Belongings.Terms(Guid.Parse(victims.Ids["price-books"]), Guid.Parse(victims.Ids["plans"]));

    private async Task<HttpResponseMessage> SendAsync(string method, string path, object? body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = body is null ? null : JsonContent.Create(body, body.GetType()) };
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        return await api.SendAsync(request);
    }

    /// <summary>All that staff sees of what is not the attacker's.</summary>
    private async Task<Dictionary<string, string>> StateAsync()
    {
        var state = new Dictionary<string, string>();
        foreach (var path in new[]
        {
            "identity/people", "identity/invitations", "identity/tokens", "identity/service-accounts", "identity/providers", "identity/groups", "identity/leaks", "notifications/contacts", "notifications/endpoints", "callhome/enrollment-tokens", "licensing/customers", "licensing/billing-accounts", "licensing/price-books", "licensing/plans", "licensing/contracts", "licensing/periods", "licensing/statements", "licensing/adjustments",
            $"identity/service-accounts/{victims.Ids["service-accounts"]}", $"identity/service-accounts/{vendors.Ids["service-accounts"]}", $"identity/people/{victims.Ids["people"]}", $"identity/people/{vendors.Ids["people"]}",
            $"callhome/clusters/{victims.Ids["clusters"]}", $"fleet/tasks/{victims.Ids["tasks"]}", $"callhome/tasks/{vendors.Ids["tasks"]}", $"fleet/parked-messages/{vendors.Ids["parked-messages"]}",
        })
        {
            using var read = JsonDocument.Parse(await host.Admin.GetStringAsync(new Uri($"/api/v1/{path}{(path.Count(letter => letter == '/') == 1 ? "?limit=500" : "")}", UriKind.Relative)));
            var items = read.RootElement.TryGetProperty("items", out var list) ? list.EnumerateArray().Where(item => !item.GetRawText().Contains(own.ToString(), StringComparison.Ordinal)).Select(item => item.GetRawText()) : [read.RootElement.GetRawText()];
            state[path] = string.Join('\n', items.Select(Still));
        }

        return state;
    }

    // What goes on by itself: a token's last use, a cluster's last word.
    private static string Still(string json) => System.Text.RegularExpressions.Regex.Replace(json, "\"(lastUsedAt|lastUsedFrom|lastSeenAt|lastSignInAt|usedSince|lastUsed|lastTokenAt)\":(\"[^\"]*\"|null|true|false)", "");

    private async Task UnchangedAsync(Dictionary<string, string> before)
    {
        var after = await StateAsync();
        Assert.All(before, pair => Assert.Equal(pair.Value, after[pair.Key]));
        Assert.Equal(HttpStatusCode.OK, (await victims.Owner.TradeAsync(isActive: false)) is null ? HttpStatusCode.Unauthorized : HttpStatusCode.OK);
        Assert.NotNull(await vendors.Owner.TradeAsync(isActive: false));

        // And nothing that the log holds of the attacker is about anybody else.
        using var saved = await api.PostAsJsonAsync("/api/v1/identity/views", new SaveViewRequest("clusters", "the end of the walk", "health=red"));
        var view = (await saved.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ViewItem>())!.Id;
        var actor = $"person:{(await api.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.Id:N}";
        IReadOnlyList<AuditEntryItem> entries = [];
        await Eventually.TrueAsync(async () => (entries = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?actor={actor}&limit=500"))!.Items).Any(entry => entry.TargetId == view.ToString()), "the log has all");
        Assert.All(entries, entry => Assert.True(entry.CustomerId == own, $"{entry.Type} of {entry.TargetId}: {entry.Entry}"));
    }

    private static string Pem()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportSubjectPublicKeyInfoPem();
    }
}
