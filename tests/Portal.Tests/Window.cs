using System.Reflection;
using System.Text.Json;
using Microsoft.Playwright;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>A browser window that keeps account of what the content policy, the console and the accessibility rules found.</summary>
public sealed class Window : IAsyncDisposable
{
    /// <summary>The accessibility rules that colours can break.</summary>
    public static readonly IReadOnlyList<string> Colours = ["color-contrast", "link-in-text-block"];

    /// <summary>Those that colours or the width can break, or what shows at some width alone.</summary>
    public static readonly IReadOnlyList<string> Looks = [.. Colours, "target-size", "scrollable-region-focusable", "aria-hidden-focus", "nested-interactive", "link-name", "button-name"];
    private static readonly Lazy<string> Axe = new(ReadAxe);

    // Drawing and packing whole pages takes a third of the walk; who has changed a page asks for them.
    /// <summary>Whether pictures are kept.</summary>
    public static readonly bool Pictures = Environment.GetEnvironmentVariable("MC_TEST_PICTURES") == "1";
    private readonly Uri site;
    private readonly List<string> violations = [];

    private Window(IPage page, Uri site)
    {
        Page = page;
        this.site = site;
        // A page that is refused on purpose is logged by the browser too; only what the content policy stops is a fault of ours.
        page.Console += (_, message) =>
        {
            if (message.Text.Contains("Content Security Policy", StringComparison.Ordinal) || (message.Type == "error" && !message.Text.Contains("Failed to load resource", StringComparison.Ordinal)))
            {
                violations.Add($"{page.Url}: {message.Text}");
            }
        };
        page.PageError += (_, error) => violations.Add($"{page.Url}: {error}");
    }

    /// <summary>The page in it.</summary>
    public IPage Page { get; }

    /// <summary>What the content policy stopped and what scripts stumbled over.</summary>
    public IReadOnlyList<string> Violations => violations;

    /// <summary>Opens a window.</summary>
    public static async Task<Window> OpenAsync(IBrowserContext context, Uri site)
    {
        context.SetDefaultTimeout(30_000);
        return new Window(await context.NewPageAsync(), site);
    }

    /// <summary>Fails with every finding in full.</summary>
    public static void AssertNothing(IEnumerable<string> findings)
    {
        var all = findings.ToList();
        Assert.True(all.Count == 0, string.Join(Environment.NewLine, all));
    }

    /// <summary>Goes to an address of the portal.</summary>
    public async Task<int> GoAsync(string address) => (await Page.GotoAsync(new Uri(site, address).ToString(), new PageGotoOptions { WaitUntil = WaitUntilState.Load }))!.Status;

    /// <summary>What the server answers at an address of the portal, as the person signed in here and without drawing it.</summary>
    public async Task<(int Status, string Text)> FetchAsync(string address)
    {
        var answer = await Page.APIRequest.GetAsync(new Uri(site, address).ToString());
        return (answer.Status, await answer.TextAsync());
    }

    /// <summary>What the accessibility rules of WCAG 2.0 to 2.2, A and AA, find on this page; or some of them.</summary>
    public async Task<IReadOnlyList<string>> AxeAsync(IReadOnlyList<string>? only = null)
    {
        // Evaluated, not added to the page: the content policy stays in force. Once for a page, at whatever widths it is looked at.
        if (await Page.EvaluateAsync<bool>("typeof axe === 'undefined'"))
        {
            await Page.EvaluateAsync(Axe.Value + ";0");
        }

        // Colours that are still on their way from one theme to the other are neither's; what a page that is not drawn at the moment never ends is not waited for.
        var found = await Page.EvaluateAsync<JsonElement>("""
            async only => (await Promise.race([Promise.allSettled(document.getAnimations().filter(one => one.effect.getComputedTiming().endTime < Infinity).map(one => one.finished)), new Promise(after => setTimeout(after, 2000))]), await axe.run(document, { runOnly: only ?? ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'] }))
              .violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 160)} ${(node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ''}`))
            """, only);
        return [.. found.EnumerateArray().Select(one => $"{Page.Url} {one.GetString()}")];
    }

