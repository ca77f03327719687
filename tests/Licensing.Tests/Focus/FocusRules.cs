using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using MissionControl.Licensing.Focus;
using Xunit;

namespace MissionControl.Licensing.Tests.Focus;

/// <summary>The rules of FOCUS 1.2 that matter, over the rows of an export.</summary>
internal static partial class FocusRules
{
    private const string Mandatory =
        "BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodStart BillingPeriodEnd ChargeCategory ChargeClass ChargeDescription ChargePeriodStart ChargePeriodEnd ContractedCost EffectiveCost InvoiceIssuerName ListCost PricingQuantity PricingUnit ProviderName PublisherName ServiceCategory ServiceName";

    public static FocusDatasets Datasets { get; } = new(new FocusOptions());

    /// <summary>JSON lines as texts; null stays null.</summary>
    public static IReadOnlyList<IReadOnlyDictionary<string, string?>> Read(string lines) => [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.EnumerateObject().ToDictionary(member => member.Name, member => member.Value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => member.Value.GetString(),
            _ => member.Value.GetRawText(),
        });
    })];

    public static async Task<string> WriteAsync<T>(FocusDataset<T> dataset, IEnumerable<T> rows, bool csv = false)
    {
        using var output = new MemoryStream();
        await new FocusFile<T>(dataset, rows.ToAsyncEnumerable(), []).WriteAsync(output, csv, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    /// <summary>In 10^-18.</summary>
    public static BigInteger Number(string text)
    {
        Assert.Matches(NumericFormat(), text);
        var (whole, fraction) = text.Split('.') is [var before, var after] ? (before, after) : (text, "");
        Assert.True(fraction.Length <= 18);
        return BigInteger.Parse(whole + fraction.PadRight(18, '0'), CultureInfo.InvariantCulture);
    }

    /// <summary>Checks every rule of cost and usage.</summary>
    /// <param name="rows">All rows.</param>
    /// <param name="payable">What is to be paid of each invoice, in 10^-18.</param>
    public static void Check(IReadOnlyList<IReadOnlyDictionary<string, string?>> rows, IReadOnlyDictionary<string, BigInteger> payable)
    {
        var columns = Datasets.CostAndUsage.Columns;
        Assert.Empty(Mandatory.Split(' ').Except(columns.Select(column => column.Name)));
        Assert.Equal(columns.Select(column => column.Name).OrderBy(name => name.StartsWith("x_", StringComparison.Ordinal)), columns.Select(column => column.Name));
        Assert.Equal(rows.Count, rows.Select(row => row["x_RowId"]).Distinct().Count());
        foreach (var row in rows)
        {
            Assert.Equal(columns.Select(column => column.Name), row.Keys);
            foreach (var column in columns)
            {
                var value = row[column.Name];
                Assert.True(column.Nullable || value is not null, $"{column.Name} of {row["x_RowId"]} is null");
                Assert.NotEqual("", value);
                if (value is not null && column.Type == FocusType.Decimal)
                {
                    Number(value);
                }
                else if (value is not null && column.Type == FocusType.DateTime)
                {
                    Assert.Matches(DateTimeFormat(), value);
                }
            }

            Check(row);
        }

        var invoices = rows.GroupBy(row => row["InvoiceId"] ?? row["x_RowId"]!.Split('/')[0]).ToList();
        Assert.Equal(payable.Keys.Order(StringComparer.Ordinal), invoices.Select(invoice => invoice.Key).Order(StringComparer.Ordinal));
        foreach (var invoice in invoices)
        {
            Assert.Equal(payable[invoice.Key], invoice.Aggregate(BigInteger.Zero, (sum, row) => sum + Number(row["BilledCost"]!)));
            Assert.Single(invoice, row => row["x_LineKind"] == "rounding");
        }
    }

    private static void Check(IReadOnlyDictionary<string, string?> row)
    {
        var (category, isCorrection) = (row["ChargeCategory"], row["ChargeClass"] == "Correction");
        Assert.Contains(category, new[] { "Usage", "Purchase", "Credit", "Adjustment" });
        Assert.Contains(row["ChargeFrequency"], new[] { "Usage-Based", "Recurring", "One-Time" });
        Assert.True(string.CompareOrdinal(row["ChargePeriodStart"], row["ChargePeriodEnd"]) < 0);
        Assert.Matches("-01T00:00:00Z$", row["BillingPeriodStart"]);
        foreach (var (price, cost) in new[] { ("ContractedUnitPrice", "ContractedCost"), ("ListUnitPrice", "ListCost") })
        {
            if (row[price] is null)
            {
                Assert.Equal(row["BilledCost"], row[cost]);
            }
            else
            {
                Assert.Equal(Number(row[cost]!) * BigInteger.Pow(10, 18), Number(row[price]!) * Number(row["PricingQuantity"]!));
            }
        }

        var isPriced = category is "Usage" or "Purchase";
        Assert.True(!isPriced || (row["PricingQuantity"] ?? row["ContractedUnitPrice"]) is not null);
        Assert.Equal(row["PricingQuantity"] is null, row["PricingUnit"] is null);
        Assert.Equal(isPriced, row["PricingCategory"] is not null);
        Assert.True(!isPriced || (row["SkuId"] is not null && row["SkuPriceId"] is not null));
        Assert.Equal((category == "Usage", category == "Usage"), (row["ConsumedQuantity"] is not null, row["ConsumedUnit"] is not null));
        Assert.True(row["x_Use"] == "production" || row["BilledCost"] == "0", "trial and internal use cost nothing");
        Assert.Equal(row["InvoiceId"] is null, row["x_StatementId"] is null);
        if (isCorrection)
        {
            Assert.True(string.CompareOrdinal(row["ChargePeriodEnd"], row["BillingPeriodStart"]) <= 0);
            Assert.NotNull(row["x_CorrectsInvoiceId"]);
            Assert.NotEqual(row["InvoiceId"], row["x_CorrectsInvoiceId"]);
        }
        else
        {
            Assert.Null(row["ChargeClass"]);
            Assert.True(string.CompareOrdinal(row["ChargePeriodStart"], row["BillingPeriodStart"]) >= 0 && string.CompareOrdinal(row["ChargePeriodEnd"], row["BillingPeriodEnd"]) <= 0);
        }
    }

    [GeneratedRegex("^(?!-0$)-?(0|[1-9][0-9]*)(\\.[0-9]+)?$")]
    private static partial Regex NumericFormat();

    [GeneratedRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
    private static partial Regex DateTimeFormat();
}
