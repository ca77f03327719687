using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

[assembly: AssemblyFixture(typeof(MissionControl.Portal.Tests.PortalFixture))]
// One host for all, and some tests silence a role of it.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace MissionControl.Portal.Tests;

/// <summary>
/// The real host over TLS, a fleet in several states, a real Chromium, and a forwarder between portal and API in which a test can
/// silence one role. Signed-in browsers are made once for each set of rights.
/// </summary>
public sealed class PortalFixture : IAsyncLifetime
{
    private const string HeadlessShell = "/usr/bin/chromium-headless-shell";

    /// <summary>The consumer whose messages are parked.</summary>
    public const string Consumer = "fleet.keep-customer";

    /// <summary>A process of fleet that fell silent.</summary>
    public const string SilentProcess = "fleet-7-01a2189a785479679850000000c0ffee";

    private readonly Dictionary<string, string> signedIn = [];
    private IPlaywright playwright = null!;

    /// <summary>The host.</summary>
    public ControlPlane Host { get; private set; } = null!;

    /// <summary>Between portal and API.</summary>
    public Forwarder Api { get; private set; } = null!;

    /// <summary>The browser.</summary>
    public IBrowser Browser { get; private set; } = null!;

    /// <summary>A red cluster of the first customer.</summary>
    public TestCluster Red { get; private set; } = null!;

    /// <summary>A green cluster of the second customer.</summary>
    public TestCluster Green { get; private set; } = null!;

    /// <summary>The first customer.</summary>
    public Guid Customer { get; private set; }

    /// <summary>The second customer.</summary>
    public Guid OtherCustomer { get; private set; }

    /// <summary>A price book with a version and the draft of a later one.</summary>
    public Guid Book { get; private set; }

    /// <summary>A contract of the first customer at these prices.</summary>
    public Guid Contract { get; private set; }

    /// <summary>A task of fleet that ended with failures.</summary>
    public Guid Task { get; private set; }

    /// <summary>A message of fleet that stays parked.</summary>
    public Guid Parked { get; private set; }

    /// <summary>A message of fleet that was given up.</summary>
    public Guid GivenUp { get; private set; }

    /// <summary>A person of the first customer.</summary>
    public Guid Person { get; private set; }

    /// <summary>A token of the first customer that leaked.</summary>
    public Guid Leak { get; private set; }

    /// <summary>A program of the first customer, with one of all that it can have.</summary>
    public Guid Program { get; private set; }

    /// <summary>The provider by which the first customer's users sign in.</summary>
    public Guid Provider { get; private set; }

    /// <summary>A group of the first customer, with its administrator in it.</summary>
    public Guid Group { get; private set; }

    /// <summary>A licence of the red cluster, near a limit; the green one's is a trial.</summary>
    public Guid License { get; private set; }

    /// <summary>The month that waits to be closed.</summary>
    public Guid Period { get; private set; }

    /// <summary>What the month before it was closed with.</summary>
    public Guid Statement { get; private set; }

    /// <summary>The first customer's audit log, and an entry that is signed in it.</summary>
    public (Guid Log, Guid Entry) Logged { get; private set; }

    /// <summary>The token of the first customer's viewer.</summary>
    public string CustomerToken { get; private set; } = "";