    /// <summary>Whether the page is wider than its window.</summary>
    public Task<bool> ScrollsSidewaysAsync() => Page.EvaluateAsync<bool>("document.documentElement.scrollWidth > window.innerWidth");

    /// <summary>The innermost parts that reach beyond the window's edge and are not clipped: why it scrolls sideways.</summary>
    public async Task<string> TooWideAsync() => string.Join(" | ", await Page.EvaluateAsync<string[]>("""
        () => [...document.querySelectorAll('main *')].filter(one => one.getBoundingClientRect().right > innerWidth + 0.5 && !one.closest('.table-scroll, .heat-scroll, .tabs')
          && ![...one.children].some(inner => inner.getBoundingClientRect().right > innerWidth + 0.5)).slice(0, 5).map(one => one.outerHTML.slice(0, 160))
        """));

    /// <summary>Keeps a picture among the results of the tests, when <c>MC_TEST_PICTURES=1</c> asks for it (<c>infra/dev test --pictures</c>).</summary>
    public Task PictureAsync(string name)
    {
        if (!Pictures)
        {
            return Task.CompletedTask;
        }

        var directory = Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "portal-pictures");
        return Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Directory.CreateDirectory(directory).FullName, $"{name}.png"), FullPage = true });
    }

    /// <summary>Waits until the window is at an address and the page there is whole. Playwright's own wait can lose the event that it waits for (playwright-dotnet 3364).</summary>
    public Task AtAsync(Func<string, bool> isThere) => Eventually.TrueAsync(async () => isThere(Page.Url) && await IsWholeAsync(), () => $"the window is where it should be; it is at {Page.Url}");

    /// <summary>Waits for a page by its heading; what there is instead, and what the peers said, stands in the failure.</summary>
    public async Task ArriveAsync(string heading, IEnumerable<string> said)
    {
        try
        {
            await Page.GetByRole(AriaRole.Heading, new() { Name = heading, Exact = true }).WaitForAsync(new LocatorWaitForOptions { Timeout = 15_000 });
        }
        catch (TimeoutException)
        {
            Assert.Fail($"{Page.Url}: {await Page.Locator("body").InnerTextAsync()}\n{string.Join('\n', said)}");
        }
    }

    /// <summary>
    /// Looks at the page as people see it: narrow and wide, light and dark, by the rules of accessibility; nothing without a script, which
    /// these need. The dark one differs in its colours alone.
    /// </summary>
    public async Task LookAsync(string name, bool script = true)
    {
        foreach (var theme in script ? new[] { ColorScheme.Dark, ColorScheme.Light } : [])
        {
            await Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = theme });
            foreach (var width in theme == ColorScheme.Light || Pictures ? new[] { 320, 390, 1280 } : [1280])
            {
                await Page.SetViewportSizeAsync(width, 900);
                Assert.False(await ScrollsSidewaysAsync(), $"{name} scrolls sideways at {width}: {await TooWideAsync()}");
                await PictureAsync($"{name}-{width}-{theme}".ToLowerInvariant());
            }

            AssertNothing(await AxeAsync(theme == ColorScheme.Dark ? Colours : null));
        }
    }

    private async Task<bool> IsWholeAsync()
    {
        try
        {
            return await Page.EvaluateAsync<string>("document.readyState") == "complete";
        }
        catch (PlaywrightException)
        {
            return false; // Another page has come while it was asked.
        }
    }

    /// <summary>Closes it; what it showed last stands beside a failure of its test.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!Page.IsClosed && TestContext.Current.TestOutputHelper is { } output)
        {
            try
            {
                output.WriteLine($"{Page.Url}: {await Page.EvaluateAsync<string>("document.body?.innerText.slice(0, 4000)")}");
            }
            catch (PlaywrightException)
            {
                // It is on its way to another page.
            }
        }

        await Page.Context.DisposeAsync();
    }

    private static string ReadAxe()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("axe.js");
        Assert.NotNull(stream);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
