using System.Globalization;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Accounts;
using MissionControl.Licensing.Ledger;
using MissionControl.Licensing.Plans;
using MissionControl.Licensing.Pricing;
using MissionControl.Licensing.Rating;
using MissionControl.Platform.Data;

namespace MissionControl.Licensing.Contracts;

/// <summary>What is agreed, checked and as it is kept.</summary>
internal sealed record CheckedTerms(int ToHour, Guid PriceBookId, Guid PlanId, int PlanVersion, StoredTerms Stored);

/// <summary>All rules of terms; every mistake at once, each with its pointer.</summary>
/// <param name="db">Where price books, plans and clusters are.</param>
/// <param name="customer">Whose contract it is.</param>
/// <param name="currency">That of its account.</param>
internal sealed class ContractCheck(ControlPlaneDbContext db, Guid customer, string currency)
{
    private const int MostClusters = 5_000;
    private const int MostDiscounts = 200;
    private const int MostEnvironments = 1_000;
    private readonly List<FieldError> errors = [];

    public IReadOnlyList<FieldError> Errors => errors;

    public void Add(string pointer, string code, string detail) => errors.Add(new FieldError(pointer, code, detail));

    /// <summary>A whole hour; null, with the mistake, of what is none.</summary>
    public int? Hour(DateTimeOffset? instant, string pointer)
    {
        if (instant is { } at && Hours.TryWhole(at, out var hour))
        {
            return hour;
        }

        Add(pointer, instant is null ? "required" : "mid-hour", "This is the first instant of an hour (UTC), of the years 1970 to 2199, such as 2026-12-01T00:00:00Z.");
        return null;
    }

    /// <summary>The terms, if nothing is wrong with them, counted from an hour on; null: that is wrong already.</summary>
    public async Task<CheckedTerms?> TermsAsync(AgreedTerms terms, int? from, CancellationToken cancellationToken)
    {
        var to = Hour(terms.To, "/terms/to");
        if (from is { } begin && to is { } end && end <= begin)
        {
            Add("/terms/to", "ends-before-start", $"It ends after {Hours.Text(begin)}.");
        }

        if (terms.Currency is { } named && named != currency)
        {
            Add("/terms/currency", "currency-change", $"The account is in {currency}, and so are its contracts.");
        }

        var (skus, inForce) = await SkusAsync(terms, from, to, cancellationToken);
        if (terms.PlanId is not { } plan || await PlansApi.FindAsync(db, plan, terms.PlanVersion, cancellationToken) is null)
        {
            Add("/terms/planId", "unknown-plan", "There is no such version of a plan.");
        }

        var clusters = await ClustersAsync(terms, cancellationToken);
        var use = Word<Use>(terms.Use ?? "production", "/terms/use");
        var missing = Word<MissingPolicy>(terms.Missing ?? "block", "/terms/missing");
        var commitment = Commitment(terms.Commitment, inForce);
        var overage = Overage(terms.Overage ?? new AgreedOverage());
        var discounts = Discounts(terms.Discounts ?? [], skus);
        var environments = Environments(terms.Environments ?? [], clusters);
        return errors.Count > 0 ? null : new CheckedTerms(to!.Value, terms.PriceBookId!.Value, terms.PlanId!.Value, terms.PlanVersion,
            new StoredTerms(use, missing, terms.ClusterIds, commitment, overage, discounts, environments));
    }

    private T Word<T>(string? word, string pointer)
        where T : struct, Enum
    {
        if (Words.Read<T>(word) is { } value)
        {
            return value;
        }

        Add(pointer, "unknown-value", $"This is one of {Words.All<T>()}.");
        return default;
    }

    // Every sku that the book ever had in a published version, for discounts: a rate may come later, or be gone from the newest one. And those
    // that have units in each version that is published for the contract's time: promised units of another could not be priced.
    private async Task<(HashSet<string> All, HashSet<string> WithUnits)> SkusAsync(AgreedTerms terms, int? from, int? to, CancellationToken cancellationToken)
    {
        var book = terms.PriceBookId is { } id ? await db.Set<PriceBook>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) : null;
        if (book is null)
        {
            Add("/terms/priceBookId", "unknown-price-book", "There is no such price book.");
            return ([], []);
        }

        if (book.Currency != currency)
        {
            Add("/terms/priceBookId", "currency-mismatch", $"The price book is in {book.Currency}, and the account in {currency}.");
        }

