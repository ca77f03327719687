using System.Globalization;
using System.Net.Http.Json;
using Microsoft.Playwright;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>A month is closed by somebody who looks at it, and a line of its statement is followed down to what the cluster signed.</summary>
public sealed class BillingJourneyTests(PortalFixture portal)
{
    [Fact]
    public async Task A_month_is_closed_after_what_moved_was_shown_and_a_line_leads_to_the_signed_hour()
    {
        // A whole month to come: whatever day it is, it can be over.
        var today = TimeProvider.System.GetUtcNow();
        var month = new DateTimeOffset(today.Year, today.Month, 1, 0, 0, 0, TimeSpan.Zero).AddMonths(1);
        var time = new ManualTime(month.AddHours(-1));
        await using var host = await ControlPlane.StartAsync(time: time);
        var customer = (await host.CreateCustomerAsync("Northwind Retail")).Id;
        using var cluster = await TestCluster.EnrollAsync(host, customer, "Oslo");
        var billing = new Billing(host);
        var contract = await billing.AgreeAsync(customer, "C-2026-7", month, [Guid.Parse(cluster.Id)]);
        var first = UsageWindow.HourOf(month);
        await ToAsync(month.AddHours(6));
        await SendAsync(cluster.Window(first + 1, quantity: "7200"), cluster.Window(first + 2, quantity: "3601"));
        await ToAsync(month.AddMonths(1).AddHours(20));
        var period = (await billing.PeriodsAsync(contract, 2)).Single(one => one.From == month);

        await using var window = await portal.OpenStrangerAsync(at: host.Portal);
        await window.GoAsync("/signin?returnUrl=" + Uri.EscapeDataString($"/billing/periods/{period.Id}"));
        await window.Page.GetByLabel("API token").FillAsync(host.AdminToken);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        var name = month.ToString("MMMM yyyy", CultureInfo.InvariantCulture);
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = $"{name} of C-2026-7" }).WaitForAsync();
        var close = window.Page.GetByRole(AriaRole.Button, new() { Name = "Close period" });

        // Hours may still come: that blocks it, by name, until somebody puts up with it.
        await window.Page.GetByLabel($"Type “{name}”").FillAsync("some other month");
        await close.ClickAsync();
        await window.Page.Locator("#month-mistake").WaitForAsync();
        await window.Page.GetByLabel($"Type “{name}”").FillAsync(name);
        await close.ClickAsync();
        await window.Page.Locator("[role=alert] a[href='#grace']").WaitForAsync();
        await window.Page.Locator("#grace").GetByLabel("Put up with it").CheckAsync();
        await window.Page.GetByLabel("Why it is put up with").FillAsync("the cluster is gone");

        // What comes in meanwhile is shown against what was seen, and what was typed is kept.
        await SendAsync(cluster.Window(first + 3, quantity: "36000"));
        await close.ClickAsync();
        var moved = window.Page.Locator("#moved");
        await moved.WaitForAsync();
        Assert.Matches(@"(?s)250\.15.*250\.65", await moved.InnerTextAsync());
        Assert.True(await window.Page.Locator("#grace").GetByLabel("Put up with it").IsCheckedAsync());
        Assert.Equal("the cluster is gone", await window.Page.GetByLabel("Why it is put up with").InputValueAsync());
        await window.LookAsync("billing-period-moved");
        await close.ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = $"S-C-2026-7-{period.Name}" }).WaitForAsync();
        await window.Page.GetByText("Put up with when it was closed: grace: the cluster is gone").WaitForAsync();
        Assert.Equal("250.65", await window.Page.Locator(".sum b").InnerTextAsync());
        await window.LookAsync("billing-statement-closed");

        // Two clicks from the line to what was signed.
        await window.Page.Locator("table.lines").GetByRole(AriaRole.Link, new() { Name = "Hosts" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Hosts" }).WaitForAsync();
        Assert.Equal(3, await window.Page.Locator("#sources tbody tr").CountAsync());
        var digest = await window.Page.Locator("#sources tbody tr").First.Locator("td.mono").InnerTextAsync();
        await window.LookAsync("billing-line-sources");
        await window.Page.Locator("#sources tbody th a").First.ClickAsync();
        await window.Page.GetByText(digest).First.WaitForAsync();
        Window.AssertNothing(window.Violations);

        async Task ToAsync(DateTimeOffset instant)
        {
            time.Advance(instant - time.GetUtcNow());
            await cluster.AuthorizeAsync();
        }

        async Task SendAsync(params UsageWindow[] windows)
        {
            await cluster.CheckInAsync([.. windows.Select(one => cluster.Usage(one))]);
            await cluster.ReceiptAsync(receipt => windows.All(one => receipt.Results.Any(result => result.Window == one.Window && result.Verdict == "accepted")));
        }
    }
}

