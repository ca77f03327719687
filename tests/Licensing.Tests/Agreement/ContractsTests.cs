using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Licensing.Tests.Agreement;

/// <summary>A contract's life, and what is refused on the way; one after the other on one clock.</summary>
public sealed class ContractsTests(Agreed agreed) : IClassFixture<Agreed>
{
    [Fact]
    public async Task Every_mistake_of_terms_is_named_at_once()
    {
        var (oslo, stranger) = (agreed.Clusters[0], Guid.CreateVersion7());
        var terms = new AgreedTerms(
            Agreed.At("2026-11-30T23:30:00Z"), "USD", agreed.Dollars, agreed.Plan, 9, [oslo, oslo, stranger], "fun", "guess", new AgreedCommitment("high_water_mark", "5", "bananas", "-1"), new AgreedOverage(false, 3, 2),
            [new AgreedDiscount("100.5", Agreed.At("2027-02-01T00:00:00Z"), Agreed.At("2027-01-01T00:00:00Z"), "bananas"), new AgreedDiscount("0.00001", null)],
            [new AgreedEnvironment("dev", "trial"), new AgreedEnvironment("dev", "internal", null), new AgreedEnvironment("", "x", stranger)]);
        using var wrong = await agreed.SendAsync(HttpMethod.Post, "contracts", agreed.Draft(terms) with { Number = "C-1" });
        Assert.Equal(
            "422 invalid /number:number-taken /terms/to:mid-hour /terms/currency:currency-change /terms/priceBookId:currency-mismatch /terms/planId:unknown-plan /terms/clusterIds/1:duplicate-cluster /terms/clusterIds/2:unknown-cluster "
            + "/terms/use:unknown-value /terms/missing:unknown-value /terms/commitment/amount:invalid-value /terms/commitment/units:negative /terms/commitment/sku:unknown-sku /terms/overage:invalid-factor "
            + "/terms/discounts/0/to:ends-before-start /terms/discounts/0/percent:invalid-value /terms/discounts/0/sku:unknown-sku /terms/discounts/1/from:required /terms/discounts/1/percent:invalid-value "
            + "/terms/environments/1/environment:duplicate-environment /terms/environments/2/environment:required /terms/environments/2/clusterId:unknown-cluster /terms/environments/2/use:unknown-value", await Agreed.ProblemAsync(wrong));
        foreach (var (request, expected) in new[]
        {
            (agreed.Draft(agreed.Terms(null), "2026-12-01T00:30:00Z"), "/from:mid-hour"),
            (agreed.Draft(agreed.Terms(null, "2026-12-01T00:00:00Z")), "/terms/to:ends-before-start"),
            (agreed.Draft(agreed.Terms(null), "2025-12-01T00:00:00Z"), "/terms/priceBookId:no-version-in-force"),
            (agreed.Draft(agreed.Terms(null) with { PriceBookId = agreed.Plan }), "/terms/priceBookId:unknown-price-book"),
            (agreed.Draft(agreed.Terms([])), "/terms/clusterIds:invalid-value"),
            (agreed.Draft(agreed.Terms(null) with { Commitment = new AgreedCommitment("term_pool", "1.005") }), "/terms/commitment/amount:too-precise"),
            (agreed.Draft(agreed.Terms(null) with { Commitment = new AgreedCommitment("minimum_per_period", "0") }), "/terms/commitment/amount:invalid-value"),
            (agreed.Draft(agreed.Terms(null) with { Commitment = new AgreedCommitment("none", "7") }), "/terms/commitment/amount:invalid-value"),
            (agreed.Draft(agreed.Terms(null)) with { AccountId = agreed.Plan }, "/accountId:unknown-account"),
            (agreed.Draft(agreed.Terms(null)) with { CustomerId = agreed.Plan }, "/customerId:unknown-customer"),
        })
        {
            using var refused = await agreed.SendAsync(HttpMethod.Post, "contracts", request);
            Assert.Equal($"422 invalid {expected}", await Agreed.ProblemAsync(refused));
        }
    }

