using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Portal.Lists;
using MissionControl.Portal.Live;
using MissionControl.Portal.Look;
using MissionControl.Portal.Pages;
using MissionControl.Portal.Pages.Audit;
using MissionControl.Portal.Pages.Billing;
using MissionControl.Portal.Pages.Clusters;
using MissionControl.Portal.Pages.Customers;
using MissionControl.Portal.Pages.Devices;
using MissionControl.Portal.Pages.Enrolment;
using MissionControl.Portal.Pages.Fleet;
using MissionControl.Portal.Pages.Leaks;
using MissionControl.Portal.Pages.Licenses;
using MissionControl.Portal.Pages.Me;
using MissionControl.Portal.Pages.Messages;
using MissionControl.Portal.Pages.Operation;
using MissionControl.Portal.Pages.People;
using MissionControl.Portal.Pages.Programs;
using MissionControl.Portal.Pages.Security;
using MissionControl.Portal.Pages.Tasks;
using MissionControl.Portal.Pages.Tokens;
using MissionControl.Portal.Pages.Views;
using MissionControl.Portal.Sessions;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal;

/// <summary>A page as the registry knows it; the tests walk all of them.</summary>
/// <param name="Route">Its address.</param>
/// <param name="Scope">The right without which it shows nothing of its own; null: none.</param>
/// <param name="Show">Draws it.</param>
internal sealed record PageEntry(string Route, string? Scope, Func<HttpContext, Task<IResult>> Show)
{
    public static PageEntry Of<T>(string route, string? scope)
        where T : IComponent => new(route, scope, PortalPage.ShowAsync<T>);

    /// <summary>A list that opens with the reader's default view.</summary>
    public static PageEntry OfList<T>(string route, string? scope, string list)
        where T : IComponent => new(route, scope, http => ViewForms.OpenAsync<T>(http, list));
}

