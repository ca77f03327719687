using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using MissionControl.Licensing.Billing;
using MissionControl.Licensing.Rating;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Focus;

/// <summary>A billing period of a contract.</summary>
internal sealed record ListedMonth(Period Period, string ContractNumber, Guid Account)
{
    /// <summary>Its id holds the instant that it was made at.</summary>
    public DateTimeOffset CreatedAt => DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(Period.Id.ToByteArray(bigEndian: true)) >>> 16);
}

/// <summary>
/// The tables of FOCUS, column by column. Cost and usage is that of version 1.2; contract commitments came with 1.3, billing periods and
/// invoice details are drafts for 1.4.
/// </summary>
internal sealed class FocusDatasets
{
    public const string Version = "1.2";

    public FocusDatasets(FocusOptions options)
    {
        var (issuer, service) = (options.IssuerName, options.ServiceName);
        CostAndUsage = new("cost-and-usage", Version,
        [
            Decimal<Charge>("BilledCost", "What is billed, exact; with the row of rounding the rows of an invoice come to what is to be paid", row => row.Cost),
            Text<Charge>("BillingAccountId", "The billing account", row => row.Of.AccountId),
            Text<Charge>("BillingAccountName", "Its name now", row => row.Of.AccountName),
            Text<Charge>("BillingCurrency", "ISO 4217", row => row.Of.Currency),
            Instant<Charge>("BillingPeriodEnd", "End of the month that it is billed in, not included", row => row.Of.To),
            Instant<Charge>("BillingPeriodStart", "Begin of that month", row => row.Of.From),
            Text<Charge>("ChargeCategory", "Usage, Purchase, Credit or Adjustment", row => row.Category),
            Maybe<Charge>("ChargeClass", "Correction: of a billing period that was closed before", row => row.IsCorrection ? "Correction" : null),
            Text<Charge>("ChargeDescription", "For people", row => row.Description),
            Text<Charge>("ChargeFrequency", "Usage-Based, Recurring or One-Time", row => row.Frequency),
            Instant<Charge>("ChargePeriodEnd", "End of the hours that it is for, not included", row => row.To),
            Instant<Charge>("ChargePeriodStart", "Begin of those", row => row.From),
            Decimal<Charge>("ConsumedQuantity", "What was used, in units of the price", row => row.IsUsage ? row.Quantity : null, true),
            Maybe<Charge>("ConsumedUnit", "Its unit", row => row.IsUsage ? row.Unit : null),
            Decimal<Charge>("ContractedCost", "Contracted unit price times pricing quantity", row => row.Cost),
            Decimal<Charge>("ContractedUnitPrice", "What a unit costs by contract", row => row.UnitPrice, true),
            Decimal<Charge>("EffectiveCost", "What it costs where it is used: what was paid ahead counts with what it pays for", row => row.EffectiveCost),
            Maybe<Charge>("InvoiceId", "Number of the statement; none: the period is open", row => row.Of.InvoiceId),
            Text<Charge>("InvoiceIssuerName", "Who bills", _ => issuer),
            Decimal<Charge>("ListCost", "List unit price times pricing quantity", row => row.ListCost),
            Decimal<Charge>("ListUnitPrice", "What a unit costs by the price book", row => row.ListUnitPrice, true),
            Maybe<Charge>("PricingCategory", "Standard, or Committed: of what the contract promises", row => !row.IsPriced ? null : row.IsCommitment ? "Committed" : "Standard"),
            Decimal<Charge>("PricingQuantity", "How many units are priced", row => row.Quantity, true),
            Maybe<Charge>("PricingUnit", "The unit that is priced", row => row.Unit),
            Text<Charge>("ProviderName", "Who offers it", _ => issuer),
            Text<Charge>("PublisherName", "Who made it", _ => issuer),
            Maybe<Charge>("ResourceId", "The cluster, of a contract that has one", row => row.Meter is null ? null : row.Of.ClusterId),
            Maybe<Charge>("ResourceName", "Its name now", row => row.Meter is null ? null : row.Of.ClusterName),
            Maybe<Charge>("ResourceType", "Cluster", row => row.Meter is null || row.Of.ClusterId is null ? null : "Cluster"),
            Text<Charge>("ServiceCategory", "Of the categories that FOCUS has", _ => "Management and Governance"),
            Text<Charge>("ServiceName", "What is billed", _ => service),
            Text<Charge>("ServiceSubcategory", "Of the subcategories that FOCUS has", _ => "Observability"),
            Maybe<Charge>("SkuId", "The rate of the price book", row => row.SkuId),
            Maybe<Charge>("SkuMeter", "What is counted", row => row.Meter),
            Maybe<Charge>("SkuPriceId", "The rate and its tier", row => row.SkuPriceId),
            Maybe<Charge>("SubAccountId", "The cluster, of a contract that has one", row => row.Of.ClusterId),
            Maybe<Charge>("SubAccountName", "Its name now", row => row.Of.ClusterName),
            Maybe<Charge>("SubAccountType", "Cluster", row => row.Of.ClusterId is null ? null : "Cluster"),
            Maybe<Charge>("x_ContractCommitmentId", "What the contract promises, of rows that come from that", row => row.IsCommitment ? row.Of.CommitmentId : null),
            Text<Charge>("x_ContractId", "The contract", row => row.Of.ContractId),
            Text<Charge>("x_ContractNumber", "Its number", row => row.Of.ContractNumber),
            Maybe<Charge>("x_CorrectsInvoiceId", "The invoice that a correction is of", row => row.IsCorrection ? row.Corrects : null),
            Text<Charge>("x_CustomerId", "The customer", row => row.Of.CustomerId),
            Text<Charge>("x_IngestWatermark", "All that was known up to this number is in it, and nothing else", row => row.Watermark),
            new("x_IsEstimated", FocusType.Boolean, false, "It rests on hours that were estimated", row => row.Estimated ? "true" : "false"),
            Text<Charge>("x_LineKind", "The kind of line on the statement", row => row.Kind),
            Maybe<Charge>("x_NoteNumber", "The credit or debit note that it is", row => row.Part == "adjustment" ? row.Corrects : null),
            Text<Charge>("x_RowId", "No other row has it", row => row.Id),
            Maybe<Charge>("x_StatementId", "The statement; none: the period is open", row => row.Of.StatementId),
            Maybe<Charge>("x_StatementSha256", "Of its bytes", row => row.Of.Sha256),
            Decimal<Charge>("x_Tier", "The tier of the rate; 0 where there are none", row => row.Tier.ToString(CultureInfo.InvariantCulture)),
            Text<Charge>("x_Use", "production, trial or internal", row => row.Use),
        ]);
        InvoiceDetail = new("invoice-detail", "1.4",
        [
            Decimal<Charge>("BilledCost", "As it stands on the invoice, rounded", row => row.Amount),
            Text<Charge>("BillingAccountId", "The billing account", row => row.Of.AccountId),
            Text<Charge>("BillingCurrency", "ISO 4217", row => row.Of.Currency),
            Instant<Charge>("BillingPeriodEnd", "End of the month that it is billed in, not included", row => row.Of.To),
            Instant<Charge>("BillingPeriodStart", "Begin of that month", row => row.Of.From),
            Text<Charge>("ChargeCategory", "Usage, Purchase, Credit or Adjustment", row => row.Category),
            Instant<Charge>("InvoiceDetailCreated", "When the statement was made", row => row.Of.Issued),
            Text<Charge>("InvoiceDetailDescription", "For people", row => row.Description),
            new("InvoiceDetailGrain", FocusType.Json, false, "What tells it from the other rows", Grain),
            Text<Charge>("InvoiceDetailId", "No other row has it", row => row.Id),
            Instant<Charge>("InvoiceDetailLastUpdated", "When the statement was made: it never changes", row => row.Of.Issued),
            Text<Charge>("InvoiceId", "Number of the statement", row => row.Of.InvoiceId),
            Instant<Charge>("InvoiceIssueDate", "When the statement was made", row => row.Of.Issued),
            Text<Charge>("InvoiceIssuerName", "Who bills", _ => issuer),
            Text<Charge>("InvoiceIssueStatus", "Issued", _ => "Issued"),
            Text<Charge>("PaymentCurrency", "ISO 4217", row => row.Of.Currency),
            Decimal<Charge>("PaymentCurrencyBilledCost", "As it stands on the invoice, rounded", row => row.Amount),
            Maybe<Charge>("PaymentCurrencyInvoiceDetailId", "None: an invoice has one currency", _ => null),
            Instant<Charge>("PaymentDueDate", "None: it is not agreed here", _ => null, true),
            Maybe<Charge>("PaymentTerms", "None: they are not agreed here", _ => null),
            Maybe<Charge>("PurchaseOrderNumber", "What the customer wants on its invoices, now", row => row.Of.Reference),
            Maybe<Charge>("ReferenceInvoiceId", "The invoice that a correction is of", row => row.IsCorrection ? row.Corrects : null),
            Text<Charge>("x_ContractId", "The contract", row => row.Of.ContractId),
            Text<Charge>("x_CustomerId", "The customer", row => row.Of.CustomerId),
        ]);
        BillingPeriods = new("billing-periods", "1.4",
        [
            Instant<ListedMonth>("BillingPeriodCreated", "When it was opened", row => UsageWindow.Text(row.CreatedAt)),
            Instant<ListedMonth>("BillingPeriodEnd", "Its end, not included", row => Commitment.Text(row.Period.ToHour)),
            Instant<ListedMonth>("BillingPeriodLastUpdated", "When it was opened or closed", row => UsageWindow.Text(row.Period.ClosedAt ?? row.CreatedAt)),
            Instant<ListedMonth>("BillingPeriodStart", "Its begin", row => Commitment.Text(row.Period.FromHour)),
            Text<ListedMonth>("BillingPeriodStatus", "Open or Closed; what is closed stays closed", row => row.Period.State.ToString()),
            Text<ListedMonth>("InvoiceIssuerName", "Who bills", _ => issuer),
            Text<ListedMonth>("x_BillingAccountId", "The billing account", row => row.Account.ToString("D")),
            Text<ListedMonth>("x_ContractId", "The contract", row => row.Period.ContractId.ToString("D")),
            Text<ListedMonth>("x_ContractNumber", "Its number", row => row.ContractNumber),
            Text<ListedMonth>("x_CustomerId", "The customer", row => row.Period.CustomerId.ToString("D")),
            Text<ListedMonth>("x_PeriodId", "No other row has it", row => row.Period.Id.ToString("D")),
            Maybe<ListedMonth>("x_StatementId", "What it was closed with", row => row.Period.StatementId?.ToString("D")),
        ]);
    }