    [Fact]
    public async Task A_contract_is_drafted_activated_amended_and_ended_and_all_its_versions_stay()
    {
        // Everything that can be agreed comes back as it was agreed.
        var terms = agreed.Terms([agreed.Clusters[0]]) with
        {
            Currency = "EUR", Use = "trial", Missing = "carry", Commitment = new AgreedCommitment("term_pool", "12000.50"), Overage = new AgreedOverage(true, 5, 4),
            Discounts = [new AgreedDiscount("12.5", Agreed.At("2026-12-01T00:00:00Z"), null, "hosts")], Environments = [new AgreedEnvironment("dev", "internal", agreed.Clusters[0])],
        };
        var drafted = await agreed.MadeAsync<ContractDetail>("contracts", agreed.Draft(terms));
        var path = $"contracts/{drafted.Contract.Id}";
        Assert.Equal("draft", drafted.Contract.State);
        Assert.Equivalent(terms, Assert.Single(drafted.Versions).Terms);
        using var early = await agreed.SendAsync(HttpMethod.Post, $"{path}/amend", new AmendContractRequest(Agreed.At("2027-01-01T00:00:00Z"), terms, "why not"), "*");
        Assert.Equal("409 contract-state-conflict", await Agreed.ProblemAsync(early));
        using var replaced = await agreed.SendAsync(HttpMethod.Put, path, new ReplaceContractRequest(drafted.Contract.From, terms with { Use = "production" }), "\"1\"");
        Assert.Equal(("production", "\"2\""), ((await replaced.Content.ReadFromJsonAsync<ContractDetail>())!.Versions[0].Terms.Use, replaced.Headers.ETag!.Tag));

        foreach (var (match, key, expected) in new[] { ("\"2\"", null, "400 idempotency-key-required"), (null, "", "428 precondition-required"), ("\"1\"", "", "412 precondition-failed") })
        {
            using var refused = await agreed.SendAsync(HttpMethod.Post, $"{path}/activate", new { }, match, key);
            Assert.Equal(expected, await Agreed.ProblemAsync(refused));
        }

        var once = Guid.CreateVersion7().ToString();
        using var activated = await agreed.SendAsync(HttpMethod.Post, $"{path}/activate", new { reason = "signed" }, "\"2\"", once);
        using var repeated = await agreed.SendAsync(HttpMethod.Post, $"{path}/activate", new { reason = "signed" }, "\"2\"", once);
        using var reused = await agreed.SendAsync(HttpMethod.Post, $"{path}/activate", new { reason = "signed again" }, "\"2\"", once);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (activated.StatusCode, repeated.StatusCode));
        Assert.Equal(await activated.Content.ReadAsStringAsync(), await repeated.Content.ReadAsStringAsync());
        Assert.Equal("422 idempotency-key-reused", await Agreed.ProblemAsync(reused));
        foreach (var (method, body) in new (HttpMethod, object?)[] { (HttpMethod.Put, new ReplaceContractRequest(drafted.Contract.From, terms)), (HttpMethod.Delete, null) })
        {
            using var late = await agreed.SendAsync(method, path, body, "*");
            Assert.Equal("409 contract-state-conflict", await Agreed.ProblemAsync(late));
        }

        // From a month to come on, without a hole, and with a reason.
        foreach (var (from, reason, expected) in new[]
        {
            ("2026-11-01T00:00:00Z", "why not", "/effectiveFrom:not-a-coming-period"), ("2026-12-01T00:00:00Z", "why not", "/effectiveFrom:not-a-coming-period"), ("2027-01-02T00:00:00Z", "why not", "/effectiveFrom:not-a-coming-period"),
            ("2027-01-01T00:01:00Z", "why not", "/effectiveFrom:mid-hour"), ("2028-01-01T00:00:00Z", "why not", "/effectiveFrom:contract-hole"), ("2027-03-01T00:00:00Z", "", "/reason:required"),
        })
        {
            using var refused = await agreed.SendAsync(HttpMethod.Post, $"{path}/amend", new AmendContractRequest(Agreed.At(from), agreed.Terms([agreed.Clusters[0]], "2029-01-01T00:00:00Z"), reason), "\"3\"");
            Assert.Equal($"422 invalid {expected}", await Agreed.ProblemAsync(refused));
        }