/// <summary>Every address of the portal.</summary>
internal static class PortalPages
{
    private const string ContentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>Every page that somebody who is signed in can open.</summary>
    public static readonly IReadOnlyList<PageEntry> All =
    [
        PageEntry.Of<Today>("/", null),
        PageEntry.Of<FleetOverview>("/fleet", "fleet:read"),
        PageEntry.Of<ClusterVersions>("/fleet/versions", "fleet:read"),
        PageEntry.OfList<ClusterList>("/clusters", "fleet:read", "clusters"),
        PageEntry.Of<ClusterSwitchMany>("/clusters/suspend", "callhome:write"),
        PageEntry.Of<ClusterSwitchMany>("/clusters/resume", "callhome:write"),
        PageEntry.Of<EnrolmentTokens>("/clusters/enrol", "callhome:read"),
        PageEntry.Of<FieldList>("/clusters/fields", null),
        PageEntry.Of<ClusterOverview>("/clusters/{id:guid}", "fleet:read"),
        PageEntry.Of<ClusterHealth>("/clusters/{id:guid}/health", "fleet:read"),
        PageEntry.Of<ClusterNodes>("/clusters/{id:guid}/nodes", "fleet:read"),
        PageEntry.Of<ClusterNode>("/clusters/{id:guid}/nodes/{**node}", "fleet:read"),
        PageEntry.Of<ClusterMetrics>("/clusters/{id:guid}/metrics", "fleet:read"),
        PageEntry.Of<ClusterUsage>("/clusters/{id:guid}/usage", "licensing:read"),
        PageEntry.Of<ClusterEvents>("/clusters/{id:guid}/events", "fleet:read"),
        PageEntry.Of<ClusterSent>("/clusters/{id:guid}/sent", "fleet:read"),
        PageEntry.Of<ClusterCredentials>("/clusters/{id:guid}/credentials", "callhome:read"),
        PageEntry.Of<ClusterSwitch>("/clusters/{id:guid}/suspend", "callhome:write"),
        PageEntry.Of<ClusterSwitch>("/clusters/{id:guid}/resume", "callhome:write"),
        PageEntry.Of<ClusterSwitch>("/clusters/{id:guid}/decommission", "callhome:write"),
        PageEntry.Of<ClusterSwitch>($"/clusters/{{id:guid}}/{ClusterActions.AskInventory}", "fleet:write"),
        PageEntry.Of<ClusterSwitch>($"/clusters/{{id:guid}}/{ClusterActions.RotateKey}", "callhome:write"),
        PageEntry.Of<ClusterSwitch>($"/clusters/{{id:guid}}/{ClusterActions.EnrolAnew}", "callhome:write"),
        PageEntry.Of<ClusterConfirmEpoch>("/clusters/{id:guid}/epochs/{epoch:long}/confirm", "callhome:write"),
        PageEntry.OfList<CustomerList>("/customers", "licensing:read", "customers"),
        PageEntry.Of<CustomerNew>("/customers/new", "licensing:write"),
        PageEntry.Of<CustomerDetail>("/customers/{id:guid}", "licensing:read"),
        PageEntry.Of<ContractPage>("/customers/{id:guid}/contracts/{contract:guid}", "licensing:read"),
        PageEntry.Of<PeriodList>("/billing/periods", "licensing:read"),
        PageEntry.Of<PeriodPage>("/billing/periods/{id:guid}", "licensing:read"),
        PageEntry.Of<StatementList>("/billing/statements", "licensing:read"),
        PageEntry.Of<StatementPage>("/billing/statements/{id:guid}", "licensing:read"),
        PageEntry.Of<StatementLinePage>("/billing/statements/{id:guid}/lines/{line:long}", "licensing:read"),
        PageEntry.Of<AdjustmentList>("/billing/adjustments", "licensing:read"),
        PageEntry.Of<LicenseList>("/licences", "licensing:read"),
        PageEntry.Of<LicenseDetail>("/licences/{id:guid}", "licensing:read"),
        PageEntry.Of<PriceBookList>("/billing/pricebooks", "licensing:read"),
        PageEntry.Of<PriceBookPage>("/billing/pricebooks/{id:guid}", "licensing:read"),
        PageEntry.Of<DeliveryList>("/messages", "notifications:read"),
        PageEntry.Of<ContactList>("/messages/contacts", "notifications:read"),
        PageEntry.Of<EndpointList>("/messages/endpoints", "notifications:read"),
        PageEntry.Of<PersonList>("/people", "identity:read"),
        PageEntry.Of<PersonPage>("/people/{id:guid}", "identity:read"),
        PageEntry.Of<TokenList>("/tokens", "identity:read"),
        PageEntry.Of<ProgramList>("/programs", "identity:read"),
        PageEntry.Of<ProgramPage>("/programs/{id:guid}", "identity:read"),
        PageEntry.Of<LeakList>("/leaks", "identity:read"),
        PageEntry.Of<LeakPage>("/leaks/{id:guid}", "identity:read"),
        PageEntry.Of<PosturePage>("/security/posture", "identity:read"),
        PageEntry.Of<ProviderList>("/people/providers", "identity:read"),
        PageEntry.Of<StaffProviders>("/people/providers/staff", "identity:read"),
        PageEntry.Of<ProviderPage>("/people/providers/{id:guid}", "identity:read"),
        PageEntry.Of<GroupList>("/people/groups", "identity:read"),
        PageEntry.Of<GroupPage>("/people/groups/{id:guid}", "identity:read"),
        PageEntry.Of<MePage>("/me", null),
        PageEntry.Of<DevicePage>("/device", null),
        PageEntry.Of<AskedConfirmationPage>("/confirm/{id:guid}", null),
        PageEntry.Of<SystemOverview>("/system", "system:read"),
        PageEntry.OfList<ParkedMessages>("/system/parked", "system:read", "parked"),
        PageEntry.Of<RetryParked>("/system/parked/{role}/retry", "system:write"),
        PageEntry.Of<ParkedDetail>("/system/parked/{role}/{id:guid}", "system:read"),
        PageEntry.Of<GiveUpParked>("/system/parked/{role}/{id:guid}/give-up", "system:write"),
        PageEntry.Of<Jobs>("/system/jobs", "system:read"),
        PageEntry.Of<JobDetail>("/system/jobs/{role}/{name}", "system:read"),
        PageEntry.Of<RunJob>("/system/jobs/{role}/{name}/run", "system:write"),
        PageEntry.OfList<AuditEntries>("/audit", "audit:read", "audit"),
        PageEntry.Of<AccessReviewPage>("/audit/access", "audit:read"),
        PageEntry.Of<AuditLogs>("/audit/logs", "audit:read"),
        PageEntry.Of<AuditExports>("/audit/exports", "audit:read"),
        PageEntry.Of<AuditLogEntry>("/audit/logs/{id:guid}/{entry:guid}", "audit:read"),
        PageEntry.OfList<TaskList>("/tasks", null, "tasks"),
        PageEntry.Of<TaskDetail>("/tasks/{role}/{id:guid}", null),
        PageEntry.Of<ViewList>("/views", null),
        PageEntry.Of<Search>("/search", null),
        PageEntry.Of<Keys>("/keys", null),
        PageEntry.Of<PreferencesPage>("/preferences", null),
    ];

