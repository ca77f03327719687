using System.Net.Http.Json;
using Microsoft.Playwright;
using MissionControl.Contracts.Api.Platform;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Somebody looks at a parked message, tries it, and gives it up, with a script and without.</summary>
public sealed class ParkedMessageTests(PortalFixture portal)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Somebody_opens_a_parked_message_retries_it_gives_it_up_and_finds_it_again(bool script)
    {
        var id = (await portal.ParkAsync((string?)null))[0];
        await using var window = await portal.OpenAsync(script: script);
        await window.GoAsync("/system/parked?role=fleet");
        await window.Page.Locator($"#m{id:N}").ClickAsync();
        await window.Page.GetByText("TimeoutException: the database did not answer").First.WaitForAsync();
        await window.Page.GetByText("left out: text of 16 characters").WaitForAsync();
        Assert.Equal(0, await window.Page.GetByText("Without a region").CountAsync());

        // It fails again, and both errors are there to be compared.
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Retry now" }).ClickAsync();
        await window.Page.GetByText("it failed again").First.WaitForAsync();
        await window.Page.GetByText("NOT NULL constraint failed").First.WaitForAsync();
        await window.Page.GetByText("TimeoutException: the database did not answer").First.WaitForAsync();

        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Give up …" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Give up this message?" }).WaitForAsync();
        await window.Page.GetByText("Nothing tries it again by itself").First.WaitForAsync();
        Assert.Equal(0, await window.Page.Locator("#dialog[open]").CountAsync());
        var stops = await window.Page.EvaluateAsync<string[]>("[...document.querySelectorAll('main .confirm a, main .confirm input:not([type=hidden]), main .confirm button')].map(one => one.id || one.textContent)");
        Assert.Equal(["keep", "reason", "Give it up"], stops);

        // Somebody else tries it meanwhile: the form says so and keeps what was typed.
        await window.Page.GetByLabel("Why?").FillAsync("the customer was merged");
        using (await portal.Host.Admin.PostAsync(new Uri($"/api/v1/fleet/parked-messages/{id}/retry", UriKind.Relative), null))
        {
            await window.Page.GetByRole(AriaRole.Button, new() { Name = "Give it up" }).ClickAsync();
        }

        await window.Page.GetByText("It has changed since you read it").First.WaitForAsync();
        Assert.Equal("the customer was merged", await window.Page.GetByLabel("Why?").InputValueAsync());
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Give it up" }).ClickAsync();
        await window.Page.GetByText("Gave the message up.").First.WaitForAsync();
        await window.Page.GetByText("the customer was merged").First.WaitForAsync();
        var detail = (await portal.Host.Admin.GetFromJsonAsync<ParkedMessageDetail>($"/api/v1/fleet/parked-messages/{id}"))!;
        Assert.Equal(("given-up", "the customer was merged"), (detail.State, detail.GivenUp!.Reason));

        await window.GoAsync("/system/parked?role=fleet");
        Assert.Equal(0, await window.Page.Locator($"#m{id:N}").CountAsync());
        await window.Page.Locator("#show-given-up").ClickAsync();
        await window.Page.Locator($"#m{id:N}").WaitForAsync();
        Window.AssertNothing(window.Violations);
    }
}