        var amended = await agreed.MadeAsync<ContractDetail>($"{path}/amend", new AmendContractRequest(Agreed.At("2027-03-01T00:00:00Z"), agreed.Terms([agreed.Clusters[0]], "2028-03-01T00:00:00Z"), "they grow"), "\"3\"");
        Assert.Equal(["2 amendment 2027-03 they grow", "1 original 2026-12 "], amended.Versions.Select(version => $"{version.Number} {version.Kind} {version.EffectiveFrom:yyyy-MM} {version.Reason}"));
        Assert.Equal(Agreed.At("2028-03-01T00:00:00Z"), amended.Contract.To);

        // The customer reads all of that, and its prices; the neighbour nothing.
        var seen = await agreed.GetAsync<ContractDetail>(path, agreed.Own);
        Assert.Equal((2, "Standard"), (seen.Versions.Count, seen.Plan.Name));
        Assert.All(seen.Contract.Actions, action => Assert.False(action.Allowed));
        var card = await agreed.GetAsync<ContractRateCard>($"{path}/rate-card", agreed.Own);
        Assert.Equal((Agreed.At("2026-12-01T00:00:00Z"), 1, "List", 1, "0.05", "12.5"), (card.At, card.ContractVersion, card.PriceBook, card.PriceBookVersion, card.Sheet.Rates[0].Tiers[0].Price, card.Discounts[0].Percent));
        Assert.Equal(2, (await agreed.GetAsync<ContractRateCard>($"{path}/rate-card?at=2027-03-01T00:00:00Z", agreed.Own)).ContractVersion);
        foreach (var (address, by) in new[] { (path, agreed.Stranger), ($"{path}/rate-card", agreed.Stranger), ($"{path}/rate-card?at=2026-11-30T23:00:00Z", agreed.Own), ($"{path}/rate-card?at=2028-03-01T00:00:00Z", agreed.Own) })
        {
            using var refused = await agreed.SendAsync(HttpMethod.Get, address, by: by);
            Assert.Equal("404 not-found", await Agreed.ProblemAsync(refused));
        }

        foreach (var (by, expected) in new[] { (agreed.Own, "403 scope-missing"), (agreed.Stranger, "404 not-found") })
        {
            using var refused = await agreed.SendAsync(HttpMethod.Post, $"{path}/terminate", new TerminateContractRequest(Agreed.At("2027-05-01T00:00:00Z"), "enough"), "*", by: by);
            Assert.Equal(expected, await Agreed.ProblemAsync(refused));
        }

        using var busy = await agreed.SendAsync(HttpMethod.Patch, $"billing-accounts/{agreed.Account}", new ChangeBillingAccountRequest(State: "closed"), "*");
        Assert.Equal("409 conflict", await Agreed.ProblemAsync(busy));
        foreach (var (at, expected) in new[] { ("2026-10-31T23:00:00Z", "in-the-past"), ("2026-12-01T00:00:00Z", "outside-contract"), ("2028-03-01T00:00:00Z", "outside-contract"), ("2027-05-05T05:05:00Z", "mid-hour") })
        {
            using var refused = await agreed.SendAsync(HttpMethod.Post, $"{path}/terminate", new TerminateContractRequest(Agreed.At(at), "enough"), "\"4\"");
            Assert.Equal($"422 invalid /at:{expected}", await Agreed.ProblemAsync(refused));
        }

        var ended = await agreed.MadeAsync<ContractDetail>($"{path}/terminate", new TerminateContractRequest(Agreed.At("2027-05-05T05:00:00Z"), "they leave"), "\"4\"");
        Assert.Equal(("termination", Agreed.At("2027-05-01T00:00:00Z"), Agreed.At("2027-05-05T05:00:00Z"), "they leave", "active"), (ended.Versions[0].Kind, ended.Versions[0].EffectiveFrom, ended.Contract.To, ended.Contract.TerminationReason, ended.Contract.State));
        Assert.Equal("production", ended.Versions[0].Terms.Use);
        using var over = await agreed.SendAsync(HttpMethod.Post, $"{path}/amend", new AmendContractRequest(Agreed.At("2027-04-01T00:00:00Z"), terms, "come back"), "*");
        Assert.Equal("409 contract-state-conflict", await Agreed.ProblemAsync(over));

