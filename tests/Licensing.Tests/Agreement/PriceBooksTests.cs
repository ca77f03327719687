using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using Xunit;

namespace MissionControl.Licensing.Tests.Agreement;

/// <summary>Accounts, prices and plans through the API.</summary>
public sealed class PriceBooksTests(Agreed agreed) : IClassFixture<Agreed>
{
    [Fact]
    public async Task A_sheet_is_checked_imported_replaced_published_once_and_read_in_every_format()
    {
        var book = (await agreed.MadeAsync<PriceBookItem>("price-books", new CreatePriceBookRequest("Walk", "EUR"))).Id;
        var versions = $"price-books/{book}/versions";
        using var wrong = await agreed.SendAsync(HttpMethod.Post, versions, Agreed.Sheet.Replace("hosts", "h osts", StringComparison.Ordinal).Replace("0.05", "-1", StringComparison.Ordinal));
        Assert.Equal("422 invalid /rates/0/sku:invalid-sku /rates/0/tiers/0/price:negative", await Agreed.ProblemAsync(wrong));
        using var again = await agreed.SendAsync(HttpMethod.Post, versions, Agreed.Sheet.Replace("0.05", "-1", StringComparison.Ordinal));
        var error = Assert.Single((await again.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!);
        Assert.Equal((4, true), (error.Line, error.Column > 100));
        var check = await agreed.MadeAsync<SheetCheckResult>($"{versions}/check", Agreed.Sheet.Replace("EUR", "USD", StringComparison.Ordinal));
        Assert.Equal((false, 0, "currency-mismatch"), (check.Valid, check.Rates, Assert.Single(check.Errors).Code));
        Assert.True((await agreed.MadeAsync<SheetCheckResult>($"{versions}/check", Agreed.Sheet)).Valid);
        Assert.Empty((await agreed.GetAsync<Page<PriceBookVersionItem>>(versions)).Items);

        // A draft, and one at a time; the same request again is the same draft.
        var key = Guid.CreateVersion7().ToString();
        using var drafted = await agreed.SendAsync(HttpMethod.Post, versions, Agreed.Sheet, key: key);
        Assert.Equal((HttpStatusCode.Created, "\"1\""), (drafted.StatusCode, drafted.Headers.ETag!.Tag));
        using var repeated = await agreed.SendAsync(HttpMethod.Post, versions, Agreed.Sheet, key: key);
        Assert.Equal(HttpStatusCode.Created, repeated.StatusCode);
        using var reused = await agreed.SendAsync(HttpMethod.Post, versions, Agreed.Sheet + "\n", key: key);
        Assert.Equal("422 idempotency-key-reused", await Agreed.ProblemAsync(reused));
        using var second = await agreed.SendAsync(HttpMethod.Post, versions, Agreed.Sheet);
        Assert.Equal("409 draft-exists", await Agreed.ProblemAsync(second));

        var dearer = Agreed.Sheet.Replace("0.05", "0.06", StringComparison.Ordinal);
        using var unread = await agreed.SendAsync(HttpMethod.Put, $"{versions}/1", dearer);
        Assert.Equal("428 precondition-required", await Agreed.ProblemAsync(unread));
        using var replaced = await agreed.SendAsync(HttpMethod.Put, $"{versions}/1", dearer, "\"1\"");
        Assert.Equal("\"2\"", replaced.Headers.ETag!.Tag);
        using var stale = await agreed.SendAsync(HttpMethod.Post, $"{versions}/1/publish", new { }, "\"1\"");
        Assert.Equal("412 precondition-failed", await Agreed.ProblemAsync(stale));
        using var keyless = await agreed.SendAsync(HttpMethod.Post, $"{versions}/1/publish", new { }, "\"2\"", key: null);
        Assert.Equal("400 idempotency-key-required", await Agreed.ProblemAsync(keyless));
        var once = Guid.CreateVersion7().ToString();
        using var published = await agreed.SendAsync(HttpMethod.Post, $"{versions}/1/publish", new { }, "\"2\"", key: once);
        using var twice = await agreed.SendAsync(HttpMethod.Post, $"{versions}/1/publish", new { }, "\"2\"", key: once);
        Assert.Equal(("published", "published"), ((await published.Content.ReadFromJsonAsync<PriceBookVersionItem>())!.State, (await twice.Content.ReadFromJsonAsync<PriceBookVersionItem>())!.State));
        foreach (var method in new[] { HttpMethod.Put, HttpMethod.Delete, HttpMethod.Post })
        {
            using var late = await agreed.SendAsync(method, method == HttpMethod.Post ? $"{versions}/1/publish" : $"{versions}/1", method == HttpMethod.Put ? Agreed.Sheet : null, "*");
            Assert.Equal("409 version-published", await Agreed.ProblemAsync(late));
        }

        // The next one is later; a discarded number is not given again.
        using var same = await agreed.SendAsync(HttpMethod.Post, versions, dearer);
        Assert.Equal("422 invalid /effectiveFrom:effective-overlap", await Agreed.ProblemAsync(same));
        var later = dearer.Replace("2026-01", "2026-12", StringComparison.Ordinal);
        await agreed.MadeAsync<PriceBookVersionItem>(versions, later);
        using var discarded = await agreed.SendAsync(HttpMethod.Delete, $"{versions}/2", match: "\"1\"");
        Assert.Equal(HttpStatusCode.NoContent, discarded.StatusCode);
        Assert.Equal(3, (await agreed.MadeAsync<PriceBookVersionItem>(versions, later.Replace("0.06", "0.07", StringComparison.Ordinal))).Number);
        Assert.Equal(["3 draft", "1 published"], (await agreed.GetAsync<Page<PriceBookVersionItem>>(versions)).Items.Select(row => $"{row.Number} {row.State}"));

        var diff = await agreed.GetAsync<PriceBookDiff>($"{versions}/3/diff?against=1");
        Assert.Equal(new RateFieldChange("/tiers/0/price", "0.06", "0.07"), Assert.Single(Assert.Single(diff.Changes).Fields));
        Assert.Equal(1, (await agreed.GetAsync<PriceBookDiff>($"{versions}/3/diff")).From);
        using var nothing = await agreed.SendAsync(HttpMethod.Get, $"{versions}/3/diff?against=2");
        Assert.Equal("400 unknown-parameter against:unknown-version", await Agreed.ProblemAsync(nothing));
        foreach (var accept in new[] { "application/json", "application/yaml", "text/csv" })
        {
            using var content = await agreed.SendAsync(HttpMethod.Get, $"{versions}/1/content", accept: accept);
            Assert.Equal(accept, content.Content.Headers.ContentType!.MediaType);
            var text = await content.Content.ReadAsStringAsync();
            Assert.Contains("0.06", text, StringComparison.Ordinal);
            using var back = await agreed.SendAsync(HttpMethod.Put, $"{versions}/3", text.Replace("2026-01-01", "2027-01-01", StringComparison.Ordinal), "*", type: accept);
            Assert.Equal(1, (await back.Content.ReadFromJsonAsync<PriceBookVersionItem>())!.Rates);
        }

        using var untyped = await agreed.SendAsync(HttpMethod.Post, $"{versions}/check", "x", type: "");
        Assert.Equal("415 unsupported-media-type", await Agreed.ProblemAsync(untyped));
        using var large = await agreed.SendAsync(HttpMethod.Post, $"{versions}/check", new string('x', 1024 * 1024), type: "text/csv");
        Assert.False((await large.Content.ReadFromJsonAsync<SheetCheckResult>())!.Valid);
        using var larger = await agreed.SendAsync(HttpMethod.Post, $"{versions}/check", new string('x', (1024 * 1024) + 1), type: "text/csv");
        Assert.Equal("413 payload-too-large", await Agreed.ProblemAsync(larger));
        using var none = await agreed.SendAsync(HttpMethod.Get, $"price-books/{agreed.Plan}/versions");
        Assert.Equal("404 not-found", await Agreed.ProblemAsync(none));
    }

    [Fact]
    public async Task Units_that_are_promised_keep_a_price()
    {
        var later = Agreed.Sheet.Replace("2026-01", "2027-01", StringComparison.Ordinal).Replace("meter: host_unit_seconds, unit: host unit hour, per: 3600, model: flat", "unit: month, model: fixed", StringComparison.Ordinal);
        var book = await agreed.PublishedAsync("Marks", Agreed.Sheet);
        var promise = agreed.Draft(agreed.Terms([agreed.Clusters[0]], "2036-01-01T00:00:00Z") with { PriceBookId = book, Commitment = new AgreedCommitment("high_water_mark", null, "hosts", "10") }, "2035-01-01T00:00:00Z");
        var contract = (await agreed.MadeAsync<ContractDetail>("contracts", promise)).Contract;
        await agreed.MadeAsync<PriceBookVersionItem>($"price-books/{book}/versions", later);
        await agreed.MadeAsync<ContractDetail>($"contracts/{contract.Id}/activate", new { }, "*");
        using var gone = await agreed.SendAsync(HttpMethod.Post, $"price-books/{book}/versions/2/publish", new { }, "*");
        Assert.Equal("422 invalid /rates:committed-sku", await Agreed.ProblemAsync(gone));

        // Where nobody had promised it is published, and cannot be promised any more.
        book = await agreed.PublishedAsync("Fees", Agreed.Sheet);
        await agreed.MadeAsync<PriceBookVersionItem>($"price-books/{book}/versions", later);
        await agreed.MadeAsync<PriceBookVersionItem>($"price-books/{book}/versions/2/publish", new { }, "*");
        using var late = await agreed.SendAsync(HttpMethod.Post, "contracts", promise with { Number = "late", Terms = promise.Terms! with { PriceBookId = book } });
        Assert.Equal("422 invalid /terms/commitment/sku:unknown-sku", await Agreed.ProblemAsync(late));
    }

    [Fact]
    public async Task An_account_keeps_its_currency_and_is_closed_after_its_last_contract()
    {
        using var wrong = await agreed.SendAsync(HttpMethod.Post, "billing-accounts", new CreateBillingAccountRequest(agreed.Plan, "x", "XXX", "NO"));
        Assert.Equal("422 invalid /customerId:unknown-customer /currency:unknown-currency", await Agreed.ProblemAsync(wrong));
        var account = await agreed.MadeAsync<BillingAccountItem>("billing-accounts", new CreateBillingAccountRequest(agreed.Other, "South AB", "JPY", "SE"));
        var path = $"billing-accounts/{account.Id}";
        using var unread = await agreed.SendAsync(HttpMethod.Patch, path, new ChangeBillingAccountRequest("South"));
        Assert.Equal("428 precondition-required", await Agreed.ProblemAsync(unread));
        using var changed = await agreed.SendAsync(HttpMethod.Patch, path, new ChangeBillingAccountRequest("South", "DK", "PO 8", Reason: "they moved"), "\"1\"");
        var item = (await changed.Content.ReadFromJsonAsync<BillingAccountItem>())!;
        Assert.Equal(("South", "DK", "PO 8", 2L, "\"2\""), (item.Name, item.TaxRegion, item.InvoiceReference, item.Version, changed.Headers.ETag!.Tag));
        using var stale = await agreed.SendAsync(HttpMethod.Patch, path, new ChangeBillingAccountRequest("East"), "\"1\"");
        Assert.Equal("412 precondition-failed", await Agreed.ProblemAsync(stale));
        using var fixedCurrency = await agreed.SendAsync(HttpMethod.Patch, path, new ChangeBillingAccountRequest(State: "lost", Currency: "EUR"), "\"2\"");
        Assert.Equal("422 invalid /state:unknown-state /currency:currency-fixed", await Agreed.ProblemAsync(fixedCurrency));
        using var same = await agreed.SendAsync(HttpMethod.Patch, path, new ChangeBillingAccountRequest("South", State: "active", Currency: "JPY"), "\"2\"");
        Assert.Equal("\"2\"", same.Headers.ETag!.Tag);
        using var closed = await agreed.SendAsync(HttpMethod.Patch, path, new ChangeBillingAccountRequest(State: "closed", InvoiceReference: ""), "\"2\"");
        Assert.Equal(("closed", null), ((await closed.Content.ReadFromJsonAsync<BillingAccountItem>())! is var now ? (now.State, now.InvoiceReference) : default));
        using var late = await agreed.SendAsync(HttpMethod.Post, "contracts", agreed.Draft(agreed.Terms(null)) with { CustomerId = agreed.Other, AccountId = account.Id });
        Assert.Equal("422 invalid /accountId:account-closed", await Agreed.ProblemAsync(late));

        // Each customer sees its own, and changes none.
        Assert.Equal([account.Id], (await agreed.GetAsync<Page<BillingAccountItem>>("billing-accounts", agreed.Stranger)).Items.Select(row => row.Id));
        Assert.Equal([agreed.Account], (await agreed.GetAsync<Page<BillingAccountItem>>("billing-accounts?state=active&q=nor", agreed.Own)).Items.Select(row => row.Id));
        using var foreign = await agreed.SendAsync(HttpMethod.Get, path, by: agreed.Own);
        Assert.Equal("404 not-found", await Agreed.ProblemAsync(foreign));
        using var own = await agreed.SendAsync(HttpMethod.Patch, path, new ChangeBillingAccountRequest("mine"), "*", by: agreed.Stranger);
        Assert.Equal("403 scope-missing", await Agreed.ProblemAsync(own));
        foreach (var hidden in new[] { "price-books", $"price-books/{agreed.Book}", $"price-books/{agreed.Book}/versions/1/content", "plans", $"plans/{agreed.Plan}/versions/1" })
        {
            using var refused = await agreed.SendAsync(HttpMethod.Get, hidden, by: agreed.Own);
            Assert.Equal("403 scope-missing", await Agreed.ProblemAsync(refused));
        }
    }

    [Fact]
    public async Task A_plan_says_what_it_gives_in_versions_that_stay()
    {
        using var wrong = await agreed.SendAsync(HttpMethod.Post, "plans", new CreatePlanRequest("Standard",
        [
            new EntitlementItem("a", "boolean", Value: "x"), new EntitlementItem("a", "static"), new EntitlementItem("B", "counted"), new EntitlementItem("c", "boolean", Meter: "sessions"),
            new EntitlementItem("d", "metered", Meter: "bananas", Limit: "-1", Overage: new EntitlementOverage("maybe")), new EntitlementItem("e", "metered", Meter: "sessions", Limit: "1", Overage: new EntitlementOverage("allow_up_to")),
        ]));
        Assert.Equal(
            "422 invalid /entitlements/0/value:invalid-value /entitlements/1/feature:duplicate-feature /entitlements/1/value:invalid-value /entitlements/2/feature:invalid-feature /entitlements/2/type:unknown-type /entitlements/3:metered-only "
            + "/entitlements/4/meter:unknown-meter /entitlements/4/limit:negative /entitlements/4/overage/policy:unknown-policy /entitlements/5/overage:invalid-factor /name:name-taken", await Agreed.ProblemAsync(wrong));
        var plan = await agreed.MadeAsync<PlanItem>("plans", new CreatePlanRequest("Gold", [new EntitlementItem("sso", "boolean")]));
        EntitlementItem[] more = [new("sso", "boolean"), new("retention", "static", "400d"), new("sessions", "metered", Meter: "sessions", Limit: "100", Overage: new EntitlementOverage("allow_up_to", 5, 4))];
        using var stale = await agreed.SendAsync(HttpMethod.Post, $"plans/{plan.Id}/versions", new AddPlanVersionRequest(more), "\"7\"");
        Assert.Equal("412 precondition-failed", await Agreed.ProblemAsync(stale));
        Assert.Equal(2, (await agreed.MadeAsync<PlanVersionItem>($"plans/{plan.Id}/versions", new AddPlanVersionRequest(more), "\"1\"")).Number);

        Assert.Single((await agreed.GetAsync<PlanVersionItem>($"plans/{plan.Id}/versions/1")).Entitlements);
        Assert.Equal(more, (await agreed.GetAsync<PlanVersionItem>($"plans/{plan.Id}/versions/2")).Entitlements);
        Assert.Equal((2, 2L), await agreed.GetAsync<PlanItem>($"plans/{plan.Id}") is var now ? (now.LatestVersion, now.Version) : default);
    }
}