    public static void Map(IEndpointRouteBuilder root)
    {
        var open = root.MapGroup("").OnSurface(Surface.Portal).OpenToAll("pages check their own session and ask the API with its rights").ExcludeFromDescription().AddEndpointFilter(SecureAsync);
        open.MapGet("/assets/{name}", Files.Serve);
        SignInEndpoints.Map(open);
        FederationEndpoints.Map(open);
        InvitationEndpoints.Map(open);
        LeakReportEndpoints.Map(open);
        var pages = open.MapGroup("").AddEndpointFilter(ForgeryAsync);
        foreach (var page in All)
        {
            pages.MapGet(page.Route, (Delegate)((HttpContext http) => page.Show(http)));
        }

        pages.MapPost("/preferences", (Delegate)Preferences.KeepAsync);
        ListFiles.Map(pages);
        AuditForms.Map(pages);
        EntryProof.Map(pages);
        LogBundle.Map(pages);
        ClusterActions.Map(pages);
        ManyClusters.Map(pages);
        CustomerForms.Map(pages);
        BillingForms.Map(pages);
        LicenseForms.Map(pages);
        EnrolmentForms.Map(pages);
        MessageForms.Map(pages);
        PeopleForms.Map(pages);
        DeviceForms.Map(pages);
        TokenForms.Map(pages);
        ProgramForms.Map(pages);
        LeakForms.Map(pages);
        ProviderForms.Map(pages);
        GroupForms.Map(pages);
        MeForms.Map(pages);
        SystemForms.Map(pages);
        TaskForms.Map(pages);
        ViewForms.Map(pages);
        ChangeStream.Map(pages);
        open.MapGet("/{**path}", (Delegate)NothingHereAsync);
    }

    // An address that is none says so; without a page for it the API's refusal of strangers would answer, to people who are signed in too.
    private static async Task<IResult> NothingHereAsync(HttpContext http)
    {
        if (http.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase))
        {
            return Problems.NotFound();
        }

        return new PageResult<Failure>(await PortalPage.ReaderOrNobodyAsync(http), new Dictionary<string, object?> { [nameof(Failure.Why)] = Refusal.NoPage() }, status: StatusCodes.Status404NotFound);
    }

    private static async ValueTask<object?> SecureAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var request = context.HttpContext.Request;
        var headers = context.HttpContext.Response.Headers;
        headers.ContentSecurityPolicy = ContentPolicy;
        headers.CacheControl = "no-cache, no-store";
        headers.Pragma = "no-cache";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), publickey-credentials-get=(self), publickey-credentials-create=(self)";
        try
        {
            // Read here once for all forms: the framework keeps it.
            if (request.HasFormContentType)
            {
                await request.ReadFormAsync(context.HttpContext.RequestAborted);
            }
        }
        catch (InvalidOperationException)
        {
            // How the reader says that a field holds NUL.
            return Problems.Of(ProblemCodes.Malformed, "A field of the form cannot be read: it holds NUL, which no text here does.");
        }
        catch (InvalidDataException)
        {
            return Problems.Of(ProblemCodes.Malformed, "The form cannot be read: it has more or longer fields than any form here.");
        }

        return await next(context);
    }

    // A form of another site has no token: nothing is read of it and nothing done.
    private static async ValueTask<object?> ForgeryAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (HttpMethods.IsGet(http.Request.Method) || await http.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(http))
        {
            return await next(context);
        }

        return await PortalPage.WithReaderAsync(http, reader => Task.FromResult<IResult>(new PageResult<Failure>(reader, new Dictionary<string, object?> { [nameof(Failure.Why)] = Refusal.Expired() }, status: 400)));
    }
}
