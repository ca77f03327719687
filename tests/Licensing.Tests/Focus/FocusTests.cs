using System.Net;
using System.Net.Http.Json;
using CsvHelper;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Tests.Agreement;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Licensing.Tests.Focus;

/// <summary>The exports of a contract whose first month was closed, corrected in the second, and whose third is open.</summary>
public sealed class FocusTests(Agreed agreed) : IClassFixture<Agreed>
{
    private static readonly int First = UsageWindow.HourOf(Agreed.At("2026-12-01T00:00:00Z"));

    [Fact]
    public async Task Exports_reconcile_with_the_statements_and_show_nobody_what_is_not_theirs()
    {
        using var cluster = await TestCluster.EnrollAsync(agreed.Host, agreed.Customer, "Trondheim");
        var terms = agreed.Terms([Guid.Parse(cluster.Id)]) with { Missing = "zero", Commitment = new AgreedCommitment("minimum_per_period", "1.00") };
        ContractDetail? drafted = null;
        await Eventually.TrueAsync(async () =>
        {
            using var made = await agreed.SendAsync(HttpMethod.Post, "contracts", agreed.Draft(terms));
            drafted = made.IsSuccessStatusCode ? await made.Content.ReadFromJsonAsync<ContractDetail>() : null;
            return drafted is not null;
        }, "licensing knows the cluster");
        var (contract, number) = (drafted!.Contract.Id, drafted.Contract.Number);
        await agreed.MadeAsync<ContractDetail>($"contracts/{contract}/activate", new { }, "*");
        await ToAsync(cluster, "2026-12-02T00:20:00Z");
        await SendAsync(cluster, cluster.Window(First, quantity: "7201"), cluster.Window(First + 1, quantity: "3601"));

        await PeriodAsync(contract, "2026-12");

        // Only when it is asked for, an open period is shown: what it comes to, without an invoice.
        Assert.Empty(await RowsAsync($"cost-and-usage?contract={contract}"));
        var open = await RowsAsync($"cost-and-usage?contract={contract}&delivery=open");
        FocusRules.Check(open, new Dictionary<string, System.Numerics.BigInteger> { [$"S-{number}-2026-12"] = FocusRules.Number("1.00") });
        Assert.All(open, row => Assert.Null(row["InvoiceId"]));
        Assert.Equal(["Usage", "Purchase", "Adjustment"], open.Select(row => row["ChargeCategory"]).OrderDescending());

        await ToAsync(cluster, "2027-01-04T01:20:00Z");
        var december = await ClosedAsync(contract, "2026-12");
        await SendAsync(cluster, cluster.Window(First + 2, quantity: "7200001"), cluster.Window(UsageWindow.HourOf(Agreed.At("2027-01-03T00:00:00Z")), quantity: "3601"));
        await agreed.MadeAsync<AdjustmentItem>("adjustments", new CreateAdjustmentRequest(contract, "-1.50", "Outage of 5 January, \"as promised\"", "By phone", december.Id));
        await ToAsync(cluster, "2027-02-05T00:20:00Z");

        await PeriodAsync(contract, "2027-01");
        await PeriodAsync(contract, "2027-02");

        // Two are open: what is to be corrected is in the older of them, and in no other.
        var both = await RowsAsync($"cost-and-usage?contract={contract}&delivery=open");
        Assert.Equal(2, both.Select(row => row["BillingPeriodStart"]).Distinct().Count());
        Assert.All(both.Where(row => row["ChargeClass"] is not null || row["x_NoteNumber"] is not null), row => Assert.Equal("2027-01-01T00:00:00Z", row["BillingPeriodStart"]));
        Assert.Single(both, row => row["x_NoteNumber"] is not null);
        var january = await ClosedAsync(contract, "2027-01");

        // Every rule holds, and what is billed is what the statements say, to the cent.
        var rows = await RowsAsync($"cost-and-usage?contract={contract}&version=1.2");
        FocusRules.Check(rows, new[] { december, january }.ToDictionary(one => one.Number, one => FocusRules.Number(one.Payable.Amount)));
        Assert.Equal(["1.00", "98.65"], new[] { december, january }.Select(one => one.Payable.Amount));
        var corrections = rows.Where(row => row["ChargeClass"] == "Correction").ToList();
        Assert.Equal([null, "hosts"], corrections.Select(row => row["SkuMeter"] is null ? null : row["SkuId"]).Order());
        Assert.All(corrections, row => Assert.Equal((december.Number, january.Number, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"), (row["x_CorrectsInvoiceId"], row["InvoiceId"], row["ChargePeriodStart"], row["BillingPeriodStart"])));
        Assert.All(rows, row => Assert.Equal(("Trondheim", cluster.Id), (row["SubAccountName"], row["SubAccountId"])));
        Assert.Equal(rows.Where(row => row["InvoiceId"] == december.Number).Select(row => row["x_RowId"]), (await RowsAsync($"cost-and-usage?account={agreed.Account}&to=2027-01-01T00:00:00Z")).Select(row => row["x_RowId"]));

        // A file of the same rows.
        using var file = await agreed.SendAsync(HttpMethod.Get, $"focus/cost-and-usage?contract={contract}", key: null, accept: "text/csv");
        Assert.Equal(("text/csv", true), (file.Content.Headers.ContentType!.MediaType, file.Content.Headers.ContentDisposition!.FileName!.EndsWith(".csv", StringComparison.Ordinal)));
        Assert.Equal(rows.Select(row => string.Join('|', row.Values)), Csv(await file.Content.ReadAsStringAsync()));

        // The other tables.
        var details = await RowsAsync($"invoice-detail?contract={contract}");
        Assert.Equal(rows.Where(row => row["x_LineKind"] != "rounding").Select(row => row["x_RowId"]), details.Select(row => row["InvoiceDetailId"]));
        Assert.Equal(FocusRules.Number("98.65"), details.Where(row => row["InvoiceId"] == january.Number).Aggregate(System.Numerics.BigInteger.Zero, (sum, row) => sum + FocusRules.Number(row["BilledCost"]!)));
        Assert.Equal(["Closed", "Closed", "Open"], (await RowsAsync($"billing-periods?contract={contract}")).OrderBy(row => row["BillingPeriodStart"]).Select(row => row["BillingPeriodStatus"]));
        var promised = Assert.Single(await RowsAsync($"contract-commitments?contract={contract}"));
        Assert.Equal(("Spend", "1.00", $"{number}/v1"), (promised["ContractCommitmentCategory"], promised["ContractCommitmentCost"], promised["ContractCommitmentId"]));
        Assert.Contains(rows, row => row["x_ContractCommitmentId"] == promised["ContractCommitmentId"]);
        var schema = await agreed.GetAsync<FocusSchema>("focus/schema");
        Assert.Equal(rows[0].Keys, schema.Datasets[0].Columns.Select(column => column.Name));

        // Its own rows a customer reads as the staff does; a stranger has none, and learns of nobody else.
        Assert.Equal(rows.Select(row => row["x_RowId"]), (await RowsAsync("cost-and-usage", agreed.Own)).Select(row => row["x_RowId"]));
        Assert.NotEmpty(await RowsAsync("cost-and-usage?delivery=open", agreed.Own));
        foreach (var dataset in new[] { "cost-and-usage", "invoice-detail", "billing-periods", "contract-commitments", "cost-and-usage?delivery=open" })
        {
            Assert.Empty(await RowsAsync(dataset, agreed.Stranger));
        }

        foreach (var (query, problem) in new[]
        {
            ("version=1.0", "400 unknown-parameter version:unknown-value"), ("delivery=late", "400 unknown-parameter delivery:unknown-value"), ("delivery=open", "400 unknown-parameter customer:required"),
            ($"customer={contract}", "422 invalid customer:unknown-customer"), ($"account={contract}&contract={december.Id}", "422 invalid account:unknown-account contract:unknown-contract"),
        })
        {
            using var refused = await agreed.SendAsync(HttpMethod.Get, $"focus/cost-and-usage?{query}", key: null);
            Assert.Equal(problem, await Agreed.ProblemAsync(refused));
        }

        using var theirs = await agreed.SendAsync(HttpMethod.Get, $"focus/cost-and-usage?contract={contract}", key: null, by: agreed.Stranger);
        Assert.Equal("422 invalid contract:unknown-contract", await Agreed.ProblemAsync(theirs));
    }

    private async Task<IReadOnlyList<IReadOnlyDictionary<string, string?>>> RowsAsync(string path, HttpClient? by = null)
    {
        using var answer = await agreed.SendAsync(HttpMethod.Get, $"focus/{path}", key: null, by: by, accept: "application/jsonl");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        Assert.Equal("application/jsonl", answer.Content.Headers.ContentType!.MediaType);
        return FocusRules.Read(text);
    }

    private static IEnumerable<string> Csv(string text)
    {
        using var csv = CsvReader.Create(new StringReader(text), new CsvReaderOptions { HasHeader = false });
        var lines = new List<string>();
        while (csv.Read())
        {
            lines.Add(string.Join('|', Enumerable.Range(0, csv.FieldCount).Select(i => csv.GetString(i))));
        }

        return lines.Skip(1);
    }

    private async Task ToAsync(TestCluster cluster, string instant)
    {
        agreed.Time.Advance(Agreed.At(instant) - agreed.Time.GetUtcNow());
        await cluster.AuthorizeAsync();
    }

    private static async Task SendAsync(TestCluster cluster, params UsageWindow[] windows)
    {
        await cluster.CheckInAsync([.. windows.Select(window => cluster.Usage(window))]);
        await cluster.ReceiptAsync(receipt => windows.All(window => receipt.Results.Any(result => result.Window == window.Window && result.Revision == window.Revision)));
    }

    private async Task<PeriodItem> PeriodAsync(Guid contract, string name)
    {
        PeriodItem? period = null;
        await Eventually.TrueAsync(async () => (period = (await agreed.GetAsync<Page<PeriodItem>>($"periods?contract={contract}")).Items.FirstOrDefault(one => one.Name == name)) is not null, $"there is a period {name}");
        return period!;
    }

    private async Task<StatementItem> ClosedAsync(Guid contract, string name)
    {
        var period = await PeriodAsync(contract, name);
        using var preview = await agreed.SendAsync(HttpMethod.Get, $"periods/{period.Id}/preview", key: null);
        using var closed = await agreed.SendAsync(HttpMethod.Post, $"periods/{period.Id}/close", new ClosePeriodRequest(), preview.Headers.ETag!.ToString());
        Assert.True(closed.IsSuccessStatusCode, await closed.Content.ReadAsStringAsync());
        return (await closed.Content.ReadFromJsonAsync<StatementItem>())!;
    }
}
