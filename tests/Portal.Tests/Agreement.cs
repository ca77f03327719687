using System.Net.Http.Json;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>What is agreed with a customer: prices in two versions, a plan, and a contract with something in every member.</summary>
internal static class Agreement
{
    public static async Task<(Guid Book, Guid Contract)> MakeAsync(ControlPlane host, Guid customer, Guid cluster)
    {
        var book = (await MadeAsync<PriceBookItem>(host, "price-books", new CreatePriceBookRequest("List prices 2026", "EUR"))).Id;
        RateItem[] rates =
        [
            new("host-hours", "Host units, by the hour", "host_unit_seconds", "host unit hour", "3600", "graduated", null, "100", "none", [new TierItem("10000", "0.045", "0"), new TierItem("100000", "0.0395", "10"), new TierItem(null, "0.031", "0")]),
            new("sessions", "", "sessions", "1,000 sessions", "1000", "package", "10", "0", "up", [new TierItem(null, "1.5", "0")]),
            new("support", "Support with answers within an hour", null, "month", "1", "fixed", null, "0", "none", [new TierItem(null, "990", "0")]),
        ];
        await MadeAsync<PriceBookVersionItem>(host, $"price-books/{book}/versions", new PriceSheetItem("EUR", "2026-01-01T00:00:00Z", rates));
        await MadeAsync<PriceBookVersionItem>(host, $"price-books/{book}/versions/1/publish", new { });
        await MadeAsync<PriceBookVersionItem>(host, $"price-books/{book}/versions", new PriceSheetItem("EUR", "2199-01-01T00:00:00Z", [rates[0] with { MinimumUnits = "200" }, rates[2] with { Tiers = [new TierItem(null, "1090", "0")] }]));
        var plan = (await MadeAsync<PlanItem>(host, "plans", new CreatePlanRequest("Enterprise", [new EntitlementItem("sso", "boolean")]))).Id;
        var account = (await MadeAsync<BillingAccountItem>(host, "billing-accounts", new CreateBillingAccountRequest(customer, "Northwind Retail GmbH", "EUR", "DE", "PO 4711"))).Id;
        var from = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var terms = new AgreedTerms(
            from.AddYears(100), "EUR", book, plan, 1, [cluster], "production", "carry", new AgreedCommitment("term_pool", "120000.00"), new AgreedOverage(true, 5, 4), [new AgreedDiscount("12.5", from, null, "host-hours")], [new AgreedEnvironment("staging", "internal")]);
        var contract = (await MadeAsync<ContractDetail>(host, "contracts", new CreateContractRequest(customer, account, "NW-2026-01", from, terms, "Signed in Hamburg"))).Contract.Id;
        await MadeAsync<ContractDetail>(host, $"contracts/{contract}/activate", new ActivateContractRequest("Signed in Hamburg"));
        await MadeAsync<ContractDetail>(host, $"contracts/{contract}/terminate", new TerminateContractRequest(from.AddYears(99).AddHours(5), "They move to the next edition of the contract."));
        return (book, contract);
    }

    private static async Task<T> MadeAsync<T>(ControlPlane host, string path, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/licensing/{path}") { Content = JsonContent.Create(body, body.GetType()), Headers = { { "If-Match", "*" }, { "Idempotency-Key", Guid.CreateVersion7().ToString() } } };
        using var made = await host.Admin.SendAsync(request);
        Assert.True(made.IsSuccessStatusCode, $"{path}: {await made.Content.ReadAsStringAsync()}");
        return (await made.Content.ReadFromJsonAsync<T>())!;
    }
}