    /// <summary>A staff token that may only see the fleet.</summary>
    public string FleetToken { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        // Early in an hour: no hour ends while the pages are looked at.
        var now = TimeProvider.System.GetUtcNow();
        var time = new ManualTime(now - TimeSpan.FromMinutes(now.Minute) + TimeSpan.FromMinutes(5));
        // One caller reads here in minutes what people read in a day; that the limit holds is tested where nothing else is.
        Host = await ControlPlane.StartAsync(time: time, configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000" });
        Customer = (await Host.CreateCustomerAsync("Northwind Retail")).Id;
        OtherCustomer = (await Host.CreateCustomerAsync("Harbour Bank")).Id;
        Green = await TestCluster.EnrollAsync(Host, OtherCustomer, "Lisbon");
        // A cluster reports no hour from before its epoch: some hours have to pass.
        time.Advance(TimeSpan.FromHours(4));
        await Green.AuthorizeAsync();
        Red = await TestCluster.EnrollAsync(Host, Customer, "Oslo");
        await TestCluster.EnrollAsync(Host, OtherCustomer, "Turin").ContinueWith(silent => silent.Result.Dispose(), TaskScheduler.Default);
        var hour = UsageWindow.HourOf(Host.Time.GetUtcNow());
        await Red.CheckInAsync(
            Red.Health(bend: health => health.Nodes[0].Disks[0].UsedBytes = (long)(health.Nodes[0].Disks[0].TotalBytes * 0.95)), Red.Event("e1"), Red.Event("e2", severity: "severe"));
        await Green.CheckInAsync(Green.Health(), Green.Usage(Green.Window(hour - 1)));
        await Eventually.TrueAsync(async () => (await Host.Admin.GetStringAsync("/api/v1/fleet/clusters")).Contains("\"health\":\"red\"", StringComparison.Ordinal), "the clusters are judged");
        await Eventually.TrueAsync(async () => (await Host.Admin.GetStringAsync($"/api/v1/licensing/windows?cluster={Green.Id}")).Contains("\"received\"", StringComparison.Ordinal), "the ledger has the window");
        await Eventually.TrueAsync(async () => (await Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries"))!.Items.Count > 4, "the audit log has entries");
        Task = await ParkAndRetryAsync();
        await using (var scope = Host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            var then = Host.Time.GetUtcNow().AddHours(-2);
            db.Replicas("fleet").Add(new Replica { Instance = SilentProcess, Version = "1.0.0", StartedAt = then.AddDays(-3), SeenAt = then, DiskFree = 3L << 30, DiskTotal = 64L << 30, CertificateEndsAt = then.AddDays(12) });
            await db.SaveChangesAsync();
        }

        (Parked, GivenUp) = (await ParkAsync(null, null)) is [var first, var second] ? (first, second) : default;
        using var givenUp = await Host.Admin.PostAsJsonAsync($"/api/v1/fleet/parked-messages/{GivenUp}/give-up", new GiveUpRequest("the customer was merged into another"));
        givenUp.EnsureSuccessStatusCode();
        await TellAsync();
        await SomebodySignedIn.InviteAsync(Host, "grace@vendor.example", "support-engineer");
        var ada = await SomebodySignedIn.InviteAsync(Host, "ada@northwind.example", "customer-administrator", Customer);
        await SomebodySignedIn.InvitedAsync(Host.Admin, "joan@vendor.example", "viewer");
        Person = (await Host.Admin.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people"))!.Items.Single(person => person.CustomerId == Customer).Id;
        Program = await MakeProgramAsync(ada);
        using (var added = await Host.Admin.PostAsJsonAsync("/api/v1/identity/providers", new SetProviderRequest("Northwind sign-in", "https://login.northwind.example/realms/people", "mission-control", null, [new GroupRole("*", "customer-viewer")], CustomerId: Customer)))
        {
            Provider = (await added.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AddedProvider>())!.Id;
        }

        using (var made = await Host.Admin.PostAsJsonAsync("/api/v1/identity/groups", new SetGroupRequest("Northwind operators", ["customer-viewer"], [Person], "They look after the clusters at night.", Customer)))
        {
            Group = (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedGroup>())!.Id;
        }

        License = await LicenseAsync(Customer, Red, "Enterprise", "production", 400);
        await LicenseAsync(OtherCustomer, Green, "Try", "trial", 5);
        (_, var customer) = await Host.ClientWithTokenAsync(Customer, "fleet:read", "licensing:read", "callhome:read", "audit:read", "notifications:read");
        (_, var lost) = await Host.ClientWithTokenAsync(Customer, "fleet:read");
        using var reported = await Host.Admin.PostAsJsonAsync("/api/v1/identity/leaks/report", new ReportLeakRequest(lost.Token, "https://github.example/northwind/infra/blob/main/values.yaml"));
        Leak = (await reported.Content.ReadFromJsonAsync<ReportedLeak>())!.IncidentId!.Value;
        (_, var fleet) = await Host.ClientWithTokenAsync(null, "fleet:read");
        (CustomerToken, FleetToken) = (customer.Token, fleet.Token);
        Logged = await LoggedAsync();
        await ExportAsync();
        (Book, Contract) = await Agreement.MakeAsync(Host, Customer, Guid.Parse(Red.Id));
        await BillAsync();
        Api = await Forwarder.StartAsync(Host.Operations);
        Host.Services.GetRequiredService<ApiAddress>().Value = Api.Address;
        playwright = await Playwright.CreateAsync();
        Browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Environment.GetEnvironmentVariable("MC_TEST_CHROMIUM") ?? (File.Exists(HeadlessShell) ? HeadlessShell : "/usr/bin/chromium"),
            Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-gpu-rasterization"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await Browser.DisposeAsync();
        playwright.Dispose();
        Red.Dispose();
        Green.Dispose();
        await Api.DisposeAsync();
        await Host.DisposeAsync();
    }

    /// <summary>Some who are told, and what became of it: a mail that waits for a mail server, an event that a disabled webhook did not get.</summary>
    private async Task TellAsync()
    {
        foreach (var (owner, kind, email) in new (Guid?, string, string)[] { (Customer, "security", "security@northwind.example"), (null, "technical", "operations@vendor.example") })
        {
            await Eventually.TrueAsync(async () => (await Host.Admin.PostAsJsonAsync("/api/v1/notifications/contacts", new AddContactRequest(owner, kind, email.Split('@')[0], email))).IsSuccessStatusCode, "notifications knows the customer");
        }

        foreach (var (owner, host) in new (Guid?, string)[] { (Customer, "northwind"), (null, "vendor") })
        {
            using var added = await Host.Admin.PostAsJsonAsync("/api/v1/notifications/endpoints", new AddEndpointRequest(owner, "webhook", $"events of {host}", $"https://hooks.{host}.example/mission-control"));
            var endpoint = (await added.Content.ReadFromJsonAsync<EndpointSecret>())!.Id;
            (await Host.Admin.PostAsync(new Uri($"/api/v1/notifications/endpoints/{endpoint}/disable", UriKind.Relative), null)).EnsureSuccessStatusCode();
            await using var scope = Host.Services.CreateAsyncScope();
            scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
            scope.ServiceProvider.GetRequiredService<IEvents>().Publish(new DeliverEvent(Guid.NewGuid(), endpoint, """{"specversion":"1.0","type":"missioncontrol.audit.export"}"""u8.ToArray()));
            await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync();
        }

        await Eventually.TrueAsync(async () => (await Host.Admin.GetFromJsonAsync<Page<DeliveryItem>>("/api/v1/notifications/deliveries?state=failed"))!.Items.Count == 2, "the events failed");
    }

    /// <summary>The contract's first month is closed, with a credit; another amount waits for the second.</summary>
    private async Task BillAsync()
    {
        var billing = new Billing(Host);
        var periods = await billing.PeriodsAsync(Contract, 2);
        await billing.DecideAsync(Contract, "-20", "Outage of the 5th");
        Statement = (await billing.CloseAsync(periods[0].Id)).Id;
        await billing.DecideAsync(Contract, "35.50", "Training, one day");
        Period = periods[1].Id;
    }

    private async Task<Guid> LicenseAsync(Guid customer, TestCluster cluster, string plan, string kind, int days)
    {
        using var issued = await Host.Admin.PostAsJsonAsync("/api/v1/licensing/licenses", new IssueLicenseRequest(
            customer, [Guid.Parse(cluster.Id)], plan, kind, Host.Time.GetUtcNow().AddDays(-2), Host.Time.GetUtcNow().AddDays(days), null, [new LicenseLimitRequest("host_unit_seconds", "8000", "up-to", null, 5, 4), new LicenseLimitRequest("sessions", "100000", "allow", "term")], ["high_availability", "sso"]));
        return (await issued.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<LicenseItem>())!.Id;
    }

    /// <summary>A log that is sent to a system which is not there any more.</summary>
    private async Task ExportAsync()
    {
        using var made = await Host.Admin.PostAsJsonAsync("/api/v1/audit/exports", new CreateAuditExportRequest(Logged.Log, Guid.CreateVersion7(), Customer, "ocsf", null));
        var export = (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AuditExportItem>())!.Id;
        await Eventually.TrueAsync(async () => (await Host.Admin.GetFromJsonAsync<AuditExportItem>($"/api/v1/audit/exports/{export}"))!.State == "stopped", "the export stops");
    }

    /// <summary>Opens a browser window that is signed in with a token.</summary>
    /// <param name="token">Null: the administrator's.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="theme">What the system prefers.</param>
    /// <param name="script">Whether scripts run.</param>
    /// <param name="zone">Zone of the machine that the browser runs on.</param>
    public async Task<Window> OpenAsync(string? token = null, int width = 1280, ColorScheme theme = ColorScheme.Light, bool script = true, string zone = "UTC")
    {
        if (!signedIn.TryGetValue(token ?? Host.AdminToken, out var state))
        {
            signedIn[token ?? Host.AdminToken] = state = await SignInAsync(token ?? Host.AdminToken);
        }

        return await Window.OpenAsync(await ContextAsync(width, theme, script, state, zone), Host.Portal);
    }

    /// <summary>A browser window of nobody.</summary>
    /// <param name="width">Width in pixels.</param>
    /// <param name="theme">What the system prefers.</param>
    /// <param name="script">Whether scripts run.</param>
    /// <param name="at">Another installation than this one.</param>
    public async Task<Window> OpenStrangerAsync(int width = 1280, ColorScheme theme = ColorScheme.Light, bool script = true, Uri? at = null) =>
        await Window.OpenAsync(await ContextAsync(width, theme, script, null, "UTC"), at ?? Host.Portal);

    /// <summary>A window in which somebody has signed in, with a password and a recovery code, at a host that a test has started, and gone to a page.</summary>
    public async Task<Window> OpenAsSomebodyAsync(SomebodySignedIn reader, Uri at, string address, int code = 0)
    {
        var window = await OpenStrangerAsync(at: at);
        await window.GoAsync($"/signin?returnUrl={Uri.EscapeDataString(address)}");
        await window.Page.GetByText("With mail address and password").ClickAsync();
        await window.Page.GetByLabel("Mail address").FillAsync(reader.Email);
        await window.Page.GetByLabel("Password").FillAsync(SomebodySignedIn.Password);
        await window.Page.GetByLabel("Code", new() { Exact = true }).FillAsync(reader.RecoveryCodes[code]);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).Last.ClickAsync();
        await window.AtAsync(url => url == new Uri(at, address).ToString());
        return window;
    }

    /// <summary>An address of every page in the registry, its parameters filled in.</summary>
    public IEnumerable<string> Addresses() => PortalPages.All.Select(page => page.Route).Select(Fill).Append($"/clusters/{Green.Id}").Append($"/clusters/{Green.Id}/usage").Append("/clusters?q=nothing-is-called-so")
        .Append("/clusters?health=red&liveness=online").Append("/clusters?rule=disk-free&silentFor=1h").Append($"/clusters/{Red.Id}/nodes/none-is-called-so").Append("/clusters?cols=lastBackup&cols=certificateUntil&cols=worstDiskPercent").Append($"/clusters/{Red.Id}/metrics?range=6h&with=Turin").Append($"/clusters/{Red.Id}/metrics?with=Oslo").Append($"/clusters/{Red.Id}/sent?class=health").Append($"/clusters/{Red.Id}/sent?class=event").Append($"/clusters/{Red.Id}/sent?class=nonsense").Append("/search?q=Oslo").Append("/search?q=" + Red.Id).Append($"/clusters/{Guid.Empty}")
        .Append($"/tasks/fleet/{Task}?show=all").Append("/tasks?state=running").Append("/system/parked/fleet/retry")
        .Append($"/system/parked/fleet/{GivenUp}").Append("/system/parked?role=fleet&state=given-up").Append($"/system/parked/fleet/{GivenUp}/give-up")
        .Append($"/clusters/suspend?customer={Customer}&health=red").Append("/clusters/resume?helth=red").Append($"/security/posture?customer={Customer}").Append($"/billing/pricebooks/{Book}?version=1").Append("/billing/pricebooks?q=nothing-is-called-so");

    /// <summary>Parks messages for a consumer of fleet: those without a name can never be applied.</summary>
    public async Task<IReadOnlyList<Guid>> ParkAsync(params string?[] names)
    {
        await using var scope = Host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var now = Host.Time.GetUtcNow();
        var ids = names.Select(name => Guid.CreateVersion7(now)).ToList();
        db.ParkedMessages("fleet").AddRange(ids.Zip(names, (id, name) => new ParkedMessage
        {
            Id = id,
            Consumer = Consumer,
            MessageId = id,
            Type = "licensing.customer-changed",
            Key = id.ToString(),
            Payload = MessageJson.Write(new CustomerChanged(id, name ?? "Without a region", name is null ? null! : "eu", "active", 1)),
            SentAt = now,
            FirstFailedAt = now,
            LastFailedAt = now,
            Attempts = HandlerRunner.MaxAttempts,
            FirstError = "TimeoutException: the database did not answer",
            LastError = "DbUpdateException: the region is missing",
            State = ParkedState.Parked,
        }));
        await db.SaveChangesAsync();
        return ids;
    }

    private string Fill(string route) => route is "/clusters/resume" ? "/clusters/resume?state=active" : route == "/views" ? "/views?list=clusters&query=health%3Dred" : route == "/system/parked/{role}/retry" ? $"/system/parked/fleet/retry?consumer={Consumer}" : route.Replace("{role}", "fleet", StringComparison.Ordinal).Replace("{**node}", "n1", StringComparison.Ordinal).Replace("{name}", "fleet.purge-records", StringComparison.Ordinal)
        .Replace("{entry:guid}", Logged.Entry.ToString(), StringComparison.Ordinal).Replace("{contract:guid}", Contract.ToString(), StringComparison.Ordinal)
        .Replace("{id:guid}", route.StartsWith("/audit", StringComparison.Ordinal) ? Logged.Log.ToString() : route.StartsWith("/tasks", StringComparison.Ordinal) ? Task.ToString() : route.StartsWith("/people/providers", StringComparison.Ordinal) ? Provider.ToString() : route.StartsWith("/people/groups", StringComparison.Ordinal) ? Group.ToString() : route.StartsWith("/people", StringComparison.Ordinal) ? Person.ToString() : route.StartsWith("/programs", StringComparison.Ordinal) ? Program.ToString() : route.StartsWith("/leaks", StringComparison.Ordinal) ? Leak.ToString() : route.StartsWith("/system", StringComparison.Ordinal) ? Parked.ToString() : route.StartsWith("/billing/periods", StringComparison.Ordinal) ? Period.ToString() : route.StartsWith("/billing/statements", StringComparison.Ordinal) ? Statement.ToString() : route.StartsWith("/billing", StringComparison.Ordinal) ? Book.ToString() : route.StartsWith("/customers", StringComparison.Ordinal) ? Customer.ToString() : route.StartsWith("/licences", StringComparison.Ordinal) ? License.ToString() : Red.Id, StringComparison.Ordinal).Replace("{epoch:long}", "1", StringComparison.Ordinal).Replace("{line:long}", "1", StringComparison.Ordinal);

    private async Task<Guid> MakeProgramAsync(SomebodySignedIn owner)
    {
        using var api = await owner.ApiAsync();
        using var made = await api.PostAsJsonAsync("/api/v1/identity/service-accounts", new CreateServiceAccountRequest("Northwind billing export", ["fleet:read", "licensing:read"], Networks: ["192.0.2.0/24", "2001:db8::/32"]));
        var id = (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedServiceAccount>())!.Id;
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        foreach (var (path, body) in new (string, object)[]
        {
            ("secrets", new CreateClientSecretRequest()), ("tokens", new CreateAccountTokenRequest("nightly export")), ("keys", new AddClientKeyRequest("billing host", key.ExportSubjectPublicKeyInfoPem())),
            ("scope-requests", new AskScopeRequest("identity:write", "it makes tokens for our clusters' operators")),
        })
        {
            using var content = JsonContent.Create(body, body.GetType());
            (await api.PostAsync(new Uri($"/api/v1/identity/service-accounts/{id}/{path}", UriKind.Relative), content)).EnsureSuccessStatusCode();
        }

        return id;
    }

    private async Task<(Guid Log, Guid Entry)> LoggedAsync()
    {
        AuditLogItem? log = null;
        await Eventually.TrueAsync(async () => (log = (await Host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs"))!.Items.SingleOrDefault(one => one.CustomerId == Customer && one.SignedSize > 0)) is not null, "the audit log is signed");
        return (log!.Id, (await Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?log=customer&customer={Customer}&limit=1&sort=occurredAt"))!.Items[0].Id);
    }

    private async Task<Guid> ParkAndRetryAsync()
    {
        await ParkAsync("Applied A", "Applied B", "Applied C", "Applied D", null, null);
        using var answer = await Host.Admin.PostAsJsonAsync("/api/v1/fleet/parked-messages/retry", new RetryParkedMessagesRequest(Consumer, 6, null, "the consumer was mended"));
        var task = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<TaskSummary>())!;
        await Eventually.TrueAsync(async () => (await Host.Admin.GetFromJsonAsync<TaskSummary>($"/api/v1/fleet/tasks/{task.Id}"))!.State == "incomplete", "the task ends");
        return task.Id;
    }

    private Task<IBrowserContext> ContextAsync(int width, ColorScheme theme, bool script, string? state, string zone) => Browser.NewContextAsync(
        new BrowserNewContextOptions { IgnoreHTTPSErrors = true, ViewportSize = new ViewportSize { Width = width, Height = 900 }, ColorScheme = theme, JavaScriptEnabled = script, StorageState = state, TimezoneId = zone });

    private async Task<string> SignInAsync(string token)
    {
        await using var window = await OpenStrangerAsync();
        await window.GoAsync("/signin");
        await window.Page.GetByLabel("API token").FillAsync(token);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Today" }).WaitForAsync();
        return await window.Page.Context.StorageStateAsync();
    }
}
