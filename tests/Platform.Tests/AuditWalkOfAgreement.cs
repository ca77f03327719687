using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;

namespace MissionControl.Platform.Tests;

/// <summary>The walk's ways through what is agreed: accounts, prices, plans and contracts.</summary>
public sealed partial class AuditWalkTests
{
    private static readonly EntitlementItem[] Given = [new("sso", "boolean")];
    private int agreements;

    private Dictionary<string, (string Type, Func<Task<string>> Act)> AgreementScenarios() => new()
    {
        ["CreateBillingAccount"] = ("licensing.billing-account-created", async () => (await AccountAsync()).ToString()),
        ["ChangeBillingAccount"] = ("licensing.billing-account-changed", async () =>
        {
            var account = await AccountAsync();
            await AgreeAsync<BillingAccountItem>(HttpMethod.Patch, $"billing-accounts/{account}", new ChangeBillingAccountRequest("walked"));
            return account.ToString();
        }),
        ["CreatePriceBook"] = ("licensing.price-book-created", async () => (await BookAsync()).ToString()),
        ["ImportPriceSheet"] = ("licensing.price-book-version-drafted", () => WithSheetAsync(_ => Task.CompletedTask)),
        ["ReplacePriceSheet"] = ("licensing.price-book-version-replaced", () => WithSheetAsync(version => AgreeAsync<PriceBookVersionItem>(HttpMethod.Put, version, Sheet("2")))),
        ["DiscardPriceSheet"] = ("licensing.price-book-version-discarded", () => WithSheetAsync(version => AgreeAsync<object>(HttpMethod.Delete, version))),
        ["PublishPriceBookVersion"] = ("licensing.price-book-version-published", () => WithSheetAsync(version => AgreeAsync<PriceBookVersionItem>(HttpMethod.Post, $"{version}/publish"))),
        ["CreatePlan"] = ("licensing.plan-created", async () => (await PlanAsync()).ToString()),
        ["AddPlanVersion"] = ("licensing.plan-version-added", async () =>
        {
            var plan = await PlanAsync();
            await AgreeAsync<PlanVersionItem>(HttpMethod.Post, $"plans/{plan}/versions", new AddPlanVersionRequest(Given));
            return plan.ToString();
        }),
        ["CreateContract"] = ("licensing.contract-created", () => WithContractAsync((_, _) => Task.CompletedTask)),
        ["ReplaceContract"] = ("licensing.contract-replaced", () => WithContractAsync((contract, terms) => AgreeAsync<ContractDetail>(HttpMethod.Put, contract, new ReplaceContractRequest(Year(0), terms)))),
        ["DiscardContract"] = ("licensing.contract-discarded", () => WithContractAsync((contract, _) => AgreeAsync<object>(HttpMethod.Delete, contract))),
        ["ActivateContract"] = ("licensing.contract-activated", () => WithContractAsync((contract, _) => ActivateAsync(contract))),
        ["AmendContract"] = ("licensing.contract-amended", () => WithContractAsync(async (contract, terms) =>
        {
            await ActivateAsync(contract);
            await AgreeAsync<ContractDetail>(HttpMethod.Post, $"{contract}/amend", new AmendContractRequest(Year(1), terms, "the walk says so"));
        })),
        ["TerminateContract"] = ("licensing.contract-terminated", () => WithContractAsync(async (contract, _) =>
        {
            await ActivateAsync(contract);
            await AgreeAsync<ContractDetail>(HttpMethod.Post, $"{contract}/terminate", new TerminateContractRequest(Year(1), "the walk says so"));
        })),
        ["CreateAdjustment"] = ("licensing.adjustment-decided", async () =>
        {
            var (contract, _) = await OverAsync();
            return (await AgreeAsync<AdjustmentItem>(HttpMethod.Post, "adjustments", new CreateAdjustmentRequest(contract, "-1.50", "an outage", "the walk says so"))).Id.ToString();
        }),
        ["ClosePeriod"] = ("licensing.period-closed", async () =>
        {
            var (_, period) = await OverAsync();
            using var preview = await host.Admin.GetAsync(new Uri($"/api/v1/licensing/periods/{period}/preview", UriKind.Relative));
            await AgreeAsync<StatementItem>(HttpMethod.Post, $"periods/{period}/close", new ClosePeriodRequest(), preview.Headers.ETag!.ToString());
            return period.ToString();
        }),
    };