        await Eventually.TrueAsync(async () => (await agreed.Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?customer={agreed.Customer}&type=licensing.contract-terminated"))!.Items is [{ Reason: "they leave" }], "the customer's log says why it ended");
    }

    [Fact]
    public async Task An_hour_of_a_cluster_is_in_one_contract()
    {
        // Years of its own, so that the other tests are not met.
        var (oslo, bergen) = (agreed.Clusters[0], agreed.Clusters[1]);
        var first = await ActiveAsync("2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z", oslo);
        Assert.Equal("200", await TryAsync("2031-01-01T00:00:00Z", "2032-01-01T00:00:00Z", oslo));
        Assert.Equal("200", await TryAsync("2030-06-01T00:00:00Z", "2030-07-01T00:00:00Z", bergen));
        Assert.Equal("409 contract-overlap /terms/clusterIds/1:cluster-in-other-contract", await TryAsync("2030-12-31T23:00:00Z", "2031-01-01T00:00:00Z", bergen, oslo));
        Assert.Equal("409 contract-overlap /terms/clusterIds:cluster-in-other-contract /terms/clusterIds:cluster-in-other-contract", await TryAsync("2030-06-30T23:00:00Z", "2030-08-01T00:00:00Z"));

        // An amendment is looked at from its own month on.
        var terms = agreed.Terms([oslo, bergen], "2031-01-01T00:00:00Z");
        using var met = await agreed.SendAsync(HttpMethod.Post, $"contracts/{first}/amend", new AmendContractRequest(Agreed.At("2030-06-01T00:00:00Z"), terms, "both"), "*");
        Assert.Equal("409 contract-overlap /terms/clusterIds/1:cluster-in-other-contract", await Agreed.ProblemAsync(met));
        await agreed.MadeAsync<ContractDetail>($"contracts/{first}/amend", new AmendContractRequest(Agreed.At("2030-07-01T00:00:00Z"), terms, "both"), "*");
        Assert.StartsWith("409", await TryAsync("2030-08-01T00:00:00Z", "2030-09-01T00:00:00Z", bergen), StringComparison.Ordinal);

        // What was ended early is free again.
        await agreed.MadeAsync<ContractDetail>($"contracts/{first}/terminate", new TerminateContractRequest(Agreed.At("2030-08-01T00:00:00Z"), "free it"), "*");
        Assert.Equal("200", await TryAsync("2030-08-01T00:00:00Z", "2030-09-01T00:00:00Z", bergen, oslo));

        // Two that would overlap, at once: one of them is first.
        var (one, other) = (await DraftAsync("2035-01-01T00:00:00Z", "2036-01-01T00:00:00Z", oslo), await DraftAsync("2035-06-01T00:00:00Z", "2037-01-01T00:00:00Z", oslo));
        var answers = await Task.WhenAll(agreed.SendAsync(HttpMethod.Post, $"contracts/{one}/activate", new { }, "*"), agreed.SendAsync(HttpMethod.Post, $"contracts/{other}/activate", new { }, "*"));
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.Conflict], answers.Select(answer => answer.StatusCode).Order());
        Array.ForEach(answers, answer => answer.Dispose());
        Assert.Contains(one, (await agreed.GetAsync<Page<ContractItem>>($"contracts?customer={agreed.Customer}&state={(answers[0].StatusCode == HttpStatusCode.OK ? "active" : "draft")}&limit=500")).Items.Select(row => row.Id));
        using var gone = await agreed.SendAsync(HttpMethod.Delete, $"contracts/{(answers[0].StatusCode == HttpStatusCode.OK ? other : one)}", match: "\"1\"");
        Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);

        async Task<Guid> DraftAsync(string from, string to, params Guid[] clusters) => (await agreed.MadeAsync<ContractDetail>("contracts", agreed.Draft(agreed.Terms(clusters.Length == 0 ? null : clusters, to), from))).Contract.Id;

        async Task<Guid> ActiveAsync(string from, string to, params Guid[] clusters)
        {
            var id = await DraftAsync(from, to, clusters);
            await agreed.MadeAsync<ContractDetail>($"contracts/{id}/activate", new { }, "*");
            return id;
        }

        async Task<string> TryAsync(string from, string to, params Guid[] clusters)
        {
            using var answer = await agreed.SendAsync(HttpMethod.Post, $"contracts/{await DraftAsync(from, to, clusters)}/activate", new { }, "*");
            return answer.IsSuccessStatusCode ? "200" : await Agreed.ProblemAsync(answer);
        }
    }
}