/// <summary>What is agreed and billed, made by the vendor's administrator.</summary>
internal sealed class Billing(ControlPlane host)
{
    /// <summary>An active contract with a fee of 250 and a price for hosts.</summary>
    public async Task<Guid> AgreeAsync(Guid customer, string number, DateTimeOffset from, IReadOnlyList<Guid>? clusters)
    {
        var account = await MadeAsync<BillingAccountItem>("billing-accounts", new CreateBillingAccountRequest(customer, $"Account of {number}", "EUR", "NO", "PO 7"));
        var book = await MadeAsync<PriceBookItem>("price-books", new CreatePriceBookRequest($"List {number}", "EUR"));
        await MadeAsync<PriceBookVersionItem>($"price-books/{book.Id}/versions", new PriceSheetItem("EUR", "2020-01-01T00:00:00Z",
        [
            new RateItem("hosts", "Hosts", "host_unit_seconds", "host unit hour", "3600", "graduated", null, "0", "none", [new TierItem("1000", "0.05", "0"), new TierItem(null, "0.04", "0")]),
            new RateItem("platform", "Platform", null, "month", "1", "fixed", null, "0", "none", [new TierItem(null, "250", "0")]),
        ]));
        await MadeAsync<PriceBookVersionItem>($"price-books/{book.Id}/versions/1/publish", new { }, "*");
        var plan = await MadeAsync<PlanItem>("plans", new CreatePlanRequest($"Plan {number}", [new EntitlementItem("sso", "boolean"), new EntitlementItem("hosts", "metered", Meter: "host_unit_seconds", Limit: "3600")]));
        ContractDetail? drafted = null;
        await Eventually.TrueAsync(async () =>
        {
            using var made = await SendAsync("contracts", new CreateContractRequest(customer, account.Id, number, from, new AgreedTerms(from.AddYears(1), null, book.Id, plan.Id, 1, clusters, Missing: "zero")), null);
            drafted = made.IsSuccessStatusCode ? await made.Content.ReadFromJsonAsync<ContractDetail>() : null;
            return drafted is not null;
        }, "licensing knows the clusters");
        await MadeAsync<ContractDetail>($"contracts/{drafted!.Contract.Id}/activate", new { }, "*");
        return drafted.Contract.Id;
    }

    /// <summary>The periods of a contract, the oldest first, once there are so many.</summary>
    public async Task<IReadOnlyList<PeriodItem>> PeriodsAsync(Guid contract, int many)
    {
        IReadOnlyList<PeriodItem> found = [];
        await Eventually.TrueAsync(async () => (found = (await host.Admin.GetFromJsonAsync<Page<PeriodItem>>($"/api/v1/licensing/periods?contract={contract}&sort=from"))!.Items).Count >= many, "the periods are open");
        return found;
    }

    /// <summary>Decides an adjustment.</summary>
    public Task<AdjustmentItem> DecideAsync(Guid contract, string amount, string description) => MadeAsync<AdjustmentItem>("adjustments", new CreateAdjustmentRequest(contract, amount, description, "as agreed by phone"));

    /// <summary>Closes a period with what its preview says.</summary>
    public async Task<StatementItem> CloseAsync(Guid period)
    {
        using var preview = await host.Admin.GetAsync(new Uri($"/api/v1/licensing/periods/{period}/preview", UriKind.Relative));
        return await MadeAsync<StatementItem>($"periods/{period}/close", new ClosePeriodRequest(), preview.Headers.ETag!.ToString());
    }

    private async Task<T> MadeAsync<T>(string path, object body, string? match = null)
    {
        using var made = await SendAsync(path, body, match);
        Assert.True(made.IsSuccessStatusCode, $"{path}: {made.StatusCode} {await made.Content.ReadAsStringAsync()}");
        return (await made.Content.ReadFromJsonAsync<T>())!;
    }

    private async Task<HttpResponseMessage> SendAsync(string path, object body, string? match)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/licensing/{path}") { Content = JsonContent.Create(body, body.GetType()) };
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        if (match is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", match);
        }

        return await host.Admin.SendAsync(request);
    }
}