        var versions = await db.Set<PriceBookVersion>().AsNoTracking().Where(row => row.BookId == book.Id && row.State == PriceBookVersionState.Published).ToListAsync(cancellationToken);
        var first = from is { } hour ? Pins.At(versions, hour) : null;
        if (from is not null && first is null)
        {
            Add("/terms/priceBookId", "no-version-in-force", $"No version of the price book is in force at {Hours.Text(from.Value)}; publish one first.");
        }

        var cards = versions.ConvertAll(version => (version.FromHour, Card: version.ToRateCard()));
        var all = cards.SelectMany(one => one.Card.Rates).Select(rate => rate.Sku).ToHashSet(StringComparer.Ordinal);
        var withUnits = all.Where(sku => cards.Where(one => first is null || (one.FromHour >= first.FromHour && !(one.FromHour >= to))).All(one => one.Card.HasUnitsOf(sku))).ToHashSet(StringComparer.Ordinal);
        return (all, withUnits);
    }

    private async Task<HashSet<Guid>> ClustersAsync(AgreedTerms terms, CancellationToken cancellationToken)
    {
        if (terms.ClusterIds is { Count: 0 or > MostClusters })
        {
            Add("/terms/clusterIds", "invalid-value", $"A list has 1 to {MostClusters} clusters; without one, all of the customer are in the contract.");
            return [];
        }

        var own = (await db.Set<LedgerCluster>().AsNoTracking().Where(row => row.CustomerId == customer).Select(row => row.Id).ToListAsync(cancellationToken)).ToHashSet();
        var seen = new HashSet<Guid>();
        foreach (var (i, cluster) in (terms.ClusterIds ?? []).Index())
        {
            if (!own.Contains(cluster) || !seen.Add(cluster))
            {
                Add($"/terms/clusterIds/{i}", own.Contains(cluster) ? "duplicate-cluster" : "unknown-cluster", own.Contains(cluster) ? "The cluster stands there before." : "The customer has no such cluster.");
            }
        }

        return terms.ClusterIds is null ? own : seen;
    }

    private Commitment Commitment(AgreedCommitment? agreed, HashSet<string> withUnits)
    {
        const string At = "/terms/commitment";
        var kind = Word<CommitmentKind>(agreed?.Kind ?? "none", $"{At}/kind");
        var isAmount = kind is CommitmentKind.MinimumPerPeriod or CommitmentKind.TermPool;
        var isMark = kind == CommitmentKind.HighWaterMark;
        if (isAmount != agreed?.Amount is not null)
        {
            Add($"{At}/amount", "invalid-value", "A minimum and a pool have an amount, and nothing else has one.");
        }

        if (isMark != agreed?.Sku is not null || isMark != agreed?.Units is not null)
        {
            Add(At, "invalid-value", "A high-water mark has a sku and units, and nothing else has them.");
        }

        long amount = 0;
        if (isAmount && agreed?.Amount is { } text && (!Money.TryRead(text, currency, out amount, out var mistake) || amount == 0))
        {
            Add($"{At}/amount", mistake.Code ?? "invalid-value", mistake.Detail ?? "A commitment is more than 0.");
        }

        long units = 0;
        if (isMark && agreed?.Units is { } number && !Nano.TryRead(number, out units, out var wrong))
        {
            Add($"{At}/units", wrong.Code, wrong.Detail);
        }

        if (isMark && agreed?.Sku is { } sku && !withUnits.Contains(sku))
        {
            Add($"{At}/sku", "unknown-sku", "The prices that are in force then, and those after them, have no units of such a sku.");
        }

        return new Commitment(kind, amount, isMark ? agreed?.Sku : null, units);
    }

    private OveragePolicy Overage(AgreedOverage overage)
    {
        if (overage.Denominator < 1 || overage.Numerator < overage.Denominator || overage.Numerator > 1_000_000 || (!overage.Allowed && overage.Numerator != overage.Denominator))
        {
            Add("/terms/overage", "invalid-factor", "The factor is numerator / denominator, at least 1, with a numerator of 1,000,000 at most; what is not allowed has none.");
        }

        return new OveragePolicy(overage.Allowed, overage.Numerator, overage.Denominator);
    }

    private List<Discount> Discounts(IReadOnlyList<AgreedDiscount> agreed, HashSet<string> skus)
    {
        if (agreed.Count > MostDiscounts)
        {
            Add("/terms/discounts", "invalid-value", $"There are {MostDiscounts} discounts at most.");
        }

        var discounts = new List<Discount>();
        foreach (var (i, one) in agreed.Take(MostDiscounts).Index())
        {
            var at = $"/terms/discounts/{i}";
            var (from, to) = (Hour(one?.From, $"{at}/from"), one?.To is { } end ? Hour(end, $"{at}/to") : null);
            if (from is { } begin && to is { } last && last <= begin)
            {
                Add($"{at}/to", "ends-before-start", $"It ends after {Hours.Text(begin)}.");
            }

            const long Step = Nano.One / 10_000;
            if (!Nano.TryRead(one?.Percent ?? "", out var percent, out var mistake) || percent == 0 || percent > 100 * Nano.One || percent % Step != 0)
            {
                Add($"{at}/percent", mistake.Code ?? "invalid-value", mistake.Detail ?? "A discount is more than 0 and at most 100 per cent, with four digits after the point.");
            }

            if (one?.Sku is { } sku && !skus.Contains(sku))
            {
                Add($"{at}/sku", "unknown-sku", "The price book has no such sku.");
            }

            discounts.Add(new Discount(one?.Sku, (int)Math.Min(percent / Step, 1_000_000), from ?? 0, to));
        }

        return discounts;
    }

    private List<EnvironmentUse> Environments(IReadOnlyList<AgreedEnvironment> agreed, HashSet<Guid> clusters)
    {
        if (agreed.Count > MostEnvironments)
        {
            Add("/terms/environments", "invalid-value", $"There are {MostEnvironments} environments at most.");
        }

        var (seen, environments) = (new HashSet<(Guid?, string)>(), new List<EnvironmentUse>());
        foreach (var (i, one) in agreed.Take(MostEnvironments).Index())
        {
            var at = $"/terms/environments/{i}";
            if (one?.Environment is not { Length: > 0 and <= 200 } id)
            {
                Add($"{at}/environment", "required", "Name the environment, in 200 characters at most.");
            }
            else if (!seen.Add((one.ClusterId, id)))
            {
                Add($"{at}/environment", "duplicate-environment", "The environment stands there before.");
            }

            if (one?.ClusterId is { } cluster && !clusters.Contains(cluster))
            {
                Add($"{at}/clusterId", "unknown-cluster", "The contract has no such cluster.");
            }

            environments.Add(new EnvironmentUse(one?.ClusterId, one?.Environment ?? "", Word<Use>(one?.Use, $"{at}/use")));
        }

        return environments;
    }

    /// <summary>Hours of clusters that another contract of the customer has already, by all versions of this one with the one that is to come. An hour that is in two would be billed twice.</summary>
    public async Task<IReadOnlyList<FieldError>> OverlapsAsync(Guid contract, IReadOnlyCollection<ContractVersion> versions, CancellationToken cancellationToken)
    {
        var others = await db.Set<Contract>().AsNoTracking().Where(row => row.CustomerId == customer && row.State == ContractState.Active && row.Id != contract).ToDictionaryAsync(row => row.Id, cancellationToken);
        var ids = others.Keys.ToList();
        var theirs = (await db.Set<ContractVersion>().AsNoTracking().Where(row => ids.Contains(row.ContractId)).ToListAsync(cancellationToken)).GroupBy(row => row.ContractId)
            .SelectMany(group => Pins.Spans([.. group]).Select(span => (span.From, span.To, Terms: span.Version.Read(), others[group.Key].Number))).ToList();
        var found = new List<FieldError>();
        foreach (var (from, to, version) in Pins.Spans(versions))
        {
            var own = version.Read();
            foreach (var other in theirs.Where(other => other.From < to && from < other.To))
            {
                var detail = string.Create(CultureInfo.InvariantCulture, $"Contract {other.Number} has it from {Hours.Text(Math.Max(from, other.From))} to {Hours.Text(Math.Min(to, other.To))}.");
                if (own.Clusters is null || other.Terms.Clusters is null)
                {
                    found.Add(new FieldError("/terms/clusterIds", "cluster-in-other-contract", own.Clusters is null ? $"All clusters of the customer: {detail}" : detail));
                    continue;
                }

                found.AddRange(own.Clusters.Index().Where(cluster => other.Terms.Holds(cluster.Item)).Select(cluster => new FieldError($"/terms/clusterIds/{cluster.Index}", "cluster-in-other-contract", $"{cluster.Item}: {detail}")));
            }
        }

        return [.. found.Distinct().Take(500)];
    }
}
