using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Accounts;
using MissionControl.Licensing.Pricing;
using MissionControl.Licensing.Rating;
using MissionControl.Platform.Data;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Contracts;

/// <summary>Why there is a version.</summary>
internal enum ContractVersionKind
{
    Original,
    Amendment,
    Termination,
}

/// <summary>What is agreed, as it is kept, besides what the row names.</summary>
/// <param name="Use">What for.</param>
/// <param name="Missing">What hours are that never came.</param>
/// <param name="Clusters">Null: all of the customer.</param>
/// <param name="Commitment">What is promised.</param>
/// <param name="Overage">What lies beyond.</param>
/// <param name="Discounts">Price reductions.</param>
/// <param name="Environments">Those that are for something else.</param>
internal sealed record StoredTerms(
    Use Use, MissingPolicy Missing, IReadOnlyList<Guid>? Clusters, Commitment Commitment, OveragePolicy Overage, IReadOnlyList<Discount> Discounts, IReadOnlyList<EnvironmentUse> Environments)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) } };

    public string ToText() => JsonSerializer.Serialize(this, Json);

    public static StoredTerms FromText(string text) => JsonSerializer.Deserialize<StoredTerms>(text, Json)!;

    /// <summary>Whether a cluster of its customer is in the contract.</summary>
    public bool Holds(Guid cluster) => Clusters?.Contains(cluster) ?? true;
}

/// <summary>A version of a contract. It changes while the contract is a draft, and never again.</summary>
internal sealed class ContractVersion : ICustomerOwned
{
    public required Guid ContractId { get; init; }

    public required int Number { get; init; }

    public required Guid CustomerId { get; init; }

    public required ContractVersionKind Kind { get; init; }

    /// <summary>From here on it counts, until one with a higher number does.</summary>
    public required int FromHour { get; set; }

    /// <summary>The end of the contract, not included.</summary>
    public required int ToHour { get; set; }

    public required Guid PriceBookId { get; set; }

    public required Guid PlanId { get; set; }

    public required int PlanVersion { get; set; }

    /// <summary>The rest, as JSON; see <see cref="StoredTerms"/>.</summary>
    public required string Terms { get; set; }

    public string? Reason { get; set; }

    public required DateTimeOffset CreatedAt { get; set; }

    public StoredTerms Read() => StoredTerms.FromText(Terms);

    /// <summary>What is agreed, as the rater is told it.</summary>
    public ContractTerms ToTerms(Contract contract)
    {
        var terms = Read();
        return new ContractTerms(contract.FromHour, ToHour, contract.Currency, terms.Use, terms.Commitment, terms.Overage, terms.Discounts, terms.Environments);
    }

    public ContractVersionItem ToItem(string currency)
    {
        var terms = Read();
        return new ContractVersionItem(Number, Words.Of(Kind), UsageWindow.StartOf(FromHour), new AgreedTerms(
            UsageWindow.StartOf(ToHour), currency, PriceBookId, PlanId, PlanVersion, terms.Clusters, Words.Of(terms.Use), Words.Of(terms.Missing), Item(terms.Commitment, currency),
            new AgreedOverage(terms.Overage.Allowed, terms.Overage.Numerator, terms.Overage.Denominator), [.. terms.Discounts.Select(Item)],
            [.. terms.Environments.Select(one => new AgreedEnvironment(one.Environment, Words.Of(one.Use), one.ClusterId))]), Reason, CreatedAt);
    }

    public static AgreedDiscount Item(Discount discount) => new(
        Nano.Text(discount.PerMillion * (Nano.One / 10_000)), UsageWindow.StartOf(discount.FromHour), discount.ToHour is { } to ? UsageWindow.StartOf(to) : null, discount.Sku);

    private static AgreedCommitment Item(Commitment commitment, string currency) => new(
        Words.Of(commitment.Kind), commitment.Kind is CommitmentKind.MinimumPerPeriod or CommitmentKind.TermPool ? Money.Text(commitment.AmountMinor, currency) : null,
        commitment.Sku, commitment.Kind == CommitmentKind.HighWaterMark ? Nano.Text(commitment.Units) : null);

    internal sealed class Configuration : IEntityTypeConfiguration<ContractVersion>
    {
        public void Configure(EntityTypeBuilder<ContractVersion> builder)
        {
            builder.ToTable("licensing_contract_version").HasKey(row => new { row.ContractId, row.Number });
            builder.Property(row => row.Terms).IsText();
            builder.Property(row => row.Reason).HasMaxLength(500);
            builder.HasIndex(row => row.CustomerId);
            builder.HasIndex(row => row.PriceBookId);
        }
    }
}
