using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Benchmarks.Measuring;
using MissionControl.Benchmarks.Subject;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Ledger;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;

namespace MissionControl.Benchmarks;

/// <summary>A month of a contract previewed and closed, and usage over a year by day, over the API of a host with a filled ledger.</summary>
internal static class BillingBenchmark
{
    private static readonly DateTimeOffset March = new(2024, 3, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly string[] Meters = ["host_unit_seconds", "gib_hours", "data_points", "log_bytes", "sessions"];
    private static readonly BulkRows Clusters = new("licensing_cluster", ["id", "customer_id", "name", "state", "clone_suspected", "epoch", "enrolled_at", "ended_at", "keys", "version"], ["id"], []);
    private static readonly BulkRows Ledgers = new("licensing_cluster_ledger", ["cluster_id", "customer_id", "coverage", "results", "received_at", "version"], ["cluster_id"], []);

    private static readonly BulkRows Windows = new(
        "licensing_window", ["cluster_id", "hour", "epoch", "revision", "customer_id", "sha256", "verdict", "complete", "cells", "collected_at", "received_at", "kid", "signature", "payload", "seq", "lowered_by"],
        ["cluster_id", "hour", "epoch", "revision"], []);

    private static readonly BulkRows Heads = new("licensing_window_head", ["cluster_id", "hour", "customer_id", "rank", "epoch", "revision", "sha256", "complete", "received_at"], ["cluster_id", "hour"], []);

    private static readonly BulkRows Cells = new(
        "licensing_cell", ["cluster_id", "hour", "epoch", "revision", "meter", "dimension_hash", "customer_id", "meter_version", "environment", "dimensions", "quantity", "since"],
        ["cluster_id", "hour", "epoch", "revision", "meter", "dimension_hash"], []);

    /// <param name="rounds">Months of customers of their own that are closed.</param>
    /// <param name="millions">Cells of the year that is asked for, in millions.</param>
    /// <param name="queries">How often the year is asked for.</param>
    /// <param name="postgres">On PostgreSQL.</param>
    public static async Task<bool> RunAsync(int rounds, int millions, int queries, bool postgres)
    {
        var verdict = Verdict.Begin(
            "billing", "a contract's month of 372,000 cells (744 hours, 10 clusters with 50 cells an hour each, or 100 with 5) previewed and closed over HTTP; a year of a customer by day",
            $"{(postgres ? "PostgreSQL 15, fsync" : "SQLite, WAL, synchronous=FULL")}");
        var configuration = new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "10000000" };
        await using var servers = postgres ? await Servers.StartAsync(configuration) : null;
        await using var embedded = postgres ? null : await ControlPlane.StartAsync(configuration: configuration);
        var host = servers?.Host ?? embedded!;
        var (previews, closes) = (new List<double>(), new List<double>());
        for (var round = 0; round <= rounds; round++)
        {
            var period = await MonthAsync(host, round, clusters: 10, cells: 50);
            var clock = Stopwatch.StartNew();
            using var preview = await GetAsync(host, $"periods/{period}/preview");
            var previewed = clock.Elapsed;
            clock.Restart();
            await PostAsync<StatementItem>(host, $"periods/{period}/close", new ClosePeriodRequest(), preview.Headers.ETag!.ToString());

            // The first round only warms.
            if (round > 0)
            {
                previews.Add(previewed.TotalMilliseconds);
                closes.Add(clock.Elapsed.TotalMilliseconds);
                Verdict.Note(string.Create(CultureInfo.InvariantCulture, $"round {round}: preview {previews[^1]:0} ms, close {closes[^1]:0} ms"));
            }
        }

        var many = await MonthAsync(host, rounds + 1, clusters: 100, cells: 5);
        var hundred = new List<double>();
        for (var i = 0; i < rounds + 1; i++)
        {
            var clock = Stopwatch.StartNew();
            using var preview = await GetAsync(host, $"periods/{many}/preview");
            hundred.Add(clock.Elapsed.TotalMilliseconds);
        }

        verdict.AtMost("close of 372,000 cells, median", Median(closes), 2_000, " ms");
        verdict.AtMost("preview of the same, median", Median(previews), 2_000, " ms");
        verdict.AtMost("preview for a customer of 100 clusters and 372,000 cells, median", Median(hundred[1..]), 1_000, " ms");
        var year = (await host.CreateCustomerAsync("A year")).Id;
        await FillAsync(host, year, 10, UsageWindow.HourOf(March), 8_760, millions * 1_000_000 / 87_600);
        var times = new List<double>();
        for (var i = 0; i <= queries; i++)
        {
            var clock = Stopwatch.StartNew();
            using var usage = await GetAsync(host, $"usage?customer={year}&from={UsageWindow.Text(March)}&to={UsageWindow.Text(March.AddHours(8_760))}&granularity=day");
            times.Add(clock.Elapsed.TotalMilliseconds);
        }

        times = [.. times.Skip(1).Order()];
        Verdict.Note(string.Create(CultureInfo.InvariantCulture, $"a year of {millions} million cells by day: p50 {times[times.Count / 2]:0} ms of {queries}"));
        verdict.AtMost($"a year of {millions} million cells by day, p99", times[(int)(times.Count * 0.99)], 300, " ms");
        return verdict.Passed;
    }

