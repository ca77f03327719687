using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using MissionControl.Platform.Http;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Walks the registry of pages: every page in both themes and three widths, without script, with the keyboard.</summary>
public sealed class PageWalkTests(PortalFixture portal)
{
    // What stands where is the style sheet's alone to say, whatever the colours; colours and the order of what is read are the same at every
    // width. So each page is fetched once, looked at in every width, wide and light by all rules of accessibility, and dark on the phone by
    // those that colours, width or what only shows there can break.
    [Fact]
    public async Task Every_page_keeps_the_content_policy_the_accessibility_rules_and_its_width()
    {
        await using var window = await portal.OpenAsync(theme: ColorScheme.Light);
        var faults = new List<string>();
        foreach (var address in portal.Addresses())
        {
            await window.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light });
            await window.GoAsync(address);
            foreach (var width in new[] { 320, 390, 1024, 1280 })
            {
                await window.Page.SetViewportSizeAsync(width, 900);
                if (await window.ScrollsSidewaysAsync())
                {
                    faults.Add($"{address} scrolls sideways at {width}: {await window.TooWideAsync()}");
                }

                if (width is 390 or 1280)
                {
                    await window.PictureAsync($"{Name(address)}-{width}-light");
                }
            }

            faults.AddRange(await window.AxeAsync());
            await window.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Dark });
            await window.PictureAsync($"{Name(address)}-1280-dark");
            await window.Page.SetViewportSizeAsync(390, 900);
            faults.AddRange(await window.AxeAsync(Window.Looks));
            await window.PictureAsync($"{Name(address)}-390-dark");
        }

        Window.AssertNothing(faults.Concat(window.Violations));
    }

    [Fact]
    public async Task Signing_in_and_choosing_a_theme_keep_the_rules_too()
    {
        await using var window = await portal.OpenStrangerAsync(390, ColorScheme.Dark);
        await window.GoAsync("/signin");
        await window.PictureAsync("signin-390-dark");
        Window.AssertNothing((await window.AxeAsync()).Concat(window.Violations));

        await using var themed = await portal.OpenAsync(theme: ColorScheme.Light);
        await themed.GoAsync("/clusters?health=red");
        await themed.Page.Locator("#looks").ClickAsync();
        await themed.Page.GetByRole(AriaRole.Button, new() { Name = "Dark" }).ClickAsync();
        await themed.Page.Locator("html[data-bs-theme=dark]").WaitForAsync();

        Assert.EndsWith("/clusters?health=red", themed.Page.Url);
        Window.AssertNothing((await themed.AxeAsync()).Concat(themed.Violations));
    }

    [Fact]
    public async Task Every_page_can_be_walked_by_the_keyboard_and_the_focus_is_seen()
    {
        await using var window = await portal.OpenAsync();
        var faults = new List<string>();
        foreach (var address in portal.Addresses())
        {
            await window.GoAsync(address);
            faults.AddRange((await window.Page.EvaluateAsync<string[]>(Focusable)).Select(fault => $"{address}: {fault}"));
        }

        Window.AssertNothing(faults);
    }

    [Fact]
    public async Task Every_page_says_the_same_without_script()
    {
        await using var window = await portal.OpenAsync(script: false);
        foreach (var address in portal.Addresses().Where(address => !address.Contains(Guid.Empty.ToString(), StringComparison.Ordinal)))
        {
            Assert.Equal(StatusCodes.Status200OK, await window.GoAsync(address));
            Assert.Equal(1, await window.Page.Locator("main h1").CountAsync());
            Assert.EndsWith("Mission Control", await window.Page.TitleAsync());
        }
    }

    [Fact]
    public void Every_page_that_can_be_opened_stands_in_the_registry()
    {
        string[] others = ["/signin", "/signin/code", "/signin/{provider}", "/signin/{provider}/begin", "/signin/{provider}/callback", "/invitation", "/leaks/report", "/assets/{name}", "/_changes", "/_f/alive", "/_f/tasks", "/{**path}"];
        var open = portal.Host.Services.GetRequiredService<IEnumerable<EndpointDataSource>>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<SurfaceOf>()?.Value == Surface.Portal && endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Contains("GET"))
            .Select(endpoint => endpoint.RoutePattern.RawText!).Where(route => Path.GetExtension(route) is not (".csv" or ".json" or ".tlog-proof" or ".zip")).Except(others);

        Assert.Equal(PortalPages.All.Select(page => page.Route).Order(StringComparer.Ordinal), open.Distinct().Order(StringComparer.Ordinal));
    }

    private string Name(string address) => (address == "/" ? "today" : address.Trim('/').Replace(portal.Red.Id, "red", StringComparison.Ordinal).Replace(portal.Green.Id, "green", StringComparison.Ordinal)
        .Replace(portal.Customer.ToString(), "customer", StringComparison.Ordinal).Replace(portal.Period.ToString(), "period", StringComparison.Ordinal).Replace(portal.Statement.ToString(), "statement", StringComparison.Ordinal).Replace(portal.Person.ToString(), "person", StringComparison.Ordinal).Replace(portal.Provider.ToString(), "provider", StringComparison.Ordinal).Replace(portal.Group.ToString(), "group", StringComparison.Ordinal).Replace(portal.Leak.ToString(), "one", StringComparison.Ordinal).Replace($"{portal.Logged.Log}/{portal.Logged.Entry}", "one", StringComparison.Ordinal).Replace(portal.Program.ToString(), "program", StringComparison.Ordinal).Replace(portal.Book.ToString(), "book", StringComparison.Ordinal).Replace(portal.Contract.ToString(), "contract", StringComparison.Ordinal).Replace(portal.Task.ToString(), "task", StringComparison.Ordinal).Replace(portal.Parked.ToString(), "one", StringComparison.Ordinal).Replace(portal.GivenUp.ToString(), "given-up", StringComparison.Ordinal).Replace("%3D", "-", StringComparison.Ordinal)).Replace('/', '-').Replace('?', '-').Replace('&', '-').Replace('=', '-');

    // 2.4.7, 2.4.11 and 2.5.8 of WCAG: at every stop the focus is drawn, nothing covers it, and it is large enough to hit.
    private const string Focusable = """
        async () => {
          const faults = [];
          for (const one of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary, [tabindex="0"]')) {
            // What is switched off is passed over by the keyboard; the words beside it say why.
            if (one.disabled) continue;
            if (one.closest('[hidden], dialog:not([open])') || !one.getClientRects().length || one.classList.contains('skip')) continue;
            if (one.closest('details:not([open])') && !(one.tagName === 'SUMMARY')) continue;
            if (getComputedStyle(one).visibility === 'hidden' || one.closest('.bottom') && innerWidth > 767) continue;
            one.focus({ focusVisible: true });
            if (document.activeElement !== one) { faults.push('cannot be focused: ' + one.outerHTML.slice(0, 120)); continue; }
            one.scrollIntoView({ block: 'nearest', behavior: 'instant' });
            const look = getComputedStyle(one), box = one.getBoundingClientRect();
            if (look.outlineStyle === 'none' || parseFloat(look.outlineWidth) < 2) faults.push('focus not seen: ' + one.outerHTML.slice(0, 120));
            const there = document.elementFromPoint(Math.min(box.left + box.width / 2, innerWidth - 1), Math.min(Math.max(box.top, 0) + Math.min(box.height / 2, 20), innerHeight - 1));
            if (there && there !== one && !one.contains(there) && !there.contains(one)) faults.push('covered by ' + there.tagName + ': ' + one.outerHTML.slice(0, 120));
            if (box.height < 23.5 && !one.closest('p, dd, td, li, .sub')) faults.push(`only ${box.height} px high: ` + one.outerHTML.slice(0, 120));
          }
          return faults;
        }
        """;
}
