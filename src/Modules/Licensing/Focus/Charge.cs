using System.Globalization;
using System.Text.Json;
using MissionControl.Licensing.Billing;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Focus;

/// <summary>A period of a contract with what it comes to: a bill, or what would be billed.</summary>
/// <param name="Number">The statement's.</param>
/// <param name="Statement">Its id; null: there is none yet.</param>
/// <param name="Sha256">Of its bytes; null: there are none yet.</param>
/// <param name="IssuedAt">When it was made; null: it is not.</param>
/// <param name="Content">The document.</param>
/// <param name="MonthFrom">First hour of the billing period, a whole month.</param>
/// <param name="MonthTo">Its last hour, not included.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Customer">Whose it is.</param>
/// <param name="Account">Whom it is billed to.</param>
/// <param name="AccountName">Its name.</param>
/// <param name="Reference">What the customer wants on invoices.</param>
/// <param name="Contract">By which contract.</param>
/// <param name="ContractNumber">Its number.</param>
/// <param name="ContractVersion">In which version.</param>
/// <param name="Cluster">The contract's only cluster; null: it has several, or all.</param>
/// <param name="ClusterName">Its name.</param>
internal sealed record BilledPeriod(
    string Number, Guid? Statement, string? Sha256, DateTimeOffset? IssuedAt, ReadOnlyMemory<byte> Content, int MonthFrom, int MonthTo, string Currency, Guid Customer, Guid Account, string AccountName, string? Reference,
    Guid Contract, string ContractNumber, int ContractVersion, Guid? Cluster, string? ClusterName)
{
    public string From { get; } = Text(MonthFrom);

    public string To { get; } = Text(MonthTo);

    public string? Issued { get; } = IssuedAt is { } issued ? UsageWindow.Text(issued) : null;

    public string AccountId { get; } = Account.ToString("D");

    public string CustomerId { get; } = Customer.ToString("D");

    public string ContractId { get; } = Contract.ToString("D");

    public string? StatementId { get; } = Statement?.ToString("D");

    public string? ClusterId { get; } = Cluster?.ToString("D");

    /// <summary>What its contract promises, as the dataset of commitments names it.</summary>
    public string CommitmentId { get; } = Commitment.IdOf(ContractNumber, ContractVersion);

    /// <summary>An invoice is what was issued.</summary>
    public string? InvoiceId => Statement is null ? null : Number;

    private static string Text(int hour) => UsageWindow.Text(UsageWindow.StartOf(hour));
}

/// <summary>
/// A row of a bill, in the texts that stand in its document: nothing is reckoned anew. Lines, corrections and adjustments are numbered as
/// <see cref="StatementsApi.Lines"/> numbers them; the last row is what rounding adds to the exact amounts, so that together they are
/// what is to be paid, to the unit, while each is price times quantity.
/// </summary>
internal sealed record Charge(
    BilledPeriod Of, string Id, string Part, string? Corrects, string From, string To, string? Sku, int Tier, string Kind, string Use, bool Estimated, string Description, string? Meter,
    string? Quantity, string? Unit, string? ListUnitPrice, string? UnitPrice, string ListCost, string Cost, string Amount, string Watermark)
{
    public const string Rounding = "rounding";

    /// <summary>Consumption at a price; what is charged for units that were not used is none.</summary>
    public bool IsUsage => Meter is not null && Kind is "usage" or "overage" && Sku is not null;

    public bool IsCorrection => Part == "correction";

    /// <summary>Of the categories that FOCUS has.</summary>
    public string Category => Part is "adjustment" or Rounding ? "Adjustment" : Kind == "covered" ? "Credit" : IsUsage ? "Usage" : "Purchase";

    /// <summary>Usage by what is used; fees and what a period has at least, in every period; the rest once.</summary>
    public string Frequency => IsUsage ? "Usage-Based" : Kind is "fee" or "minimum" or "unused_commitment" or "true_up" ? "Recurring" : "One-Time";

    public bool IsCommitment => Kind is "commitment" or "unused_commitment" or "true_up" or "covered";

    public bool IsPriced => Category is "Usage" or "Purchase";

    /// <summary>What was paid ahead costs where it is used: neither its purchase nor what it pays counts a second time.</summary>
    public string EffectiveCost => Kind is "commitment" or "covered" ? "0" : Cost;

    /// <summary>The rate; of amounts that the contract itself charges a name of their own, which no sku can have.</summary>
    public string? SkuId => Sku ?? (IsPriced ? $"contract:{Kind}" : null);

    public string? SkuPriceId => Sku is null ? SkuId : string.Create(CultureInfo.InvariantCulture, $"{Sku}/{Tier}");

    /// <summary>The rows of a bill.</summary>
    public static IEnumerable<Charge> All(BilledPeriod of)
    {
        using var document = JsonDocument.Parse(of.Content);
        var root = document.RootElement;
        var period = root.GetProperty("period");
        var (from, to, watermark) = (Said(period, "from"), Said(period, "to"), Said(root, "watermark"));
        var number = 0;
        foreach (var line in root.GetProperty("lines").EnumerateArray())
        {
            yield return Line(of, line, ++number, "line", null, from, to, watermark);
        }

        foreach (var line in root.GetProperty("corrections").EnumerateArray())
        {
            var about = line.GetProperty("forPeriod");
            yield return Line(of, line, ++number, "correction", Said(line, "statement"), Said(about, "from"), Said(about, "to"), watermark);
        }

        foreach (var line in root.GetProperty("adjustments").EnumerateArray())
        {
            yield return Amount(IdOf(of, ++number), "adjustment", Said(line, "description"), Said(line, "amount")) with { Corrects = Said(line, "number") };
        }

        yield return Amount($"{of.Number}/{Rounding}", Rounding, "Rounding", Said(root.GetProperty("totals"), "rounding"));

        Charge Amount(string id, string part, string description, string amount) => new(
            of, id, part, null, from, to, null, 0, part, "production", false, description, null, null, null, null, null, amount, amount, amount, watermark);
    }

    private static Charge Line(BilledPeriod of, JsonElement line, int number, string part, string? corrects, string from, string to, string watermark) => new(
        of, IdOf(of, number), part, corrects, from, to, Maybe(line, "sku"), line.GetProperty("tier").GetInt32(), Said(line, "kind"), Said(line, "use"), line.GetProperty("estimated").GetBoolean(),
        Said(line, "description") is { Length: > 0 } said ? said : Maybe(line, "sku") ?? Said(line, "kind"), Maybe(line, "meter"), Said(line, "quantity"), Said(line, "unit"), Said(line, "listUnitPrice"), Said(line, "unitPrice"),
        Said(line, "listExact"), Said(line, "exact"), Said(line, "amount"), watermark);

    private static string IdOf(BilledPeriod of, int number) => string.Create(CultureInfo.InvariantCulture, $"{of.Number}/{number}");

    private static string Said(JsonElement of, string name) => of.GetProperty(name).GetString()!;

    private static string? Maybe(JsonElement of, string name) => of.GetProperty(name).GetString();
}