    private static double Median(List<double> figures) => figures.Order().ElementAt(figures.Count / 2);

    /// <summary>A contract of one month that is over, with a filled ledger.</summary>
    /// <returns>Its period.</returns>
    private static async Task<Guid> MonthAsync(ControlPlane host, int round, int clusters, int cells)
    {
        var customer = (await host.CreateCustomerAsync($"Month {round}")).Id;
        await FillAsync(host, customer, clusters, UsageWindow.HourOf(March), 744, cells);
        var account = await PostAsync<BillingAccountItem>(host, "billing-accounts", new CreateBillingAccountRequest(customer, "Month", "EUR", "eu"));
        var book = await PostAsync<PriceBookItem>(host, "price-books", new CreatePriceBookRequest($"Book {round}", "EUR"));
        await PostAsync<PriceBookVersionItem>(host, $"price-books/{book.Id}/versions", new PriceSheetItem("EUR", "2024-01-01T00:00:00Z", [.. Meters.Select(meter => new RateItem(meter, "", meter, "unit", "1000", "flat", null, "0", "none", [new TierItem(null, "0.00001", "0")]))]));
        await PostAsync<PriceBookVersionItem>(host, $"price-books/{book.Id}/versions/1/publish", new { });
        var plan = await PostAsync<PlanItem>(host, "plans", new CreatePlanRequest($"Plan {round}", [new EntitlementItem("sso", "boolean")]));
        var contract = (await PostAsync<ContractDetail>(host, "contracts", new CreateContractRequest(customer, account.Id, $"B-{round}", March, new AgreedTerms(March.AddMonths(1), null, book.Id, plan.Id, 1)))).Contract.Id;
        await PostAsync<ContractDetail>(host, $"contracts/{contract}/activate", new ActivateContractRequest());
        PeriodItem? period = null;
        await Eventually.TrueAsync(async () => (period = (await host.Admin.GetFromJsonAsync<Page<PeriodItem>>($"/api/v1/licensing/periods?contract={contract}"))!.Items.SingleOrDefault()) is not null, "the month can be billed");
        return period!.Id;
    }

    // As if all of it had been judged: what is measured reads it. No window is signed, and none is asked for.
    private static async Task FillAsync(ControlPlane host, Guid customer, int clusters, int from, int hours, int cells)
    {
        for (var i = 0; i < clusters; i++)
        {
            var cluster = Guid.CreateVersion7();
            var coverage = Coverage.Begin(from);
            for (var hour = from; hour < from + hours; hour++)
            {
                coverage.Add(hour);
            }

            var at = UsageWindow.StartOf(from).ToUnixTimeMilliseconds();
            await WriteAsync(host, Clusters with { Rows = [[cluster, customer, "c", "decommissioned", false, 1L, at, UsageWindow.StartOf(from + hours).ToUnixTimeMilliseconds(), "[]", 1L]] }, Ledgers with { Rows = [[cluster, customer, coverage.ToBytes(), "[]", at, 1L]] });
            foreach (var some in Enumerable.Range(from, hours).Chunk(Math.Max(1, 20_000 / cells)))
            {
                await WriteAsync(
                    host,
                    Windows with { Rows = [.. some.Select(hour => new object?[] { cluster, hour, 1L, 1L, customer, "sha256:0", "accepted", true, cells, at, at, "kid", new byte[64], new byte[1_500], 0L, 0 })] },
                    Heads with { Rows = [.. some.Select(hour => new object?[] { cluster, hour, customer, WindowHead.RankOf(1, 1), 1L, 1L, "sha256:0", true, at })] },
                    Cells with { Rows = [.. some.SelectMany(hour => Enumerable.Range(0, cells).Select(cell => new object?[] { cluster, hour, 1L, 1L, Meters[cell % Meters.Length], (long)(cell / Meters.Length), customer, 1, $"e{cell / Meters.Length % 3}", "{}", 1_000L + cell, 0L }))] });
            }
        }
    }

    private static async Task WriteAsync(ControlPlane host, params BulkRows[] rows)
    {
        await using var scope = host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("licensing");
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync();
        foreach (var table in rows)
        {
            await db.Dialect.InsertIfAbsentAsync(db, table, CancellationToken.None);
        }

        await transaction.CommitAsync();
    }

    private static async Task<HttpResponseMessage> GetAsync(ControlPlane host, string path)
    {
        var answer = await host.Admin.GetAsync(new Uri($"/api/v1/licensing/{path}", UriKind.Relative));
        return answer.IsSuccessStatusCode ? answer : throw new InvalidOperationException($"{path}: {await answer.Content.ReadAsStringAsync()}");
    }

    private static async Task<T> PostAsync<T>(ControlPlane host, string path, object body, string match = "*")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/licensing/{path}") { Content = JsonContent.Create(body, body.GetType()), Headers = { { "If-Match", match }, { "Idempotency-Key", Guid.CreateVersion7().ToString() } } };
        using var answer = await host.Admin.SendAsync(request);
        return answer.IsSuccessStatusCode ? (await answer.Content.ReadFromJsonAsync<T>())! : throw new InvalidOperationException($"{path}: {await answer.Content.ReadAsStringAsync()}");
    }
}