    public FocusDataset<Charge> CostAndUsage { get; }

    public FocusDataset<Charge> InvoiceDetail { get; }

    public FocusDataset<ListedMonth> BillingPeriods { get; }

    public FocusDataset<Commitment> ContractCommitments { get; } = new("contract-commitments", "1.3",
    [
        Text<Commitment>("BillingCurrency", "ISO 4217", row => row.Contract.Currency),
        Text<Commitment>("ContractCommitmentCategory", "Spend or Usage", row => row.IsSpend ? "Spend" : "Usage"),
        Decimal<Commitment>("ContractCommitmentCost", "The amount that is promised", row => row.Cost, true),
        Text<Commitment>("ContractCommitmentDescription", "For people", row => row.Description),
        Text<Commitment>("ContractCommitmentId", "No other row has it", row => row.Id),
        Instant<Commitment>("ContractCommitmentPeriodEnd", "Until then, not included", row => Commitment.Text(row.ToHour)),
        Instant<Commitment>("ContractCommitmentPeriodStart", "From then on", row => Commitment.Text(row.FromHour)),
        Decimal<Commitment>("ContractCommitmentQuantity", "The units that are promised", row => row.IsSpend ? null : row.Quantity, true),
        Text<Commitment>("ContractCommitmentType", "minimum_per_period, term_pool or high_water_mark", row => Words.Of(row.Promise.Kind)),
        Maybe<Commitment>("ContractCommitmentUnit", "Which units", row => row.IsSpend ? null : $"units of {row.Promise.Sku}"),
        Text<Commitment>("ContractId", "The contract", row => row.Contract.Id.ToString("D")),
        Instant<Commitment>("ContractPeriodEnd", "End of the contract, not included", row => Commitment.Text(row.Version.ToHour)),
        Instant<Commitment>("ContractPeriodStart", "Begin of the contract", row => Commitment.Text(row.Contract.FromHour)),
        Text<Commitment>("x_BillingAccountId", "The billing account", row => row.Contract.AccountId.ToString("D")),
        Text<Commitment>("x_ContractNumber", "The contract's number", row => row.Contract.Number),
        Text<Commitment>("x_CustomerId", "The customer", row => row.Contract.CustomerId.ToString("D")),
        Maybe<Commitment>("x_SkuId", "The rate whose units are promised", row => row.Promise.Sku),
    ]);

    private static FocusColumn<T> Text<T>(string name, string description, Func<T, string?> read) => new(name, FocusType.String, false, description, read);

    private static FocusColumn<T> Maybe<T>(string name, string description, Func<T, string?> read) => new(name, FocusType.String, true, description, read);

    private static FocusColumn<T> Decimal<T>(string name, string description, Func<T, string?> read, bool nullable = false) => new(name, FocusType.Decimal, nullable, description, read);

    private static FocusColumn<T> Instant<T>(string name, string description, Func<T, string?> read, bool nullable = false) => new(name, FocusType.DateTime, nullable, description, read);

    private static string Grain(Charge row)
    {
        var grain = new SortedDictionary<string, object>(StringComparer.Ordinal) { ["x_ChargePeriodStart"] = row.From, ["x_IsEstimated"] = row.Estimated, ["x_LineKind"] = row.Kind, ["x_Use"] = row.Use };
        foreach (var (name, value) in new[] { ("SkuId", row.SkuId), ("SkuPriceId", row.SkuPriceId), ("x_NoteNumber", row.Part == "adjustment" ? row.Corrects : null) })
        {
            if (value is not null)
            {
                grain.Add(name, value);
            }
        }

        return JsonSerializer.Serialize(grain);
    }
}
