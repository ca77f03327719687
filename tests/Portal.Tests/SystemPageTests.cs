using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Whoever keeps the system sees which processes run and which fell silent.</summary>
public sealed class SystemPageTests(PortalFixture portal)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_process_that_fell_silent_is_named_first_with_what_is_short_on_it(bool script)
    {
        await using var window = await portal.OpenAsync(script: script);
        var rows = window.Page.Locator("#processes tbody tr");

        // The fixture's clock was put forward by hours: until its next word the host's own process seems silent, too.
        await Eventually.TrueAsync(async () =>
        {
            await window.GoAsync("/system");
            return (await rows.Nth(1).InnerTextAsync()).Contains("Running", StringComparison.Ordinal);
        }, "the host says that it runs");

        var silent = await rows.First.InnerTextAsync();
        Assert.Contains("Silent", silent, StringComparison.Ordinal);
        Assert.Contains("fleet-7", silent, StringComparison.Ordinal);
        Assert.Equal(["3.0 GiB", "11 days"], await rows.First.Locator(".short").AllInnerTextsAsync());
        Assert.Contains("all", await rows.Nth(1).InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal("1", (await window.Page.Locator(".tile:has-text('processes silent') b").InnerTextAsync()).Trim());
        Window.AssertNothing(window.Violations);
    }
}
