using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Platform.Http;
using MissionControl.Security.Tests.Api;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Web;

/// <summary>Every address of the portal as the host itself knows it, in the browser of an administrator whom another site makes send what it likes.</summary>
public sealed class FormForgeryTests : IAsyncLifetime
{
    /// <summary>Forms that bear another proof than the page's own token, each with its proof.</summary>
    private static readonly Dictionary<string, string> OtherProof = new()
    {
        ["/signin/{provider}/acs"] = "a page of the identity provider posts it; it answers one request that this browser's cookie names",
    };

    private ControlPlane host = null!;
    private Belongings theirs = null!;
    private SomebodySignedIn root = null!;
    private HttpClient api = null!;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000", ["Identity:KeepBootstrapToken"] = "true", ["Logging:LogLevel:Microsoft.AspNetCore.Antiforgery"] = "Error" });
        root = await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        theirs = await Belongings.MakeAsync(host, (await host.CreateCustomerAsync()).Id, "acme");
        api = await root.ApiAsync();
    }

    public async ValueTask DisposeAsync()
    {
        api.Dispose();
        theirs.Dispose();
        root.Passkey.Dispose();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task No_form_is_taken_without_the_token_of_its_page_or_with_that_of_another_browser_and_nothing_is_changed()
    {
        using var browser = await SignedInAsync();
        using var another = await Browser.OpenAsync(host, "/signin");
        var before = await ChangesAsync("before");
        var (walked, faults) = (0, new List<string>());
        foreach (var (route, path) in Paths("POST").Where(path => !OtherProof.ContainsKey(path.Route)))
        {
            foreach (var forgery in new[] { null, another.Forgery })
            {
                using var answer = await browser.PostAsync(path, forgery is null ? [] : new() { ["__RequestVerificationToken"] = forgery });
                walked++;
                if (answer.StatusCode != HttpStatusCode.BadRequest)
                {
                    faults.Add($"{route}: {(int)answer.StatusCode} {(forgery is null ? "without a token" : "with another browser's")}");
                }
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
        Assert.True(walked > 140, $"only {walked} were walked");
        Assert.Equal(before, await ChangesAsync("after"));
        Assert.NotNull(await root.TradeAsync(isActive: false));
    }

    [Fact]
    public async Task What_bears_another_proof_does_nothing_without_it()
    {
        using var browser = await SignedInAsync();
        var before = await ChangesAsync("before");
        var exempt = Paths("POST").Where(path => OtherProof.ContainsKey(path.Route)).ToList();
        Assert.Equal(OtherProof.Keys.Order(), exempt.Select(path => path.Route).Order());
        foreach (var (_, path) in exempt)
        {
            using var answer = await browser.PostAsync(path, new() { ["SAMLResponse"] = "PHNhbWw+", ["RelayState"] = "state" });
            Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        }

        Assert.Equal(root.Session, browser.Session);
        Assert.Equal(before, await ChangesAsync("after"));
    }

    [Fact]
    public async Task Opening_an_address_changes_nothing_and_no_page_can_be_put_into_a_frame()
    {
        using var browser = await SignedInAsync();
        var before = await ChangesAsync("before");
        var (walked, faults) = (0, new List<string>());
        foreach (var (route, path) in Paths("GET"))
        {
            using var answer = await browser.BeginAsync(path);
            walked++;
            if ((int)answer.StatusCode >= 500)
            {
                faults.Add($"{route}: {(int)answer.StatusCode}");
            }

            AssertNoFrame(answer, path, faults);
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
        Assert.True(walked > 70, $"only {walked} were walked");
        Assert.Equal(before, await ChangesAsync("after"));
    }

    [Fact]
    public async Task The_page_that_asks_for_a_confirmation_can_be_put_into_no_frame_either()
    {
        using var browser = await SignedInAsync();
        await browser.OpenAsync("/people");
        using var answer = await browser.SubmitAsync("/people", new() { ["email"] = "grace@vendor.example", ["name"] = "Grace", ["role"] = "viewer" });
        var page = await answer.Content.ReadAsStringAsync();

        Assert.Contains("stepup-form", page, StringComparison.Ordinal);
        var faults = new List<string>();
        AssertNoFrame(answer, "the page that asks", faults);
        Assert.Empty(faults);
    }

    private static void AssertNoFrame(HttpResponseMessage answer, string path, List<string> faults)
    {
        var policy = answer.Headers.TryGetValues("Content-Security-Policy", out var policies) ? string.Join(',', policies) : "";
        if (!policy.Contains("frame-ancestors 'none'", StringComparison.Ordinal) || !policy.Contains("form-action 'self'", StringComparison.Ordinal) || policy.Contains("unsafe", StringComparison.Ordinal))
        {
            faults.Add($"{path}: {(int)answer.StatusCode} with the policy '{policy}'");
        }
    }

    private async Task<Browser> SignedInAsync()
    {
        var browser = Browser.Of(host);
        browser.Session = root.Session;
        await browser.OpenAsync("/me");
        return browser;
    }

    /// <summary>What was changed by anybody, as the log holds it, once it holds what was done last.</summary>
    private async Task<IReadOnlyList<string>> ChangesAsync(string mark)
    {
        using var saved = await api.PostAsJsonAsync("/api/v1/identity/views", new SaveViewRequest("clusters", mark, "health=red"));
        var view = (await saved.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ViewItem>())!.Id.ToString();
        IReadOnlyList<AuditEntryItem> entries = [];
        await Eventually.TrueAsync(async () => (entries = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?kind=changes&limit=500"))!.Items).Any(entry => entry.TargetId == view), "the log has all");
        Assert.InRange(entries.Count, 10, 499);

        // Logs get their slots in the anchor when its epoch ends, whatever anybody opens meanwhile.
        return [.. entries.Where(entry => entry.Type != "audit.log-registered" && (entry.Type != "identity.view-saved" || entry.TargetId == theirs.Ids["views"])).Select(entry => $"{entry.Type} {entry.TargetId}").Order(StringComparer.Ordinal)];
    }

    /// <summary>Each address of the portal, with ids of rows that are there.</summary>
    private IEnumerable<(string Route, string Path)> Paths(string method) =>
        from endpoint in host.Services.GetRequiredService<IEnumerable<EndpointDataSource>>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
        where endpoint.Metadata.GetMetadata<SurfaceOf>()?.Value == Surface.Portal && endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Contains(method)
        from path in Fill(endpoint.RoutePattern)
        select (endpoint.RoutePattern.RawText!, path);

    private IEnumerable<string> Fill(Microsoft.AspNetCore.Routing.Patterns.RoutePattern pattern)
    {
        IEnumerable<string> paths = [""];
        var before = "";
        foreach (var segment in pattern.PathSegments)
        {
            var (so, last) = (paths, before);
            paths = segment.Parts[0] is RoutePatternParameterPart parameter
                ? Values(parameter, last, pattern.RawText!).SelectMany(value => so.Select(path => $"{path}/{value}{string.Concat(segment.Parts.Skip(1).OfType<RoutePatternSeparatorPart>().Select(part => part.Content))}{string.Concat(segment.Parts.Skip(1).OfType<RoutePatternLiteralPart>().Select(part => part.Content))}"))
                : so.Select(path => $"{path}/{string.Concat(segment.Parts.OfType<RoutePatternLiteralPart>().Select(part => part.Content))}");
            before = segment.Parts[0] is RoutePatternLiteralPart literal ? literal.Content : before;
        }

        return pattern.PathSegments.Count == 0 ? ["/"] : [.. paths];
    }

    private string[] Values(RoutePatternParameterPart parameter, string after, string route) => (parameter.Name, after) switch
    {
        ("act", _) => parameter.ParameterPolicies[0].Content!.Replace("regex(^(", "", StringComparison.Ordinal).Replace(")$)", "", StringComparison.Ordinal).Split('|'),
        ("role", _) => ["fleet"],
        ("epoch", _) => ["1"],
        ("line", _) => ["1"],
        ("node", _) => ["n1"],
        ("path", _) => ["nothing/is/here"],
        ("name", "assets") => ["portal.js"],
        ("name", "jobs") => [theirs.Ids["jobs"]],
        ("token", "enrol") => [theirs.Ids["enrollment-tokens"]],
        ("provider", "signin") => [theirs.Ids["providers"]],
        ("provider", "staff") => ["corp"],
        ("id", "programs") => [theirs.Ids["service-accounts"]],
        ("id", "messages") => [theirs.Ids["deliveries"]],
        ("id", "device") => [theirs.Ids["devices"]],
        ("id", "licences") => [theirs.Ids["licenses"]],
        ("id", "confirm") => [theirs.Ids["confirmations"]],
        ("id", "pricebooks") => [theirs.Ids["price-books"]],
        ("id", "parked") => [theirs.Ids["parked-messages"]],
        (_, "signin") or (_, "jobs") => throw new Xunit.Sdk.XunitException($"Say what stands for {parameter.Name} in {route}."),
        var (name, kind) => theirs.Ids.TryGetValue(kind, out var id) ? [id] : throw new Xunit.Sdk.XunitException($"There is no row for {name} after '{kind}' in {route}."),
    };
}