    // A contract of one month that is long over, and its period.
    private async Task<(Guid Contract, Guid Period)> OverAsync()
    {
        var begin = new DateTimeOffset(2024, 1 + (++agreements % 12), 1, 0, 0, 0, TimeSpan.Zero);
        var book = (await WithSheetAsync(version => AgreeAsync<PriceBookVersionItem>(HttpMethod.Post, $"{version}/publish"))).Split('/')[0];
        var (account, plan) = (await AccountAsync(), await PlanAsync());
        var contract = (await AgreeAsync<ContractDetail>(HttpMethod.Post, "contracts", new CreateContractRequest(customer, account, $"walk {agreements}", begin, new AgreedTerms(begin.AddMonths(1), null, Guid.Parse(book), plan, 1)))).Contract.Id;
        await ActivateAsync($"contracts/{contract}");
        PeriodItem? period = null;
        await Testing.Eventually.TrueAsync(async () => (period = (await host.Admin.GetFromJsonAsync<Page<PeriodItem>>($"/api/v1/licensing/periods?contract={contract}"))!.Items.SingleOrDefault()) is not null, "the month can be billed");
        return (contract, period!.Id);
    }

    // Each contract has years of its own: two of one cluster do not overlap.
    private DateTimeOffset Year(int more) => new(2030 + (3 * agreements) + more, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static PriceSheetItem Sheet(string price) => new("EUR", "2024-01-01T00:00:00Z", [new RateItem("fee", "", null, "month", "1", "fixed", null, "0", "none", [new TierItem(null, price, "0")])]);

    private async Task<Guid> AccountAsync() => (await AgreeAsync<BillingAccountItem>(HttpMethod.Post, "billing-accounts", new CreateBillingAccountRequest(customer, "walk", "EUR", "eu"))).Id;

    private async Task<Guid> BookAsync() => (await AgreeAsync<PriceBookItem>(HttpMethod.Post, "price-books", new CreatePriceBookRequest("walk", "EUR"))).Id;

    private async Task<Guid> PlanAsync() => (await AgreeAsync<PlanItem>(HttpMethod.Post, "plans", new CreatePlanRequest($"walk {++agreements}", Given))).Id;

    private async Task<string> WithSheetAsync(Func<string, Task> act)
    {
        var book = await BookAsync();
        await AgreeAsync<PriceBookVersionItem>(HttpMethod.Post, $"price-books/{book}/versions", Sheet("1"));
        await act($"price-books/{book}/versions/1");
        return $"{book}/1";
    }

    private async Task<string> WithContractAsync(Func<string, AgreedTerms, Task> act)
    {
        var book = (await WithSheetAsync(version => AgreeAsync<PriceBookVersionItem>(HttpMethod.Post, $"{version}/publish"))).Split('/')[0];
        var (account, plan) = (await AccountAsync(), await PlanAsync());
        var terms = new AgreedTerms(Year(2), null, Guid.Parse(book), plan, 1);
        var made = (await AgreeAsync<ContractDetail>(HttpMethod.Post, "contracts", new CreateContractRequest(customer, account, $"walk {agreements}", Year(0), terms))).Contract.Id;
        await act($"contracts/{made}", terms);
        return made.ToString();
    }

    private Task ActivateAsync(string contract) => AgreeAsync<ContractDetail>(HttpMethod.Post, $"{contract}/activate", new ActivateContractRequest("the walk says so"));

    private async Task<T> AgreeAsync<T>(HttpMethod method, string path, object? body = null, string match = "*")
        where T : class
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/licensing/{path}") { Content = body is null ? null : JsonContent.Create(body, body.GetType()), Headers = { { "If-Match", match }, { "Idempotency-Key", Guid.CreateVersion7().ToString() } } };
        using var answer = await host.Admin.SendAsync(request);
        Xunit.Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        return method == HttpMethod.Delete ? null! : (await answer.Content.ReadFromJsonAsync<T>())!;
    }
}
